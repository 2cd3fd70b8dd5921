"""OAuth's refresh-token grant at the wire."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from filelock import FileLock, Timeout
from harness.clock import PATIENCE
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tap_adstage.adstage.client import AdStageClient
from tap_adstage.config.settings import OAuthConfig
from tap_adstage.exceptions import AuthenticationError, TransientError
from tap_adstage.http.oauth import OAuthCredentials
from tap_adstage.http.token_file import TokenFile
from tap_adstage.http.transport import Transport
from tap_adstage.runtime.shutdown import Shutdown, Stopped
from tap_adstage.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.singer import Sync


class TokenEndpoint:
    """Hands out access tokens a1, a2, … and, if it rotates, refresh tokens r1, r2, …

    A refresh token that was rotated is refused. An access token is good for a number of
    requests to the API, or any number if that is `None`; if one ends the other, until
    the next is granted.
    """

    def __init__(self) -> None:
        self.expires_in: int | str | None = 3600
        self.uses: int | None = None
        self.one_ends_the_other = False
        self.grants: list[dict[str, str]] = []
        self.refused: list[str] = []
        self.spent: set[str] = set()
        self.left: dict[str, int | None] = {}

    @property
    def newest(self) -> str:
        return f"r{len(self.grants)}"

    def grant(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs(request.get_data(as_text=True)).items()}
        if form["refresh_token"] in self.spent:
            self.refused.append(form["refresh_token"])
            return json_response({"error": "invalid_grant"}, 400)
        self.spent.add(form["refresh_token"])
        self.grants.append(form)
        token = f"a{len(self.grants)}"
        if self.one_ends_the_other:
            self.left.clear()
        self.left[token] = self.uses
        answer: dict[str, object] = {
            "access_token": token,
            "token_type": "Bearer",
            "refresh_token": self.newest,
        }
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        return json_response(answer)

    def answer(self, request: Request) -> Response:
        """Answer a request to the API with the number in its path."""
        token = request.headers["Authorization"].removeprefix("Bearer ")
        left = self.left.get(token, 0)
        if left == 0:
            return json_response({}, 401)
        self.left[token] = None if left is None else left - 1
        return json_response({"id": int(request.path.rpartition("/")[2])})


def json_response(document: object, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")


@pytest.fixture
def endpoint(httpserver: HTTPServer) -> TokenEndpoint:
    endpoint = TokenEndpoint()
    httpserver.expect_request("/oauth/token", method="POST").respond_with_handler(
        endpoint.grant,
    )
    httpserver.expect_request(re.compile(r"/api/\d+")).respond_with_handler(
        endpoint.answer,
    )
    return endpoint


@pytest.fixture
def oauth(httpserver: HTTPServer) -> OAuthConfig:
    return OAuthConfig(
        client_id="id",
        client_secret="s3cret",
        refresh_token="r0",
        token_url=httpserver.url_for("/oauth/token"),
        token_file=None,
    )


@pytest.fixture
def kept(oauth: OAuthConfig, tmp_path: Path) -> OAuthConfig:
    """Settings with a token file."""
    return replace(oauth, token_file=tmp_path / "token.json")


def newest(oauth: OAuthConfig) -> str | None:
    assert oauth.token_file is not None
    return TokenFile(oauth.token_file, oauth.refresh_token).newest()


@pytest.fixture
def sent(httpserver: HTTPServer) -> list[str]:
    """Tokens that API requests carried, all of which are accepted."""
    tokens: list[str] = []

    def answer(request: Request) -> Response:
        tokens.append(request.headers["Authorization"])
        return json_response({"id": 1})

    httpserver.expect_request("/api/me").respond_with_handler(answer)
    return tokens


def client_of(
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> AdStageClient:
    credentials = OAuthCredentials(oauth, transport, logging.getLogger("tap-adstage"))
    return AdStageClient(httpserver.url_for("/api"), transport, credentials, 10)


def test_a_token_is_fetched_once_and_sent_until_it_expires(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    sent: list[str],
) -> None:
    client = client_of(oauth, transport, httpserver)
    client.get("/me")
    client.get("/me")
    assert sent == ["Bearer a1", "Bearer a1"]
    assert endpoint.grants == [
        {
            "grant_type": "refresh_token",
            "client_id": "id",
            "client_secret": "s3cret",
            "refresh_token": "r0",
        },
    ]


@pytest.mark.parametrize(
    ("expires_in", "later", "expected"),
    [
        (3600, 3539, ["Bearer a1", "Bearer a1"]),
        (3600, 3541, ["Bearer a1", "Bearer a2"]),  # the margin of a minute
        (60, 29, ["Bearer a1", "Bearer a1"]),
        (60, 31, ["Bearer a1", "Bearer a2"]),  # half of a short life
        (None, 10**9, ["Bearer a1", "Bearer a1"]),
    ],
)
def test_a_token_is_renewed_before_it_expires(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    sent: list[str],
    monkeypatch: pytest.MonkeyPatch,
    expires_in: int | None,
    later: int,
    expected: list[str],
) -> None:
    endpoint.expires_in = expires_in
    client = client_of(oauth, transport, httpserver)
    client.get("/me")
    then = time.monotonic() + later
    monkeypatch.setattr(time, "monotonic", lambda: then)
    client.get("/me")
    assert sent == expected


def test_a_refused_token_is_renewed_and_the_request_repeated(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    def answer(request: Request) -> Response:
        if request.headers["Authorization"] == "Bearer a1":
            return json_response({}, 401)
        return json_response({"id": 1})

    httpserver.expect_request("/api/me").respond_with_handler(answer)
    assert client_of(oauth, transport, httpserver).get("/me") == {"id": 1}
    assert [grant["refresh_token"] for grant in endpoint.grants] == ["r0", "r1"]


def test_tokens_that_are_refused_as_soon_as_granted_are_an_error_with_the_settings(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/api/me").respond_with_json({}, status=401)
    with pytest.raises(AuthenticationError, match="client_secret and refresh_token"):
        client_of(oauth, transport, httpserver).get("/me")
    assert len(endpoint.grants) == 2


def test_a_signal_waits_until_the_new_refresh_token_is_on_disk(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    shutdown: Shutdown,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fsync = os.fsync

    def interrupted(file: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        fsync(file)

    monkeypatch.setattr(os, "fsync", interrupted)
    transport.shutdown = shutdown
    with pytest.raises(Stopped):
        client_of(kept, transport, httpserver).get("/me")
    assert newest(kept) == endpoint.newest == "r1"


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_refresh_token_is_an_error_without_secrets(
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    status: int,
) -> None:
    httpserver.expect_request("/oauth/token").respond_with_json(
        {
            "error": "invalid_grant",
            "error_description": "token r0 of s3cret: the token was revoked",
        },
        status=status,
    )
    with pytest.raises(AuthenticationError, match="the token was revoked") as error:
        client_of(oauth, transport, httpserver).get("/me")
    assert "s3cret" not in str(error.value)
    assert "r0" not in str(error.value)
    assert len(httpserver.log) == 1


def test_a_token_endpoint_that_fails_is_asked_again(
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    waits: list[float],
) -> None:
    for failure in (Response("", 500), Response("<html>", 200), json_response([])):
        httpserver.expect_ordered_request("/oauth/token").respond_with_response(failure)
    httpserver.expect_ordered_request("/oauth/token").respond_with_json(
        {"access_token": "a1", "token_type": "Bearer"},
    )
    httpserver.expect_ordered_request("/api/me").respond_with_json({"id": 1})
    assert client_of(oauth, transport, httpserver).get("/me") == {"id": 1}
    assert len(waits) == 3


def test_a_token_endpoint_that_goes_on_failing_is_not_taken_for_a_refusal(
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    transport.max_retry_seconds = 0
    httpserver.expect_request("/oauth/token").respond_with_data("", status=503)
    with pytest.raises(TransientError, match="/oauth/token answered 503"):
        client_of(oauth, transport, httpserver).get("/me")


@pytest.mark.parametrize("token", ["sec\nret", "snow☃man", "two words", ""])
def test_an_access_token_that_no_header_can_hold_is_not_shown(
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    token: str,
) -> None:
    httpserver.expect_request("/oauth/token").respond_with_json(
        {"access_token": token, "token_type": "Bearer"},
    )
    with pytest.raises(AuthenticationError) as error:
        client_of(oauth, transport, httpserver).get("/me")
    assert not token or token not in str(error.value)


# --- tokens that expire, refreshes that fail ---


def test_no_request_is_lost_to_a_token_that_expires_every_few_requests(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    endpoint.uses = 3
    client = client_of(kept, transport, httpserver)
    assert [client.get(f"/{number}")["id"] for number in range(20)] == [*range(20)]
    spent = [grant["refresh_token"] for grant in endpoint.grants]
    assert spent == [f"r{number}" for number in range(7)]
    assert newest(kept) == "r7"


def hang_up(request: Request) -> Response:
    request.environ["werkzeug.socket"].close()
    return Response("")


FAILURES: list[Callable[[Request], Response]] = [
    lambda _: Response("", 503),
    lambda _: Response("<html>sorry</html>", 200),
    hang_up,
]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("grants_before", [0, 1])
def test_no_request_is_lost_to_a_refresh_that_fails_once(
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    waits: list[float],
    failure: Callable[[Request], Response],
    grants_before: int,
) -> None:
    endpoint = TokenEndpoint()
    endpoint.uses = 2
    httpserver.expect_request(re.compile(r"/api/\d+")).respond_with_handler(
        endpoint.answer,
    )
    handlers: list[Callable[[Request], Response]] = [endpoint.grant] * 5
    handlers.insert(grants_before, failure)
    for handler in handlers:
        httpserver.expect_oneshot_request("/oauth/token").respond_with_handler(handler)
    client = client_of(kept, transport, httpserver)
    assert [client.get(f"/{number}")["id"] for number in range(9)] == [*range(9)]
    assert len(waits) == 1
    assert newest(kept) == endpoint.newest == "r5"


def test_a_rotated_token_whose_answer_is_lost_is_an_error_that_names_what_to_do(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    waits: list[float],
) -> None:
    def lose(request: Request) -> Response:
        endpoint.grant(request)
        return hang_up(request)

    httpserver.expect_oneshot_request("/oauth/token").respond_with_handler(lose)
    with pytest.raises(AuthenticationError, match=r"invalid_grant.*grant access again"):
        client_of(kept, transport, httpserver).get("/1")
    assert len(waits) == 1


def test_a_token_endpoint_that_goes_on_failing_takes_no_longer_than_any_other_request(
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    waits: list[float],
) -> None:
    httpserver.expect_request("/oauth/token").respond_with_data("", status=503)
    with pytest.raises(TransientError, match="/oauth/token answered 503"):
        client_of(oauth, transport, httpserver).get("/1")
    assert transport.max_retry_seconds / 2 < sum(waits) <= transport.max_retry_seconds


# --- the newest refresh token is kept ---


def test_a_rotated_refresh_token_is_kept_for_the_next_start(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    client_of(kept, transport, httpserver).get("/1")
    client_of(kept, transport, httpserver).get("/2")
    assert [grant["refresh_token"] for grant in endpoint.grants] == ["r0", "r1"]


def test_a_refresh_token_that_is_not_rotated_is_not_written(
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    sent: list[str],
) -> None:
    httpserver.expect_request("/oauth/token").respond_with_json(
        {"access_token": "a1", "token_type": "Bearer", "refresh_token": "r0"},
    )
    client_of(kept, transport, httpserver).get("/me")
    assert sent == ["Bearer a1"]
    assert kept.token_file is not None
    assert not kept.token_file.exists()


def test_a_rotated_token_is_kept_whatever_else_is_wrong_with_the_answer(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    endpoint.expires_in = "soon"
    with pytest.raises(AuthenticationError, match="expires_in must be an int"):
        client_of(kept, transport, httpserver).get("/1")
    assert newest(kept) == "r1"


def test_a_rotated_token_that_can_t_be_kept_ends_the_run_before_it_is_used(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    sent: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(AuthenticationError) as error:
        client_of(kept, transport, httpserver).get("/me")
    assert str(error.value) == (
        f"oauth_token_file: {kept.token_file} can't be written (No space left on "
        "device), and the refresh token was rotated; grant access again and give a "
        "path that can be written"
    )
    assert len(endpoint.grants) == 1
    assert sent == []


def test_no_refresh_token_is_spent_if_none_could_be_kept(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    nowhere = replace(oauth, token_file=tmp_path / "file" / "token.json")
    with pytest.raises(AuthenticationError, match=r"oauth_token_file: .*be locked"):
        client_of(nowhere, transport, httpserver).get("/1")
    assert endpoint.grants == []


def test_a_rotation_that_nothing_keeps_is_warned_of_once(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.uses = 1
    client = client_of(oauth, transport, httpserver)
    for number in range(3):
        client.get(f"/{number}")
    assert len(endpoint.grants) == 3
    assert caplog.text.count("oauth_token_file") == 1


def test_a_kept_token_that_is_refused_is_an_error_that_names_the_file(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    client_of(kept, transport, httpserver).get("/1")
    endpoint.spent.add("r1")
    with pytest.raises(AuthenticationError) as error:
        client_of(kept, transport, httpserver).get("/2")
    assert str(kept.token_file) in str(error.value)
    # the one in the settings is not tried: it was spent before
    assert endpoint.refused == ["r1"]


# --- several threads share the credentials ---


def ask_at_once(client: AdStageClient, numbers: range) -> list[int]:
    """Send requests from as many threads, all at the same time."""
    together = threading.Barrier(len(numbers))

    def ask(number: int) -> int:
        together.wait(timeout=10)
        return int(client.get(f"/{number}")["id"])

    with ThreadPoolExecutor(len(numbers)) as threads:
        return [*threads.map(ask, numbers)]


@pytest.mark.parametrize("is_kept", [False, True])
def test_threads_renew_an_expired_token_once(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    *,
    is_kept: bool,
) -> None:
    client = client_of(kept if is_kept else oauth, transport, httpserver)
    assert ask_at_once(client, range(8)) == [*range(8)]
    assert len(endpoint.grants) == 1


@pytest.mark.parametrize("is_kept", [False, True])
def test_threads_renew_a_refused_token_once(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    *,
    is_kept: bool,
) -> None:
    client = client_of(kept if is_kept else oauth, transport, httpserver)
    client.get("/9")
    endpoint.left.clear()  # a1 is revoked
    assert ask_at_once(client, range(8)) == [*range(8)]
    assert len(endpoint.grants) == 2


def test_a_token_that_another_thread_renewed_may_be_refused_as_well(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
) -> None:
    refusals = {0: ["Bearer a1"], 1: ["Bearer a1", "Bearer a2"]}
    renewed = threading.Event()

    def answer(request: Request) -> Response:
        number = int(request.path[-1])
        if request.headers["Authorization"] not in refusals.get(number, []):
            if number == 0:
                renewed.set()
            return json_response({"id": number})
        if number == 1:  # number 0 renews the token first
            renewed.wait(PATIENCE)
        return json_response({}, 401)

    transport.request_timeout = PATIENCE
    with HTTPServer(threaded=True) as api:
        api.expect_request(re.compile(r"/api/\d+")).respond_with_handler(answer)
        client = client_of(oauth, transport, api)
        client.get("/9")
        assert ask_at_once(client, range(2)) == [0, 1]
    assert len(endpoint.grants) == 3


def test_threads_send_a_refused_refresh_token_once(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    client = client_of(oauth, transport, httpserver)
    client.get("/9")
    endpoint.left.clear()
    endpoint.spent.add("r1")

    def ask(number: int) -> str:
        with pytest.raises(AuthenticationError) as error:
            client.get(f"/{number}")
        return str(error.value)

    with ThreadPoolExecutor(4) as threads:
        texts = {*threads.map(ask, range(4))}
    assert endpoint.refused == ["r1"]
    assert len(texts) == 1
    assert "invalid_grant" in texts.pop()


def test_the_end_of_a_run_waits_for_a_thread_that_spends_a_refresh_token(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    spent = threading.Event()

    def grant_slowly(request: Request) -> Response:
        response = endpoint.grant(request)
        spent.set()
        time.sleep(0.5)
        return response

    httpserver.expect_oneshot_request("/oauth/token").respond_with_handler(grant_slowly)
    client = client_of(kept, transport, httpserver)
    thread = threading.Thread(target=client.get, args=["/1"], daemon=True)
    thread.start()
    assert spent.wait(10)
    transport.shutdown.close()
    assert newest(kept) == endpoint.newest == "r1"
    thread.join(10)


def test_no_refresh_token_is_spent_once_the_run_ends(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    transport.shutdown.close()
    client = client_of(kept, transport, httpserver)
    thread = threading.Thread(target=client.get, args=["/1"], daemon=True)
    thread.start()
    thread.join(0.5)
    assert endpoint.grants == []


def test_a_refresh_token_that_a_slow_endpoint_rotates_outlives_a_signal(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    shutdown: Shutdown,
) -> None:
    def grant_slowly(request: Request) -> Response:
        response = endpoint.grant(request)
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(1.5)
        return response

    httpserver.expect_oneshot_request("/oauth/token").respond_with_handler(grant_slowly)
    transport.shutdown, transport.request_timeout = shutdown, 10
    with pytest.raises(Stopped):
        client_of(kept, transport, httpserver).get("/1")
    assert newest(kept) == endpoint.newest == "r1"


def test_a_token_endpoint_that_does_not_answer_holds_a_signal_up_for_seconds(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    shutdown: Shutdown,
) -> None:
    ended = threading.Event()

    def wait(request: Request) -> Response:
        os.kill(os.getpid(), signal.SIGTERM)
        ended.wait(30)
        return endpoint.grant(request)

    httpserver.expect_oneshot_request("/oauth/token").respond_with_handler(wait)
    transport.shutdown, transport.request_timeout = shutdown, 30
    started = time.monotonic()
    with pytest.raises(Stopped):
        client_of(kept, transport, httpserver).get("/1")
    ended.set()
    assert 2 < time.monotonic() - started < 5


# --- two taps share a token file ---


def test_a_tap_spends_the_refresh_token_that_another_one_kept_meanwhile(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    endpoint.uses = 2
    one, other = (client_of(kept, transport, httpserver) for _ in range(2))
    for number in range(10):
        assert one.get(f"/{number}") == other.get(f"/{number}") == {"id": number}
    assert endpoint.refused == []
    assert newest(kept) == endpoint.newest == "r10"


def test_two_taps_that_end_each_other_s_access_tokens_lose_no_request(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    httpserver: HTTPServer,
) -> None:
    endpoint.one_ends_the_other = True
    numbers = range(15)
    together = threading.Barrier(2)

    def ask(client: AdStageClient, number: int) -> int:
        together.wait(timeout=10)
        return int(client.get(f"/{number}")["id"])

    def read(name: str) -> list[int]:
        own = Transport(f"{name}/test", 5, 5, logging.getLogger("tap-adstage"))
        client = client_of(kept, own, httpserver)
        try:
            return [ask(client, number) for number in numbers]
        finally:
            own.session.close()

    with ThreadPoolExecutor() as threads:
        assert [*threads.map(read, ("one", "other"))] == [[*numbers], [*numbers]]
    assert endpoint.refused == []
    assert newest(kept) == endpoint.newest


def test_a_renewed_token_is_used_before_another_tap_may_end_it(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    endpoint.uses = 1
    has_turn: list[bool] = []

    def answer(request: Request) -> Response:
        response = endpoint.answer(request)
        try:
            FileLock(f"{kept.token_file}.lock").acquire(blocking=False).lock.release()
        except Timeout:
            has_turn.append(response.status_code == 200)
        return response

    httpserver.clear()
    httpserver.expect_request("/oauth/token").respond_with_handler(endpoint.grant)
    httpserver.expect_request(re.compile(r"/api/\d+")).respond_with_handler(answer)
    client = client_of(kept, transport, httpserver)
    for number in range(3):
        client.get(f"/{number}")
    assert has_turn == [True, True]


def test_a_tap_that_keeps_the_file_to_itself_is_not_waited_for_without_end(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    transport.request_timeout, transport.max_retry_seconds = 0.2, 0.1
    assert kept.token_file is not None
    with ThreadPoolExecutor() as other, TokenFile(kept.token_file, "r0").locked(1):
        asked = other.submit(client_of(kept, transport, httpserver).get, "/1")
        with pytest.raises(AuthenticationError) as error:
            asked.result()
    assert str(error.value) == (
        f"oauth_token_file: another tap has held {kept.token_file}.lock for "
        "0.3 seconds; end it if it hangs"
    )
    assert endpoint.grants == []


def records(lines: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(li["stream"], li["record"]) for li in lines if li["type"] == "RECORD"]


def test_two_processes_that_share_a_token_file_both_get_all_their_records(
    sync: Sync,
    tmp_path: Path,
) -> None:
    token_file = tmp_path / "token.json"
    with Sandbox(token_uses=3, latency=0.02) as sandbox:
        common = {"api_url": sandbox.api_url, "reports": [], "page_size": 10}
        expected = records(sync({**common, "access_token": sandbox.token}).lines)
        sandbox.requests.clear()
        oauth = {
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh",
            "oauth_token_file": str(token_file),
        }
        config = tmp_path / "config.json"
        config.write_text(json.dumps({**common, **oauth}))
        taps = [
            subprocess.Popen(  # noqa: S603 - the tap itself
                [sys.executable, "-m", "tap_adstage", "--config", str(config)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        # both read at once: neither may wait until its pipe is emptied
        with ThreadPoolExecutor() as threads:
            ended = [*threads.map(lambda tap: tap.communicate(timeout=60), taps)]
        asked = [r for r in sandbox.requests if r.path == "/oauth/token"]
    for tap, (stdout, stderr) in zip(taps, ended, strict=True):
        assert tap.returncode == 0, stderr
        lines = [json.loads(li, parse_float=Decimal) for li in stdout.splitlines()]
        assert records(lines) == expected
        assert sandbox.refresh_token not in stderr
    assert len(asked) > 4
    assert {request.status for request in asked} == {200}
    assert TokenFile(token_file, "sandbox-refresh").newest() == sandbox.refresh_token


def test_no_record_is_lost_to_tokens_that_end_after_three_requests(
    sync: Sync,
    tmp_path: Path,
    waits: list[float],
) -> None:
    token_file = tmp_path / "token.json"
    with Sandbox(token_uses=3, refresh_faults=1) as sandbox:
        common = {"api_url": sandbox.api_url, "page_size": 5, "reports": []}
        common["max_concurrency"] = 1  # threads would wait for each other's turn
        expected = records(sync({**common, "access_token": sandbox.token}).lines)
        oauth = {
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh",
            "oauth_token_file": str(token_file),
        }
        assert records(sync({**common, **oauth}).lines) == expected
        statuses = [r.status for r in sandbox.requests if r.path == "/oauth/token"]
    assert statuses.count(200) > 4
    assert [status for status in statuses if status != 200] == [503]
    assert len(waits) == 1
    assert TokenFile(token_file, "sandbox-refresh").newest() == sandbox.refresh_token


# --- secrets ---


def test_neither_credentials_nor_what_they_need_show_a_secret(
    endpoint: TokenEndpoint,
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    client = client_of(kept, transport, httpserver)
    client.get("/1")
    assert endpoint.newest == "r1"
    for secret in ("s3cret", "r0", "r1", "a1"):
        assert f"'{secret}'" not in repr(client)


def test_an_error_in_an_answer_that_says_200_shows_no_secret(
    kept: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/oauth/token").respond_with_json(
        {"error": "no good: r0 of s3cret"},
    )
    with pytest.raises(AuthenticationError, match=r"no good: \*\*\* of \*\*\*;"):
        client_of(kept, transport, httpserver).get("/1")
