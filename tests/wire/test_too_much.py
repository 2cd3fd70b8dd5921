"""What is too much for one request: windows in halves, links by POST, long waits."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests
from harness.failures import stream_fails
from harness.gate import Gate
from harness.logs import warnings
from werkzeug import Response

from tap_adstage.exceptions import LongWaitError, TransientError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from harness.listener import Listener
    from harness.singer import Messages, Sync
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.adstage.client import AdStageClient
    from tap_adstage.http.transport import Transport

TODAY = dt.date(2024, 3, 20)
REPORT: dict[str, Any] = {
    "name": "clicks",
    "entity_level": "accounts",
    "fields": ["clicks"],
    "date_range": "2024-03-01..2024-03-10",
}


def settings_of(api_url: str, token: str, **settings: object) -> dict[str, Any]:
    return {
        "api_url": api_url,
        "access_token": token,
        "as_of": TODAY.isoformat(),
        "import_policy": "ignore",
        "max_concurrency": 1,  # the order of requests is looked at
        "reports": [REPORT],
        **settings,
    }


def run(sync: Sync, gate: Gate, sandbox: Sandbox, **settings: object) -> Messages:
    config = settings_of(gate.api_url, sandbox.token, **settings)
    return sync(config, streams=["clicks"])


def read_all(gate: Gate, sandbox: Sandbox, **settings: object) -> None:
    tap = TapAdStage(config=settings_of(gate.api_url, sandbox.token, **settings))
    for name, stream in tap.streams.items():
        stream.selected = name == "clicks"
    with contextlib.redirect_stdout(io.StringIO()) as written:
        tap.sync_all()
    assert '"type":"RECORD"' in written.getvalue()


def days_of(request: Request) -> str:
    """The days of March that a report is asked for."""
    asked = json.loads(request.get_data())["date_range"]
    return f"{asked[8:10]}-{asked[20:]}"


def length_of(request: Request) -> int:
    first, last = days_of(request).split("-")
    return int(last) - int(first) + 1


def failing(most_days: int, failure: Response) -> Callable[[Request], Response | None]:
    """Fail for reports of more days."""

    def answer(request: Request) -> Response | None:
        is_report = request.path.endswith("report")
        return failure if is_report and length_of(request) > most_days else None

    return answer


def truth(sync: Sync, sandbox: Sandbox) -> list[dict[str, Any]]:
    config = settings_of(sandbox.api_url, sandbox.token)
    return by_key(sync(config, streams=["clicks"]))


def by_key(messages: Messages) -> list[dict[str, Any]]:
    records = messages.records("clicks")
    return sorted(records, key=lambda row: (row["date"], row["entity_id"]))


# --- windows ---


@pytest.mark.parametrize("api_version", [1, 2])
@pytest.mark.parametrize("status", [500, 502, 503, 524])
def test_a_window_that_fails_twice_is_halved(
    sandbox: Sandbox,
    sync: Sync,
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
    status: int,
    api_version: int,
) -> None:
    with Gate(sandbox, failing(3, Response("<html>", status))) as gate:
        report = {**REPORT, "api_version": api_version}
        messages = run(sync, gate, sandbox, reports=[report])
    assert [days_of(request) for request in gate.reports] == [
        *("01-10", "01-10", "01-05", "01-05", "01-03", "04-05"),
        *("06-08", "09-10"),
    ]
    assert len(waits) == 2
    assert by_key(messages) == truth(sync, sandbox)
    assert messages.bookmark("clicks") == "2024-03-10"
    first, second = [text for text in warnings(caplog) if "too large" in text]
    assert first.startswith(
        "clicks: 2024-03-01..2024-03-10 may be too large for one request: "
    )
    assert f"answered {status}: <html>. From now on, at most 5 slices" in first
    assert second.endswith("From now on, at most 3 slices are requested at once")


def test_a_failure_that_passes_leaves_the_window_whole(
    sandbox: Sandbox,
    sync: Sync,
    waits: list[float],
) -> None:
    failures = [Response("", 502)]

    def answer(request: Request) -> Response | None:
        is_report = request.path.endswith("report")
        return failures.pop() if failures and is_report else None

    with Gate(sandbox, answer) as gate:
        run(sync, gate, sandbox)
    assert [days_of(request) for request in gate.reports] == ["01-10", "01-10"]
    assert len(waits) == 1


def test_a_window_of_one_slice_is_tried_as_long_as_may_be(
    sandbox: Sandbox,
    waits: list[float],
) -> None:
    report = {**REPORT, "date_range": "2024-03-01..2024-03-02"}
    with (
        Gate(sandbox, failing(0, Response("busy", 503))) as gate,
        stream_fails(TransientError, match="answered 503: busy"),
    ):
        read_all(gate, sandbox, reports=[report], max_retry_seconds=30)
    asked = [days_of(request) for request in gate.reports]
    assert asked[:2] == ["01-02", "01-02"]
    assert {*asked[2:]} == {"01-01"}
    assert len(asked) > 6
    assert 15 < sum(waits) < 31


def test_a_quota_is_no_matter_of_size(
    sandbox: Sandbox,
    waits: list[float],
) -> None:
    with (
        Gate(sandbox, failing(3, Response("", 429))) as gate,
        stream_fails(TransientError, match="answered 429"),
    ):
        read_all(gate, sandbox, max_retry_seconds=10)
    assert {days_of(request) for request in gate.reports} == {"01-10"}
    assert len(waits) > 2


def test_a_token_that_can_t_be_renewed_is_no_matter_of_size(
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    granted: list[Request] = []

    def answer(request: Request) -> Response | None:
        if request.path != "/oauth/token":
            return None
        granted.append(request)
        return None if len(granted) == 1 else Response("", 502)

    with (
        Sandbox(today=TODAY, token_uses=5) as sandbox,
        Gate(sandbox, answer) as gate,
        stream_fails(TransientError, match=r"POST \S+/oauth/token answered 502"),
    ):
        read_all(
            gate,
            sandbox,
            organization_id=40,
            max_retry_seconds=5,
            access_token=None,
            client_id="sandbox-client",
            client_secret="sandbox-secret",
            refresh_token="sandbox-refresh",
        )
    assert len(gate.reports) == 1
    assert len(granted) == len(waits) + 2
    assert not [text for text in warnings(caplog) if "too large" in text]


# --- links of API V1 ---


@pytest.mark.parametrize("status", [400, 414, 431])
def test_a_link_that_is_too_long_is_asked_for_by_post(
    sync: Sync,
    status: int,
) -> None:
    def answer(request: Request) -> Response | None:
        is_long = len(request.full_path) > 8000
        return Response("<h1>no</h1>", status) if is_long else None

    world = World(accounts_per_network=27, campaigns_per_account=1)
    report = {**REPORT, "api_version": 1, "date_range": "yesterday"}
    with Sandbox(today=TODAY, world=world) as sandbox, Gate(sandbox, answer) as gate:
        accounts = [each.entity_id for each in world.entities("accounts")[:240]]
        messages = run(
            sync,
            gate,
            sandbox,
            sync_mode="SPECIFIC_ACCOUNTS",
            accounts=accounts,
            page_size=100,
            reconcile="fail",
            reports=[report],
        )
    assert {row["entity_id"] for row in messages.records("clicks")} == {*accounts}
    first, link, second, third = gate.reports
    assert (link.method, len(link.full_path) > 8000) == ("GET", True)
    first_body, *others = [json.loads(each.data) for each in (first, second, third)]
    assert others == [{**first_body, "offset": 100}, {**first_body, "offset": 200}]


# --- waits that are too long ---


def limited(**headers: str) -> Response:
    return Response('{"error": "Daily quota exceeded"}', 429, headers=headers)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ("28800", "8 hours"),
        ("5400", "1.5 hours"),
        ("86400", "1 day"),
        ("601", "10.02 minutes"),
    ],
)
def test_a_wait_that_is_too_long_is_named_with_the_one_that_is_allowed(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
    seconds: str,
    words: str,
) -> None:
    client.transport.max_retry_seconds = 600
    httpserver.expect_request("/api/me").respond_with_response(
        limited(**{"Retry-After": seconds})
    )
    text = (
        rf"429: Daily quota exceeded\. It asks to wait {words}, which is longer than "
        r"max_retry_seconds \(600\) allows; run again after that, or raise "
        "max_retry_seconds"
    )
    with pytest.raises(LongWaitError, match=text):
        client.get("/me")
    assert waits == []
    assert len(httpserver.log) == 1


def test_a_wait_that_is_too_long_for_what_is_left_is_named_as_well(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    client.transport.max_retry_seconds = 600
    httpserver.expect_request("/api/me").respond_with_response(
        limited(**{"Retry-After": "400"})
    )
    with pytest.raises(LongWaitError, match=r"wait 6.67 minutes.*\(600\)"):
        client.get("/me")
    assert waits == [400]


def test_nobody_else_sits_out_a_wait_that_is_too_long(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    httpserver.expect_request("/api/me").respond_with_response(
        limited(**{"Retry-After": "28800"})
    )
    httpserver.expect_request("/api/other").respond_with_json({"fetch_id": 1})
    with pytest.raises(LongWaitError):
        client.get("/me")
    assert client.get("/other") == {"fetch_id": 1}
    assert waits == []


def test_a_window_is_not_halved_for_a_wait_that_is_too_long(
    sandbox: Sandbox,
    waits: list[float],
) -> None:
    closed = Response("closed", 503, headers={"Retry-After": "28800"})
    with (
        Gate(sandbox, failing(3, closed)) as gate,
        stream_fails(LongWaitError, match=r"503: closed\. It asks to wait 8 hours"),
    ):
        read_all(gate, sandbox)
    assert len(gate.reports) == 1
    assert waits == []


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_a_date_to_wait_for_is_read_by_the_server_s_own_clock(
    listen: Callable[[Callable[[socket.socket], None]], Listener],
    transport: Transport,
    waits: list[float],
    hours: int,
) -> None:
    now = dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=hours)
    until = now + dt.timedelta(seconds=42)
    answers = [
        (
            "HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\nConnection: close\r\n"
            f"Date: {format_datetime(now, usegmt=True)}\r\n"
            f"Retry-After: {format_datetime(until, usegmt=True)}\r\n\r\n"
        ),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    ]

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answers.pop(0).encode())

    url = f"http://127.0.0.1:{listen(serve).port}/"
    assert transport.send(requests.Request("GET", url), json.loads) == {}
    assert waits == [42]
