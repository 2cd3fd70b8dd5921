"""The rate limits of Spotify's API, kept to before it has to say so."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from harness.taps import spotify_source
from werkzeug import Response

from tap_adstage.http.rate_limit import RateLimit
from tap_adstage.runtime.shutdown import Shutdown, Stopped
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.spotify_ads import conventions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.spotify_ads.source import SpotifyAdsSource

DOCUMENTED = (conventions.REPORTS, conventions.OTHERS, conventions.SECONDS)
REPORTS, OTHERS, SECONDS = 6, 12, 0.6


def test_the_limits_are_the_documented_ones() -> None:
    assert DOCUMENTED == (150, 1500, 30)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches: of 6 reports and 12 others in 0.6 seconds."""
    monkeypatch.setattr(conventions, "REPORTS", REPORTS)
    monkeypatch.setattr(conventions, "OTHERS", OTHERS)
    monkeypatch.setattr(conventions, "SECONDS", SECONDS)
    monkeypatch.setattr(conventions, "_MARGIN", 0.02)


@pytest.fixture
def strict() -> Iterator[SpotifyAdsSandbox]:
    """A sandbox with the same limits."""
    with SpotifyAdsSandbox(
        rate_limited=True,
        report_limit=REPORTS,
        other_limit=OTHERS,
        limit_seconds=SECONDS,
    ) as sandbox:
        yield sandbox


def config_of(sandbox: SpotifyAdsSandbox, **others: str) -> dict[str, Any]:
    return {
        "source": "spotify_ads",
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "max_retry_seconds": 0,
        "reports": [],
        **others,
    }


def ask(source: SpotifyAdsSource, sandbox: SpotifyAdsSandbox) -> None:
    """Request a report."""
    account = sandbox.world.ad_accounts[0].id
    query = [("entity_type", "AD_ACCOUNT"), ("fields", "CLICKS")]
    source.client.page(f"/ad_accounts/{account}/aggregate_reports", query, bytes)


def test_several_threads_together_keep_to_the_limit_of_reports(
    strict: SpotifyAdsSandbox,
) -> None:
    source = spotify_source(config_of(strict))
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(ask, source, strict) for _ in range(4 * REPORTS)]:
            done.result()
    assert time.monotonic() - started > 3 * SECONDS
    assert {request.status for request in strict.requests} == {200}


def test_other_requests_have_a_limit_of_their_own(strict: SpotifyAdsSandbox) -> None:
    source = spotify_source(config_of(strict))
    for _ in range(REPORTS):
        ask(source, strict)
    started = time.monotonic()
    for _ in range(OTHERS):
        source.client.get("/businesses")
    assert time.monotonic() - started < SECONDS
    source.client.get("/businesses")
    assert time.monotonic() - started > SECONDS / 2
    assert {request.status for request in strict.requests} == {200}


def test_a_request_that_is_sent_again_for_a_new_token_counts_twice() -> None:
    with SpotifyAdsSandbox(
        rate_limited=True,
        report_limit=REPORTS,
        limit_seconds=SECONDS,
        token_uses=1,
    ) as sandbox:
        oauth = {
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": sandbox.refresh_token,
            "oauth_token_url": sandbox.token_url,
        }
        source = spotify_source(config_of(sandbox, **oauth))
        for _ in range(2 * REPORTS):
            ask(source, sandbox)
        assert {request.status for request in sandbox.requests} == {200, 401}


def test_what_the_api_did_not_count_before_its_answer_still_counts() -> None:
    waits: list[float] = []
    limit = RateLimit(1, 0.2, waits.append)
    with limit.turn():
        time.sleep(0.1)  # the answer
    ended = time.monotonic()
    with limit.turn():
        assert time.monotonic() - ended >= 0.2
    assert waits == [pytest.approx(0.2, abs=0.05)]


def test_a_request_that_fails_counts() -> None:
    limit = RateLimit(1, 0.1, lambda _: None)
    with pytest.raises(ZeroDivisionError), limit.turn():
        _ = 1 / 0
    started = time.monotonic()
    with limit.turn():
        assert time.monotonic() - started > 0.05


def test_a_wait_is_counted_and_a_long_one_is_logged(
    strict: SpotifyAdsSandbox,
    caplog: pytest.LogCaptureFixture,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conventions, "SECONDS", 30.0)
    source = spotify_source(config_of(strict))
    caplog.set_level(logging.DEBUG, "tap-adstage")
    for _ in range(REPORTS):
        ask(source, strict)
    ask(source, strict)
    assert waits == [pytest.approx(30, abs=0.5)]
    assert source.client.transport.stats.current.waited == sum(waits)
    assert "to keep to the API's rate limit" in caplog.text


def test_a_signal_ends_a_wait(strict: SpotifyAdsSandbox, shutdown: Shutdown) -> None:
    source = spotify_source(config_of(strict))
    source.client.transport.shutdown = shutdown
    limit = source.client.transport.limit_of(f"{strict.api_url}/businesses")
    assert limit
    for _ in range(OTHERS):
        limit._free_at.get()  # noqa: SLF001
    limit._free_at.put(time.monotonic() + 30)  # noqa: SLF001
    started = time.monotonic()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(Stopped):
        source.client.get("/businesses")
    assert time.monotonic() - started < 3
    assert strict.requests == []


# --- 429 ---


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset": "7", "Retry-After": "9"}, 7),
        ({"Retry-After": "9"}, 9),
        ({"X-RateLimit-Reset": "soon", "Retry-After": "9"}, 9),
    ],
)
def test_a_429_waits_until_the_limit_is_reset(
    httpserver: HTTPServer, waits: list[float], headers: dict[str, str], wait: float
) -> None:
    httpserver.expect_ordered_request("/businesses").respond_with_json(
        {"messages": ["slow down"]}, 429, headers
    )
    httpserver.expect_ordered_request("/businesses").respond_with_json({})
    config = {"source": "spotify_ads", "access_token": "t0ken", "reports": []}
    source = spotify_source(config | {"api_url": httpserver.url_for("").rstrip("/")})
    source.client.get("/businesses")
    assert waits == [wait]


def test_a_reset_that_comes_with_another_answer_is_no_wait(
    httpserver: HTTPServer, waits: list[float]
) -> None:
    httpserver.expect_ordered_request("/businesses").respond_with_json(
        {}, 503, {"X-RateLimit-Reset": "29"}
    )
    httpserver.expect_ordered_request("/businesses").respond_with_json({})
    config = {"source": "spotify_ads", "access_token": "t0ken", "reports": []}
    source = spotify_source(config | {"api_url": httpserver.url_for("").rstrip("/")})
    source.client.get("/businesses")
    assert len(waits) == 1
    assert waits[0] <= 1


def test_after_a_429_all_threads_wait(httpserver: HTTPServer) -> None:
    arrivals: list[float] = []

    def answer(_: Request) -> Response:
        arrivals.append(time.monotonic())
        if len(arrivals) == 1:
            return Response("{}", 429, {"X-RateLimit-Reset": "1"})
        return Response("{}")

    httpserver.expect_request("/businesses").respond_with_handler(answer)
    config = {"source": "spotify_ads", "access_token": "t0ken", "reports": []}
    source = spotify_source(config | {"api_url": httpserver.url_for("").rstrip("/")})
    first = threading.Thread(target=source.client.get, args=["/businesses"])
    first.start()
    while not source.client.transport.stats.current.retries:
        time.sleep(0.01)
    source.client.get("/businesses")
    first.join()
    assert len(arrivals) == 3
    assert min(arrivals[1:]) - arrivals[0] > 0.9
