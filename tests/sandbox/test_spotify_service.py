"""Tokens, limits, refusing accounts and failures of the sandbox of Spotify's API."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tap_adstage.sandbox.spotify_ads.rate_limits import RateLimits
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

from .spotify_api import TODAY, SpotifyApi

if TYPE_CHECKING:
    from harness.clock import Clock

CLIENT = ("sandbox-client", "sandbox-secret")


def refresh(
    sandbox: SpotifyAdsSandbox, token: str, auth: tuple[str, str] | None = CLIENT
) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return requests.post(sandbox.token_url, data=form, auth=auth, timeout=20)


@pytest.mark.parametrize("token", ["", "another"])
def test_a_request_needs_a_valid_token(spotify: SpotifyApi, token: str) -> None:
    response = requests.get(
        f"{spotify.sandbox.api_url}/businesses",
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=20,
    )

    assert response.status_code == 401
    assert response.json()["messages"] == [
        "the access token is missing, unknown or expired"
    ]


def test_a_refresh_token_is_good_for_one_new_pair() -> None:
    with SpotifyAdsSandbox(today=TODAY, token_uses=2) as sandbox:
        assert sandbox.token_url.endswith("/api/token")
        answer = refresh(sandbox, "sandbox-refresh").json()

        assert answer["token_type"] == "Bearer"
        assert answer["expires_in"] == 3600
        assert answer["refresh_token"] == sandbox.refresh_token != "sandbox-refresh"
        with SpotifyApi(sandbox, answer["access_token"]) as api:
            statuses = [api.send("businesses").status_code for _ in range(3)]
        assert statuses == [200, 200, 401]
        stale = refresh(sandbox, "sandbox-refresh")
        assert stale.status_code == 400
        assert stale.json()["error"] == "invalid_grant"


def test_credentials_are_http_basic(spotify: SpotifyApi) -> None:
    sandbox = spotify.sandbox
    in_form = requests.post(
        sandbox.token_url,
        data={
            "grant_type": "refresh_token",
            "refresh_token": sandbox.refresh_token,
            "client_id": CLIENT[0],
            "client_secret": CLIENT[1],
        },
        timeout=20,
    )
    wrong = refresh(sandbox, sandbox.refresh_token, ("sandbox-client", "guessed"))

    assert in_form.json()["error"] == wrong.json()["error"] == "invalid_client"


def test_token_requests_can_fail() -> None:
    with SpotifyAdsSandbox(refresh_faults=1) as sandbox:
        statuses = [
            refresh(sandbox, sandbox.refresh_token).status_code for _ in range(2)
        ]

    assert statuses == [503, 200]


def test_an_account_can_refuse_or_be_gone() -> None:
    with SpotifyAdsSandbox(today=TODAY) as sandbox, SpotifyApi(sandbox) as api:
        refused, hidden, other = sandbox.world.ad_accounts[:3]
        sandbox.switches.refused_accounts = {refused.id}
        sandbox.switches.hidden_accounts = {hidden.id}

        def statuses(name: str, **parameters: Any) -> list[int]:  # noqa: ANN401
            return [
                api.in_account(name, account, **parameters).status_code
                for account in (refused, hidden, other)
            ]

        report = api.report_parameters("AD_ACCOUNT")
        assert statuses("campaigns") == [403, 404, 200]
        assert statuses("aggregate_reports", **report) == [403, 404, 200]
        assert api.in_account("ads", refused).json()["error_codes"] == [
            {"code": "PERMISSION_DENIED", "definition": "READ_NOT_ALLOWED"}
        ]
        listed = {
            account["id"]
            for business in sandbox.world.businesses
            for account in api.get(f"businesses/{business.id}/ad_accounts")[
                "ad_accounts"
            ]
        }
        assert refused.id in listed
        assert hidden.id not in listed


def test_reports_and_other_requests_have_limits_of_their_own() -> None:
    with (
        SpotifyAdsSandbox(
            today=TODAY, rate_limited=True, report_limit=3, other_limit=4
        ) as sandbox,
        SpotifyApi(sandbox) as api,
    ):
        report = api.report_parameters("AD_ACCOUNT")
        reports = [api.in_account("aggregate_reports", **report) for _ in range(5)]
        others = [api.send("businesses") for _ in range(5)]

    assert [r.status_code for r in reports] == [200, 200, 200, 429, 429]
    assert [r.status_code for r in others] == [200, 200, 200, 200, 429]
    assert 20 < int(reports[-1].headers["X-RateLimit-Reset"]) <= 30
    assert reports[-1].headers["X-RateLimit-Remaining"] == "0"
    assert reports[-1].headers["X-RateLimit-Limit"] == "3"
    assert reports[-1].json()["messages"] == ["too many requests"]


def test_a_limit_counts_what_was_admitted_in_any_30_seconds(clock: Clock) -> None:
    limits = RateLimits({"report": 2}, 30)

    def admit_after(seconds: float) -> float | None:
        clock.now += seconds
        excess = limits.admit("report")
        return None if excess is None else excess.seconds

    assert admit_after(0) is None
    assert admit_after(10) is None
    assert admit_after(5) == pytest.approx(15)
    assert admit_after(14.9) == pytest.approx(0.1)
    assert admit_after(0.2) is None
    assert admit_after(1) == pytest.approx(8.9)


def test_the_limits_are_spotify_s_by_default_and_off(spotify: SpotifyApi) -> None:
    statuses = {spotify.send("businesses").status_code for _ in range(160)}
    assert statuses == {200}

    with (
        SpotifyAdsSandbox(today=TODAY, rate_limited=True) as sandbox,
        SpotifyApi(sandbox) as api,
    ):
        report = api.report_parameters("AD_ACCOUNT")
        answers = [api.in_account("insight_reports", **report) for _ in range(151)]
        assert [answer.status_code for answer in answers] == [400] * 150 + [429]


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        ("429", 429, "X-RateLimit-Reset"),
        ("429_date", 429, "Retry-After"),
        ("503", 503, "Retry-After"),
        ("500", 500, None),
        ("502", 502, None),
        ("html", 200, None),
    ],
)
def test_requests_can_fail(fault: str, status: int, header: str | None) -> None:
    with (
        SpotifyAdsSandbox(fault_rate=1, faults=(fault,)) as sandbox,
        SpotifyApi(sandbox) as api,
    ):
        answer = api.send("businesses")

        assert answer.status_code == status
        assert header is None or header in answer.headers
        assert sandbox.requests[0].fault == fault


def test_the_log_has_repeated_parameters(spotify: SpotifyApi) -> None:
    spotify.in_account("ads", statuses=["ARCHIVED", "PENDING"], limit=1)

    assert spotify.sandbox.requests[-1].parameters == (
        ("statuses", "ARCHIVED"),
        ("statuses", "PENDING"),
        ("limit", "1"),
    )


def test_the_day_can_change_while_it_runs() -> None:
    with SpotifyAdsSandbox(today=TODAY) as sandbox, SpotifyApi(sandbox) as api:
        late = {"report_end": "2024-03-21T00:00:00Z"}
        before = len(api.rows("AD_ACCOUNT", **late))
        sandbox.today = TODAY + dt.timedelta(days=1)

        assert len(api.rows("AD_ACCOUNT", **late)) == before + 1


def test_a_sandbox_has_no_address_before_it_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = SpotifyAdsSandbox().token_url
