"""The sums of an ad account's entities against its own row."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import Front
from harness.spotify import first_pages

from tap_adstage.exceptions import IncompleteRunError

if TYPE_CHECKING:
    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox


def report(**keys: object) -> dict[str, Any]:
    return {
        "name": "r",
        "entity_level": "campaigns",
        "fields": ["IMPRESSIONS", "CLICKS", "SPEND", "REACH"],
        "date_range": "2024-03-11..2024-03-19",
        "window_days": 5,
        **keys,
    }


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


@pytest.mark.parametrize("level", ["campaigns", "ad_sets", "ads"])
def test_each_account_and_window_is_one_request_more(
    level: str,
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reports = [report(entity_level=level)]
    messages = sync(spotify_settings | {"reports": reports}, streams=["r"])
    control = [
        request
        for request in first_pages(spotify_sandbox)
        if request["entity_type"] == ["AD_ACCOUNT"]
    ]
    accounts = spotify_sandbox.world.ad_accounts
    windows = {(r["account"][0], r["report_start"][0][:10]) for r in control}
    assert windows == {
        (account.id, day)
        for account in accounts
        for day in ("2024-03-11", "2024-03-16")
    }
    assert len(control) == len(windows)
    assert messages.records("r")
    assert warnings(caplog) == []


def test_accounts_are_asked_for_what_is_compared_alone(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    listeners = report(entity_level="ad_sets", fields=["LISTENERS", "CLICKS"])
    sync(spotify_settings | {"reports": [listeners]}, streams=["r"])
    fields = {
        (request["entity_type"][0], *request["fields"])
        for request in first_pages(spotify_sandbox)
    }
    assert fields == {("AD_ACCOUNT", "CLICKS"), ("AD_SET", "LISTENERS", "CLICKS")}


def test_a_row_that_is_missing_is_told_with_its_account_and_window(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spotify_sandbox.switches.drop_rows = 1
    messages = sync(spotify_settings | {"reports": [report()]}, streams=["r"])
    first, second, summary, _ = warnings(caplog)
    assert first.startswith(
        "r: window 2024-03-11..2024-03-15 differs from Spotify's own totals: "
    )
    assert second.startswith("r: window 2024-03-16..2024-03-19 differs")
    assert any(
        f"account {account.id}: IMPRESSIONS: Spotify's total is " in first
        for account in spotify_sandbox.world.ad_accounts
    )
    assert summary == "r: 2 of 2 windows differ from Spotify's own totals"
    assert messages.bookmark("r") == "2024-03-19"


def test_fail_keeps_the_bookmark_before_the_window(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spotify_sandbox.switches.drop_rows = 1
    settings = spotify_settings | {"reports": [report()], "reconcile": "fail"}
    with pytest.raises(IncompleteRunError):
        sync(settings, streams=["r"])
    (error,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "window 2024-03-11..2024-03-15 differs" in error


@pytest.mark.parametrize(
    "keys",
    [
        {"entity_level": "ad_accounts"},
        {"fields": ["REACH"]},
        {"aggregate_by": "total"},
        {"entity_level": "AGE", "fields": ["CLICKS"], "aggregate_by": "total"},
    ],
)
def test_what_does_not_add_up_is_not_compared(
    keys: dict[str, Any],
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed = report(**keys)
    if changed["entity_level"] == "AGE":
        del changed["date_range"]
    sync(spotify_settings | {"reports": [changed]}, streams=["r"])
    control = [
        request
        for request in first_pages(spotify_sandbox)
        if request.get("entity_type") == ["AD_ACCOUNT"]
    ]
    is_own = keys.get("entity_level") == "ad_accounts"
    assert bool(control) == is_own
    assert warnings(caplog) == []


def test_off_asks_for_nothing_more(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {"reports": [report()], "reconcile": "off"}
    sync(settings, streams=["r"])
    types = {request["entity_type"][0] for request in first_pages(spotify_sandbox)}
    assert types == {"CAMPAIGN"}


def test_an_account_that_fails_is_not_compared(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refuses = spotify_sandbox.world.ad_accounts[0]
    spotify_sandbox.switches.refused_accounts = frozenset({refuses.id})
    with pytest.raises(IncompleteRunError):
        sync(spotify_settings | {"reports": [report()]}, streams=["r"])
    assert not any("differ" in line for line in warnings(caplog))


@pytest.mark.parametrize("status", [403, 503])
def test_an_account_whose_totals_are_refused_is_read_without_them_under_warn(
    status: int,
    httpserver: HTTPServer,
    spotify_sandbox: SpotifyAdsSandbox,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refuses = spotify_sandbox.world.ad_accounts[0]
    front = Front(httpserver, spotify_sandbox)
    front.answers = {f"{refuses.id}/aggregate_reports.*AD_ACCOUNT": status}
    messages = sync(front.settings | {"reports": [report()]}, streams=["r"])
    days = {
        r["date"] for r in messages.records("r") if r["ad_account_id"] == refuses.id
    }
    assert len(days) == 9
    assert messages.bookmark("r") == "2024-03-19"
    (line,) = [line for line in warnings(caplog) if "Trying again" not in line]
    account = f"ad account {refuses.name} ({refuses.id})"
    window = "2024-03-11..2024-03-15"
    assert line.startswith(f"r, {window}, {account}, totals, page 1: GET ")
    assert f" answered {status}: no" in line
    assert line.endswith(
        " are not compared with Spotify's own totals, from this window on"
    )


def test_totals_that_failed_are_not_waited_for_again(
    httpserver: HTTPServer,
    spotify_sandbox: SpotifyAdsSandbox,
    sync: Sync,
    waits: list[float],
) -> None:
    limited = spotify_sandbox.world.ad_accounts[0]
    front = Front(httpserver, spotify_sandbox)
    front.answers = {f"{limited.id}/aggregate_reports.*AD_ACCOUNT": 429}
    settings = {"max_concurrency": 1, "max_retry_seconds": 60}
    config = front.settings | settings | {"reports": [report(window_days=1)]}
    assert sync(config, streams=["r"]).bookmark("r") == "2024-03-19"
    assert sum(waits) <= 2 * 60  # the window's and one that was fetched ahead


def test_an_account_whose_totals_are_refused_fails_alone_under_fail(
    httpserver: HTTPServer,
    spotify_sandbox: SpotifyAdsSandbox,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refuses = spotify_sandbox.world.ad_accounts[0]
    front = Front(httpserver, spotify_sandbox)
    front.answers = {f"{refuses.id}/aggregate_reports.*AD_ACCOUNT": 403}
    settings = front.settings | {"reports": [report()], "reconcile": "fail"}
    with pytest.raises(IncompleteRunError):
        sync(settings, streams=["r"])
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    failed = [line for line in errors if line.startswith("r: failed: ")]
    assert len(failed) == 1
    assert refuses.id in failed[0]
