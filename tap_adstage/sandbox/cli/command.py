"""The command `tap-adstage-sandbox`: serve the sandbox, or run something on it."""

from __future__ import annotations

import datetime as dt
import os
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from tap_adstage.sandbox.cli.options import (
    DEFAULT_PORT,
    SandboxOptions,
    missing_extra,
    with_sandbox_options,
)
from tap_adstage.sandbox.cli.postgres import Postgres, PostgresError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    from typing_extensions import Self

EXIT_CANNOT_RUN = 126
EXIT_NOT_FOUND = 127
EXIT_SIGNALLED = 128

# Where these say something else, target-postgres does not look at host and password.
_OTHER_CONNECTIONS = (
    "TARGET_POSTGRES_SQLALCHEMY_URL",
    "TARGET_POSTGRES_SSL_",
    "TARGET_POSTGRES_SSH_TUNNEL",
)
# A real account's credentials, which the tap would prefer to the sandbox's token.
_OTHER_CREDENTIALS = (
    "TAP_ADSTAGE_CLIENT_",
    "TAP_ADSTAGE_REFRESH_TOKEN",
    "TAP_ADSTAGE_OAUTH_",
)


class _StoppedError(BaseException):
    """SIGINT or SIGTERM came; the exception unwinds what was started."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Signals:
    """Lets SIGINT and SIGTERM end this process in good order, or reach its child."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._held: list[int] | None = None
        self._stopped = False

    @contextmanager
    def caught(self) -> Iterator[Self]:
        """Catch them for the time of a block."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = [(each, signal.signal(each, self._receive)) for each in numbers]
        try:
            yield self
        finally:
            for number, handler in previous:
                signal.signal(number, handler)

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        stdout: int | None = None,
    ) -> int:
        """Run a command to its end with the signals that come here.

        Args:
            command: The command and its arguments.
            environment: All of its environment variables.
            stdout: File descriptor that it writes to, where not this process's own.

        Returns:
            Its exit code, 128 + N where signal N ended it.
        """
        # Held back until there is somebody to forward them to.
        self._held = []
        try:
            self._child = subprocess.Popen(  # noqa: S603  the user's own command
                command, env=environment, stdout=stdout
            )
            for number in self._held:
                self._receive(number, None)
            code = self._child.wait()
        finally:
            self._child = self._held = None
        return code if code >= 0 else EXIT_SIGNALLED - code

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._child is not None:
            if not _sent_by_terminal(number):
                self._child.send_signal(number)
        elif self._held is not None:
            self._held.append(number)
        elif not self._stopped:
            # Once is enough: a second one would interrupt the cleaning up.
            self._stopped = True
            raise _StoppedError(number)


def _sent_by_terminal(number: int) -> bool:
    """Tell whether the child has this signal already.

    Ctrl-C goes to every process of the terminal's foreground group, and a second one
    would interrupt the child's own cleaning up.
    """
    if number != signal.SIGINT:
        return False
    try:
        with Path(os.ctermid()).open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def tap_settings(
    api_url: str, token: str, as_of: dt.date | None = None
) -> dict[str, str]:
    """Name the environment variables that point the tap at a sandbox."""
    settings = {"TAP_ADSTAGE_API_URL": api_url, "TAP_ADSTAGE_ACCESS_TOKEN": token}
    if as_of is not None:
        settings["TAP_ADSTAGE_AS_OF"] = as_of.isoformat()
    return settings


def loader_settings(server: Postgres) -> dict[str, str]:
    """Name the environment variables that point target-postgres at a server."""
    return {
        "TARGET_POSTGRES_HOST": server.host,
        "TARGET_POSTGRES_PORT": str(server.port),
        "TARGET_POSTGRES_USER": server.user,
        "TARGET_POSTGRES_PASSWORD": server.password,
        "TARGET_POSTGRES_DATABASE": server.database,
    }


def meltano_settings(folder: str) -> dict[str, str]:
    """Name the environment variables that keep Meltano's state in a folder.

    Bookmarks of generated data would otherwise count for the project's real account,
    and those of an earlier database for a new one.
    """
    return {
        "MELTANO_DATABASE_URI": f"sqlite:///{folder}/meltano.db",
        "MELTANO_STATE_BACKEND_URI": "systemdb",
    }


def without(
    environment: Mapping[str, str], prefixes: tuple[str, ...]
) -> dict[str, str]:
    """Leave out the variables whose names start with one of the prefixes."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(prefixes)
    }


@click.group(invoke_without_command=True)
@with_sandbox_options
@click.pass_context
def main(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401
    """Serve a local AdStage API over generated data until it is interrupted.

    With a command, run that on a sandbox of its own instead.
    """
    context.obj = SandboxOptions(**options)
    if context.invoked_subcommand is None:
        _serve(context.obj)


def _serve(options: SandboxOptions) -> None:
    try:
        with _Signals().caught(), options.running(DEFAULT_PORT) as sandbox:
            click.echo(f"AdStage sandbox listening on {sandbox.api_url}")
            settings = tap_settings(sandbox.api_url, sandbox.token, options.today)
            for name, value in settings.items():
                click.echo(f"export {name}={shlex.quote(value)}")
            for network, account in sandbox.world.provider_accounts.items():
                click.echo(f"# a live account of {network}: {account.entity_id}")
            threading.Event().wait()
    except _StoppedError:
        click.echo("AdStage sandbox stopped", err=True)


@main.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "--postgres",
    is_flag=True,
    help="Start a throw-away Postgres too, for target-postgres.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def run(options: SandboxOptions, *, postgres: bool, command: tuple[str, ...]) -> None:
    """Run COMMAND with the tap's settings pointing at a sandbox.

    TAP_ADSTAGE_API_URL, TAP_ADSTAGE_ACCESS_TOKEN and, with --as-of, TAP_ADSTAGE_AS_OF
    are set for it; with --postgres also TARGET_POSTGRES_HOST, _PORT, _USER, _PASSWORD
    and _DATABASE. Meltano keeps its state for as long as the command runs. The exit
    code is the command's own.
    """
    try:
        with _Signals().caught() as signals, ExitStack() as started:
            environment = without(os.environ, _OTHER_CREDENTIALS)
            if postgres:
                server = started.enter_context(Postgres())
                environment = without(environment, _OTHER_CONNECTIONS)
                environment |= loader_settings(server)
            folder = started.enter_context(TemporaryDirectory(prefix="tap-adstage-"))
            environment |= meltano_settings(folder)
            sandbox = started.enter_context(options.running())
            environment |= tap_settings(sandbox.api_url, sandbox.token, options.today)
            code = _exit_code(signals, command, environment)
    except PostgresError as error:
        raise click.ClickException(str(error)) from error
    except _StoppedError as stopped:
        code = EXIT_SIGNALLED + stopped.number
    sys.exit(code)


def _exit_code(
    signals: _Signals, command: Sequence[str], environment: Mapping[str, str]
) -> int:
    try:
        return signals.run(command, environment)
    except FileNotFoundError:
        click.echo(f"Error: command not found: {command[0]}", err=True)
        return EXIT_NOT_FOUND
    except OSError as error:
        click.echo(f"Error: cannot run {command[0]}: {error.strerror}", err=True)
        return EXIT_CANNOT_RUN


@main.command()
@click.pass_obj
def demo(options: SandboxOptions) -> None:
    """Load a sandbox into a throw-away Postgres with Meltano, and show what came.

    A first run loads everything, a second one, three days later on the sandbox's
    calendar, what is new and what changed since. Meltano's own output goes to stderr.
    Nothing is left behind but the plugins that Meltano installs into `.meltano`.
    """
    try:
        from tap_adstage.sandbox.cli import demo as steps  # noqa: PLC0415  needs the extra
    except ModuleNotFoundError as error:
        raise missing_extra(error, "demo") from error
    try:
        with _Signals().caught() as signals, Postgres() as server:
            today = dt.datetime.now(dt.timezone.utc).date()
            first_day = options.today or today - steps.PAUSE
            with replace(options, today=first_day).running() as sandbox:
                settings = tap_settings(sandbox.api_url, sandbox.token)
                settings |= loader_settings(server)
                steps.show_demo(sandbox, server.dsn, settings, signals.run)
    except (steps.DemoError, PostgresError) as error:
        raise click.ClickException(str(error)) from error
    except _StoppedError as stopped:
        sys.exit(EXIT_SIGNALLED + stopped.number)
