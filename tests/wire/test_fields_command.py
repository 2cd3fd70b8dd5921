"""`tap-adstage --fields`: what it lists, in which form, and how it fails."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import Front

from tap_adstage.adstage.meta_fields import META_FIELDS
from tap_adstage.config.spotify_ads import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.forked import Ended, ForkedTap
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.server import Sandbox

MISSPELT = {"name": "r", "entity_level": "ads", "fields": ["cliks"]}
SPOTIFY = {"source": "spotify_ads", "reports": [MISSPELT]}


@pytest.fixture
def list_fields(forked: ForkedTap, tmp_path: Path) -> Callable[..., Ended]:
    """Run the command with some settings."""

    def run(settings: dict[str, Any], *text: str, **variables: str) -> Ended:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(settings))
        config = ["--config=ENV"] if variables else []
        arguments = [*config, "--config", str(path), "--fields", *text]
        ended = forked.run(tmp_path, *arguments, environment=variables)
        assert "Traceback" not in ended.stderr
        return ended

    return run


def listed(ended: Ended) -> list[dict[str, Any]]:
    """The fields of the JSON lines."""
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_all_that_reports_may_have_is_listed_in_a_pipe(
    list_fields: Callable[..., Ended], sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    ended = list_fields(settings)
    assert ended.code == 0
    fields = listed(ended)
    own = [field for field in fields if "provider " not in (field["where"] or "")]
    ids = [field["id"] for field in own]
    assert len(ids) == len({*ids})
    assert {"clicks", "custom_conversions:14:roas", *META_FIELDS} <= {*ids}
    providers = {field["networks"][0] for field in fields if field not in own}
    assert providers == {"facebook", "adwords", "gemini", "google_analytics"}
    assert not any("report" in request.path for request in sandbox.requests)


def test_a_text_chooses_though_a_report_has_an_unknown_field(
    list_fields: Callable[..., Ended], settings: dict[str, Any]
) -> None:
    ended = list_fields(settings | {"reports": [MISSPELT]}, "SALES LEADS")
    assert ended.code == 0
    first = listed(ended)[0]
    assert first["id"] == "custom_conversions:14:conversions"
    assert first["name"] == "Sales Leads: A+"
    assert len(first["networks"]) == 9


def test_spotify_s_fields_need_no_credentials(
    list_fields: Callable[..., Ended],
) -> None:
    ended = list_fields(SPOTIFY, TAP_ADSTAGE_MAX_CONCURRENCY="2")
    assert ended.code == 0
    assert [field["id"] for field in listed(ended)] == [*FIELDS]


def test_a_terminal_gets_a_table(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(SPOTIFY))
    reader, writer = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "tap_adstage",
        "--config",
        str(path),
        "--fields",
        "cpm",
    ]
    subprocess.run(command, stdout=writer, check=True, timeout=60)  # noqa: S603
    os.close(writer)
    with os.fdopen(reader) as terminal:
        heads, row = (terminal.readline().split() for _ in range(2))
    assert heads == ["id", "name", "format", "networks", "where"]
    assert row[0] == "E_CPM"


def test_nothing_found_suggests_the_nearest(list_fields: Callable[..., Ended]) -> None:
    ended = list_fields(SPOTIFY, "impresions")
    assert (ended.code, ended.stdout) == (1, "")
    suggestion = "no field has 'impresions' in its id or name; did you mean IMPRESSIONS"
    assert f"--fields: {suggestion}" in ended.stderr


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({}, "access_token: not given; give access_token, or all of"),
        ({"access_token": "x", "lokback_days": 3}, "lokback_days: unknown setting"),
        (
            {
                "access_token": "x",
                "api_url": "http://127.0.0.1:1/api",
                "max_retry_seconds": 0,
            },
            "may be down: see http://status.adstage.io/, check api_url",
        ),
    ],
)
def test_what_is_wrong_is_said_as_by_the_set_up_test(
    list_fields: Callable[..., Ended], settings: dict[str, Any], error: str
) -> None:
    ended = list_fields(settings)
    assert (ended.code, ended.stdout) == (1, "")
    assert error in ended.stderr


def test_a_refused_token_is_named(
    list_fields: Callable[..., Ended], settings: dict[str, Any]
) -> None:
    ended = list_fields(settings | {"access_token": "another"})
    assert (ended.code, ended.stdout) == (1, "")
    assert "fields: FAILED, " in ended.stderr
    assert "access_token" in ended.stderr
    assert "another" not in ended.stderr


def test_a_provider_that_can_t_be_read_leaves_the_others(
    list_fields: Callable[..., Ended], httpserver: HTTPServer, sandbox: Sandbox
) -> None:
    front = Front(httpserver, sandbox, {"/metric_descriptors/gemini": 403})
    ended = list_fields(front.settings, "clicks")
    assert ended.code == 1
    assert "ERROR" in ended.stderr
    assert "--fields: provider gemini: " in ended.stderr
    assert [field["networks"][0] for field in listed(ended)[1:]] == [
        "facebook",
        "facebook",
        "adwords",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["first", "quartiles"], "'first quartiles'"),
        (["--config=ENV", "quartiles"], "quartiles"),
    ],
)
def test_no_word_of_the_text_is_ignored(
    arguments: list[str], text: str, list_fields: Callable[..., Ended]
) -> None:
    ended = list_fields(SPOTIFY, *arguments)
    assert (ended.code, ended.stdout) == (2, "")
    assert f"--fields takes one text; write --fields {text}\n" in ended.stderr


def test_the_help_names_it(forked: ForkedTap, tmp_path: Path) -> None:
    ended = forked.run(tmp_path, "--help")
    assert "--fields [TEXT]" in ended.stdout
    assert "with TEXT in their id or name" in " ".join(ended.stdout.split())
