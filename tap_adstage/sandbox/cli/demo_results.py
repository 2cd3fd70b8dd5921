"""The results of the demo's runs: rows in Postgres, and tables that show them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql
from rich import box
from rich.bar import Bar
from rich.table import Table

from tap_adstage.sandbox.cli.demo_reports import LOOKBACK, ReportRequests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from tap_adstage.sandbox.cli.demo_reports import DemoReports

_BAR_WIDTH = 16


class Spend(NamedTuple):
    """The spend of a network or an ad account in a currency."""

    currency: str
    name: str
    total: float
    by_month: Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """A run of Meltano, and the state of the database after it.

    Attributes:
        day: The day that it was in the sandbox.
        requests: The report requests, by report.
        bookmarks: The bookmarks after the run, by report.
        rows: The number of rows in each table.
        conversions: The conversions of the days that the second run fetches again,
            None if they don't change.
    """

    day: dt.date
    seconds: float
    requests: Mapping[str, ReportRequests]
    bookmarks: Mapping[str, str]
    rows: Mapping[str, int]
    conversions: Decimal | None


def count_rows(connection: psycopg.Connection[Any], schema: str) -> dict[str, int]:
    """Count the rows of each loaded table in a schema."""
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
    ).fetchall()
    count = sql.SQL("SELECT count(*) FROM {}")
    rows = {}
    for (table,) in tables:
        query = count.format(sql.Identifier(schema, table))
        ((rows[table],),) = connection.execute(query).fetchall()
    return rows


def sum_conversions(
    connection: psycopg.Connection[Any], reports: DemoReports, day: dt.date
) -> Decimal | None:
    """Sum the conversions of the lookback before a day, if they change."""
    if not reports.conversions:
        return None
    ((total,),) = connection.execute(
        reports.conversions.encode(), [day - LOOKBACK, day]
    ).fetchall()
    return Decimal(total)


def spend_by_month(
    connection: psycopg.Connection[Any], reports: DemoReports
) -> list[Spend]:
    """Sum the spend by currency, name and month."""
    rows = connection.execute(reports.spend.encode()).fetchall()
    return [Spend(*row) for row in rows]


def rows_table(first: Run, second: Run) -> Table:
    """Return a table of the rows after each run."""
    table = _table("Rows in Postgres", "table")
    for run in (first, second):
        heading = f"after {run.day} ({run.seconds:.0f} s)"
        table.add_column(heading, justify="right")
    for name, rows in second.rows.items():
        table.add_row(name, f"{first.rows.get(name, 0):,}", f"{rows:,}")
    return table


def spend_table(spends: Sequence[Spend], spenders: str) -> Table:
    """Return a table of spend by month, with bars that compare within a currency."""
    months = sorted({month for spend in spends for month in spend.by_month})
    table = _table("Spend in Postgres", "", spenders)
    for month in months:
        table.add_column(month, justify="right")
    table.add_column("total")
    for spend in spends:
        totals = [other.total for other in spends if other.currency == spend.currency]
        bar = Bar(max(totals), 0, spend.total, width=_BAR_WIDTH)
        cells = [f"{spend.by_month.get(month, 0):,.0f}" for month in months]
        table.add_row(spend.currency, spend.name, *cells, bar)
    return table


def requests_table(levels: Mapping[str, str], first: Run, second: Run) -> Table:
    """Return a table of each run's requests, and the bookmarks before and after it."""
    headings = ("report on", "run on", "requests", "from", "bookmark was", "is")
    table = _table("Report requests and bookmarks", *headings)
    for name, level in levels.items():
        before: Mapping[str, str] = {}
        for run in (first, second):
            requests, first_day = run.requests.get(name, ReportRequests(0, "-"))
            was, now = before.get(name, "-"), run.bookmarks.get(name, "-")
            table.add_row(level, str(run.day), str(requests), first_day, was, now)
            before = run.bookmarks
    return table


def describe_late_conversions(first: Run, second: Run) -> str:
    """Return a line about the conversions that only the second run found, if any."""
    if first.conversions is None or second.conversions is None:
        return ""
    last_day = first.day - dt.timedelta(days=1)
    return (
        f"Conversions of {first.day - LOOKBACK}..{last_day}: {first.conversions:,.0f}"
        f" as of {first.day}, {second.conversions:,.0f} as of {second.day}:"
        f" {second.conversions - first.conversions:,.0f} came late and were picked up."
    )


def _table(title: str, *headings: str) -> Table:
    return Table(*headings, title=title, title_justify="left", box=box.SIMPLE)
