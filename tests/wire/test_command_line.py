"""The commands as a user types them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
from harness.commands import run, run_tap
from harness.paths import ROOT, TESTS

from tap_adstage.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN = TESTS / "golden"
SAMPLE = ROOT / "sample_config.json"


def compare(name: str, found: Any, *, update: bool) -> None:  # noqa: ANN401 - JSON
    """Hold a document against a golden file, which a flag of pytest writes anew."""
    path = GOLDEN / name
    if update:
        path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    assert found == json.loads(path.read_text())


def test_the_sample_config_works_as_it_stands() -> None:
    ended = run_tap("--config", str(SAMPLE))
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    streams = {line["stream"] for line in lines if line["type"] == "RECORD"}
    reports = {report["name"] for report in json.loads(SAMPLE.read_text())["reports"]}
    assert reports < streams
    assert len(streams) == 9 + len(reports)
    assert {line["type"] for line in lines} == {"SCHEMA", "RECORD", "STATE"}


def test_the_catalog_is_the_golden_one(update_golden: bool) -> None:  # noqa: FBT001
    ended = run_tap("--config", str(GOLDEN / "config.json"), "--discover")
    assert ended.returncode == 0, ended.stderr
    catalog = json.loads(ended.stdout)
    streams = {entry["stream"]: entry for entry in catalog["streams"]}
    compare("discover.json", streams, update=update_golden)


def test_about_is_the_golden_one(update_golden: bool) -> None:  # noqa: FBT001
    ended = run_tap("--about", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    about = json.loads(ended.stdout)
    assert about.pop("version") == metadata.version("tap-adstage")
    assert about.pop("sdk_version") == metadata.version("singer-sdk")
    compare("about.json", about, update=update_golden)


def test_discovery_writes_the_same_catalog_that_a_sync_writes_schemas_of() -> None:
    config = str(SAMPLE)
    catalog = json.loads(run_tap("--config", config, "--discover").stdout)
    written = [
        json.loads(line) for line in run_tap("--config", config).stdout.splitlines()
    ]
    schemas = {line["stream"]: line for line in written if line["type"] == "SCHEMA"}
    for entry in catalog["streams"]:
        assert schemas[entry["stream"]]["schema"] == entry["schema"]
        assert schemas[entry["stream"]]["key_properties"] == entry["key_properties"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--version"], f"tap-adstage v{metadata.version('tap-adstage')}"),
        (["--help"], "--discover"),
        (["--help"], "--test to try token"),
        (["--about"], "access_token"),
        (["--about", "--format", "markdown"], "access_token"),
    ],
)
def test_information_needs_no_config(
    arguments: list[str], text: str, tmp_path: Path
) -> None:
    ended = run_tap(*arguments, cwd=tmp_path)
    assert ended.returncode == 0
    assert text in ended.stdout


@pytest.mark.parametrize("arguments", [["--version"], ["--about"], ["--discover"]])
def test_what_only_syncs_need_is_not_imported_before(
    arguments: list[str],
    tmp_path: Path,
) -> None:
    with Sandbox() as sandbox:
        config = tmp_path / "config.json"
        settings = {"api_url": sandbox.api_url, "access_token": sandbox.token}
        config.write_text(json.dumps(settings))
        command = ["-m", "tap_adstage", "--config", str(config), *arguments]
        ended = run("-Ximporttime", *command)
    assert ended.returncode == 0, ended.stderr
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in ended.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert {"tap_adstage", "singer_sdk", "requests"} <= imported
    assert not imported & {"pendulum", "oauthlib", "filelock", "flask", "werkzeug"}


def test_a_closed_stdout_is_one_clear_line() -> None:
    ended = subprocess.run(  # noqa: S603 - the tap
        [
            "/bin/sh",
            "-c",
            'exec "$0" -m tap_adstage --config "$1" >&-',
            sys.executable,
            SAMPLE,
        ],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "stdout is closed; lead it into a loader or a file" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_garbage_collector_works_again_once_all_is_imported() -> None:
    ended = run(
        "-c",
        "import gc; from tap_adstage import __main__, tap\n"
        "tap.TapAdStage.cli = lambda: print(gc.isenabled())\n"
        "__main__.main()",
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")


def test_a_start_that_is_interrupted_ends_without_a_traceback() -> None:
    ended = run(
        "-c",
        "import signal, sys; from tap_adstage import __main__\n"
        "class Interrupting:\n"
        "    find_spec = lambda *_: signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting)\n"
        "__main__.main()",
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_field_that_adstage_lacks_is_one_clear_line(tmp_path: Path) -> None:
    report = {"name": "r", "entity_level": "ads", "fields": ["cliks"]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"sandbox": True, "reports": [report]}))
    for mode in ([], ["--discover"]):
        ended = run_tap("--config", str(config), *mode)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "unknown field 'cliks'; use a metric or" in ended.stderr
        assert "did you mean clicks" in ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("start", "arguments", "text"),
    [
        (
            "from tap_adstage.tap import TapAdStage as it; it.cli",
            ["--config", str(SAMPLE)],
            "sandbox: needs the package flask; install tap-adstage[sandbox]",
        ),
        (
            "from tap_adstage.sandbox.cli.command import main; main",
            ["--port", "0"],
            "install tap-adstage[sandbox]",
        ),
    ],
)
def test_a_sandbox_without_its_libraries_is_one_clear_line(
    start: str,
    arguments: list[str],
    text: str,
) -> None:
    program = f"import sys; sys.modules['flask'] = None; {start}({arguments!r})"
    ended = run("-c", program)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert text in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_refused_token_is_one_clear_line(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        config = tmp_path / "config.json"
        settings = {"api_url": sandbox.api_url, "access_token": "wr0ng-t0ken"}
        config.write_text(json.dumps(settings))
        ended = run_tap("--config", str(config))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "look at the setting access_token" in ended.stderr
    assert "wr0ng-t0ken" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"]])
def test_a_run_that_is_stopped_does_not_look_like_a_whole_one(
    tmp_path: Path,
    number: signal.Signals,
    mode: list[str],
) -> None:
    with Sandbox(latency=0.2) as sandbox:
        settings = {"api_url": sandbox.api_url, "access_token": sandbox.token}
        config = tmp_path / "config.json"
        config.write_text(json.dumps({**settings, "page_size": 10}))
        tap = subprocess.Popen(  # noqa: S603 - the tap itself
            [sys.executable, "-m", "tap_adstage", "--config", str(config), *mode],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not sandbox.requests:
            assert tap.poll() is None
        tap.send_signal(number)
        stdout, stderr = tap.communicate(timeout=30)
    assert tap.returncode == 128 + number
    assert stdout == ""
    assert "Traceback" not in stderr


def test_an_error_in_the_middle_of_a_sync_is_one_clear_line(tmp_path: Path) -> None:
    report = {"name": "weekly", "entity_level": "accounts", "fields": ["clicks"]}
    config = tmp_path / "config.json"
    with Sandbox(max_report_days=1) as sandbox:
        settings = {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "reports": [{**report, "aggregate_by": "week"}],
        }
        config.write_text(json.dumps(settings))
        ended = run_tap("--config", str(config))
    assert ended.returncode == 1
    assert '"type":"RECORD"' in ended.stdout
    assert "answered 413: 7 days are more than a report may have" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert all(json.loads(line) for line in ended.stdout.splitlines())
