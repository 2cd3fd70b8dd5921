from __future__ import annotations

import contextlib
import copy
import datetime as dt
import io
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from harness.paths import ROOT, SCRIPTS
from harness.pipeline import FIRST, SETTINGS, Pipeline, clean_environment

from tap_adstage.adstage.client import AdStageClient
from tap_adstage.http.credentials import BearerToken
from tap_adstage.http.transport import Transport
from tap_adstage.runtime.redaction import Secrets
from tap_adstage.runtime.shutdown import Shutdown
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_httpserver import HTTPServer

TOKEN = "de4d-beef-b33f"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew",
    )


def pytest_configure() -> None:
    """Keep what tests run out of the summary of a workflow that runs the tests."""
    os.environ.pop("GITHUB_STEP_SUMMARY", None)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def transport() -> Iterator[Transport]:
    """A transport that gives up after two minutes of waiting."""
    transport = Transport(
        user_agent="tap-adstage/test",
        request_timeout=1,
        max_retry_seconds=120,
        logger=logging.getLogger("tap-adstage"),
        secrets=Secrets([TOKEN]),
    )
    yield transport
    transport.session.close()


@pytest.fixture
def client(httpserver: HTTPServer, transport: Transport) -> AdStageClient:
    """A client of the local HTTP server, with a bearer token."""
    return AdStageClient(
        httpserver.url_for("/api"),
        transport,
        BearerToken(TOKEN),
        page_size=2,
    )


@dataclass
class Built:
    """What is handed out, built for real."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="session")
def uv() -> Path:
    """The command `uv`."""
    return Path(sysconfig.get_path("scripts")) / "uv"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, uv: Path) -> Built:
    """The sdist, and the wheel that is made from it."""
    folder = tmp_path_factory.mktemp("built")
    subprocess.run(  # noqa: S603 - uv itself
        [uv, "build", "--quiet", "--out-dir", folder, ROOT],
        check=True,
        timeout=300,
    )
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="session")
def wheel(built: Built) -> Path:
    """The wheel."""
    return built.wheel


class Listener:
    """A local server that does with a connection what a test wants of it.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        connections: How many clients came.
    """

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # it was stopped
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):  # the client has gone
                self._serve(connection)


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[socket.socket], None]], Listener]]:
    """Start servers that are stopped when the test ends."""
    listeners: list[Listener] = []

    def start(serve: Callable[[socket.socket], None]) -> Listener:
        listeners.append(Listener(serve))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.stop()


@pytest.fixture
def shutdown() -> Iterator[Shutdown]:
    """What SIGTERM does to this process, for the time of a test."""
    shutdown = Shutdown()
    alarm = signal.getsignal(signal.SIGALRM)
    before = signal.signal(
        signal.SIGTERM,
        lambda number, _: shutdown.request(number),
    )
    yield shutdown
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, alarm)
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the tap waited, which pass on its clock alone."""
    seconds: list[float] = []
    clock = time.monotonic
    monkeypatch.setattr(time, "sleep", seconds.append)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(seconds))
    return seconds


@dataclass
class Messages:
    """What a run wrote to stdout, in its order."""

    lines: list[dict[str, Any]]

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, Any]]:
        return [
            line
            for line in self.lines
            if line["type"] == kind and stream in {None, line.get("stream")}
        ]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [line["record"] for line in self.of("RECORD", stream)]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [line["value"] for line in self.of("STATE")]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    def bookmark(self, stream: str) -> str | None:
        """Where the next run of a stream goes on."""
        value = self.state["bookmarks"].get(stream, {}).get("replication_key_value")
        return None if value is None else str(value)


class Sync(Protocol):
    """Runs the tap in this process."""

    def __call__(
        self,
        config: dict[str, Any],
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        streams: list[str] | None = None,
    ) -> Messages: ...


@pytest.fixture
def sync() -> Sync:
    """Run the tap: all streams, or those that are named, or what a catalog selects."""

    def run(
        config: dict[str, Any],
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        streams: list[str] | None = None,
    ) -> Messages:
        tap = TapAdStage(
            config=copy.deepcopy(config),
            state=copy.deepcopy(state),
            catalog=copy.deepcopy(catalog),
        )
        if streams is not None:
            for name, stream in tap.streams.items():
                stream.selected = name in streams
        stdout = io.StringIO()
        with contextlib.redirect_stdout(stdout):
            tap.sync_all()
        lines = stdout.getvalue().splitlines()
        return Messages([json.loads(line, parse_float=Decimal) for line in lines])

    return run


@dataclass
class Ended:
    """A run of the command line: its exit code, and what it wrote."""

    code: int
    stdout: str
    stderr: str


@dataclass
class ForkedTap:
    """Runs the command line in processes of its own, a moment each."""

    process: subprocess.Popen[str]

    def start(self, arguments: list[str], stdout: Path, stderr: Path) -> int:
        """Start a run, and return its process id."""
        run = {"arguments": arguments, "stdout": str(stdout), "stderr": str(stderr)}
        assert self.process.stdin
        print(json.dumps(run), file=self.process.stdin, flush=True)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end of the run, and return its exit code."""
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def run(self, folder: Path, *arguments: str) -> Ended:
        """Run to the end; what it writes goes to a folder."""
        stdout, stderr = folder / "stdout", folder / "stderr"
        self.start([*arguments], stdout, stderr)
        return Ended(self.wait(), stdout.read_text(), stderr.read_text())


@pytest.fixture(scope="session")
def forked() -> Iterator[ForkedTap]:
    """The command line, ready to run."""
    with subprocess.Popen(  # noqa: S603 - the tap itself
        [sys.executable, str(Path(__file__).with_name("harness") / "forked_tap.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield ForkedTap(process)


TODAY = dt.date(2024, 3, 20)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in which it is Wednesday, 2024-03-20."""
    with Sandbox(today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture
def settings(sandbox: Sandbox) -> dict[str, Any]:
    """Settings that read the sandbox on its own day, without any report."""
    return {
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "as_of": TODAY.isoformat(),
        "reports": [],
    }


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, in which Meltano has installed the plugins."""
    project = tmp_path_factory.mktemp("project")
    for name in ("meltano.yml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project / name)
    shutil.copytree(
        ROOT / "tap_adstage",
        project / "tap_adstage",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    subprocess.run(  # noqa: S603 - Meltano itself
        [str(SCRIPTS / "meltano"), "install"],
        cwd=project,
        env=clean_environment(),
        check=True,
        timeout=600,
        capture_output=True,
    )
    return project


@pytest.fixture
def pipeline(plugins: Path, tmp_path: Path) -> Iterator[Pipeline]:
    """Meltano with the sandbox, and with a Postgres and a state of its own."""
    with Sandbox(today=FIRST) as sandbox, Postgres() as postgres:
        environment = {
            **clean_environment(),
            **SETTINGS,
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
            "TAP_ADSTAGE_API_URL": sandbox.api_url,
            "TAP_ADSTAGE_ACCESS_TOKEN": sandbox.token,
            "TARGET_POSTGRES_HOST": postgres.host,
            "TARGET_POSTGRES_PORT": str(postgres.port),
            "TARGET_POSTGRES_USER": postgres.user,
            "TARGET_POSTGRES_PASSWORD": postgres.password,
            "TARGET_POSTGRES_DATABASE": postgres.database,
            "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path / 'meltano.db'}",
        }
        yield Pipeline(sandbox, postgres, environment, plugins)
