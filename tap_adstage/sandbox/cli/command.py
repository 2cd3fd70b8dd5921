"""The command `tap-adstage-sandbox`: serve the sandbox, or run something on it."""

from __future__ import annotations

import datetime as dt
import os
import shlex
import sys
import threading
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from tap_adstage.sandbox.cli.environment import (
    ADSTAGE,
    OTHER_CONNECTIONS,
    OTHER_SETTINGS,
    loader_settings,
    meltano_settings,
    shell_settings,
    tap_settings,
    without,
)
from tap_adstage.sandbox.cli.options import (
    DEFAULT_PORT,
    NAMES,
    SandboxOptions,
    missing_extra,
    with_sandbox_options,
    with_source_option,
)
from tap_adstage.sandbox.cli.postgres import Postgres, PostgresError
from tap_adstage.sandbox.cli.signals import EXIT_SIGNALLED, Signals, StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXIT_CANNOT_RUN = 126
EXIT_NOT_FOUND = 127


@click.group(invoke_without_command=True)
@with_source_option
@with_sandbox_options
@click.pass_context
def main(context: click.Context, /, source: str | None, **options: Any) -> None:  # noqa: ANN401
    """Serve a local API over generated data until it is interrupted.

    It is AdStage's or Spotify's Ads API. With a command, run that on a sandbox of its
    own instead.
    """
    given = {
        name
        for name in options
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    context.obj = SandboxOptions(source or ADSTAGE, options, given)
    if context.invoked_subcommand is None:
        _serve(context.obj)


def _serve(options: SandboxOptions) -> None:
    try:
        with Signals().handled(), options.running(DEFAULT_PORT) as sandbox:
            name = NAMES[options.source]
            click.echo(f"{name} sandbox listening on {sandbox.api_url}")
            settings = tap_settings(sandbox, options.source, options.today)
            for variable, value in settings.items():
                click.echo(f"export {variable}={shlex.quote(value)}")
            for line in sandbox.hints():
                click.echo(f"# {line}")
            threading.Event().wait()
    except StoppedError:
        click.echo(f"{NAMES[options.source]} sandbox stopped", err=True)


@main.command(context_settings={"allow_interspersed_args": False})
@with_source_option
@click.option(
    "--postgres",
    is_flag=True,
    help="Also start a throw-away Postgres for target-postgres.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def run(
    options: SandboxOptions,
    *,
    source: str | None,
    postgres: bool,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND, in which every run of the tap reads a sandbox.

    Its environment has TAP_ADSTAGE_SANDBOXES: the addresses of a sandbox of each
    source, the token of configs without credentials, and with --as-of the day. With
    --source spotify_ads it also has TAP_ADSTAGE_SOURCE, the source of configs that name
    none. With --postgres it also has TARGET_POSTGRES_HOST, _PORT, _USER, _PASSWORD and
    _DATABASE. Meltano's state is deleted when the command ends. The exit code is the
    command's own.
    """
    options = options.of_source(source)
    try:
        with Signals().handled() as signals, ExitStack() as started:
            day = ("TAP_ADSTAGE_AS_OF",) if options.today else ()
            environment = without(os.environ, (*OTHER_SETTINGS, *day))
            if postgres:
                server = started.enter_context(Postgres())
                environment = without(environment, OTHER_CONNECTIONS)
                environment |= loader_settings(server)
            folder = started.enter_context(TemporaryDirectory(prefix="tap-adstage-"))
            environment |= meltano_settings(folder)
            sandboxes = started.enter_context(options.all_running())
            environment |= shell_settings(sandboxes, options.source, options.today)
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
@with_source_option
@click.option(
    "--verbose",
    is_flag=True,
    help="Show all that Meltano, the tap and the loader log, on stderr.",
)
@click.pass_obj
def demo(options: SandboxOptions, *, source: str | None, verbose: bool) -> None:
    """Load a sandbox into a throw-away Postgres with Meltano, and show the result.

    The first run loads everything. The second one, three days later in the sandbox,
    loads what is new or changed. Only the plugins that Meltano installs and a log of
    the demo stay behind, both in `.meltano`.
    """
    options = options.of_source(source)
    try:
        from tap_adstage.sandbox.cli import demo as steps  # noqa: PLC0415  needs the extra
    except ModuleNotFoundError as error:
        raise missing_extra(error, "demo") from error
    from tap_adstage.sandbox.cli.demo_log import open_log  # noqa: PLC0415
    from tap_adstage.sandbox.cli.demo_reports import REPORTS  # noqa: PLC0415

    reports = REPORTS[options.source]
    today = dt.datetime.now(dt.timezone.utc).date()
    first_day = options.today or today - steps.PAUSE
    try:
        project, meltano = steps.find_project(), steps.find_meltano()
        with (
            Signals().handled() as signals,
            open_log(project, options.source, verbose=verbose) as log,
        ):
            console = steps.open_demo(reports, log)
            with Postgres() as server, options.on_day(first_day).running() as sandbox:
                settings = tap_settings(sandbox, options.source)
                settings |= loader_settings(server)
                stage = steps.Stage(
                    sandbox=sandbox,
                    reports=reports,
                    dsn=server.dsn,
                    settings=settings,
                    project=project,
                    meltano=meltano,
                    log=log,
                )
                steps.show_demo(console, stage, signals.run)
    except (steps.DemoError, PostgresError) as error:
        raise click.ClickException(str(error)) from error
    except StoppedError as stopped:
        sys.exit(EXIT_SIGNALLED + stopped.number)
