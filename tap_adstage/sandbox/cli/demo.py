"""The demo: Meltano loads a sandbox into Postgres, twice.

`meltano run tap-adstage target-postgres` runs twice, three days apart in the sandbox.
Then tables show the requests of each run and the rows in the database.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from rich.console import Console

from tap_adstage.sandbox.cli.demo_reports import REPORTS
from tap_adstage.sandbox.cli.demo_results import (
    Run,
    count_rows,
    describe_late_conversions,
    requests_table,
    rows_table,
    spend_by_month,
    spend_table,
    sum_conversions,
)
from tap_adstage.sandbox.cli.environment import meltano_settings, without

if TYPE_CHECKING:
    from tap_adstage.sandbox.cli.demo_reports import DemoReports
    from tap_adstage.sandbox.cli.environment import AnySandbox

__all__ = ["PAUSE", "REPORTS", "DemoError", "Stage", "show_demo"]

PAUSE = dt.timedelta(days=3)
PLUGINS = ("tap-adstage", "target-postgres")
STATE_ID = "dev:tap-adstage-to-target-postgres"

_USER_SETTINGS = ("TAP_ADSTAGE_", "TARGET_POSTGRES_", "MELTANO_RUN_")
"""The user's own settings, among them a real token, which the demo must not use."""

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
    """

    sandbox: AnySandbox
    reports: DemoReports
    dsn: str
    settings: Mapping[str, str]


def show_demo(stage: Stage, run_command: RunCommand) -> None:
    """Install the plugins, run Meltano twice, and print the results.

    Args:
        stage: What to run on.
        run_command: Runs Meltano.

    Raises:
        DemoError: Meltano is missing or fails.
    """
    sandbox, reports = stage.sandbox, stage.reports
    console = Console()
    first_day = sandbox.today
    second_day = first_day + PAUSE
    with tempfile.TemporaryDirectory(prefix="tap-adstage-demo-") as home:
        demo = Demo(stage, run_command, Path(home))
        console.print("1/3 Meltano installs the plugins")
        demo.install()
        console.print(f"2/3 {first_day}: the first run loads everything")
        first = demo.run(first_day)
        console.print(f"3/3 {second_day}: the second run loads what is new or changed")
        second = demo.run(second_day)
    with psycopg.connect(stage.dsn) as connection:
        spend = spend_by_month(connection, reports)
    console.print(rows_table(first, second), spend_table(spend, reports.spenders))
    console.print(
        requests_table(reports.levels, first, second),
        describe_late_conversions(first, second),
    )


class Demo:
    """Runs Meltano on a sandbox and a Postgres, apart from the user's own runs."""

    def __init__(self, stage: Stage, run_command: RunCommand, home: Path) -> None:
        """Prepare the runs; Meltano keeps its own data in `home`, an empty folder."""
        self._sandbox = stage.sandbox
        self._reports = stage.reports
        self._dsn = stage.dsn
        self._settings = stage.settings
        self._run_command = run_command
        self._home = home
        self._first_day = self._sandbox.today
        self._project = find_project()
        # Meltano reads this empty file instead of the project's `.env`.
        dotenv = home / "empty.env"
        dotenv.touch()
        self._meltano = [find_meltano(), f"--env-file={dotenv}", "--environment=dev"]

    def install(self) -> None:
        """Have Meltano install the plugins, for the user's own runs too."""
        plugins = self._project / ".meltano"
        self._call("install", *PLUGINS, system=plugins)
        for folder in ("extractors", "loaders"):
            (self._home / folder).symlink_to(plugins / folder)

    def run(self, day: dt.date) -> Run:
        """Load the data of a day, and collect the results."""
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
                requests=self._reports.count(requests),
                bookmarks=read_bookmarks(self._state(), self._reports.levels),
                rows=count_rows(connection, self._reports.schema),
                conversions=sum_conversions(connection, self._reports, self._first_day),
            )

    def _call(self, *arguments: str, system: Path) -> None:
        command = [*self._meltano, *arguments]
        environment = self._environment(system)
        if code := self._run_command(command, environment, sys.stderr.fileno()):
            line = f"meltano {' '.join(arguments)}"
            raise DemoError(f"`{line}` ended with {code}; see its output above")

    def _state(self) -> dict[str, Any]:
        result = subprocess.run(  # noqa: S603  no user input
            [*self._meltano, "state", "get", STATE_ID],
            env=self._environment(self._home),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise DemoError(f"`meltano state get {STATE_ID}` failed:\n{result.stderr}")
        return dict(json.loads(result.stdout))

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
