"""The set-up test of settings that read Spotify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage import preflight
from tap_adstage.sandbox.spotify_ads.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

WORLD = World(1)
FIRST, SECOND, *_ = WORLD.ad_accounts
BUSINESSES = ", ".join(f"{each.name} ({each.id})" for each in WORLD.businesses)
DAILY = {"name": "daily", "entity_level": "campaigns", "fields": ["CLICKS"]}
TERMS = (
    "; if Spotify refuses all requests, accept the terms of its API in Ads Manager for "
    "this application, and wait up to an hour"
)


def lines_of(settings: dict[str, Any]) -> list[str]:
    """Try each step, without waiting for a retry."""
    tap = TapAdStage(config={"max_retry_seconds": 0, **settings}, setup_mapper=False)
    steps = preflight.steps(tap.source, tap.probe)
    return [result.line for result in preflight.results(steps, tap.source, tap._stats)]  # noqa: SLF001


def test_each_step_that_passes_is_a_line_that_says_what_was_found(
    spotify_settings: dict[str, Any], spotify_sandbox: SpotifyAdsSandbox
) -> None:
    days = {"date_range": "last 25 days"}
    reports = [
        {**DAILY, **days},
        {**DAILY, "name": "lifetime", "aggregate_by": "total"},
        {**DAILY, "name": "ages", "entity_level": "AGE"},
        {**DAILY, "name": "later", "date_range": "2024-04-01..2024-04-30"},
    ]
    assert lines_of(spotify_settings | {"reports": reports}) == [
        "token: ok, Spotify accepts it",
        f"businesses: ok, {BUSINESSES}",
        f"accounts: ok, {len(WORLD.ad_accounts)} in all businesses",
        "report daily: ok, a row of 2024-02-24..2024-03-19",
        "report lifetime: ok, a row of 2012-01-01..2024-03-19",
        "report ages: ok, a row of 2012-01-01..2024-03-19",
        (
            "report later: ok, nothing to request: its date_range, "
            "2024-04-01..2024-04-30, begins after today, 2024-03-20"
        ),
    ]
    asked = [r for r in spotify_sandbox.requests if r.path.endswith("_reports")]
    assert len(asked) == 3


def test_chosen_accounts_and_shards_are_named(
    spotify_settings: dict[str, Any],
) -> None:
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [FIRST.id, SECOND.id]}
    *_, accounts = lines_of(spotify_settings | chosen | {"shard": "1/2"})
    assert accounts.startswith("accounts: ok, 2 chosen: ")
    assert f"{FIRST.name} ({FIRST.id})" in accounts
    assert " in shard 1/2" in accounts


def test_a_chosen_account_that_is_none_is_named_with_those_that_there_are(
    spotify_settings: dict[str, Any], spotify_sandbox: SpotifyAdsSandbox
) -> None:
    spotify_sandbox.switches.hidden_accounts = frozenset([FIRST.id])
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [FIRST.id]}
    *_, accounts, daily = lines_of(spotify_settings | chosen | {"reports": [DAILY]})
    assert accounts.startswith(f"accounts: FAILED, accounts: {FIRST.id} not linked")
    assert SECOND.id in accounts
    assert daily == "report daily: not tried, as the accounts are not known"


NO_BUSINESS = (
    "this user is in no business; have it invited to one in Spotify Ads Manager, or "
    "check whose access_token this is"
)
NO_ACCOUNT = (
    "no business of this user has an ad account; create one in Spotify Ads Manager, or "
    "have this user invited to the business that has it"
)


@pytest.mark.parametrize(
    ("businesses", "expected"),
    [
        (
            [],
            [
                f"businesses: FAILED, {NO_BUSINESS}",
                "accounts: not tried, as the businesses are not known",
            ],
        ),
        (
            [{"id": "b1", "name": "Empty"}],
            ["businesses: ok, Empty (b1)", f"accounts: FAILED, {NO_ACCOUNT}"],
        ),
    ],
)
def test_a_user_without_anything_to_read_is_told_what_to_do(
    httpserver: HTTPServer, businesses: list[dict[str, str]], expected: list[str]
) -> None:
    answers: dict[str, Any] = {
        "": {"businesses": businesses},
        "/b1/ad_accounts": {"ad_accounts": [], "paging": {"total_results": 0}},
    }
    for path, answer in answers.items():
        httpserver.expect_request(f"/ads/v3/businesses{path}").respond_with_json(answer)
    settings = {
        "source": "spotify_ads",
        "api_url": httpserver.url_for("/ads/v3"),
        "access_token": "t0ken",
        "reports": [DAILY],
    }
    token, *others, daily = lines_of(settings)
    assert token == "token: ok, Spotify accepts it"
    assert others == expected
    assert daily == "report daily: not tried, as the accounts are not known"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, "look at the setting access_token"),
        (403, f"{TERMS[2:]}; check api_url, access_token, or ask Spotify to let this"),
        (503, "Spotify, the network or a proxy may be down: check api_url, and try"),
    ],
)
def test_without_a_token_that_works_nothing_else_is_tried(
    httpserver: HTTPServer, status: int, outcome: str
) -> None:
    httpserver.expect_request("/ads/v3/businesses").respond_with_json({}, status)
    settings = {
        "source": "spotify_ads",
        "api_url": httpserver.url_for("/ads/v3"),
        "access_token": "t0ken",
        "reports": [DAILY],
    }
    token, *others = lines_of(settings)
    assert outcome in token
    assert all(
        line.endswith("not tried, as the token is not known to work") for line in others
    )
    assert len(httpserver.log) == 1
