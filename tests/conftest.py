from __future__ import annotations

import contextlib
import copy
import datetime as dt
import gc
import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from harness.clock import Clock
from harness.environment import clean_environment
from harness.forked import ForkedTap
from harness.listener import Listener
from harness.once import make_once, session_folder
from harness.paths import ROOT, SCRIPTS, TESTS
from harness.singer import Messages

from tap_adstage.adstage.client import AdStageClient
from tap_adstage.http.credentials import BearerToken
from tap_adstage.http.transport import Transport
from tap_adstage.runtime.redaction import Secrets
from tap_adstage.runtime.shutdown import Shutdown
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

TOKEN = "de4d-beef-b33f"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files",
    )
    parser.addoption(
        "--page",
        action="append",
        metavar="NAME",
        help="of the documentation, try this page alone; may be repeated",
    )


def pytest_configure() -> None:
    """Set the environment that this process, its workers and their commands have."""
    # Tests stay out of the summary of a workflow that runs them.
    os.environ.pop("GITHUB_STEP_SUMMARY", None)
    # Meltano and Airflow take three times as long to start if nothing keeps their
    # bytecode.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use one worker more than there are cores, as tests wait for other processes.

    Use none if workers take longer to start, or would write the same file.
    """
    if config.getoption("--update-golden") or is_one_file(config.args):
        return 0
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what stays for the whole run."""
    gc.freeze()


def is_one_file(arguments: list[str]) -> bool:
    """Whether the arguments of a run name a single file, or tests of it."""
    files = {argument.partition("::")[0] for argument in arguments}
    return len(files) == 1 and files.pop().endswith(".py")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite the golden files."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True)
def forget_secrets() -> Iterator[None]:
    """Take the secrets of a test's taps out of the handlers of pytest's logs.

    A tap that nothing uses any more is collected late. Until then each line of each
    later test would be searched for its secrets, which took most of the tests' time.
    """
    yield
    for handler in logging.getLogger().handlers:
        secrets = getattr(handler.formatter, "secrets", None)
        if secrets is not None:
            secrets.clear()


@pytest.fixture
def httpserver(httpserver: HTTPServer) -> HTTPServer:
    """A local HTTP server that refuses what no test expects, instead of failing.

    The tap would retry a failure for ten minutes.
    """
    httpserver.no_handler_status_code = 403
    return httpserver


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
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of what runs in this process, which stands still by itself."""
    clock = Clock(time.monotonic())
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the tap waited, which pass on its clock alone."""
    seconds: list[float] = []
    clock = time.monotonic
    monkeypatch.setattr(time, "sleep", seconds.append)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(seconds))
    return seconds


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
        decode = json.JSONDecoder(parse_float=Decimal).decode
        return Messages([decode(line) for line in stdout.getvalue().splitlines()])

    return run


@pytest.fixture(scope="session")
def forked() -> Iterator[ForkedTap]:
    """The command line, ready to run."""
    with subprocess.Popen(  # noqa: S603 - the tap itself
        [sys.executable, str(TESTS / "harness" / "fork_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield ForkedTap(process)


TODAY = dt.date(2024, 3, 20)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A temporary directory that every user may enter.

    As root, Postgres runs as another user, who cannot enter those of `tmp_path`.
    """
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="session")
def default_world() -> World:
    """The world of a sandbox by default, and the numbers that it has computed."""
    return World()


@pytest.fixture
def sandbox(default_world: World) -> Iterator[Sandbox]:
    """A sandbox in which it is Wednesday, 2024-03-20."""
    with Sandbox(today=TODAY, world=default_world) as sandbox:
        yield sandbox
    default_world.unlinked = frozenset()


@pytest.fixture
def settings(sandbox: Sandbox) -> dict[str, Any]:
    """Settings that read the sandbox on its own day, without any report."""
    return {
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "as_of": TODAY.isoformat(),
        "reports": [],
    }


@pytest.fixture
def spotify_sandbox() -> Iterator[SpotifyAdsSandbox]:
    """A sandbox of Spotify's API in which it is Wednesday, 2024-03-20, at noon."""
    with SpotifyAdsSandbox(today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture
def spotify_settings(spotify_sandbox: SpotifyAdsSandbox) -> dict[str, Any]:
    """Settings that read that sandbox on its own day, without any report."""
    return {
        "source": "spotify_ads",
        "api_url": spotify_sandbox.api_url,
        "access_token": spotify_sandbox.token,
        "as_of": TODAY.isoformat(),
        "reports": [],
    }


@pytest.fixture(scope="session")
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The temporary folder that all workers of this run share."""
    return session_folder(request.config, tmp_path_factory)


@pytest.fixture(scope="session")
def plugins(session: Path) -> Path:
    """A copy of the project in which Meltano has installed the plugins.

    Use it through links: a test that runs Meltano has a project of its own.
    """

    def install(project: Path) -> None:
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

    return make_once(session / "plugins", install)
