"""The command `tap-adstage-sandbox`: serve the sandbox, or run something on it."""

from __future__ import annotations

import datetime as dt
import os
import shlex
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from tap_adstage.sandbox.cli.environment import (
    OTHER_CONNECTIONS,
    OTHER_CREDENTIALS,
    loader_settings,
    meltano_settings,
    tap_settings,
    without,
)
from tap_adstage.sandbox.cli.options import (
    DEFAULT_PORT,
    SandboxOptions,
    missing_extra,
    with_sandbox_options,
)
from tap_adstage.sandbox.cli.postgres import Postgres, PostgresError
from tap_adstage.sandbox.cli.signals import EXIT_SIGNALLED, Signals, StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXIT_CANNOT_RUN = 126
EXIT_NOT_FOUND = 127


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
        with Signals().handled(), options.running(DEFAULT_PORT) as sandbox:
            click.echo(f"AdStage sandbox listening on {sandbox.api_url}")
            settings = tap_settings(sandbox.api_url, sandbox.token, options.today)
            for name, value in settings.items():
                click.echo(f"export {name}={shlex.quote(value)}")
            for network, account in sandbox.world.provider_accounts.items():
                click.echo(f"# a live account of {network}: {account.entity_id}")
            threading.Event().wait()
    except StoppedError:
        click.echo("AdStage sandbox stopped", err=True)


@main.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "--postgres",
    is_flag=True,
    help="Also start a throw-away Postgres for target-postgres.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def run(options: SandboxOptions, *, postgres: bool, command: tuple[str, ...]) -> None:
    """Run COMMAND with the tap's settings pointing at a sandbox.

    Its environment has TAP_ADSTAGE_API_URL, TAP_ADSTAGE_ACCESS_TOKEN and, with --as-of,
    TAP_ADSTAGE_AS_OF. With --postgres it also has TARGET_POSTGRES_HOST, _PORT, _USER,
    _PASSWORD and _DATABASE. Meltano's state is deleted when the command ends. The exit
    code is the command's own.
    """
    try:
        with Signals().handled() as signals, ExitStack() as started:
            environment = without(os.environ, OTHER_CREDENTIALS)
            if postgres:
                server = started.enter_context(Postgres())
                environment = without(environment, OTHER_CONNECTIONS)
                environment |= loader_settings(server)
            folder = started.enter_context(TemporaryDirectory(prefix="tap-adstage-"))
            environment |= meltano_settings(folder)
            sandbox = started.enter_context(options.running())
            environment |= tap_settings(sandbox.api_url, sandbox.token, options.today)
            code = _exit_code(signals, command, environment)
    except PostgresError as error:
        raise click.ClickException(str(error)) from error
    except StoppedError as stopped:
        code = EXIT_SIGNALLED + stopped.number
    sys.exit(code)


def _exit_code(
    signals: Signals, command: Sequence[str], environment: Mapping[str, str]
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
    """Load a sandbox into a throw-away Postgres with Meltano, and show the result.

    The first run loads everything. The second one, three days later in the sandbox,
    loads what is new or changed. Meltano's own output goes to stderr. Only the plugins
    that Meltano installs into `.meltano` stay behind.
    """
    try:
        from tap_adstage.sandbox.cli import demo as steps  # noqa: PLC0415  needs the extra
    except ModuleNotFoundError as error:
        raise missing_extra(error, "demo") from error
    try:
        with Signals().handled() as signals, Postgres() as server:
            today = dt.datetime.now(dt.timezone.utc).date()
            first_day = options.today or today - steps.PAUSE
            with replace(options, today=first_day).running() as sandbox:
                settings = tap_settings(sandbox.api_url, sandbox.token)
                settings |= loader_settings(server)
                steps.show_demo(sandbox, server.dsn, settings, signals.run)
    except (steps.DemoError, PostgresError) as error:
        raise click.ClickException(str(error)) from error
    except StoppedError as stopped:
        sys.exit(EXIT_SIGNALLED + stopped.number)
