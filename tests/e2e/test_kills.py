"""Runs that are stopped: what they wrote, and how the next ones resume.

The tap runs in processes of its own, against the sandbox, and gets real signals.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
import requests
from harness.clock import SOON, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug import Request, Response

from tap_adstage.http.token_file import TokenFile
from tap_adstage.reports.windows import slice_of
from tap_adstage.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.forked import ForkedTap
    from pytest_httpserver import HTTPServer

TODAY = dt.date(2024, 3, 20)
REPORTS = [
    {
        "name": "by_day",
        "entity_level": "accounts",
        "fields": ["clicks", "spend"],
        "date_range": "last 12 days",
        "window_days": 2,
    },
    {
        "name": "by_week",
        "entity_level": "campaigns",
        "fields": ["clicks", "name"],
        "date_range": "last 6 weeks",
        "aggregate_by": "week",
        "window_days": 7,
    },
    {
        "name": "in_total",
        "entity_level": "accounts",
        "fields": ["spend"],
        "date_range": "last 30 days",
        "aggregate_by": "total",
        "api_version": 1,
    },
]
SLICES = {"by_day": "day", "by_week": "week"}
"""The reports that have bookmarks, and the slices that these count."""


@dataclass(frozen=True)
class Stop:
    """How a run is stopped.

    Attributes:
        how: A signal, or `None` if stdout is closed.
        after: Bytes on stdout after which it does.
        delay: Seconds from then on.
    """

    how: signal.Signals | None
    after: int
    delay: float


@dataclass
class Run:
    """The output of a run, and how it ended."""

    stdout: bytes
    stderr: str
    code: int
    seconds_to_stop: float
    is_read: bool

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages; the last line is partial if the reader stopped within it."""
        *lines, rest = self.stdout.split(b"\n")
        assert rest == b"" or not self.is_read
        return [json.loads(line) for line in lines]


@dataclass
class Tap:
    """The tap, with a sandbox and a folder of its own."""

    folder: Path
    forked: ForkedTap

    def run(self, state: dict[str, Any] | None = None, stop: Stop | None = None) -> Run:
        stdout, stderr = self.folder / "stdout", self.folder / "stderr"
        arguments = ["--config", str(self.folder / "config.json")]
        if state is not None:
            (self.folder / "state.json").write_text(json.dumps(state))
            arguments += ["--state", str(self.folder / "state.json")]
        pid = self.forked.start(arguments, stdout, stderr)
        with stdout.open("rb", buffering=0) as pipe:
            written = _read(pipe, stop.after if stop else None)
            stopped = time.monotonic()
            if stop:
                time.sleep(stop.delay)
                if stop.how is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, stop.how)
                    written += _read(pipe)
        code = self.forked.wait()
        return Run(
            written,
            stderr.read_text(),
            code,
            seconds_to_stop=time.monotonic() - stopped,
            is_read=stop is None or stop.how is not None,
        )


def _read(pipe: IO[bytes], most: int | None = None) -> bytes:
    """Read until so much is there, or to the end."""
    written = b""
    while most is None or len(written) < most:
        piece = pipe.read(65_536 if most is None else most - len(written))
        if not piece:
            break
        written += piece
    return written


@dataclass
class Warehouse:
    """What a target has loaded: rows by key, of which the last counts."""

    rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    state: dict[str, Any] | None = None

    def load_run(self, run: Run, truth: Warehouse) -> None:
        """Load what a run wrote; each STATE is backed by what came before it."""
        assert "Traceback" not in run.stderr
        for message in run.messages:
            self.load(message)
            if message["type"] == "STATE":
                for stream, key in self.finished(truth):
                    assert self.rows[stream][key] == truth.rows[stream][key]

    def load(self, message: dict[str, Any]) -> None:
        if message["type"] == "SCHEMA":
            self.keys[message["stream"]] = message["key_properties"]
        elif message["type"] == "RECORD":
            stream, record = message["stream"], message["record"]
            key = tuple(record[name] for name in self.keys[stream])
            self.rows.setdefault(stream, {})[key] = record
        else:
            self.state = message["value"]

    def finished(self, truth: Warehouse) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield the rows that must be there according to the state."""
        bookmarks = (self.state or {})["bookmarks"]
        for stream, aggregate_by in SLICES.items():
            value = bookmarks.get(stream, {}).get("replication_key_value")
            if value is not None:
                last = slice_of(dt.date.fromisoformat(value), aggregate_by).start
                for key, record in truth.rows[stream].items():
                    if record["date"] <= last.isoformat():
                        yield stream, key


def make_tap(
    forked: ForkedTap,
    folder: Path,
    sandbox: Sandbox,
    **changes: object,
) -> Tap:
    config = {
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "as_of": TODAY.isoformat(),
        "import_policy": "ignore",
        "reports": REPORTS,
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(config))
    os.mkfifo(folder / "stdout")
    return Tap(folder, forked)


@pytest.fixture(scope="module")
def tap(forked: ForkedTap) -> Iterator[Tap]:
    with (
        Sandbox(today=TODAY) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        yield make_tap(forked, Path(folder), sandbox)


@pytest.fixture(scope="module")
def whole(tap: Tap) -> Run:
    """A run that nothing stops."""
    run = tap.run()
    assert run.code == 0, run.stderr
    return run


@pytest.fixture(scope="module")
def truth(whole: Run) -> Warehouse:
    loaded = Warehouse()
    for message in whole.messages:
        loaded.load(message)
    assert len(list(loaded.finished(loaded))) > 500
    return loaded


STOPS = st.lists(
    st.tuples(
        st.sampled_from([signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None]),
        st.floats(0, 1.05),
        st.sampled_from([0, 0, 0.001, 0.005, 0.02]),
    ),
    min_size=3,
    max_size=6,
)


def test_runs_that_are_stopped_anywhere_end_with_exactly_the_truth(
    tap: Tap,
    whole: Run,
    truth: Warehouse,
) -> None:
    @settings(max_examples=12, deadline=None)
    @given(stops=STOPS)
    def check(stops: list[tuple[signal.Signals | None, float, float]]) -> None:
        loaded = Warehouse()
        for how, share, delay in stops:
            stop = Stop(how, int(len(whole.stdout) * share), delay)
            run = tap.run(loaded.state, stop)
            loaded.load_run(run, truth)
            if how in {signal.SIGTERM, signal.SIGINT} and run.code == 128 + how:
                assert run.stderr.count("Stopped before the end") == 1
                assert run.seconds_to_stop < SOON
                assert [each["type"] for each in run.messages[-1:]] in ([], ["STATE"])
        run = tap.run(loaded.state)
        loaded.load_run(run, truth)
        assert run.code == 0
        assert loaded.rows == truth.rows

    check()


@pytest.mark.parametrize("size_fault", ["timeout", "504"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_stops_within_seconds_where_it_waits(
    tmp_path: Path,
    size_fault: str,
    number: signal.Signals,
) -> None:
    """It waits for an answer that does not come, or to try again."""
    with Sandbox(today=TODAY, size_fault=size_fault, slow_seconds=600) as sandbox:
        config = {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "as_of": TODAY.isoformat(),
            "reports": [{**REPORTS[0], "window_days": 1}],
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        with (
            (tmp_path / "stderr").open("w") as errors,
            subprocess.Popen(  # noqa: S603 - the tap itself
                [
                    sys.executable,
                    "-m",
                    "tap_adstage",
                    "--config",
                    tmp_path / "config.json",
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as tap,
        ):
            assert tap.stdout
            lines: list[str] = []
            while not lines or "replication_key_value" not in lines[-1]:
                lines.append(tap.stdout.readline())
                assert lines[-1], "the run ended too early"
            sandbox.max_report_days = 0
            answered = len(sandbox.requests)
            if size_fault == "504":
                wait_until(lambda: len(sandbox.requests) >= answered + 2)
            time.sleep(0.5)
            tap.send_signal(number)
            started = time.monotonic()
            lines += tap.stdout.readlines()
            code = tap.wait()
    assert time.monotonic() - started < SOON
    assert code == 128 + number
    *_, state = map(json.loads, lines)
    assert state["type"] == "STATE"
    assert "replication_key_value" in state["value"]["bookmarks"]["by_day"]
    stderr = (tmp_path / "stderr").read_text()
    *_, reason = stderr.splitlines()
    assert f"Stopped before the end ({number.name})" in reason
    assert "Traceback" not in stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_refresh_token_that_a_thread_spends_outlives_the_run(
    forked: ForkedTap,
    httpserver: HTTPServer,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    spent, delays = threading.Event(), [1.5]

    def grant(request: Request) -> Response:
        """Let the sandbox grant it; the first during a report takes its time."""
        granted = requests.post(
            sandbox.api_url.replace("/api", "/oauth/token"),
            data=request.get_data(),
            headers={"Content-Type": str(request.content_type)},
            timeout=10,
        )
        if any(sent.path.endswith("/report") for sent in sandbox.requests) and delays:
            spent.set()
            time.sleep(delays.pop())
        return Response(granted.content, granted.status_code)

    httpserver.expect_request("/oauth/token").respond_with_handler(grant)
    with Sandbox(today=TODAY, token_uses=8) as sandbox:
        config = {
            "api_url": sandbox.api_url,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh",
            "oauth_token_url": httpserver.url_for("/oauth/token"),
            "oauth_token_file": str(tmp_path / "token.json"),
            "as_of": TODAY.isoformat(),
            "import_policy": "ignore",
            "reports": [{**REPORTS[0], "window_days": 1}],
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        arguments = ["--config", str(tmp_path / "config.json")]
        stdout, stderr = tmp_path / "stdout", tmp_path / "stderr"
        pid = forked.start(arguments, stdout, stderr)
        assert spent.wait(30), stderr.read_text()
        os.kill(pid, number)
        started = time.monotonic()
        assert forked.wait() == 128 + number, stderr.read_text()
        assert time.monotonic() - started < 5
        assert "Traceback" not in stderr.read_text()
        kept = TokenFile(tmp_path / "token.json", "sandbox-refresh").newest()
        assert kept == sandbox.refresh_token
        ended = forked.run(tmp_path, *arguments)
        assert ended.code == 0, ended.stderr


def test_a_run_whose_reader_goes_away_says_so_in_one_line(tap: Tap) -> None:
    run = tap.run(stop=Stop(None, 5000, 0))
    assert run.code == 128 + signal.SIGPIPE
    assert "nobody reads stdout any more" in run.stderr
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr
