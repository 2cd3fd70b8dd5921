"""OAuth's refresh-token grant at the wire."""

from __future__ import annotations

import json
import logging
import stat
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from werkzeug import Request, Response

from tap_adstage.auth import RefreshToken, read_token_file, write_token_file
from tap_adstage.client import AdStageClient
from tap_adstage.config import OAuthConfig
from tap_adstage.exceptions import AuthenticationError, TransientError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    from tap_adstage.transport import Transport


class TokenEndpoint:
    """Hands out access tokens a1, a2, … and, if it rotates, refresh tokens r1, r2, …"""

    def __init__(self, expires_in: int | None = 3600, *, rotate: bool = True) -> None:
        self.expires_in = expires_in
        self.rotate = rotate
        self.grants: list[dict[str, str]] = []
        self.revoked: set[str] = set()

    def grant(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs(request.get_data(as_text=True)).items()}
        if form["refresh_token"] in self.revoked:
            return json_response({"error": "invalid_grant"}, 400)
        self.grants.append(form)
        number = len(self.grants)
        answer: dict[str, object] = {
            "access_token": f"a{number}",
            "token_type": "Bearer",
        }
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        if self.rotate:
            answer["refresh_token"] = f"r{number}"
        return json_response(answer)


def json_response(document: object, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")


@pytest.fixture
def endpoint(httpserver: HTTPServer) -> TokenEndpoint:
    endpoint = TokenEndpoint()
    httpserver.expect_request("/oauth/token", method="POST").respond_with_handler(
        endpoint.grant,
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
def sent(httpserver: HTTPServer) -> list[str]:
    """Tokens that API requests carried; `a2` and later are accepted."""
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
    credentials = RefreshToken(oauth, transport, logging.getLogger("tap-adstage"))
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


def test_a_refused_token_is_renewed_once_and_the_request_repeated(
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


def test_a_token_that_is_refused_after_renewal_too_is_an_error_with_the_settings(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/api/me").respond_with_json({}, status=401)
    with pytest.raises(AuthenticationError, match="client_secret and refresh_token"):
        client_of(oauth, transport, httpserver).get("/me")
    assert len(endpoint.grants) == 2


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


@pytest.mark.usefixtures("endpoint")
def test_a_rotated_token_that_can_t_be_kept_ends_the_run_before_it_is_used(
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    sent: list[str],
    tmp_path: Path,
) -> None:
    kept = replace(oauth, token_file=tmp_path / "gone" / "token.json")
    with pytest.raises(
        AuthenticationError, match=r"oauth_token_file.*can't be written"
    ):
        client_of(kept, transport, httpserver).get("/me")
    assert sent == []


@pytest.mark.usefixtures("sent")
def test_a_rotated_refresh_token_is_kept_for_the_next_start(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    tmp_path: Path,
) -> None:
    kept = replace(oauth, token_file=tmp_path / "token.json")
    client_of(kept, transport, httpserver).get("/me")
    assert stat.S_IMODE((tmp_path / "token.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token.json"]
    endpoint.revoked.add("r0")
    client_of(kept, transport, httpserver).get("/me")
    assert [grant["refresh_token"] for grant in endpoint.grants] == ["r0", "r1"]


@pytest.mark.usefixtures("sent")
def test_a_rotation_that_nothing_keeps_is_said(
    endpoint: TokenEndpoint,
    oauth: OAuthConfig,
    transport: Transport,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client_of(oauth, transport, httpserver).get("/me")
    assert endpoint.grants
    assert "oauth_token_file" in caplog.text


def test_a_new_grant_in_the_settings_goes_before_the_kept_token(tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    write_token_file(path, "r7", configured="r0")
    assert read_token_file(path, "r0") == "r7"
    assert read_token_file(path, "granted anew") is None
    assert read_token_file(tmp_path / "none.json", "r0") is None
    assert "r0" not in path.read_text()


@pytest.mark.parametrize("text", ["", "r7", "[]", '{"refresh_token": "r7"}'])
def test_a_token_file_of_another_kind_is_an_error_that_names_it(
    tmp_path: Path,
    text: str,
) -> None:
    path = tmp_path / "token.json"
    path.write_text(text)
    with pytest.raises(AuthenticationError, match=r"oauth_token_file.*token\.json"):
        read_token_file(path, "r0")


def test_a_token_file_that_can_t_be_replaced_is_left_whole(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "token.json"
    write_token_file(path, "r1", configured="r0")

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_token_file(path, "r2", configured="r0")
    assert read_token_file(path, "r0") == "r1"
    assert len(list(tmp_path.iterdir())) == 1
