"""Settings, and what is wrong with them, through the command line."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from harness.commands import run_tap
from singer_sdk.configuration import _dict_config

from tap_adstage.config.source_settings import SETTINGS
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer


@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"]])
def test_a_mistake_ends_the_run_before_anything_is_sent_or_written(
    tmp_path: Path,
    httpserver: HTTPServer,
    mode: list[str],
) -> None:
    path = tmp_path / "config.json"
    settings = {
        "api_url": httpserver.url_for("/api"),
        "access_token": "sekrit value",
        "strat_date": "2024-01-01",
        "page_size": 0,
    }
    path.write_text(json.dumps(settings))
    ended = run_tap("--config", str(path), *mode)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "strat_date: unknown setting; did you mean start_date?" in ended.stderr
    assert "page_size: 0 is not allowed; it takes an integer from 1 to" in ended.stderr
    assert "sekrit" not in ended.stderr
    assert httpserver.log == []


def test_an_exported_variable_takes_precedence_over_a_dotenv_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("TAP_ADSTAGE_USER_AGENT=file\nTAP_ADSTAGE_PAGE_SIZE=7\n")
    monkeypatch.setattr(_dict_config, "find_dotenv", lambda: str(dotenv))
    monkeypatch.setattr(os, "environ", {"TAP_ADSTAGE_USER_AGENT": "exported"})
    tap = TapAdStage(
        config={"access_token": "t"}, parse_env_config=True, setup_mapper=False
    )
    assert tap.config["user_agent"] == "exported"
    assert tap.config["page_size"] == 7


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"'])
def test_a_file_that_holds_no_settings_is_an_error_that_names_it(
    tmp_path: Path,
    text: str,
) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    ended = run_tap("--config", str(path))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "config.json" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_not_there_is_an_error_that_names_it() -> None:
    ended = run_tap("--config", "nowhere.json")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "nowhere.json" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("TAP_ADSTAGE_PAGE_SIZE", "many", "an integer"),
        ("TAP_ADSTAGE_REPORTS", "{not json", "a list, as JSON"),
        ("TAP_ADSTAGE_STREAM_MAPS", "{not json", "an object, as JSON"),
        ("TAP_ADSTAGE_SANDBOX", "maybe", "true or false"),
    ],
)
def test_a_variable_of_the_wrong_type_is_an_error_that_names_it(
    variable: str,
    value: str,
    allowed: str,
) -> None:
    ended = run_tap("--config", "ENV", environment={variable: value})
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"environment variable {variable} is not allowed; it takes {allowed}" in (
        ended.stderr
    )
    assert "Traceback" not in ended.stderr


def test_an_unknown_variable_is_logged() -> None:
    ended = run_tap(
        "--config",
        "ENV",
        environment={
            "TAP_ADSTAGE_LOKBACK_DAYS": "7",
            "TAP_ADSTAGE_LOGLEVEL": "INFO",
            "TAP_ADSTAGE__SELECT": "[]",
        },
    )
    (line,) = [x for x in ended.stderr.splitlines() if "unknown setting" in x]
    assert "TAP_ADSTAGE_LOKBACK_DAYS: unknown setting; did you mean" in line
    assert "TAP_ADSTAGE_LOOKBACK_DAYS" in line


def test_every_setting_can_come_from_the_environment() -> None:
    samples = {
        "string": "x",
        "integer": "7",
        "boolean": "true",
        "array": "[]",
    }
    environment = {
        f"TAP_ADSTAGE_{setting.name.upper()}": samples[setting.schema["type"]]
        for setting in SETTINGS
    }
    ended = run_tap("--config", "ENV", "--discover", environment=environment)
    for setting in SETTINGS:
        assert f"Parsing '{setting.name}' config" in ended.stderr
    assert ended.returncode == 1
    assert "time_zone" in ended.stderr
