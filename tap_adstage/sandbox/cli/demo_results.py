"""The results of the demo's runs: rows in Postgres, and tables that show them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql
from rich import box
from rich.bar import Bar
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tap_adstage.sandbox.cli.demo_reports import LOOKBACK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from tap_adstage.sandbox.cli.demo_reports import DemoReports

_BAR_WIDTH = 12
_HEIGHT = 16
"""Lines of a table that leave room on a screen for what is around it."""


class Spend(NamedTuple):
    """The spend of a network or an ad account in a currency."""

    currency: str
    name: str
    total: float


@dataclass(frozen=True)
class Run:
    """A run of Meltano, and the state of the database after it.

    Attributes:
        day: The day that it was in the sandbox.
        first_days: The first requested day of each report.
        bookmarks: The bookmarks after the run, by report.
        rows: The number of rows in each table.
        conversions: The conversions of the days that the second run fetches again,
            None if they don't change.
    """

    day: dt.date
    seconds: float
    first_days: Mapping[str, dt.date]
    bookmarks: Mapping[str, str]
    rows: Mapping[str, int]
    conversions: Decimal | None

    @property
    def bookmark(self) -> dt.date:
        """The bookmark of all reports, as they read the same days."""
        return dt.date.fromisoformat(min(self.bookmarks.values()))


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
    connection: psycopg.Connection[Any], reports: DemoReports, bookmark: dt.date
) -> Decimal | None:
    """Sum the conversions of a bookmark's lookback, if they change.

    Args:
        connection: A connection to the database.
        reports: The reports.
        bookmark: The first run's bookmark, inclusive.
    """
    if not reports.conversions:
        return None
    ((total,),) = connection.execute(
        reports.conversions.encode(), [bookmark - LOOKBACK, bookmark]
    ).fetchall()
    return Decimal(total)


def spend_by_currency(
    connection: psycopg.Connection[Any], reports: DemoReports
) -> list[Spend]:
    """Sum the spend by currency and name, the most of a currency first."""
    rows = connection.execute(reports.spend.encode()).fetchall()
    return [Spend(*row) for row in rows]


def first_run_table(reports: DemoReports, run: Run) -> Padding:
    """Return a table of all rows, and of the days that reports read."""
    table = _table("table", ">rows", "read from", "bookmark", ">days")
    for name in [*reports.levels, *(n for n in run.rows if n not in reports.levels)]:
        table.add_row(name, f"{run.rows[name]:,}", *_report_cells(name, run))
    return _indented(table)


def second_run_table(reports: DemoReports, first: Run, second: Run) -> Padding:
    """Return a table of the reports' rows, new ones, and of the days that they read."""
    headings = (">rows", ">new", "read from", "bookmark", ">days")
    table = _table("table", *headings)
    for name in reports.levels:
        rows = second.rows[name]
        new = rows - first.rows[name]
        table.add_row(name, f"{rows:,}", f"{new:,}", *_report_cells(name, second))
    return _indented(table)


def spend_table(spends: Sequence[Spend]) -> Padding:
    """Return the spend under a heading for each currency, with bars that compare.

    Currencies that don't fit on a screen below each other are in two columns.
    """
    groups = [[*group] for _, group in groupby(spends, lambda spend: spend.currency)]
    grid = Table.grid(padding=(0, 3, 0, 0))
    grid.add_row(*map(_spend_column, in_columns(groups)))
    return _indented(grid)


def in_columns(groups: Sequence[Sequence[Spend]]) -> list[Sequence[Sequence[Spend]]]:
    """Divide currencies into two columns if they are too long for one."""
    lines = [len(group) + 1 for group in groups]  # with the heading
    if sum(lines) <= _HEIGHT or len(groups) == 1:
        return [groups]
    first = min(
        range(1, len(groups)), key=lambda n: max(sum(lines[:n]), sum(lines[n:]))
    )
    return [groups[:first], groups[first:]]


def _spend_column(groups: Sequence[Sequence[Spend]]) -> Table:
    column = Table.grid(padding=(0, 1, 0, 0))
    column.add_column(no_wrap=True)
    column.add_column(justify="right")
    for group in groups:
        column.add_row(Text(group[0].currency, "bold"))
        most = max(spend.total for spend in group)
        for spend in group:
            bar = Bar(1, 0, spend.total / most, width=_BAR_WIDTH, color="cyan")
            column.add_row(f"  {spend.name}", f"{spend.total:,.0f}", bar)
    return column


def _report_cells(name: str, run: Run) -> tuple[str, ...]:
    """Return the days that a run read of a report; nothing for another table."""
    if name not in run.first_days:
        return ()
    first, last = run.first_days[name], dt.date.fromisoformat(run.bookmarks[name])
    return str(first), str(last), str((last - first).days + 1)


def _table(*headings: str) -> Table:
    """Return an empty table; headings that begin with `>` are of numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in headings:
        is_number = heading.startswith(">")
        name = heading.removeprefix(">")
        table.add_column(name, justify="right" if is_number else "left")
    return table


def _indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 0, 2), expand=False)
