"""Certificates are always checked; a TLS connection that breaks is tried again."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import trustme
from harness.commands import run_tap
from pytest_httpserver import HTTPServer

from tap_adstage.exceptions import ApiError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.listener import Listener

    from tap_adstage.adstage.client import AdStageClient

YESTERDAY = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
BODY = b'{"id": 1}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(
    BODY
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A file that names the authority, as a user's environment has it."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return path


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    """What a server needs that is the host that it should be."""
    return context_of(authority.issue_cert("localhost"))


@pytest.fixture
def server(context: ssl.SSLContext) -> Iterator[HTTPServer]:
    with HTTPServer(ssl_context=context) as server:
        server.expect_request("/api/me").respond_with_json({"fetch_id": 1})
        yield server


# --- whom the tap talks to ---


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""},
        {"PYTHONHTTPSVERIFY": "0", "GIT_SSL_NO_VERIFY": "1"},
    ],
)
def test_a_server_that_nobody_vouches_for_gets_nothing(
    server: HTTPServer,
    client: AdStageClient,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client.api_url = server.url_for("/api")
    with pytest.raises(
        ApiError,
        match=r"GET https://localhost:\d+/api/me is not safe: .*CERTIFICATE_VERIFY_"
        r"FAILED.*; name the file of your own certificate authority in "
        r"REQUESTS_CA_BUNDLE",
    ):
        client.get("/me")
    assert waits == []
    assert server.log == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("host", "expires", "reason"),
    [
        ("evil.example", None, "Hostname mismatch"),
        ("localhost", YESTERDAY, "certificate has expired"),
    ],
)
def test_a_server_with_a_wrong_certificate_gets_nothing(
    authority: trustme.CA,
    client: AdStageClient,
    waits: list[float],
    host: str,
    expires: dt.datetime | None,
    reason: str,
) -> None:
    certificate = authority.issue_cert(host, not_after=expires)
    with HTTPServer(ssl_context=context_of(certificate)) as server:
        client.api_url = server.url_for("/api")
        with pytest.raises(ApiError, match=f"is not safe: .*{reason}"):
            client.get("/me")
        assert server.log == []
    assert waits == []


@pytest.mark.usefixtures("trusted")
def test_an_authority_of_the_user_s_own_is_trusted(
    server: HTTPServer,
    client: AdStageClient,
) -> None:
    client.api_url = server.url_for("/api")
    assert client.get("/me") == {"fetch_id": 1}


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_can_t_be_read_is_one_clear_error(
    server: HTTPServer,
    client: AdStageClient,
    waits: list[float],
    trusted: Path,
    content: str | None,
) -> None:
    if content is None:
        trusted.unlink()
    else:
        trusted.write_text(content)
    client.api_url = server.url_for("/api")
    with pytest.raises(ApiError, match=r"authority\.pem|NO_CERTIFICATE"):
        client.get("/me")
    assert waits == []


def test_a_server_without_tls_is_one_clear_error(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    client.api_url = f"https://localhost:{httpserver.port}/api"
    with pytest.raises(ApiError, match=r"is not safe: .*WRONG_VERSION_NUMBER"):
        client.get("/me")
    assert waits == []


def test_the_command_ends_at_once_where_nobody_vouches_for_the_server(
    server: HTTPServer,
    authority: trustme.CA,
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.json"
    settings = {"api_url": server.url_for("/api"), "access_token": "t0ken-of-mine"}
    config.write_text(json.dumps({**settings, "max_retry_seconds": 0}))
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))

    def check(**environment: str) -> str:
        ended = run_tap("--config", config, "--test", environment=environment)
        return ended.stderr

    untrusted = check()
    assert "token: FAILED, GET https://localhost" in untrusted
    assert "is not safe: [SSL: CERTIFICATE_VERIFY_FAILED]" in untrusted
    assert "Traceback" not in untrusted
    assert server.log == []
    assert "token: ok" in check(REQUESTS_CA_BUNDLE=str(bundle))


# --- connections that break ---


def vanish(connection: socket.socket) -> None:
    """Close a connection as a server does that dies: without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def close_in_the_handshake(connection: socket.socket, _: ssl.SSLContext) -> None:
    connection.recv(65536)


def reset_in_the_handshake(connection: socket.socket, _: ssl.SSLContext) -> None:
    connection.recv(1)
    vanish(connection)


def give_up_in_the_handshake(connection: socket.socket, _: ssl.SSLContext) -> None:
    connection.recv(65536)
    internal_error = bytes([2, 80])
    connection.sendall(bytes([21, 3, 3, 0, len(internal_error)]) + internal_error)


def begin(connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    secured = context.wrap_socket(connection, server_side=True)
    secured.recv(65536)
    return secured


def close_before_the_answer(connection: socket.socket, context: ssl.SSLContext) -> None:
    begin(connection, context).close()


def reset_before_the_answer(connection: socket.socket, context: ssl.SSLContext) -> None:
    vanish(begin(connection, context))


def take_leave_before_the_answer(
    connection: socket.socket,
    context: ssl.SSLContext,
) -> None:
    with begin(connection, context) as secured, suppress(OSError):
        secured.unwrap()


def close_in_the_body(connection: socket.socket, context: ssl.SSLContext) -> None:
    with begin(connection, context) as secured:
        secured.sendall(ANSWER + BODY[:4])


def close_in_a_body_of_any_length(
    connection: socket.socket,
    context: ssl.SSLContext,
) -> None:
    with begin(connection, context) as secured:
        secured.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY[:4])


def close_in_a_chunk(connection: socket.socket, context: ssl.SSLContext) -> None:
    with begin(connection, context) as secured:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n"
        secured.sendall(head + BODY[:4])


def spoil_the_body(connection: socket.socket, context: ssl.SSLContext) -> None:
    secured = begin(connection, context)
    secured.sendall(ANSWER)
    with socket.socket(fileno=secured.detach()) as bare:
        bare.sendall(bytes([23, 3, 3, 0, 30]) + bytes(30))


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "fault",
    [
        close_in_the_handshake,
        reset_in_the_handshake,
        give_up_in_the_handshake,
        close_before_the_answer,
        reset_before_the_answer,
        take_leave_before_the_answer,
        close_in_the_body,
        close_in_a_body_of_any_length,
        close_in_a_chunk,
        spoil_the_body,
    ],
)
def test_a_connection_that_breaks_is_tried_again(
    listen: Callable[..., Listener],
    context: ssl.SSLContext,
    client: AdStageClient,
    waits: list[float],
    fault: Callable[[socket.socket, ssl.SSLContext], None],
) -> None:
    faults = [fault, fault]

    def serve(connection: socket.socket) -> None:
        if faults:
            faults.pop()(connection, context)
        else:
            with begin(connection, context) as secured:
                secured.sendall(ANSWER + BODY)

    client.api_url = f"https://localhost:{listen(serve).port}/api"
    assert client.get("/me") == {"id": 1}
    assert len(waits) == 2


@pytest.mark.usefixtures("trusted")
def test_a_connection_that_goes_on_breaking_is_a_failure_that_may_pass(
    listen: Callable[..., Listener],
    context: ssl.SSLContext,
    client: AdStageClient,
) -> None:
    def serve(connection: socket.socket) -> None:
        close_in_the_handshake(connection, context)

    client.transport.max_retry_seconds = 0
    client.api_url = f"https://localhost:{listen(serve).port}/api"
    with pytest.raises(TransientError, match=r"/api/me failed: .*EOF"):
        client.get("/me")
