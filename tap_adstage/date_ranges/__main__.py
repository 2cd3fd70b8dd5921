"""Print the days of a date range."""

from __future__ import annotations

import datetime as dt

import click

from tap_adstage.date_ranges import DateRangeError, every_form, parse_date_range, today


# Unknown options are passed to TEXT, so that "-1 days ago" is refused as a range.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("text", required=False)
@click.option("--as-of", help="Day or date-time to count from; now by default.")
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="IANA time zone in which days are counted.",
)
def main(text: str | None, as_of: str | None, time_zone: str) -> None:
    """Print the first and last day of the date range TEXT.

    TEXT is a range in AdStage's language, such as "last 2 months". By default, print
    a table of every form of that language with its days.
    """
    now = dt.datetime.now(dt.timezone.utc)
    try:
        day = today(as_of, time_zone, now=now)
        if text is None:
            click.echo(table(day))
            return
        days = parse_date_range(text, today=day)
    except DateRangeError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(days))
    if days.is_empty:
        click.echo("The range is empty: it has no day yet.", err=True)


def table(day: dt.date) -> str:
    """Return a Markdown table of every form of the language.

    Args:
        day: The day that relative ranges count from.
    """
    rows = [("date range", f"days on {day}"), ("---", "---")]
    for text in every_form():
        days = parse_date_range(text, today=day)
        rows.append((f"`{text}`", f"{days}{' (no day yet)' if days.is_empty else ''}"))
    width = max(len(first) for first, _ in rows)
    return "\n".join(f"| {first:{width}} | {second} |" for first, second in rows)


if __name__ == "__main__":
    main()
