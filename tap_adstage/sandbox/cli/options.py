"""The options of `tap-adstage-sandbox`, which are parameters of the sandbox."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from tap_adstage.sandbox.adstage.reports.v1_links import FOLLOW_METHODS, LINK_STYLES
from tap_adstage.sandbox.cli.environment import ADSTAGE, SPOTIFY_ADS
from tap_adstage.sandbox.service.faults import FAULTS, SIZE_FAULTS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from tap_adstage.sandbox.cli.environment import AnySandbox

DEFAULT_PORT = 8765

NAMES = {ADSTAGE: "AdStage", SPOTIFY_ADS: "Spotify Ads"}
"""The sources and their names."""

_OF_ONE_SOURCE = {
    ADSTAGE: {
        *("rate_limit", "v1_links", "v1_follow", "max_report_days", "size_fault"),
    },
    SPOTIFY_ADS: {"rate_limited"},
}
"""The parameters that only one source's sandbox has."""


@dataclass(frozen=True)
class SandboxOptions:
    """The options on the command line.

    Attributes:
        source: Whose API the sandbox is, one of `NAMES`.
        values: The other options, named as the parameters of the sandboxes.
        given: Names of those that the user gave.
    """

    source: str
    values: Mapping[str, Any]
    given: AbstractSet[str]

    @property
    def today(self) -> dt.date | None:
        """The day that it is in the sandbox, None for the real one."""
        day: dt.date | None = self.values["today"]
        return day

    def of_source(self, source: str | None) -> SandboxOptions:
        """Return the options for a source, for their own if it is None."""
        return self if source is None else replace(self, source=source)

    def on_day(self, day: dt.date) -> SandboxOptions:
        """Return the options for a sandbox on a day."""
        return replace(self, values={**self.values, "today": day})

    @contextmanager
    def all_running(self) -> Iterator[dict[str, AnySandbox]]:
        """Run a sandbox of each source within a block, by source.

        The port and what only one source has are for the chosen source. They accept any
        OAuth application and, without `--token`, any token, so that a config can keep
        its own.
        """
        with ExitStack() as started:
            yield {
                source: started.enter_context(options.running())
                for source, options in self._of_each_source()
            }

    def _of_each_source(self) -> Iterator[tuple[str, SandboxOptions]]:
        any_token = "token" not in self.given
        values = {**self.values, "any_token": any_token, "any_client": True}
        yield self.source, replace(self, values=values)
        for source in NAMES.keys() - {self.source}:
            yield source, SandboxOptions(source, {**values, "port": 0}, frozenset())

    @contextmanager
    def running(self, default_port: int = 0) -> Iterator[AnySandbox]:
        """Run the sandbox within a block.

        Args:
            default_port: Port to use without `--port`, 0 for any that is free.
        """
        port = self.values["port"]
        if port is None:
            port = default_port
        with ExitStack() as started:
            try:
                sandbox = self._make(port)
                started.enter_context(sandbox)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
            except OSError as error:
                raise click.ClickException(
                    f"Port {port} is not free ({error.strerror}); choose another one "
                    "with --port, 0 for any"
                ) from error
            yield sandbox

    def _make(self, port: int) -> AnySandbox:
        others = {
            name
            for source, names in _OF_ONE_SOURCE.items()
            for name in names
            if source != self.source
        }
        for name in sorted(self.given & others):
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} is not for --source {self.source}")
        values = {k: v for k, v in self.values.items() if k not in others}
        values["port"] = port
        try:
            if self.source == SPOTIFY_ADS:
                from tap_adstage.sandbox.spotify_ads.server import (  # noqa: PLC0415  needs the extra
                    SpotifyAdsSandbox,
                )

                return SpotifyAdsSandbox(**{"any_client": True, **values})
            from tap_adstage.sandbox.server import Sandbox  # noqa: PLC0415  needs the extra

            return Sandbox(**values)
        except ModuleNotFoundError as error:
            raise missing_extra(error, "sandbox") from error


def missing_extra(error: ModuleNotFoundError, extra: str) -> click.ClickException:
    """Return the error for an extra that is not installed."""
    return click.ClickException(
        f"This needs {error.name}; install tap-adstage[{extra}]"
    )


def with_sandbox_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that become `SandboxOptions.values` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_source_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option for the source, which may stand before or after a subcommand."""
    option = click.option(
        "--source",
        type=click.Choice([*NAMES]),
        help=f"Whose API the sandbox is. [default: {ADSTAGE}]",
    )
    return option(command)


def _day(
    _context: click.Context, _option: click.Parameter, value: dt.datetime | None
) -> dt.date | None:
    return None if value is None else value.date()


_OPTIONS = (
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        help=f"Port to listen on, 0 for any free one. [default: {DEFAULT_PORT}; with a "
        "command any free one]",
    ),
    click.option(
        "--token",
        default="sandbox-token",
        show_default=True,
        help="Access token to accept.",
    ),
    click.option(
        "--seed", default=1, show_default=True, help="Another number gives other data."
    ),
    click.option(
        "--as-of",
        "today",
        type=click.DateTime(["%Y-%m-%d"]),
        callback=_day,
        metavar="YYYY-MM-DD",
        help="The day that it is in the sandbox. [default: today]",
    ),
    click.option(
        "--latency",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="SECONDS",
        help="Time before each answer.",
    ),
    click.option(
        "--rate-limit",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="Requests a second; more are answered with 429.",
    ),
    click.option(
        "--fault-rate",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="SHARE",
        help="Share of requests that fail, 0 to 1.",
    ),
    click.option(
        "--fault",
        "faults",
        type=click.Choice(FAULTS),
        multiple=True,
        callback=lambda _context, _option, value: value or None,
        help="How requests fail; may be repeated. [default: any way]",
    ),
    click.option(
        "--slow",
        "slow_seconds",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="SECONDS",
        help="Pause in answers that fail by being slow. [default: no slow answers]",
    ),
    click.option(
        "--rate-limited",
        is_flag=True,
        help="Keep to Spotify's limits: within 30 seconds, 150 requests for reports "
        "and 1500 others; more are answered with 429.",
    ),
    click.option(
        "--max-report-days",
        type=click.IntRange(min=1),
        metavar="N",
        help="Days that a report may have; a longer one is refused.",
    ),
    click.option(
        "--size-fault",
        type=click.Choice(SIZE_FAULTS),
        default=SIZE_FAULTS[0],
        show_default=True,
        help="How a longer report is refused; timeout pauses for --slow first.",
    ),
    click.option(
        "--v1-links",
        type=click.Choice(LINK_STYLES),
        default=LINK_STYLES[0],
        show_default=True,
        help="How reports of API V1 link to their next page.",
    ),
    click.option(
        "--v1-follow",
        type=click.Choice(FOLLOW_METHODS),
        default=FOLLOW_METHODS[0],
        show_default=True,
        help="How to get that page: by the link, or by the first request, sent again.",
    ),
    click.option(
        "--drop-rows",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Rows that are missing from the end of each report's first page.",
    ),
)
