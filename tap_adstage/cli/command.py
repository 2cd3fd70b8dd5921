"""The tap's command: the SDK's, with the tap's errors and options."""

from __future__ import annotations

import errno
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.plugin_base import SingerCommand

from tap_adstage.exceptions import TapError
from tap_adstage.streams.message_writer import discard_stdout

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class TapCommand(SingerCommand):
    """Logs the tap's errors line by line, and exits with code 1."""

    def main(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - click's own
        """Run the command, and exit.

        Args:
            *arguments: As `click.Command.main` takes them.
            **options: As `click.Command.main` takes them.
        """
        try:
            return super().main(*arguments, **options)
        except TapError as error:
            for line in str(error).splitlines():
                self.logger.error("%s", line)  # noqa: TRY400 - without a traceback
            sys.exit(1)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            discard_stdout()
            self.logger.error(  # noqa: TRY400 - without a traceback
                "stdout can't be written: %s", error.strerror
            )
            sys.exit(1)


class _FieldsOption(click.Option):
    """The option `--fields`: refuses what its text would lose without quotes."""

    def handle_parse_result(
        self,
        ctx: click.Context,
        opts: Mapping[str, Any],
        args: list[str],
    ) -> tuple[Any, list[str]]:
        if self.name in opts and args:
            given = opts[self.name]  # or a mark of click's that it is not
            words = [given, *args] if isinstance(given, str) else args
            text = shlex.quote(" ".join(words))
            raise click.UsageError(f"--fields takes one text; write --fields {text}")
        return super().handle_parse_result(ctx, opts, args)


def tap_command(
    command: click.Command,
    on_fields: Callable[[click.Context, click.Option, str | None], None],
    logger: logging.Logger,
) -> click.Command:
    """Make the tap's command of the SDK's, with `--fields` and a help for `--test`.

    Args:
        command: The SDK's command.
        on_fields: Called for `--fields`, with its text, "" without one.
        logger: For errors.
    """
    fields = _FieldsOption(
        ["--fields"],
        is_flag=False,
        flag_value="",
        metavar="[TEXT]",
        help=(
            "List the fields that reports of this config may have, or those with TEXT "
            "in their id or name: a table on a terminal, JSON lines in a pipe."
        ),
        callback=on_fields,
        expose_value=False,
    )
    for option in command.params:
        if isinstance(option, click.Option) and option.name == "test":
            option.help = (
                "Use --test to try token, accounts and each report, a line for each on "
                "stderr. Use --test=schema to write the schemas without any records."
            )
    return TapCommand(
        name=command.name,
        callback=command.callback,
        params=[*command.params, fields],
        context_settings=command.context_settings,
        logger=logger,
    )
