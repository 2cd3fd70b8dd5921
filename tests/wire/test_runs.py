"""The summary of a run, compared with the requests and the lines on stdout."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import stream_fails
from harness.logs import warnings
from harness.paths import SCRIPTS
from harness.pictures import check_picture
from harness.pipeline import meltano

from tap_adstage.adstage.resources import TABLES
from tap_adstage.exceptions import ReconcileError
from tap_adstage.runtime.logs import WarningHandler
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.forked import ForkedTap
    from harness.singer import Messages, Sync

BY_DAY = {
    "name": "by_day",
    "entity_level": "accounts",
    "fields": ["clicks", "spend"],
    "date_range": "last 12 days",
    "window_days": 2,
}
BY_WEEK = {
    "name": "by_week",
    "entity_level": "campaigns",
    "fields": ["clicks", "name"],
    "date_range": "last 6 weeks",
    "aggregate_by": "week",
    "window_days": 7,
}
REPORTS = [BY_DAY, BY_WEEK]
TODAY = dt.date(2024, 3, 20)
WARNING = "sandbox: on, so all data are generated; none are real"
STRUCTURED = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "singer_sdk.logging.StructuredFormatter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stderr",
        },
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
}


def summaries(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, Any]]:
    """The summary of each stream, which is one record of level INFO."""
    records = [r for r in caplog.records if "summary" in vars(r)]
    fields = [vars(record)["summary"] for record in records]
    assert {record.levelname for record in records} == {"INFO"}
    names = [stream["stream"] for stream in fields]
    assert names == list(dict.fromkeys(names))
    return dict(zip(names, fields, strict=True))


def total(summary: dict[str, dict[str, Any]], field: str) -> Any:  # noqa: ANN401 - a number
    return sum(stream[field] for stream in summary.values())


def assert_rows_are_those_on_stdout(
    summary: dict[str, dict[str, Any]],
    messages: Messages,
) -> None:
    assert {name: stream["rows"] for name, stream in summary.items()} == {
        name: len(messages.records(name)) for name in summary
    }


@dataclass
class Ended:
    """How a process of the tap ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def records(self) -> list[dict[str, Any]]:
        lines = map(json.loads, self.stdout.splitlines())
        return [line for line in lines if line["type"] == "RECORD"]

    @property
    def summary(self) -> dict[str, str]:
        """The lines of the summary, by what they are of."""
        lines = re.findall(
            r"INFO     \| tap-adstage {20}\| ([\w-]+): "
            r"((?:completed|failed|stopped|not started).*)$",
            self.stderr,
            re.MULTILINE,
        )
        return dict(lines)


@dataclass
class Tap:
    """The tap as a process of its own, with a sandbox."""

    folder: Path
    sandbox: Sandbox
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def stdout(self) -> Path:
        return self.folder / "stdout"

    @property
    def stderr(self) -> Path:
        return self.folder / "stderr"

    @contextlib.contextmanager
    def started(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run it; what goes nowhere else goes to files."""
        config = {
            "api_url": self.sandbox.api_url,
            "access_token": self.sandbox.token,
            "as_of": self.sandbox.today.isoformat(),
            "reports": REPORTS,
            "import_policy": "ignore",
            **self.settings,
        }
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        with (
            self.stdout.open("wb") as out,
            self.stderr.open("wb") as errors,
            subprocess.Popen(  # noqa: S603 - the tap itself
                [sys.executable, "-m", "tap_adstage", "--config", str(path)],
                stdout=out if stdout is None else stdout,
                stderr=errors if stderr is None else stderr,
                env={**os.environ, **(environment or {})},
            ) as process,
        ):
            yield process

    def run(self, **environment: str) -> Ended:
        with self.started(environment) as process:
            code = process.wait(timeout=120)
        ended = Ended(code, self.stdout.read_text(), self.stderr.read_text())
        assert "Traceback" not in ended.stderr
        return ended


@pytest.fixture
def tap(tmp_path: Path, sandbox: Sandbox) -> Tap:
    return Tap(tmp_path, sandbox)


# --- the numbers ---


def test_a_run_counts_what_adstage_got_and_what_was_written(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    config = {**settings, "page_size": 30, "reports": REPORTS}
    state = {"bookmarks": {"by_day": {"replication_key_value": "2024-03-18"}}}
    first = sync(config)
    summary = summaries(caplog)
    assert_rows_are_those_on_stdout(summary, first)
    assert total(summary, "requests") == len(sandbox.requests)
    assert list(summary) == [
        "set-up",
        *sorted([*TABLES, "by_day", "by_week"]),
    ]
    assert {stream["status"] for stream in summary.values()} == {"completed"}
    asked = [r.body for r in sandbox.requests if r.path.endswith("/report")]
    for name, windows, bookmark in (
        ("by_day", 6, "2024-03-19"),
        ("by_week", 6, "2024-03-11"),
    ):
        of_it = [body for body in asked if body["aggregate_by"] == name[3:]]
        assert summary[name]["windows"] == windows
        assert summary[name]["bookmark_before"] is None
        assert summary[name]["bookmark"] == bookmark == first.bookmark(name)
        assert summary[name]["pages"] == len(of_it)
    caplog.clear()
    sandbox.requests.clear()
    sync(config, state=state, streams=["by_day"])
    summary = summaries(caplog)
    assert list(summary) == ["set-up", "by_day"]
    assert summary["by_day"]["bookmark_before"] == "2024-03-18"
    assert summary["by_day"]["bookmark"] == "2024-03-19"
    assert total(summary, "requests") == len(sandbox.requests)


@pytest.mark.parametrize("max_concurrency", [1, 4])
def test_a_run_over_an_api_that_fails_counts_every_try_and_every_wait(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    waits: list[float],
    max_concurrency: int,
) -> None:
    caplog.set_level("INFO")
    with Sandbox(today=TODAY, seed=3, fault_rate=0.25) as sandbox:
        config = {
            **settings,
            "api_url": sandbox.api_url,
            "as_of": sandbox.today.isoformat(),
            "max_concurrency": max_concurrency,
            "page_size": 40,
            "max_retry_seconds": 7200,
            "reports": REPORTS,
        }
        messages = sync(config)
    summary = summaries(caplog)
    failed = [request for request in sandbox.requests if request.fault]
    assert len(failed) > 5
    assert total(summary, "requests") == len(sandbox.requests)
    assert total(summary, "retries") == len(failed)
    assert total(summary, "seconds_waited") == pytest.approx(sum(waits), abs=1)
    assert_rows_are_those_on_stdout(summary, messages)
    warnings = [r for r in caplog.records if r.levelname == "WARNING"]
    assert total(summary, "warnings") == len(warnings) >= len(failed)


def test_a_rate_limit_counts_as_waiting(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    with Sandbox(today=TODAY, rate_limit=20) as sandbox:
        reports = [{**BY_DAY, "window_days": 1, "date_range": "last 40 days"}]
        settings |= {"api_url": sandbox.api_url, "as_of": sandbox.today.isoformat()}
        sync({**settings, "reports": reports}, streams=["by_day"])
    refused = [request for request in sandbox.requests if request.status == 429]
    summary = summaries(caplog)
    assert refused
    assert total(summary, "requests") == len(sandbox.requests)
    assert total(summary, "retries") == len(refused)
    assert total(summary, "seconds_waited") >= 1


def test_requests_for_tokens_and_those_that_are_sent_again_count_too(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    with Sandbox(today=TODAY, token_uses=5) as sandbox:
        del settings["access_token"]
        oauth = {
            "api_url": sandbox.api_url,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": sandbox.refresh_token,
            "as_of": sandbox.today.isoformat(),
            "reports": [BY_DAY],
            # others would use up a new token before it is sent with
            "max_concurrency": 1,
        }
        sync({**settings, **oauth})
    assert [request for request in sandbox.requests if request.status == 401]
    assert total(summaries(caplog), "requests") == len(sandbox.requests)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stream_maps": {"by_day": {"__filter__": "clicks > 100"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
@pytest.mark.parametrize("is_batch", [False, True])
def test_rows_are_counted_whichever_way_they_are_written(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    changes: dict[str, Any],
    is_batch: bool,  # noqa: FBT001 - of a table
) -> None:
    caplog.set_level("INFO")
    batches = {
        "batch_config": {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri()},
            "batch_size": 70,
        },
    }
    config = {
        **settings,
        "reports": [BY_DAY],
        **changes,
        **(batches if is_batch else {}),
    }
    messages = sync(config, streams=["by_day", "accounts"])
    summary = summaries(caplog)
    if is_batch:
        assert summary["by_day"]["rows"] == 12 * 18
        assert summary["accounts"]["rows"] == 18
    else:
        assert_rows_are_those_on_stdout(summary, messages)


def test_warnings_of_a_stream_are_counted_for_it(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    sandbox.drop_rows = 2
    report = {**BY_DAY, "date_range": "last 4 days"}
    sync({**settings, "reconcile": "warn", "reports": [report]}, streams=["by_day"])
    *logged, last = warnings(caplog)
    assert last == "The run is not complete; incomplete: by_day"
    different = [line for line in logged if "differs from AdStage's own totals" in line]
    summary = summaries(caplog)
    assert len(different) == 2
    assert summary["by_day"]["warnings"] == len(logged)
    assert summary["set-up"]["warnings"] == 0


def test_without_any_log_handler_warnings_still_reach_stderr() -> None:
    program = (
        "import json\nfrom tap_adstage.tap import TapAdStage\n"
        "TapAdStage(config={'sandbox': True, 'reports': []}).sync_all()"
    )
    ended = subprocess.run(  # noqa: S603 - the tap itself
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stderr.splitlines() == [WARNING]


def test_a_warning_that_can_not_be_put_together_is_not_the_tap_s_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # it would say so on stderr
    taken: list[str] = []
    handler = WarningHandler(taken.append)
    for arguments in (("some",), (2,)):
        warning = {"levelno": logging.WARNING, "args": arguments}
        handler.handle(logging.makeLogRecord({"msg": "%d requests", **warning}))
    handler.close()
    assert taken == ["2 requests"]


def test_a_tap_listens_to_warnings_until_its_run_ends(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    before = [*logging.getLogger().handlers]
    sync(settings)
    assert logging.getLogger().handlers == before


# --- runs that end before their time ---


def test_a_run_that_fails_says_what_was_done_and_where(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    sandbox.drop_rows = 2
    with stream_fails(ReconcileError, "by_day: window"):
        sync(
            {**settings, "reconcile": "fail", "reports": REPORTS},
            streams=["accounts", "by_day", "by_week"],
        )
    summary = summaries(caplog)
    assert {name: stream["status"] for name, stream in summary.items()} == {
        "set-up": "completed",
        "accounts": "completed",
        "by_day": "failed",
        "by_week": "failed",
    }
    assert summary["by_day"]["windows"] == 0
    assert summary["by_day"]["bookmark"] is None
    assert summary["by_day"]["pages"] == 1
    assert summary["by_day"]["rows"] == 2 * (18 - 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_says_what_was_done_and_where(
    tap: Tap,
    number: signal.Signals,
) -> None:
    markdown = tap.folder / "summary.md"
    report = {**BY_WEEK, "date_range": "last 60 weeks"}
    tap.settings = {"reports": [BY_DAY, report], "max_concurrency": 1, "page_size": 30}
    with tap.started({"GITHUB_STEP_SUMMARY": str(markdown)}) as process:
        while tap.stdout.read_text().count('"RECORD","stream":"by_week"') < 200:
            assert process.poll() is None
        process.send_signal(number)
        code = process.wait(timeout=30)
    ended = Ended(code, tap.stdout.read_text(), tap.stderr.read_text())
    assert ended.code == 128 + number
    written = [r for r in ended.records if r["stream"] == "by_week"]
    state = json.loads(ended.stdout.splitlines()[-1])["value"]["bookmarks"]
    bookmark = state["by_week"]["replication_key_value"]
    assert ended.summary["by_day"].startswith("completed; windows: 6, ")
    line = ended.summary["by_week"]
    assert line.startswith("stopped; windows: ")
    assert f"rows: {len(written)}, " in line
    assert f"bookmark: none → {bookmark}" in line
    assert ended.summary["organizations"] == "not started"
    assert "Stopped before the end" in ended.stderr.splitlines()[-1]
    text = markdown.read_text()
    assert r"**The run is not complete; stopped\: by\_week; not started\: " in text
    assert re.search(rf"\| by\\_week \| stopped \| {len(written):,} \|", text)


def test_a_run_whose_reader_goes_away_says_what_was_done(tap: Tap) -> None:
    with tap.started(stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        code = process.wait(timeout=30)
    ended = Ended(code, "", tap.stderr.read_text())
    assert "stopped" in {line.partition(";")[0] for line in ended.summary.values()}
    assert "nobody reads stdout any more" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", [[], ["--discover"], ["--about"], ["--fields"]])
def test_a_full_disk_is_an_error_of_one_line(
    command: list[str],
    forked: ForkedTap,
    tmp_path: Path,
    spotify_settings: dict[str, Any],
) -> None:
    config, stderr = tmp_path / "config.json", tmp_path / "stderr"
    config.write_text(json.dumps(spotify_settings))
    arguments = ["--config", str(config), *command]
    forked.start(arguments, Path("/dev/full"), stderr)
    assert forked.wait() == 1
    text = stderr.read_text()
    assert "Traceback" not in text
    last = text.splitlines()[-1]
    assert "stdout can't be written: No space left on device" in last


# --- logs, terminal, GitHub ---


def test_a_line_a_stream_is_logged_if_stderr_is_not_a_terminal(tap: Tap) -> None:
    ended = tap.run()
    assert ended.code == 0
    assert list(ended.summary) == [
        "set-up",
        *sorted([*TABLES, "by_day", "by_week"]),
    ]
    assert ended.summary["by_day"] == (
        "completed; windows: 6, pages: 6, rows: 216, requests: 6, "
        "bookmark: none → 2024-03-19"
    )
    for name, line in ended.summary.items():
        rows = sum(record["stream"] == name for record in ended.records)
        assert name == "set-up" or f"rows: {rows}" in line


def on_a_terminal(tap: Tap, **environment: str) -> str:
    """What a run shows on a real terminal; stdout goes elsewhere."""
    ours, its = pty.openpty()
    with tap.started(environment, stderr=its) as process:
        os.close(its)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # how Linux reports the end of a terminal
                break
            if not piece:
                break
            shown += piece
        assert process.wait(timeout=60) == 0
    os.close(ours)
    assert all(json.loads(line) for line in tap.stdout.read_text().splitlines())
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_shows_what_is_missing_and_a_table(
    tap: Tap,
    update_golden: bool,  # noqa: FBT001
) -> None:
    tap.sandbox.drop_rows = 2
    tap.settings = {"reports": [BY_DAY]}
    shown = on_a_terminal(tap)
    *_, summary = shown.partition("| Summary of the run:\n")
    lines = summary.splitlines()[: 4 + 2 + len(TABLES)]
    assert lines[0] == "The run is not complete; incomplete: by_day"
    assert {line.split()[0] for line in lines[4:]} == {"set-up", "by_day", *TABLES}
    title = "tap-adstage --config config.json > records.jsonl"
    check_picture("run-summary", title, "\n".join(lines), update=update_golden)
    assert "by_day: completed" not in shown


def test_who_configures_logs_has_fields_on_a_terminal_too(tap: Tap) -> None:
    tap.settings = {"reports": [BY_DAY]}
    config = tap.folder / "logs.yml"
    config.write_text(json.dumps(STRUCTURED))
    shown = on_a_terminal(tap, SINGER_SDK_LOG_CONFIG=str(config))
    assert '"summary":{"stream":"by_day"' in shown
    assert "Summary of the run" not in shown


def test_who_wants_no_lines_of_level_info_gets_none(tap: Tap) -> None:
    ended = tap.run(TAP_ADSTAGE_LOGLEVEL="WARNING")
    assert (ended.code, ended.stderr) == (0, "")


def test_under_structured_logging_it_is_fields(tap: Tap) -> None:
    config = tap.folder / "logs.yml"
    config.write_text(json.dumps(STRUCTURED))
    ended = tap.run(SINGER_SDK_LOG_CONFIG=str(config))
    assert ended.code == 0
    events = [json.loads(line) for line in ended.stderr.splitlines()]
    lines = {
        event["extra"]["summary"]["stream"]: event
        for event in events
        if "summary" in event["extra"]
    }
    assert lines["set-up"]["stream_name"] is None
    assert lines["by_day"]["stream_name"] == "by_day"
    assert lines["by_day"]["level"] == "info"
    assert lines["by_day"]["extra"]["summary"] == {
        "stream": "by_day",
        "status": "completed",
        "reason": None,
        "windows": 6,
        "pages": 6,
        "rows": sum(record["stream"] == "by_day" for record in ended.records),
        "duplicates_skipped": 0,
        "requests": 6,
        "retries": 0,
        "seconds_waited": 0.0,
        "bookmark_before": None,
        "bookmark": "2024-03-19",
        "warnings": 0,
    }


def test_meltano_hands_the_fields_on(tmp_path: Path, sandbox: Sandbox) -> None:
    plugin = {"namespace": "n", "capabilities": ["structured-logging"], "settings": []}
    with Postgres() as postgres:
        tap = {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "as_of": sandbox.today.isoformat(),
            "reports": [BY_DAY],
        }
        target = {
            "host": postgres.host,
            "port": postgres.port,
            "user": postgres.user,
            "password": postgres.password,
            "database": postgres.database,
        }
        project = {
            "project_id": "p",
            "send_anonymous_usage_stats": False,
            "cli": {"disable_version_check": True},
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": {
                kind: [
                    {
                        **plugin,
                        "name": name,
                        "executable": str(SCRIPTS / name),
                        "config": config,
                        "settings": [{"name": key} for key in config],
                    },
                ]
                for kind, name, config in (
                    ("extractors", "tap-adstage", tap),
                    ("loaders", "target-postgres", target),
                )
            },
        }
        (tmp_path / "meltano.yml").write_text(json.dumps(project))
        output = meltano(
            tmp_path, "--log-format=json", "run", "tap-adstage", "target-postgres"
        )
    lines = [json.loads(line) for line in output.splitlines() if line[:1] == "{"]
    (line,) = [event for event in lines if event.get("summary", {}).get("windows")]
    assert line["event"].startswith("by_day: completed; windows: 6, ")
    assert line["stream_name"] == "by_day"
    assert line["name"] == "tap-adstage"
    assert line["level"] == "info"
    assert (line["summary"]["rows"], line["summary"]["bookmark"]) == (216, "2024-03-19")


def test_several_taps_append_to_github_s_job_summary(tap: Tap) -> None:
    path = tap.folder / "summary.md"
    path.write_text("# Nightly\n")
    tap.settings = {"reports": [{**BY_DAY, "name": "a_b"}]}
    for _ in range(2):
        assert tap.run(GITHUB_STEP_SUMMARY=str(path)).code == 0
    text = path.read_text()
    start = "\n\n## tap-adstage\n\n**The run is complete\\: "
    assert text.startswith(f"# Nightly{start}")
    assert text.count(start) == 2
    assert text.count(r"| a\_b | completed | 216 | none → 2024-03-19 | 6 | 7 |") == 2


def test_each_shard_has_a_section_of_its_own_name(tap: Tap) -> None:
    path = tap.folder / "summary.md"
    tap.settings = {"reports": [], "shard": "2/3"}
    assert tap.run(GITHUB_STEP_SUMMARY=str(path)).code == 0
    assert path.read_text().splitlines()[1] == "## tap-adstage, shard 2/3"


def test_github_s_job_summary_has_the_first_warnings_and_no_secrets(tap: Tap) -> None:
    path = tap.folder / "summary.md"
    tap.sandbox.drop_rows = 2
    tap.settings = {
        "reconcile": "warn",
        "reports": [BY_DAY, {**BY_WEEK, "name": tap.sandbox.token.replace("-", "_")}],
    }
    ended = tap.run(GITHUB_STEP_SUMMARY=str(path))
    text = path.read_text()
    assert ended.code == 0
    assert r"- by\_day\: window 2024-03-08..2024-03-09 differs from " in text
    assert r"- by\_day\: 4 more" in text
    assert tap.sandbox.token not in text


@pytest.mark.parametrize("name", ["no/such/folder/summary.md", "."])
def test_a_job_summary_that_can_not_be_written_is_a_warning(
    tap: Tap, name: str
) -> None:
    ended = tap.run(GITHUB_STEP_SUMMARY=str(tap.folder / name))
    assert ended.code == 0
    (line,) = [x for x in ended.stderr.splitlines() if "GITHUB_STEP_SUMMARY" in x]
    assert "WARNING" in line
    assert ended.summary["by_day"].startswith("completed")


def test_stdout_is_the_same_wherever_the_summary_goes(tap: Tap) -> None:
    extracted = re.compile(r',"time_extracted":"[^"]*"')
    path = tap.folder / "summary.md"
    plain = tap.run(TAP_ADSTAGE_LOGLEVEL="ERROR")
    other = tap.run(GITHUB_STEP_SUMMARY=str(path))
    assert extracted.sub("", plain.stdout) == extracted.sub("", other.stdout)
    assert path.read_text()
