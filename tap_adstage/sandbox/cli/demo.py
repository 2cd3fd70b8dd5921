"""The demo: Meltano loads a sandbox into Postgres, twice.

`meltano run tap-adstage target-postgres` runs twice, three days apart in the sandbox.
Each step prints a screenful of what it did.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from rich.console import Console

from tap_adstage.sandbox.cli.demo_results import (
    Run,
    count_rows,
    first_run_table,
    second_run_table,
    spend_by_currency,
    spend_table,
    sum_conversions,
)
from tap_adstage.sandbox.cli.demo_texts import (
    closing,
    describe_first_run,
    describe_lookback,
    heading,
    opening,
)
from tap_adstage.sandbox.cli.environment import meltano_settings, without

if TYPE_CHECKING:
    from tap_adstage.sandbox.cli.demo_log import DemoLog
    from tap_adstage.sandbox.cli.demo_reports import DemoReports
    from tap_adstage.sandbox.cli.environment import AnySandbox

PAUSE = dt.timedelta(days=3)
PLUGINS = ("tap-adstage", "target-postgres")
STATE_ID = "dev:tap-adstage-to-target-postgres"

_USER_SETTINGS = ("TAP_ADSTAGE_", "TARGET_POSTGRES_", "MELTANO_RUN_")
"""The user's own settings, among them a real token, which the demo must not use."""

_WIDEST = 100

RunCommand: TypeAlias = Callable[[Sequence[str], Mapping[str, str], int], int]
"""Runs a command in an environment, with its output to a file descriptor."""


class DemoError(Exception):
    """The demo could not go on."""


@dataclass(frozen=True)
class Stage:
    """What the demo runs on.

    Attributes:
        sandbox: A running sandbox, on the day of the first run.
        reports: What to load from it.
        dsn: Connection URL of an empty Postgres database.
        settings: Environment variables that point the tap and the loader at them.
        project: The folder of `meltano.yml`.
        meltano: The path of `meltano`.
        log: Takes the output of Meltano, the tap and the loader.
    """

    sandbox: AnySandbox
    reports: DemoReports
    dsn: str
    settings: Mapping[str, str]
    project: Path
    meltano: str
    log: DemoLog


def open_demo(reports: DemoReports, log: DemoLog) -> Console:
    """Print what is about to happen.

    Returns:
        The console to go on with.
    """
    console = Console(highlight=False, markup=False)
    console.width = min(console.width, _WIDEST)
    console.print(opening(reports, log.name))
    return console


def show_demo(console: Console, stage: Stage, run_command: RunCommand) -> None:
    """Install the plugins, run Meltano twice, and print the results.

    Args:
        console: Prints them.
        stage: What to run on.
        run_command: Runs Meltano.

    Raises:
        DemoError: Meltano fails.
    """
    sandbox, reports = stage.sandbox, stage.reports
    first_day = sandbox.today
    second_day = first_day + PAUSE
    with tempfile.TemporaryDirectory(prefix="tap-adstage-demo-") as home:
        demo = Demo(stage, run_command, Path(home))
        console.print(heading(1, "Meltano installs its plugins, the tap and a loader"))
        seconds = demo.install()
        console.print(f"Installed in {seconds:.0f} s.")
        console.print(heading(2, f"It is {first_day}: the first run loads everything"))
        first = demo.run(first_day)
        console.print(first_run_table(reports, first), describe_first_run(first))
        what = "the second run loads what is new or changed"
        console.print(heading(3, f"It is {second_day}: {what}"))
        second = demo.run(second_day)
        console.print(second_run_table(reports, first, second))
        console.print(describe_lookback(first, second))
    with psycopg.connect(stage.dsn) as connection:
        spend = spend_by_currency(connection, reports)
    days = f"{first_day - reports.history} to {second_day - dt.timedelta(days=1)}"
    console.print(heading(4, f"Spend in Postgres by {reports.spenders}, {days}"))
    console.print(spend_table(spend))
    # A command that the terminal wraps, and not this one, can still be copied.
    console.print(closing(reports, stage.log.name), soft_wrap=True)


class Demo:
    """Runs Meltano on a sandbox and a Postgres, apart from the user's own runs."""

    def __init__(self, stage: Stage, run_command: RunCommand, home: Path) -> None:
        """Prepare the runs; Meltano keeps its own data in `home`, an empty folder."""
        self._sandbox = stage.sandbox
        self._reports = stage.reports
        self._dsn = stage.dsn
        self._settings = stage.settings
        self._log = stage.log
        self._run_command = run_command
        self._home = home
        self._first_day = self._sandbox.today
        self._project = stage.project
        # Meltano reads this empty file instead of the project's `.env`.
        dotenv = home / "empty.env"
        dotenv.touch()
        self._meltano = [stage.meltano, f"--env-file={dotenv}", "--environment=dev"]

    def install(self) -> float:
        """Have Meltano install the plugins, for the user's own runs too.

        Returns:
            How many seconds that took.
        """
        plugins = self._project / ".meltano"
        seconds = self._call("install", *PLUGINS, system=plugins)
        for folder in ("extractors", "loaders"):
            (self._home / folder).symlink_to(plugins / folder)
        return seconds

    def run(self, day: dt.date) -> Run:
        """Load the data of a day, and collect the results."""
        self._sandbox.today = day
        before = len(self._sandbox.requests)
        seconds = self._call("run", "--no-install", *PLUGINS, system=self._home)
        requests = self._sandbox.requests[before:]
        # The days that the second run reads again are those before the first bookmark.
        bookmark = self._first_day - dt.timedelta(days=1)
        with psycopg.connect(self._dsn) as connection:
            return Run(
                day=day,
                seconds=seconds,
                first_days=self._reports.first_days(requests),
                bookmarks=read_bookmarks(self._state(), self._reports.levels),
                rows=count_rows(connection, self._reports.schema),
                conversions=sum_conversions(connection, self._reports, bookmark),
            )

    def _call(self, *arguments: str, system: Path) -> float:
        command = [*self._meltano, *arguments]
        environment = self._environment(system)
        started = time.monotonic()
        if code := self._run_command(command, environment, self._log.descriptor):
            raise self._error(arguments, code)
        return time.monotonic() - started

    def _state(self) -> dict[str, Any]:
        arguments = ("state", "get", STATE_ID)
        result = subprocess.run(  # noqa: S603  no user input
            [*self._meltano, *arguments],
            env=self._environment(self._home),
            stdout=subprocess.PIPE,
            stderr=self._log.descriptor,
            text=True,
            check=False,
        )
        if result.returncode:
            raise self._error(arguments, result.returncode)
        return dict(json.loads(result.stdout))

    def _error(self, arguments: Sequence[str], code: int) -> DemoError:
        line = f"meltano {' '.join(arguments)}"
        return DemoError(f"`{line}` ended with {code}; {self._log.end()}")

    def _environment(self, system: Path) -> dict[str, str]:
        return {
            **without(os.environ, _USER_SETTINGS),
            **self._settings,
            **self._reports.tap_settings(self._first_day),
            "TAP_ADSTAGE_AS_OF": self._sandbox.today.isoformat(),
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": self._reports.schema,
            "MELTANO_PROJECT_ROOT": str(self._project),
            "MELTANO_SYS_DIR_ROOT": str(system),
            **meltano_settings(str(self._home)),
        }


def find_meltano() -> str:
    """Return the path of `meltano`, preferably in this Python environment."""
    scripts = sysconfig.get_path("scripts")
    meltano = shutil.which("meltano", path=scripts) or shutil.which("meltano")
    if meltano is None:
        raise DemoError("The demo needs Meltano; pip install meltano")
    return meltano


def find_project() -> Path:
    """Return the clone that this package runs from, else the working directory."""
    for folder in (Path(__file__).parents[3], Path.cwd()):
        if (folder / "meltano.yml").is_file():
            return folder
    raise DemoError(
        "The demo needs the project's meltano.yml; run it in a clone of the repository"
    )


def read_bookmarks(state: Mapping[str, Any], reports: Iterable[str]) -> dict[str, str]:
    """Return the bookmark of each report in Meltano's state."""
    bookmarks = state.get("singer_state", {}).get("bookmarks", {})
    return {
        name: bookmarks[name]["replication_key_value"]
        for name in reports
        if name in bookmarks
    }
