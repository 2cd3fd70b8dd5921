"""Answers that trickle, byte for byte: given up in bounded time, wherever they are."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from harness.gate import Gate
from harness.taps import directory_of
from werkzeug import Response

from tap_adstage.exceptions import TooSlowError, TransientError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from harness.listener import Listener
    from werkzeug import Request

    from tap_adstage.http.transport import Transport

TRICKLES = "the answer trickles: less than 0.1 kB in 0.1 seconds"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LONG = b"Content-Length: 100000\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def impatient(transport: Transport) -> Transport:
    """A transport that gives a trickle up after half a second."""
    transport.request_timeout = 0.5
    transport.slow_step = 0.1
    transport.slow_step_bytes = 100
    return transport


def get(transport: Transport, listener: Listener) -> Any:  # noqa: ANN401 - any JSON
    url = f"http://127.0.0.1:{listener.port}/"
    return transport.send_once(requests.Request("GET", url), json.loads)


def trickling(start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Send a start at once, and then a piece now and then until the client leaves."""

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            time.sleep(0.02)

    return serve


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"H"),
        (HEAD, b"X-Trickle: a\r\n"),
        (HEAD + b"X-Trickle: ", b"a"),
        (HEAD + LONG, b" "),
        (HEAD + CHUNKED, b"1\r\n \r\n"),
        (HEAD + CHUNKED + b"186a0\r\n", b" "),
        (HEAD + b"\r\n", b" "),
        (HEAD + b"Content-Encoding: gzip\r\n" + LONG + gzip.compress(b"{")[:10], b"\0"),
        (b"HTTP/1.1 503 Busy\r\n" + LONG, b" "),
    ],
    ids=[
        *("status line", "headers", "one header"),
        *("body", "chunks", "one chunk", "until it closes", "compressed", "error"),
    ],
)
def test_an_answer_that_trickles_is_given_up(
    impatient: Transport,
    listen: Callable[[Callable[[socket.socket], None]], Listener],
    start: bytes,
    piece: bytes,
) -> None:
    impatient.slow_step_bytes = 1000 if b"X-Trickle: a\r" in piece else 100
    started = time.monotonic()
    with pytest.raises(TooSlowError, match=r"GET http\S+ failed: the answer trickles"):
        get(impatient, listen(trickling(start, piece)))
    assert 0.5 < time.monotonic() - started < 5


def test_what_is_long_but_fast_enough_is_read_to_its_end(
    impatient: Transport,
    listen: Callable[[Callable[[socket.socket], None]], Listener],
) -> None:
    pieces, piece = 60, b" " * 1000

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        length = len(piece) * pieces + 2
        connection.sendall(HEAD + f"Content-Length: {length}\r\n\r\n{{}}".encode())
        for _ in range(pieces):
            connection.sendall(piece)
            time.sleep(0.02)

    started = time.monotonic()
    assert get(impatient, listen(serve)) == {}
    assert time.monotonic() - started > 1


def test_a_token_that_trickles_is_given_up(
    listen: Callable[[Callable[[socket.socket], None]], Listener],
) -> None:
    listener = listen(trickling(HEAD + LONG, b" "))
    tap = TapAdStage(
        config={
            "api_url": "http://127.0.0.1:9/api",
            "oauth_token_url": f"http://127.0.0.1:{listener.port}/oauth/token",
            "client_id": "client",
            "client_secret": "client-secret",
            "refresh_token": "refresh-token",
            "max_retry_seconds": 0,
            "reports": [],
        },
        setup_mapper=False,
    )
    make_impatient(tap)
    reason = rf"POST http\S+/oauth/token failed: {TRICKLES}"
    with pytest.raises(TransientError, match=reason):
        _ = directory_of(tap).user


def make_impatient(tap: TapAdStage) -> None:
    transport = directory_of(tap).client.transport
    transport.request_timeout = 0.5
    transport.slow_step = 0.1
    transport.slow_step_bytes = 100


@pytest.mark.parametrize("max_concurrency", [1, 4])
def test_a_window_whose_answer_trickles_is_halved(max_concurrency: int) -> None:
    ended = threading.Event()

    def trickle() -> Iterator[bytes]:
        while not ended.is_set():
            yield b" "
            time.sleep(0.02)

    def answer(request: Request) -> Response | None:
        if not request.path.endswith("report"):
            return None
        first, last = json.loads(request.get_data())["date_range"].split("..")
        return Response(trickle(), 200) if first != last else None

    report = {
        "name": "clicks",
        "entity_level": "accounts",
        "fields": ["clicks"],
        "date_range": "2024-03-18..2024-03-19",
    }
    with (
        Sandbox(today=dt.date(2024, 3, 20)) as sandbox,
        Gate(sandbox, answer) as gate,
    ):
        tap = TapAdStage(
            config={
                "api_url": gate.api_url,
                "access_token": sandbox.token,
                "as_of": "2024-03-20",
                "import_policy": "ignore",
                "max_concurrency": max_concurrency,
                "reports": [report],
            }
        )
        stream = tap.streams["clicks"]
        make_impatient(tap)
        started = time.monotonic()
        try:
            records: list[Any] = list(stream.get_records(None))
        finally:
            ended.set()
        assert time.monotonic() - started < 15
    assert {record["date"] for record in records} == {"2024-03-18", "2024-03-19"}
