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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

REPORTS = {
    "account_performance": "accounts",
    "campaign_performance": "campaigns",
    "ad_group_performance": "ad_groups",
}
"""The demo's reports and their entity levels."""

LOOKBACK = dt.timedelta(days=14)
SCHEMA = "adstage"
_BAR_WIDTH = 16


class ReportRequests(NamedTuple):
    """The requests of a run for a report, and the first day of all of them."""

    number: int
    first_day: str


class Spend(NamedTuple):
    """The spend on a network in a currency."""

    currency: str
    network: str
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
        conversions: The conversions of the days that the second run fetches again.
    """

    day: dt.date
    seconds: float
    requests: Mapping[str, ReportRequests]
    bookmarks: Mapping[str, str]
    rows: Mapping[str, int]
    conversions: Decimal


def count_rows(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Count the rows of each loaded table."""
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [SCHEMA]
    ).fetchall()
    count = sql.SQL("SELECT count(*) FROM {}")
    rows = {}
    for (table,) in tables:
        query = count.format(sql.Identifier(SCHEMA, table))
        ((rows[table],),) = connection.execute(query).fetchall()
    return rows


def sum_conversions(connection: psycopg.Connection[Any], day: dt.date) -> Decimal:
    """Sum the conversions of the lookback before a day."""
    ((total,),) = connection.execute(
        "SELECT coalesce(sum(conversions), 0) FROM adstage.campaign_performance"
        " WHERE date >= %s AND date < %s",
        [day - LOOKBACK, day],
    ).fetchall()
    return Decimal(total)


def spend_by_month(connection: psycopg.Connection[Any]) -> list[Spend]:
    """Sum the spend of campaigns by currency, network and month."""
    rows = connection.execute(
        "SELECT currency_code, network, sum(sum)::float, json_object_agg(month, sum)"
        " FROM (SELECT currency_code, network, to_char(date, 'YYYY-MM') AS month,"
        " sum(spend) FROM adstage.campaign_performance GROUP BY 1, 2, 3)"
        " GROUP BY 1, 2 ORDER BY 1, 3 DESC"
    ).fetchall()
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


def spend_table(spends: Sequence[Spend]) -> Table:
    """Return a table of spend by month, with bars that compare within a currency."""
    months = sorted({month for spend in spends for month in spend.by_month})
    table = _table("Spend in Postgres", "", "network")
    for month in months:
        table.add_column(month, justify="right")
    table.add_column("total")
    for spend in spends:
        totals = [other.total for other in spends if other.currency == spend.currency]
        bar = Bar(max(totals), 0, spend.total, width=_BAR_WIDTH)
        cells = [f"{spend.by_month.get(month, 0):,.0f}" for month in months]
        table.add_row(spend.currency, spend.network, *cells, bar)
    return table


def requests_table(first: Run, second: Run) -> Table:
    """Return a table of each run's requests, and the bookmarks before and after it."""
    headings = ("report on", "run on", "requests", "from", "bookmark was", "is")
    table = _table("Report requests and bookmarks", *headings)
    for name, level in REPORTS.items():
        before: Mapping[str, str] = {}
        for run in (first, second):
            requests, first_day = run.requests.get(name, ReportRequests(0, "-"))
            was, now = before.get(name, "-"), run.bookmarks.get(name, "-")
            table.add_row(level, str(run.day), str(requests), first_day, was, now)
            before = run.bookmarks
    return table


def describe_late_conversions(first: Run, second: Run) -> str:
    """Return a line about the conversions that only the second run found."""
    last_day = first.day - dt.timedelta(days=1)
    return (
        f"Conversions of {first.day - LOOKBACK}..{last_day}: {first.conversions:,.0f}"
        f" as of {first.day}, {second.conversions:,.0f} as of {second.day}:"
        f" {second.conversions - first.conversions:,.0f} came late and were picked up."
    )


def _table(title: str, *headings: str) -> Table:
    return Table(*headings, title=title, title_justify="left", box=box.SIMPLE)
