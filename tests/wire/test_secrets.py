"""An AdStage that echoes every secret of the caller's everywhere, and runs against it.

Each secret has the same word at both its ends, and signs in between that JSON, URLs and
HTML write in ways of their own. So wherever a part of a secret is left, the word is.
"""

from __future__ import annotations

import html
import itertools
import json
import logging
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from harness.taps import directory_of
from werkzeug import Request, Response

from tap_adstage.exceptions import TapError
from tap_adstage.reports.bookmark import KEYS
from tap_adstage.streams.failed_stream import FailedStream
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.forked import Ended, ForkedTap
    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.server import Sandbox

WORD = "Kx7"
CLIENT_SECRET = f"{WORD}client/é \"'\\<&>+=☃{WORD}"
REFRESH_TOKEN = f"{WORD}refresh0/+={WORD}"
NOBODYS = "F0reign"
"""A token that is not the caller's; in a URL it is one all the same."""

REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "ads",
    "fields": ["clicks", "ad_name", "destination_url"],
    "date_range": "last 2 days",
}


def of_either_end(number: int, kind: str) -> str:
    return f'{WORD}{kind}{number}/+="<&>={WORD}'


class Echo:
    """Passes requests on to a sandbox, and adds every secret to its answers.

    It rotates refresh tokens. Whatever is asked for the first time fails.
    """

    def __init__(self, server: HTTPServer, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.origin = server.url_for("")
        self.api_url = server.url_for("/api")
        self.secrets = [CLIENT_SECRET, REFRESH_TOKEN]
        self.failed: set[str] = set()
        self.asked: list[str] = []
        self.refusal: Callable[[str], Response] | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        server.expect_request("/oauth/token").respond_with_handler(self.grant)
        server.expect_request(re.compile("/api/.*")).respond_with_handler(self.answer)

    def grant(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs(request.get_data(as_text=True)).items()}
        assert form["client_secret"] == CLIENT_SECRET
        with self._lock:
            if "grant" not in self.failed:
                self.failed.add("grant")
                return self.failure()
            number = next(self._numbers)
            granted: dict[str, Any] = {
                "access_token": of_either_end(number, "access"),
                "refresh_token": of_either_end(number, "refresh"),
                "token_type": "Bearer",
                "expires_in": 3600,
            }
            self.secrets += [granted["access_token"], granted["refresh_token"]]
        return Response(json.dumps(granted), headers=self.headers)

    def answer(self, request: Request) -> Response:
        assert request.headers["Authorization"].removeprefix("Bearer ") in self.secrets
        with self._lock:
            self.asked.append(f"{request.url} {request.get_data(as_text=True)}")
            if request.path not in self.failed:
                self.failed.add(request.path)
                return self.failure()
        if self.refusal and request.path == "/api/me":
            return self.refusal(self.secrets[-2])
        body = request.get_json(silent=True)
        if body and "page_token" in body:
            body["page_token"] = body["page_token"].partition("~")[0]
        answered = requests.request(
            request.method,
            self.sandbox.api_url.removesuffix("/api") + request.path,
            params={k: v for k, v in request.args.items() if k != "echo"},
            json=body,
            headers={"Authorization": f"Bearer {self.sandbox.token}"},
            timeout=20,
        )
        own = urlsplit(self.sandbox.api_url).netloc
        text = answered.text.replace(own, urlsplit(self.origin).netloc)
        text = json.dumps(self.planted(json.loads(text)))
        if len(self.asked) % 2:
            text = text.replace("/", r"\/").replace("&", r"\u0026")
        return Response(text, status=answered.status_code, headers=self.headers)

    @property
    def all(self) -> str:
        return " and ".join(self.secrets)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Echo": quote(self.all), "Content-Type": "application/json"}

    def failure(self) -> Response:
        return Response(
            f"<h1>{html.escape(self.all)}</h1> <a href='/?access_token={NOBODYS}'>",
            status=f"503 {self.secrets[1]}",
            headers={**self.headers, "Retry-After": "0"},
        )

    def planted(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, list):
            return [self.planted(item) for item in value]
        if not isinstance(value, dict):
            return value
        planted = {key: self._planted_at(key, item) for key, item in value.items()}
        if {"name", "id", "meta"} & {*value}:
            planted[self.all] = self.all
        if "destination_url" in str(value.get("meta")):
            planted["meta"]["destination_url"] = (
                f"https://shop.example/?a=1&access_token={NOBODYS}&echo="
                f"{quote(self.all)}&to=%2Fx%3Faccess_token%3D{NOBODYS}"
            )
        return planted

    def _planted_at(self, key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if key == "page_token" and isinstance(value, dict):
            return {**value, "value": f"{value['value']}~{self.all}"}
        if key == "href":
            token = quote(self.secrets[-2])
            url, brace, template = value.partition("{?")
            sign = "&" if "?" in url else "?"
            url += f"{sign}access_token={token}&echo={token}"
            return url + ("{&" + template if brace else "")
        if isinstance(value, str) and re.search("(^|_)(name|title|tooltip)$", key):
            return f"{value} {self.all}"
        return self.planted(value)


@pytest.fixture
def echo(httpserver: HTTPServer, sandbox: Sandbox) -> Iterator[Echo]:
    echo = Echo(httpserver, sandbox)
    yield echo
    httpserver.check_assertions()
    assert not [asked for asked in echo.asked if WORD in asked]


@pytest.fixture
def settings(echo: Echo, tmp_path: Path) -> dict[str, Any]:
    """Settings with every secret that there is."""
    return {
        "access_token": f"{WORD}unused/+={WORD}",
        "client_id": "robot",
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "api_url": echo.api_url,
        "oauth_token_file": str(tmp_path / "token.json"),
        "as_of": "2024-03-20",
        "page_size": 100,
        "reports": [REPORT, {**REPORT, "name": "daily_v1", "api_version": 1}],
    }


LOG_CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"it": {"()": "singer_sdk.logging.StructuredFormatter"}},
    "handlers": {"it": {"class": "logging.StreamHandler", "formatter": "it"}},
    "root": {"level": "DEBUG", "handlers": ["it"]},
}


class Tap:
    """Runs the tap as a process that logs all there is."""

    def __init__(self, forked: ForkedTap, folder: Path, *, structured: bool) -> None:
        self.forked = forked
        self.folder = folder
        self.structured = structured
        self.environment = {"TAP_ADSTAGE_LOGLEVEL": "DEBUG"}
        if structured:
            form = folder / "logging.yml"
            form.write_text(json.dumps(LOG_CONFIG))
            self.environment["SINGER_SDK_LOG_CONFIG"] = str(form)

    def run(
        self,
        settings: dict[str, Any],
        *arguments: str,
        program: str = "",
    ) -> Ended:
        """Run it; no part of a secret is in what it writes."""
        config = self.folder / "config.json"
        config.write_text(json.dumps(settings))
        ended = self.forked.run(
            self.folder,
            *("--config", str(config), *arguments),
            environment=self.environment,
            program=program,
        )
        assert WORD.lower() not in (ended.stdout + ended.stderr).lower()
        assert NOBODYS not in ended.stdout + ended.stderr
        assert not [path for path in self.folder.iterdir() if WORD in path.name]
        if self.structured:
            assert all(json.loads(line) for line in ended.stderr.splitlines())
        return ended


@pytest.fixture(params=[False, True], ids=["lines", "structured"])
def tap(request: pytest.FixtureRequest, forked: ForkedTap, tmp_path: Path) -> Tap:
    return Tap(forked, tmp_path, structured=request.param)


def check_messages(messages: list[dict[str, Any]]) -> None:
    """A whole run against the echo wrote all streams, and the echoes in them."""
    records = [line for line in messages if line["type"] == "RECORD"]
    streams = {line["stream"] for line in records}
    assert {"folders", "account_group_accounts", "daily", "daily_v1"} <= streams
    for report in ("daily", "daily_v1"):
        ad = next(line["record"] for line in records if line["stream"] == report)
        assert ad["ad_name"].endswith(" *** and *** and *** and ***")
        assert ad["destination_url"] == (
            "https://shop.example/?a=1&echo=***%20and%20***%20and%20***%20and%20***"
            "&to=%2Fx"
        )
    bookmark = {*KEYS} - {"shard", "catch_up"}
    for state in (line["value"] for line in messages if line["type"] == "STATE"):
        assert {*state} == {"bookmarks"}
        assert {*state["bookmarks"]} <= streams
        assert all({*entry} <= bookmark for entry in state["bookmarks"].values())


def test_a_run_writes_no_secret_that_adstage_echoes(
    tap: Tap,
    settings: dict[str, Any],
    echo: Echo,
) -> None:
    ended = tap.run(settings)
    assert ended.code == 0, ended.stderr
    check_messages([json.loads(line) for line in ended.stdout.splitlines()])
    assert "urllib3.connectionpool" in ended.stderr
    assert "503: <h1>*** and ***" in ended.stderr
    assert (
        "skipped fields of AdStage that have no column: *** and *** and *** and ***"
        in ended.stderr
    )
    assert WORD in (tap.folder / "token.json").read_text()
    assert len(echo.asked) > 20


def test_a_catalog_holds_no_secret(
    tap: Tap,
    settings: dict[str, Any],
) -> None:
    ended = tap.run(settings, "--discover")
    assert ended.code == 0, ended.stderr
    assert len(json.loads(ended.stdout)["streams"]) == 11


def test_a_set_up_test_shows_no_secret(
    tap: Tap,
    settings: dict[str, Any],
) -> None:
    ended = tap.run({**settings, "max_retry_seconds": 20}, "--test")
    assert ended.code == 0, ended.stderr
    assert "user: ok, Robin *** and *** and" in ended.stderr
    assert "6 of 6 steps passed" in ended.stderr


def test_a_run_inside_another_program_shows_no_secret(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        messages = sync(settings)
    check_messages(messages.lines)
    assert WORD not in json.dumps(messages.lines, default=str)
    assert "urllib3.connectionpool" in caplog.text
    assert "503: <h1>*** and ***" in caplog.text
    assert WORD not in caplog.text


def organizations(*resources: dict[str, Any]) -> str:
    return json.dumps({"_embedded": {"adstage:organizations": resources}})


REFUSALS: dict[str, Callable[[str], Response]] = {
    "message": lambda it: Response(json.dumps({"message": f"not for {it}"}), 403),
    "errors": lambda it: Response(json.dumps({"errors": [{it: ["not for you"]}]}), 422),
    "text": lambda it: Response(f"not for {it}", 400),
    "html": lambda it: Response(f"<p>not for {html.escape(it)}</p>", 404),
    "url": lambda it: Response(f"not for /x?access_token={NOBODYS}&a={quote(it)}", 400),
    "header": lambda _: Response(f"not for Authorization: Bearer {NOBODYS}", 400),
    "truncated": lambda _: Response(f'"not for": 1, "access_token": "{NOBODYS}', 200),
    "reason": lambda it: Response("", f"400 not for {it}"),
    "redirect": lambda it: Response("", 302, {"Location": f"/not%20for/{quote(it)}"}),
    "organizations": lambda it: Response(
        organizations(
            {"fetch_id": 1, "company_name": f"not for {it}"},
            {"fetch_id": 2, "company_name": it},
        ),
    ),
    "number": lambda it: Response(organizations({"fetch_id": f"not for {it}"})),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_an_error_shows_no_secret_that_its_answer_echoes(
    forked: ForkedTap,
    tmp_path: Path,
    settings: dict[str, Any],
    echo: Echo,
    refusal: Callable[[str], Response],
) -> None:
    echo.refusal = refusal
    settings["max_retry_seconds"] = 3
    ended = Tap(forked, tmp_path, structured=False).run(settings, "--discover")
    code, errors = errors_of(settings)
    assert ended.code == code
    assert "| ERROR    | tap-adstage " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert errors
    for text in (ended.stderr, ended.stdout, *errors):
        assert WORD not in text
        assert NOBODYS not in text
    for text in (ended.stderr, *errors):
        assert "not for" in text.replace("%20", " ")
        assert WORD not in text
        assert NOBODYS not in text


def errors_of(settings: dict[str, Any]) -> tuple[int, list[str]]:
    """The exit code of a discovery, and why it or its streams fail."""
    try:
        streams = TapAdStage(config=settings).streams.values()
    except TapError as error:
        return 1, [str(error)]
    return 0, [str(s.error) for s in streams if isinstance(s, FailedStream)]


CRASH = f"""
import warnings
from tap_adstage.adstage.directory import Directory

def crash(self):
    token = self.client.credentials.token()
    warnings.warn(f"a warning about {{token}}")
    try:
        raise KeyError(token)
    except KeyError as error:
        raise RuntimeError(f"https://x/?access_token={NOBODYS} {{token}}") from error

Directory.organization_id = property(crash)
"""


@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"]])
def test_the_traceback_of_an_unforeseen_error_shows_no_secret(
    tap: Tap,
    settings: dict[str, Any],
    mode: list[str],
) -> None:
    ended = tap.run(settings, *mode, program=CRASH)
    assert ended.code == 1
    assert "RuntimeError" in ended.stderr
    assert "KeyError" in ended.stderr
    assert "https://x/?access_token=*** ***" in ended.stderr
    assert "UserWarning" in ended.stderr
    assert "a warning about ***" in ended.stderr


BAD_SETTINGS: dict[str, dict[str, Any]] = {
    "user": {"api_url": f"https://robin:{CLIENT_SECRET}@platform.adstage.io/api"},
    "query": {"oauth_token_url": f"https://x/?access_token={quote(REFRESH_TOKEN)}"},
    "agent": {"user_agent": f"robot {REFRESH_TOKEN}"},
    "agent's form": {"user_agent": f"robot\n{CLIENT_SECRET}"},
    "account": {"accounts": [f"/network/adwords/account/{REFRESH_TOKEN}"]},
    "account's form": {"accounts": [CLIENT_SECRET]},
    "day": {"as_of": REFRESH_TOKEN},
    "zone": {"time_zone": CLIENT_SECRET},
    "unknown setting": {REFRESH_TOKEN: CLIENT_SECRET},
    "file": {"oauth_token_file": f"{WORD}refresh0/+={WORD}.json"},
    "report's name": {"reports": [{**REPORT, "name": REFRESH_TOKEN}]},
    "report's key": {"reports": [{**REPORT, CLIENT_SECRET: 1}]},
    "range": {"reports": [{**REPORT, "date_range": f"last {CLIENT_SECRET} days"}]},
    "field": {"reports": [{**REPORT, "fields": [CLIENT_SECRET]}]},
    "filter": {
        "reports": [
            {
                **REPORT,
                "filters": [
                    {"path": "meta/ad_name", "op": "in", "value": CLIENT_SECRET}
                ],
            },
        ],
    },
    "token": {"access_token": f"two {WORD}"},
    "SDK's": {"flattening_max_depth": CLIENT_SECRET},
    "batch": {"batch_config": {"encoding": {"format": CLIENT_SECRET}}},
}


@pytest.mark.parametrize("changes", BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_an_error_in_the_settings_shows_no_secret(
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(TapError) as error:
        TapAdStage(config={**settings, **changes})
    assert WORD not in str(error.value)
    assert WORD not in caplog.text


def test_an_error_in_the_environment_shows_no_secret(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAP_ADSTAGE_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.setenv("TAP_ADSTAGE_REFRESH_TOKEN", REFRESH_TOKEN)
    monkeypatch.setenv("TAP_ADSTAGE_PAGE_SIZE", CLIENT_SECRET)
    monkeypatch.setenv("TAP_ADSTAGE_REPORTS", f'[{{"name": "{REFRESH_TOKEN}"')
    with caplog.at_level(logging.DEBUG), pytest.raises(TapError) as error:
        TapAdStage(parse_env_config=True)
    assert "page_size: " in str(error.value)
    assert "reports: " in str(error.value)
    assert WORD not in str(error.value)
    assert WORD not in caplog.text


def test_what_the_tap_is_made_of_shows_no_secret(settings: dict[str, Any]) -> None:
    directory = directory_of(TapAdStage(config=settings))
    directory.client.credentials.token()
    transport = directory.client.transport
    parts = [directory, directory.client, transport, transport.secrets]
    parts += [directory.client.credentials, directory.config]
    assert WORD not in repr(parts)
