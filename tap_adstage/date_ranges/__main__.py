"""Show the days that a date range stands for."""

from __future__ import annotations

import datetime as dt

import click

from tap_adstage.date_ranges import DateRangeError, parse_date_range, today


# Unknown options are left to TEXT, so that "-1 days ago" is refused as a range.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("text")
@click.option("--as-of", help="Day or date-time to count from; now where not given.")
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="IANA time zone in which days are counted.",
)
def main(text: str, as_of: str | None, time_zone: str) -> None:
    """Print the first and last day of the date range TEXT.

    TEXT is a range of AdStage's language, such as "last 2 months".
    """
    now = dt.datetime.now(dt.timezone.utc)
    try:
        days = parse_date_range(text, today=today(as_of, time_zone, now=now))
    except DateRangeError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(days))
    if days.is_empty:
        click.echo("The range is empty: it holds no day yet.", err=True)


if __name__ == "__main__":
    main()
