"""Requests that fail, at the wire."""

from __future__ import annotations

import datetime as dt
import socket
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
import requests
from harness.clock import PATIENCE

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.service.faults import ANSWERS, FAULTS
from tap_adstage.sandbox.world.world import World

from .api import TODAY, Api, body, v1_body

if TYPE_CHECKING:
    from collections.abc import Iterator


def failing(*faults: str, retry_after: int = 1) -> Sandbox:
    """Return a sandbox in which every request fails."""
    world = World(accounts_per_network=1, campaigns_per_account=1)
    return Sandbox(
        today=TODAY,
        world=world,
        fault_rate=1,
        faults=faults,
        slow_seconds=2 * PATIENCE,
        retry_after=retry_after,
    )


def get(sandbox: Sandbox, timeout: float = 5) -> requests.Response:
    return requests.get(
        f"{sandbox.api_url}/me",
        headers={"Authorization": f"Bearer {sandbox.token}"},
        timeout=timeout,
    )


@pytest.mark.parametrize("fault", ANSWERS)
def test_answers_instead_of_the_right_one(fault: str) -> None:
    with failing(fault, retry_after=90) as sandbox:
        answer = get(sandbox)
    status, is_date = ANSWERS[fault]
    assert answer.status_code == status
    is_html = status in {200, 502}
    assert answer.text.startswith("<html>" if is_html else '{"error":')
    retry_after = answer.headers.get("Retry-After")
    if status not in {429, 503}:
        assert retry_after is None
    elif is_date:
        wait = parsedate_to_datetime(str(retry_after)) - dt.datetime.now(
            dt.timezone.utc
        )
        assert 85 < wait.total_seconds() < 91
    else:
        assert retry_after == "90"


def test_half_an_answer_looks_whole() -> None:
    with failing("half") as sandbox:
        answer = get(sandbox)
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        with pytest.raises(ValueError, match="line 1 column"):
            answer.json()


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        ("truncated", requests.exceptions.ChunkedEncodingError, "IncompleteRead"),
        ("reset", requests.exceptions.ConnectionError, "Connection reset"),
        ("reset_midway", requests.exceptions.ChunkedEncodingError, "reset by peer"),
        ("slow", requests.exceptions.ReadTimeout, "Read timed out"),
        ("stalled", requests.exceptions.ConnectionError, "Read timed out"),
    ],
)
def test_connections_break(fault: str, error: type[Exception], reason: str) -> None:
    with failing(fault) as sandbox:
        with pytest.raises(error, match=reason):
            get(sandbox, timeout=0.3)
        (received,) = sandbox.requests
    assert received.fault == fault


@pytest.mark.parametrize("fault", ["slow", "stalled"])
def test_a_pause_ends_with_the_sandbox(fault: str) -> None:
    started = time.monotonic()
    with failing(fault) as sandbox, pytest.raises(requests.exceptions.RequestException):
        get(sandbox, timeout=0.1)
    assert time.monotonic() - started < PATIENCE


def test_all_kinds_occur_and_none_is_slow_by_default() -> None:
    with Sandbox(today=TODAY, fault_rate=0.9, retry_after=0) as sandbox:
        for _ in range(400):
            with suppress(requests.exceptions.RequestException):
                get(sandbox)
        seen = {request.fault for request in sandbox.requests}
    assert seen == {None, *FAULTS} - {"slow", "stalled"}


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown fault '418'; use one of 500, 502"):
        Sandbox(faults=("418",))
    with pytest.raises(
        ValueError, match="unknown size fault '418'; use one of 413, 504"
    ):
        Sandbox(size_fault="418")


def test_a_client_that_leaves_in_the_middle_of_a_request_is_not_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Sandbox(today=TODAY) as sandbox:
        port = int(sandbox.api_url.split(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(
                b"POST /api/v2/organizations/40/report HTTP/1.1\r\n"
                b"Host: a\r\nContent-Length: 100\r\n\r\n{"
            )
        while not sandbox.requests:
            time.sleep(0.01)
        assert get(sandbox).status_code == 200
    assert caplog.records == []


# Reports that are too large


@pytest.fixture
def own() -> Iterator[Api]:
    world = World(accounts_per_network=1, campaigns_per_account=1)
    with (
        Sandbox(today=TODAY, world=world, max_report_days=2) as sandbox,
        Api(sandbox) as api,
    ):
        yield api


def test_a_report_of_too_many_days_is_refused(own: Api) -> None:
    for days, status in (
        ("2019-07-01..2019-07-02", 200),
        ("2019-07-01..2019-07-03", 413),
    ):
        assert own.post_report(body(date_range=days)).status_code == status
        assert own.post_v1(v1_body(date_range=days)).status_code == status
    own.sandbox.max_report_days = None
    assert own.post_report(body()).status_code == 200


def test_it_is_refused_as_a_gateway_would(own: Api) -> None:
    world = own.sandbox.world
    with (
        Sandbox(
            today=TODAY, world=world, max_report_days=1, size_fault="504"
        ) as sandbox,
        Api(sandbox) as api,
    ):
        answer = api.post_report(body())
    assert (answer.status_code, answer.text[:6]) == (504, "<html>")


def test_it_is_refused_after_a_pause(own: Api) -> None:
    sandbox = Sandbox(
        today=TODAY,
        world=own.sandbox.world,
        max_report_days=1,
        size_fault="timeout",
        slow_seconds=0.2,
    )
    with sandbox, Api(sandbox) as api:
        started = time.monotonic()
        assert api.post_report(body()).status_code == 504
        assert time.monotonic() - started >= 0.2


# Tokens


def refresh(sandbox: Sandbox) -> requests.Response:
    return requests.post(
        sandbox.api_url.replace("/api", "/oauth/token"),
        data={
            "grant_type": "refresh_token",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": sandbox.refresh_token,
        },
        timeout=5,
    )


def test_a_token_is_good_for_a_number_of_requests() -> None:
    with Sandbox(today=TODAY, token_uses=2) as sandbox:
        headers = {"Authorization": f"Bearer {refresh(sandbox).json()['access_token']}"}
        url = f"{sandbox.api_url}/me"
        statuses = [
            requests.get(url, headers=headers, timeout=5).status_code for _ in range(3)
        ]
        assert statuses == [200, 200, 401]
        assert get(sandbox).status_code == 200


def test_token_requests_fail_before_they_change_anything() -> None:
    with Sandbox(today=TODAY, refresh_faults=1) as sandbox:
        before = sandbox.refresh_token
        assert refresh(sandbox).status_code == 503
        assert (sandbox.refresh_token, sandbox.refresh_faults) == (before, 0)
        assert refresh(sandbox).status_code == 200
        assert sandbox.refresh_token != before
