"""The main job, for real: Meltano loads a sandbox into Postgres, twice.

Two runs of `meltano run tap-adstage target-postgres`, three days apart on the sandbox's
calendar, then tables of what each run asked for and left in the database.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import psycopg
from psycopg import sql
from rich import box
from rich.bar import Bar
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tap_adstage.sandbox.server import Sandbox

PAUSE = dt.timedelta(days=3)
HISTORY = dt.timedelta(days=60)
LOOKBACK = dt.timedelta(days=14)
REPORTS = {
    "account_performance": "accounts",
    "campaign_performance": "campaigns",
    "ad_group_performance": "ad_groups",
}
PLUGINS = ("tap-adstage", "target-postgres")
STATE_ID = "dev:tap-adstage-to-target-postgres"
SCHEMA = "adstage"
BAR_WIDTH = 16

# The user's own settings, among them a real token, stay out of the demo.
_USERS_OWN = ("TAP_ADSTAGE_", "TARGET_POSTGRES_", "MELTANO_RUN_")

RunCommand: TypeAlias = Callable[[Sequence[str], Mapping[str, str], int], int]
"""Runs a command in an environment, its output to a file descriptor, to its end."""


class DemoError(Exception):
    """The demo cannot go on; the text says what to do about it."""


class Asked(NamedTuple):
    """What one run asked for one report."""

    requests: int
    first_day: str


class Spend(NamedTuple):
    """What was spent on one network in one currency."""

    currency: str
    network: str
    total: float
    by_month: Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """One run of Meltano, and what there was in the database after it.

    Attributes:
        day: The sandbox's today.
        conversions: Of the days that the second run looks back on, as they stood.
    """

    day: dt.date
    seconds: float
    asked: Mapping[str, Asked]
    bookmarks: Mapping[str, str]
    rows: Mapping[str, int]
    conversions: Decimal


def show_demo(
    sandbox: Sandbox, dsn: str, settings: Mapping[str, str], run_command: RunCommand
) -> None:
    """Install the plugins, run Meltano twice, and print what came of it.

    Args:
        sandbox: A running sandbox, at the day of the first run.
        dsn: Connection URL of an empty Postgres.
        settings: Environment variables that point tap and loader at these two.
        run_command: Runs Meltano.

    Raises:
        DemoError: Where Meltano is missing or fails.
    """
    console = Console()
    first_day = sandbox.today
    second_day = first_day + PAUSE
    with tempfile.TemporaryDirectory(prefix="tap-adstage-demo-") as home:
        demo = Demo(sandbox, dsn, settings, run_command, Path(home))
        console.print("1/3 Meltano installs the plugins")
        demo.install()
        console.print(f"2/3 {first_day}: the first run loads everything")
        first = demo.run(first_day)
        console.print(f"3/3 {second_day}: the second one what is new or changed")
        second = demo.run(second_day)
    with psycopg.connect(dsn) as connection:
        spend = spend_by_month(connection)
    console.print(rows_table(first, second), spend_table(spend))
    console.print(requests_table(first, second), late_conversions(first, second))


class Demo:
    """Runs Meltano on a sandbox and a Postgres, apart from the user's own runs."""

    def __init__(
        self,
        sandbox: Sandbox,
        dsn: str,
        settings: Mapping[str, str],
        run_command: RunCommand,
        home: Path,
    ) -> None:
        """Prepare for running; Meltano's own data goes to `home`, an empty folder."""
        self._sandbox = sandbox
        self._dsn = dsn
        self._settings = settings
        self._run_command = run_command
        self._home = home
        self._first_day = sandbox.today
        self._project = find_project()
        # An empty file in the place of the project's `.env`.
        dotenv = home / "empty.env"
        dotenv.touch()
        self._meltano = [find_meltano(), f"--env-file={dotenv}", "--environment=dev"]

    def install(self) -> None:
        """Have Meltano install the plugins, where the user's own runs find them too."""
        plugins = self._project / ".meltano"
        self._call("install", *PLUGINS, system=plugins)
        for folder in ("extractors", "loaders"):
            (self._home / folder).symlink_to(plugins / folder)

    def run(self, day: dt.date) -> Run:
        """Load what there is on one day, and look at what came of it."""
        self._sandbox.today = day
        before = len(self._sandbox.requests)
        started = time.monotonic()
        self._call("run", "--no-install", *PLUGINS, system=self._home)
        seconds = time.monotonic() - started
        requests = self._sandbox.requests[before:]
        with psycopg.connect(self._dsn) as connection:
            return Run(
                day=day,
                seconds=seconds,
                asked=asked_by_report((each.path, each.body) for each in requests),
                bookmarks=bookmarks(self._state()),
                rows=count_rows(connection),
                conversions=sum_conversions(connection, self._first_day),
            )

    def _call(self, *arguments: str, system: Path) -> None:
        command = [*self._meltano, *arguments]
        environment = self._environment(system)
        if code := self._run_command(command, environment, sys.stderr.fileno()):
            called = f"meltano {' '.join(arguments)}"
            raise DemoError(f"`{called}` ended with {code}; its output above says why")

    def _state(self) -> dict[str, Any]:
        answer = subprocess.run(  # noqa: S603  no outside words
            [*self._meltano, "state", "get", STATE_ID],
            env=self._environment(self._home),
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise DemoError(f"`meltano state get {STATE_ID}` failed:\n{answer.stderr}")
        return dict(json.loads(answer.stdout))

    def _environment(self, system: Path) -> dict[str, str]:
        return {
            **without_users_own(os.environ),
            **self._settings,
            **report_settings(self._first_day),
            "TAP_ADSTAGE_AS_OF": self._sandbox.today.isoformat(),
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": SCHEMA,
            "MELTANO_PROJECT_ROOT": str(self._project),
            "MELTANO_SYS_DIR_ROOT": str(system),
            "MELTANO_DATABASE_URI": f"sqlite:///{self._home / 'meltano.db'}",
            "MELTANO_STATE_BACKEND_URI": "systemdb",
        }


def find_meltano() -> str:
    """Find the `meltano` executable, that of this Python environment first."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("meltano", path=scripts) or shutil.which("meltano")
    if found is None:
        raise DemoError("The demo runs Meltano, which is not here: pip install meltano")
    return found


def find_project() -> Path:
    """Find the clone that this package runs from, or else the working directory."""
    for folder in (Path(__file__).parents[3], Path.cwd()):
        if (folder / "meltano.yml").is_file():
            return folder
    raise DemoError(
        "The demo needs the project's meltano.yml: run it in a clone of the repository"
    )


def without_users_own(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what the user set for runs of their own."""
    own = {name for name in environment if name.startswith(_USERS_OWN)}
    return {name: environment[name] for name in environment.keys() - own}


def report_settings(first_day: dt.date) -> dict[str, str]:
    """Choose reports and days that load in seconds and show a lookback."""
    fields = ["clicks", "impressions", "spend", "conversions"]
    reports = [
        {"name": name, "entity_level": level, "fields": fields}
        for name, level in REPORTS.items()
    ]
    return {
        "TAP_ADSTAGE_REPORTS": json.dumps(reports),
        "TAP_ADSTAGE_START_DATE": (first_day - HISTORY).isoformat(),
        "TAP_ADSTAGE_LOOKBACK_DAYS": str(LOOKBACK.days),
    }


def asked_by_report(requests: Iterable[tuple[str, Any]]) -> dict[str, Asked]:
    """Sum up the report requests among paths and bodies, by report."""
    names = {level: name for name, level in REPORTS.items()}
    first_days: dict[str, list[str]] = {}
    for path, body in requests:
        if path.endswith("/report"):
            name = names[body["sources"]["metrics"]["entity_level"]]
            first_day = body["date_range"].partition("..")[0]
            first_days.setdefault(name, []).append(first_day)
    return {name: Asked(len(days), min(days)) for name, days in first_days.items()}


def bookmarks(state: Mapping[str, Any]) -> dict[str, str]:
    """Read the bookmark of each report out of Meltano's state."""
    found = state.get("singer_state", {}).get("bookmarks", {})
    return {
        name: found[name]["replication_key_value"]
        for name in REPORTS.keys() & found.keys()
    }


def count_rows(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Count the rows of every table that was loaded."""
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
    """Sum the conversions of the days that a run looks back on from a day."""
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
    """Show how many rows each table had after each run."""
    table = _table("Rows in Postgres", "table")
    for run in (first, second):
        heading = f"after {run.day} ({run.seconds:.0f} s)"
        table.add_column(heading, justify="right")
    for name, rows in second.rows.items():
        table.add_row(name, f"{first.rows.get(name, 0):,}", f"{rows:,}")
    return table


def spend_table(spends: Sequence[Spend]) -> Table:
    """Show spend by network and month, with bars that compare within a currency."""
    months = sorted({month for spend in spends for month in spend.by_month})
    table = _table("Spend in Postgres", "", "network")
    for month in months:
        table.add_column(month, justify="right")
    table.add_column("together")
    for spend in spends:
        totals = [each.total for each in spends if each.currency == spend.currency]
        bar = Bar(max(totals), 0, spend.total, width=BAR_WIDTH)
        cells = [f"{spend.by_month.get(month, 0):,.0f}" for month in months]
        table.add_row(spend.currency, spend.network, *cells, bar)
    return table


def requests_table(first: Run, second: Run) -> Table:
    """Show what each run asked for, and the bookmarks before and after it."""
    headings = ("report on", "run on", "requests", "from", "bookmark was", "is")
    table = _table("Report requests and bookmarks", *headings)
    for name, level in REPORTS.items():
        before: Mapping[str, str] = {}
        for run in (first, second):
            requests, first_day = run.asked.get(name, Asked(0, "-"))
            was, now = before.get(name, "-"), run.bookmarks.get(name, "-")
            table.add_row(level, str(run.day), str(requests), first_day, was, now)
            before = run.bookmarks
    return table


def late_conversions(first: Run, second: Run) -> str:
    """Say what the second run picked up that came late."""
    last_day = first.day - dt.timedelta(days=1)
    return (
        f"Conversions of {first.day - LOOKBACK}..{last_day}: {first.conversions:,.0f}"
        f" as of {first.day}, {second.conversions:,.0f} as of {second.day}:"
        f" {second.conversions - first.conversions:,.0f} came late and were picked up."
    )


def _table(title: str, *headings: str) -> Table:
    return Table(*headings, title=title, title_justify="left", box=box.SIMPLE)
