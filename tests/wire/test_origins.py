"""Origins that get the token or never do: links, redirects, .netrc, proxies."""

from __future__ import annotations

import datetime as dt
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tap_adstage.adstage.client import AdStageClient
from tap_adstage.adstage.directory import Directory
from tap_adstage.adstage.pagination import ApiRequest
from tap_adstage.config.adstage_settings import AdStageConfig
from tap_adstage.config.parsing import parse
from tap_adstage.config.settings import OAuthConfig
from tap_adstage.exceptions import ApiError, LinkError
from tap_adstage.http.oauth import OAuthCredentials

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.listener import Listener

    from tap_adstage.http.transport import Transport

TOKEN = "de4d-beef-b33f"

ELSEWHERE = {
    "another host": "http://{evil}/api/x",
    "another host of the same server": "http://127.0.0.1:{api_port}/api/x",
    "another port": "http://localhost:{evil_port}/api/x",
    "no port": "http://localhost/api/x",
    "port 0": "http://localhost:0/api/x",
    "a port that is none": "http://localhost:99999/api/x",
    "a port that is not a number": "http://localhost:{api_port}x/api/x",
    "another scheme": "https://{api}/api/x",
    "no host": "//{evil}/api/x",
    "upper case": "HTTP://LOCALHOST:{evil_port}/api/x",
    "a dot after the host": "http://localhost.:{api_port}/api/x",
    "IPv6": "http://[::1]:{api_port}/api/x",
    "IPv6 of IPv4": "http://[::ffff:127.0.0.1]:{evil_port}/api/x",
    "half of IPv6": "http://[::1/api/x",
    "an encoded host": "http://%6cocalhost:{api_port}/api/x",
    "a longer host": "http://localhost.evil.example:{api_port}/api/x",
    "a user": "http://robin@{api}/api/x",
    "user and password": "http://robin:pa55@{api}/api/x",
    "a user without name": "http://@{api}/api/x",
    "the API as user": "http://{api}@{evil}/api/x",
    "the API as user and password": "http://{api}:80@{evil}/api/x",
    "the API behind a #": "http://{evil}#@{api}/api/x",
    "the API behind a ?": "http://{evil}?@{api}/api/x",
    "the API behind a \\": "http://{evil}\\@{api}/api/x",
    "the API before a \\": "http://{api}\\@{evil}/api/x",
    "\\ for //": "\\\\{evil}\\api\\x",
    "\\ for the second /": "/\\{evil}/api/x",
    "\\ for the first /": "\\/{evil}/api/x",
    "\\ in the path": "/api\\x",
    "///": "///{evil}/api/x",
    "////": "////{evil}/api/x",
    "a scheme and ///": "http:///{evil}/api/x",
    "a scheme and /": "http:/{evil}/api/x",
    "a scheme alone": "http:{evil}/api/x",
    "another scheme alone": "https:{evil}/api/x",
    "a line break in the scheme": "ht\ntp://{evil}/api/x",
    "a tab in //": "/\t/{evil}/api/x",
    "a zero before //": "\x00//{evil}/api/x",
    "a space before //": " //{evil}/api/x",
    "a space after": "/api/x ",
    "a line break in the path": "/api/x\r\nX-Injected: 1",
    "a line break after": "/api/x\n",
    "a file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
    "data": "data:application/json,{{}}",
    "FTP": "ftp://{api}/api/x",
    "a socket": "unix://{api}/api/x",
}
HERE = {
    "a query": ("?offset=2", "/api/list?offset=2"),
    "a path": ("/api/x", "/api/x"),
    "a path from here": ("x", "/api/x"),
    "a path from above": ("../x", "/x"),
    "all of it": ("http://{api}/api/x", "/api/x"),
    "no scheme": ("//{api}/api/x", "/api/x"),
    "upper case": ("HTTP://LOCALHOST:{api_port}/api/x", "/api/x"),
    "a fragment": ("http://{api}/api/x#@{evil}", "/api/x"),
    "a token": ("/api/x?access_token=t&a=1", "/api/x?a=1"),
    "a URL in the path": ("/api/x/http://{evil}/", "/api/x/http://{evil}/"),
    "an encoded \\": ("/%5C{evil}/x", "/%5C{evil}/x"),
    "a URL in the query": ("/api/x?to=//{evil}/", "/api/x?to=//{evil}/"),
    "a user in the query": ("/api/x?@{evil}", "/api/x?@{evil}"),
}


@pytest.fixture
def evil(listen: Callable[..., Listener]) -> Iterator[Listener]:
    """A server that nobody may even connect to."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)

    listener = listen(serve)
    yield listener
    assert listener.connections == 0


@pytest.fixture
def place(httpserver: HTTPServer, evil: Listener) -> Callable[[str], str]:
    """Put the addresses of the servers into a link."""

    def fill(link: str) -> str:
        return link.format(
            api=f"localhost:{httpserver.port}",
            api_port=httpserver.port,
            evil=f"127.0.0.1:{evil.port}",
            evil_port=evil.port,
        )

    return fill


def read_list(client: AdStageClient) -> list[Any]:
    return list(client.items(client.url("/list")))


def read_report(client: AdStageClient) -> list[Any]:
    body = {"fields": ["clicks"], "limit": 2}
    return list(client.pages(ApiRequest(client.url("/list"), body)))


def read_group(client: AdStageClient) -> list[Any]:
    settings = {"access_token": TOKEN, "user_id": 40}
    now = dt.datetime(2024, 3, 20, tzinfo=dt.timezone.utc)
    config = parse(settings, now=now, stream_names=())
    assert isinstance(config, AdStageConfig)
    directory = Directory(client, config)
    (group,) = directory.account_groups
    return directory.group_accounts(group)


def items(*resources: dict[str, Any], **links: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"_embedded": {"item": [*resources]}, "_links": links}


def form(href: str) -> dict[str, Any]:
    token = {"page_token": {"value": "g3Q"}}
    return {"_forms": {"next_page": {"href": href, "fields": token}}}


def templated(href: str) -> dict[str, Any]:
    return items({"id": 1}, next={"href": href + "{?limit}", "templated": True})


def group(href: str) -> dict[str, Any]:
    link = {"href": href, "templated": True}
    return items({"id": 7, "_links": {"adstage:list": [link]}})


KINDS: dict[str, tuple[Callable[[str], Any], Callable[[AdStageClient], Any], str]] = {
    "next": (lambda href: items({"id": 1}, next={"href": href}), read_list, "list"),
    "next_page": (
        lambda href: items({"id": 1}, next_page=[{"href": href}]),
        read_list,
        "list",
    ),
    "templated next": (templated, read_list, "list"),
    "next of V1": (lambda href: items(next={"href": href}), read_report, "list"),
    "next_page of V1": (
        lambda href: items(next_page={"href": href}),
        read_report,
        "list",
    ),
    "form of V2": (form, read_report, "list"),
    "adstage:list": (group, read_group, "users/40/account_groups"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("link", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_link_elsewhere_is_an_error_that_names_the_page_and_nothing_is_sent_there(
    httpserver: HTTPServer,
    client: AdStageClient,
    place: Callable[[str], str],
    kind: str,
    link: str,
) -> None:
    page, read, path = KINDS[kind]
    answer = page(place(link))
    httpserver.expect_request(f"/api/{path}").respond_with_json(answer)
    with pytest.raises(LinkError, match="own origin; it was not followed") as error:
        read(client)
    assert f"http://localhost:{httpserver.port}/api/{path}" in str(error.value)
    assert "pa55" not in str(error.value)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(("link", "expected"), HERE.values(), ids=HERE)
def test_a_link_on_the_api_s_own_origin_is_followed_with_the_token(
    httpserver: HTTPServer,
    client: AdStageClient,
    place: Callable[[str], str],
    link: str,
    expected: str,
) -> None:
    for answer in (items({"id": 1}, next={"href": place(link)}), items({"id": 2})):
        httpserver.expect_ordered_request(
            re.compile(".*"),
            headers={"Authorization": f"Bearer {TOKEN}"},
        ).respond_with_json(answer)
    assert [item["id"] for item in read_list(client)] == [1, 2]
    assert httpserver.log[1][0].environ["REQUEST_URI"] == place(expected)


# --- redirects ---


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
@pytest.mark.parametrize(
    "target",
    ["/api/x", "http://{api}/api/x", "http://{evil}/", "//{evil}/", "https://{api}/x"],
)
def test_a_redirect_is_an_error_that_names_the_page_and_is_not_followed(
    httpserver: HTTPServer,
    client: AdStageClient,
    place: Callable[[str], str],
    status: int,
    target: str,
) -> None:
    answer = Response("", status, headers={"Location": place(target)})
    httpserver.expect_request("/api/list").respond_with_response(answer)
    with pytest.raises(
        LinkError,
        match=rf"GET http://localhost:\d+/api/list answered {status} with a redirect "
        r"to .+; it was not followed",
    ):
        read_list(client)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    "location",
    [
        b"",
        b"Location: http://[evil/\r\n",
        b"Location: http://evil:port/\r\n",
        b"Location: http://\xff\xfe/\r\n",
        b"Location: \r\n",
        b"Location: /a\r\nLocation: //evil/\r\n",
    ],
)
def test_a_redirect_to_what_is_no_url_is_the_same_error(
    listen: Callable[..., Listener],
    client: AdStageClient,
    location: bytes,
) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
        connection.sendall(head + location + b"\r\n")

    server = listen(serve)
    client.api_url = f"http://localhost:{server.port}/api"
    with pytest.raises(LinkError, match="/api/list answered 302 with a redirect to"):
        read_list(client)
    assert server.connections == 1


# --- the token endpoint ---


@pytest.fixture
def oauth_client(
    httpserver: HTTPServer,
    transport: Transport,
) -> Callable[[str], AdStageClient]:
    """A client of the API that gets its tokens from a URL."""

    def of(token_url: str) -> AdStageClient:
        config = OAuthConfig(
            client_id="id",
            client_secret="c1ient-s3cret",
            refresh_token="r3fresh-token",
            token_url=token_url,
            token_file=None,
        )
        logger = logging.getLogger("tap-adstage")
        credentials = OAuthCredentials(config, transport, logger)
        return AdStageClient(httpserver.url_for("/api"), transport, credentials, 10)

    return of


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/other", "http://{evil}/oauth/token"])
def test_a_refresh_token_goes_nowhere_but_to_the_token_endpoint(
    httpserver: HTTPServer,
    oauth_client: Callable[[str], AdStageClient],
    place: Callable[[str], str],
    status: int,
    target: str,
) -> None:
    answer = Response("", status, headers={"Location": place(target)})
    httpserver.expect_request("/oauth/token").respond_with_response(answer)
    url = httpserver.url_for("/oauth/token")
    with pytest.raises(
        LinkError, match=f"POST {url} answered {status} with a redirect"
    ):
        oauth_client(url).get("/me")
    assert len(httpserver.log) == 1


def test_a_token_endpoint_elsewhere_gets_the_refresh_token_and_the_api_does_not(
    httpserver: HTTPServer,
    oauth_client: Callable[[str], AdStageClient],
) -> None:
    httpserver.expect_request("/api/me").respond_with_json({"id": 1})
    with HTTPServer() as endpoint:
        endpoint.expect_request("/token").respond_with_json(
            {"access_token": TOKEN, "token_type": "Bearer"},
        )
        assert oauth_client(endpoint.url_for("/token")).get("/me") == {"id": 1}
        ((asked, _),) = endpoint.log
    assert parse_qs(asked.get_data(as_text=True))["refresh_token"] == ["r3fresh-token"]
    ((sent, _),) = httpserver.log
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "r3fresh" not in f"{sent.url} {sent.headers} {sent.get_data()!r}"


# --- the user's environment ---


def test_a_netrc_file_takes_no_token_s_place(
    httpserver: HTTPServer,
    client: AdStageClient,
    oauth_client: Callable[[str], AdStageClient],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login robin password pa55\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/api/me").respond_with_json({"id": 1})
    httpserver.expect_request("/oauth/token").respond_with_json(
        {"access_token": "a1", "token_type": "Bearer"},
    )
    client.get("/me")
    oauth_client(httpserver.url_for("/oauth/token")).get("/me")
    sent = [request.headers.get("Authorization") for request, _ in httpserver.log]
    assert sent == [f"Bearer {TOKEN}", None, "Bearer a1"]


def test_a_proxy_of_the_user_s_gets_what_the_api_would(
    httpserver: HTTPServer,
    client: AdStageClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", httpserver.url_for("").replace("//", "//me:pa55@"))
    client.api_url = "http://api.example/api"
    httpserver.expect_request("/api/list").respond_with_json(
        items({"id": 1}, next={"href": "http://evil.example/api/list"}),
    )
    with pytest.raises(LinkError, match=r"http://api\.example/api/list links to"):
        read_list(client)
    ((sent, _),) = httpserver.log
    assert sent.environ["REQUEST_URI"] == "http://api.example/api/list"
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_s_password_is_not_shown(
    client: AdStageClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    client.api_url = "http://api.example/api"
    client.transport.max_retry_seconds = 0
    for proxy in ("http://me:pa55@127.0.0.1:9", "http://me:pa55@[", "x://me:pa55@h:1"):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        with pytest.raises(
            ApiError, match=r"GET http://api\.example/api/list"
        ) as error:
            read_list(client)
        assert "pa55" not in str(error.value)
