"""`--test` gives up on an address that doesn't answer, whatever it does instead."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from harness.commands import run
from werkzeug import Response

from tap_adstage import preflight
from tap_adstage.exceptions import ApiError
from tap_adstage.http.transport import Transport

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from harness.listener import Listener
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    Listen = Callable[[Callable[[socket.socket], None]], Listener]

PATIENCE = 1.5
IMPATIENT = f"""
from tap_adstage import preflight
preflight.LONGEST_WAIT = {PATIENCE}
from tap_adstage.tap import TapAdStage
TapAdStage.cli()
"""
WAITED = f"for {PATIENCE} seconds, with all retries"
DOWN = (
    f"{WAITED}; AdStage, the network or a proxy may be down: see "
    "http://status.adstage.io/, check "
)
SPOTIFY_DOWN = (
    f"{WAITED}; Spotify, the network or a proxy may be down: check api_url or "
    "oauth_token_url, and try again"
)
OAUTH = {"client_id": "a", "client_secret": "b", "refresh_token": "c"}


def lines_of(settings: dict[str, Any], tmp_path: Path) -> list[str]:
    """Run the set-up test, which must give up in time, and return its lines."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"access_token": "t0ken", "reports": [], **settings}))
    started = time.monotonic()
    ended = run("-c", IMPATIENT, "--config", path, "--test")
    assert time.monotonic() - started < PATIENCE + 8  # with the start of Python
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    return [line.rpartition(" | ")[2] for line in ended.stderr.splitlines()]


def test_the_wait_is_the_documented_one() -> None:
    assert preflight.LONGEST_WAIT == 30


def silent(connection: socket.socket) -> None:
    while connection.recv(99):  # to the end of the tap
        pass


def trickling(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.3)


def closing(connection: socket.socket) -> None:
    connection.recv(9)


def unavailable(connection: socket.socket) -> None:
    connection.recv(9999)
    connection.sendall(b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("serve", [silent, trickling, closing, unavailable])
@pytest.mark.parametrize(
    ("credentials", "address"),
    [({}, "api_url"), (OAUTH, "api_url or oauth_token_url")],
)
def test_an_address_that_does_not_answer_is_given_up(
    listen: Listen,
    tmp_path: Path,
    serve: Callable[[socket.socket], None],
    credentials: dict[str, str],
    address: str,
) -> None:
    listener = listen(serve)
    settings = {"api_url": f"http://127.0.0.1:{listener.port}/api", **credentials}
    *_, token, user, _, _, counts = lines_of(settings, tmp_path)
    silent_one = f"http://127.0.0.1:{listener.port}"
    assert token == (
        f"token: FAILED, no answer from {silent_one} {DOWN}{address}, and try again"
    )
    assert user == "user: not tried, as AdStage does not answer"
    assert counts == "0 of 4 steps passed"


@pytest.mark.parametrize(
    ("settings", "address", "to_do"),
    [
        (
            {"api_url": "http://no-such-host.invalid/api"},
            "http://no-such-host.invalid",
            f"{DOWN}api_url, and try again",
        ),
        (
            {
                "source": "spotify_ads",
                "oauth_token_url": "http://127.0.0.1:9/token",
                **OAUTH,
            },
            "http://127.0.0.1:9",
            SPOTIFY_DOWN,
        ),
    ],
)
def test_a_host_or_port_that_is_not_there_is_given_up_in_either_source(
    tmp_path: Path, settings: dict[str, Any], address: str, to_do: str
) -> None:
    lines = lines_of(settings, tmp_path)
    assert f"token: FAILED, no answer from {address} {to_do}" in lines


def test_an_address_that_no_longer_answers_is_given_up_as_soon(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    done = threading.Event()

    def wait(_: Request) -> Response:
        done.wait(30)
        return Response("{}")

    user = {"fetch_id": 40, "first_name": "Robin"}
    httpserver.expect_request("/api/me").respond_with_json(user)
    httpserver.expect_request("/api/organizations/40").respond_with_handler(wait)
    settings = {"api_url": httpserver.url_for("/api"), "organization_id": 40}
    *_, token, user_line, organization, accounts, counts = lines_of(settings, tmp_path)
    done.set()
    assert token == "token: ok, AdStage accepts it"
    assert user_line == "user: ok, Robin (40)"
    assert organization == (
        f"organization: FAILED, no answer from "
        f"{httpserver.url_for('').rstrip('/')} {DOWN}api_url, and try again"
    )
    assert accounts == "accounts: not tried, as AdStage does not answer"
    assert counts == "2 of 4 steps passed"


def test_a_slow_address_that_goes_on_answering_is_not_given_up(
    listen: Listen, tmp_path: Path
) -> None:
    answers = {
        "/me?": {"fetch_id": 40},
        "/organizations/40 ": {"fetch_id": 40},
        "/list_network_accounts": {
            "total": 1,
            "_embedded": {"item": [{"network": "adwords", "remote_id": "1"}]},
        },
    }

    def slow(connection: socket.socket) -> None:
        asked = connection.recv(9999).decode()
        time.sleep(PATIENCE * 0.6)
        (answer,) = (each for part, each in answers.items() if part in asked)
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)

    listener = listen(slow)
    path = tmp_path / "config.json"
    api_url = f"http://127.0.0.1:{listener.port}/api"
    settings = {"api_url": api_url, "organization_id": 40, "reports": []}
    path.write_text(json.dumps({**settings, "access_token": "t0ken"}))
    ended = run("-c", IMPATIENT, "--config", path, "--test")
    assert ended.stderr.endswith("4 of 4 steps passed\n"), ended.stderr
    assert ended.returncode == 0


def test_refusals_are_answers_however_many_there_are(
    httpserver: HTTPServer,
) -> None:
    def refuse(_: Request) -> Response:
        time.sleep(0.3)
        return Response("{}", 403)

    httpserver.expect_request("/api").respond_with_handler(refuse)
    transport = Transport("test", 5, 0, logging.getLogger())
    request = requests.Request("GET", httpserver.url_for("/api"))
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(ApiError):
            transport.send(request, json.loads)
    assert transport.stats.seconds_unanswered < 0.3 < time.monotonic() - started
