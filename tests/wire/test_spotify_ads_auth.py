"""Access to Spotify: OAuth with HTTP Basic, rotated refresh tokens, a bearer token."""

from __future__ import annotations

import base64
import json
import logging
import stat
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from harness.taps import spotify_source
from werkzeug import Request, Response

from tap_adstage.exceptions import AuthenticationError
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

ID, SECRET = "an-application", "its s3cret: ü"
BASIC = base64.b64encode(f"{ID}:{SECRET}".encode()).decode()


@pytest.fixture
def sandbox() -> Iterator[SpotifyAdsSandbox]:
    with SpotifyAdsSandbox(token_uses=8) as sandbox:
        yield sandbox


@pytest.fixture
def oauth(sandbox: SpotifyAdsSandbox) -> dict[str, Any]:
    """Settings of OAuth alone."""
    return {
        "source": "spotify_ads",
        "api_url": sandbox.api_url,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": sandbox.refresh_token,
        "oauth_token_url": sandbox.token_url,
        "reports": [],
    }


def test_a_run_reads_everything_with_tokens_that_are_renewed(
    sandbox: SpotifyAdsSandbox,
    oauth: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages = sync(oauth)
    assert len(messages.records("ads")) == len(sandbox.world.entities("AD"))
    assert "rotated the refresh token; set oauth_token_file" in caplog.text
    refused = [r for r in sandbox.requests if r.status == 401]
    granted = [r for r in sandbox.requests if r.path == "/api/token"]
    assert len(refused) > 1
    assert len(granted) <= len(refused) + 1  # one for each refusal, and the first
    assert "refused" not in caplog.text


def test_the_newest_refresh_token_is_kept_for_the_next_run(
    sandbox: SpotifyAdsSandbox, oauth: dict[str, Any], sync: Sync, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    oauth["oauth_token_file"] = str(file)
    for _ in range(2):
        assert sync(oauth, streams=["businesses"]).records("businesses")
        assert sandbox.refresh_token in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sandbox.refresh_token != oauth["refresh_token"]


def test_a_refused_refresh_token_ends_the_run_with_advice(
    oauth: dict[str, Any], sync: Sync
) -> None:
    with pytest.raises(AuthenticationError) as refused:
        sync(oauth | {"refresh_token": "stale-token"})
    assert "Spotify gave no access token for the settings client_id, client_secret" in (
        str(refused.value)
    )
    assert "grant access again" in str(refused.value)
    assert "stale-token" not in str(refused.value)


class Endpoint:
    """A token endpoint that keeps what it was asked, and an API for its token."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.status = 200
        self.asked: list[tuple[str | None, dict[str, list[str]]]] = []
        self.tokens: list[str] = []
        httpserver.expect_request("/api/token").respond_with_handler(self.grant)
        httpserver.expect_request("/ads/v3/businesses").respond_with_handler(self.read)

    def grant(self, request: Request) -> Response:
        header = request.headers.get("Authorization")
        self.asked.append((header, parse_qs(request.get_data(as_text=True))))
        token = json.dumps({"access_token": f"a{len(self.asked)}"})
        return Response(token if self.status == 200 else header, self.status)

    def read(self, request: Request) -> Response:
        self.tokens.append(request.headers["Authorization"])
        is_first = self.tokens[-1] == "Bearer a1"
        return Response('{"businesses": []}', 401 if is_first else 200)


@pytest.fixture
def endpoint(httpserver: HTTPServer) -> Endpoint:
    return Endpoint(httpserver)


@pytest.fixture
def settings(httpserver: HTTPServer) -> dict[str, Any]:
    return {
        "source": "spotify_ads",
        "api_url": httpserver.url_for("/ads/v3"),
        "oauth_token_url": httpserver.url_for("/api/token"),
        "client_id": ID,
        "client_secret": SECRET,
        "refresh_token": "r0",
        "max_retry_seconds": 0,
        "reports": [],
    }


def test_the_application_s_credentials_are_http_basic_alone(
    endpoint: Endpoint, settings: dict[str, Any]
) -> None:
    spotify_source(settings).client.get("/businesses")
    form = {"grant_type": ["refresh_token"], "refresh_token": ["r0"]}
    assert endpoint.asked == [(f"Basic {BASIC}", form)] * 2


def test_a_401_is_one_renewal_and_one_more_request(
    endpoint: Endpoint, settings: dict[str, Any]
) -> None:
    spotify_source(settings).client.get("/businesses")
    assert endpoint.tokens == ["Bearer a1", "Bearer a2"]


@pytest.mark.parametrize("status", [400, 503])
def test_no_message_shows_the_credentials_in_any_form(
    endpoint: Endpoint,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.status = status  # its answer quotes the header
    source = spotify_source(settings)
    with pytest.raises(Exception, match=str(status)) as failed:
        source.client.get("/businesses")
    shown = str(failed.value) + caplog.text
    assert BASIC not in shown
    assert SECRET not in shown


def test_adstage_s_credentials_stay_in_the_form(
    endpoint: Endpoint, settings: dict[str, Any], sync: Sync
) -> None:
    del settings["source"]
    endpoint.status = 400
    with pytest.raises(AuthenticationError):
        sync(settings)
    ((header, form),) = endpoint.asked
    assert header is None
    assert form["client_secret"] == [SECRET]
