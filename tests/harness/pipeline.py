"""The main job for real: the sandbox, through Meltano, into Postgres."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import yaml
from psycopg import sql
from psycopg.rows import dict_row

from harness.environment import clean_environment
from harness.paths import ROOT, SCRIPTS
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tap_adstage.sandbox.cli.postgres import Postgres
    from tap_adstage.sandbox.server import Sandbox

PLUGINS = ("ads", "target-postgres")
OWN_FILE = """\
plugins:
  extractors:
  - name: ads
    inherit_from: tap-adstage
"""
"""`ads.meltano.yml`, as docs/meltano.md has it; its settings are variables here."""

FIRST, SECOND = dt.date(2024, 3, 20), dt.date(2024, 3, 23)
START, LOOKBACK = dt.date(2024, 3, 1), 7
FIELDS = ("clicks", "impressions", "spend", "conversions")
LEVELS = ("accounts", "campaigns", "ads", "keywords")
SETTINGS = {
    "TAP_ADSTAGE_START_DATE": START.isoformat(),
    "TAP_ADSTAGE_LOOKBACK_DAYS": str(LOOKBACK),
    "TAP_ADSTAGE_WINDOW_DAYS": "5",
    "TAP_ADSTAGE_REPORTS": json.dumps(
        [
            {"name": f"daily_{level}", "entity_level": level, "fields": [*FIELDS]}
            for level in LEVELS
        ]
        + [
            {
                "name": "monthly_by_network",
                "entity_level": "accounts",
                "aggregate_by": "month",
                "group_by": "network",
                "fields": ["spend", "account_name"],
            },
        ],
    ),
}
OUTPUT_SIZE = 2**20
"""Bytes of output that a command can write before anyone reads it."""

LOADER = {
    f"TARGET_POSTGRES_{name.upper()}": json.dumps(value)
    for name, value in yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"][
        "loaders"
    ][0]["config"].items()
    if isinstance(value, bool)
}
"""What `meltano.yml` sets for the loader, as variables."""


def small_world(seed: int = 1) -> World:
    """Return a world with each kind of entity for each account, but few of them."""
    return World(seed, campaigns_per_account=1, ad_groups_per_campaign=2)


def meltano(project: Path, *arguments: str, **variables: str) -> str:
    """Run Meltano in a project, assert that it succeeds, and return its output."""
    ended = subprocess.run(  # noqa: S603 - Meltano itself
        [str(SCRIPTS / "meltano"), *arguments],
        cwd=project,
        env=clean_environment() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def commands(page: str, heading: str) -> list[str]:
    """The shell scripts in a section of a page of `docs/`."""
    text = (ROOT / "docs" / page).read_text()
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


@dataclass
class Pipeline:
    """Meltano with a project, a state and a database of its own."""

    sandbox: Sandbox
    postgres: Postgres
    environment: dict[str, str]
    project: Path

    def start(
        self,
        *command: str,
        day: dt.date,
        **environment: str,
    ) -> subprocess.Popen[str]:
        """Start a command on a day, with variables of its own."""
        self.sandbox.today = day
        return subprocess.Popen(  # noqa: S603 - Meltano, or what runs it
            [*command],
            cwd=self.project,
            env=self.environment | {"TAP_ADSTAGE_AS_OF": day.isoformat()} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pipesize=OUTPUT_SIZE,
            start_new_session=True,
        )

    def finish(self, *command: str, day: dt.date, **environment: str) -> str:
        """Run a command, assert that it succeeds, and return its output."""
        process = self.start(*command, day=day, **environment)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        return output

    def run(self, day: dt.date, *options: str) -> str:
        return self.finish("meltano", "run", *options, *PLUGINS, day=day)

    def run_script(self, script: str, day: dt.date, **environment: str) -> str:
        """Run a page's commands, and assert that they succeed."""
        return self.finish("bash", "-ec", script, day=day, **environment)

    def run_whole(self, day: dt.date, schema: str = "whole") -> None:
        """Load without shards and without Meltano, into a schema with its own state."""
        state = self.project / f"{schema}.json"
        option = f"--state {state}" if state.exists() else ""
        self.finish(
            *("bash", "-o", "pipefail", "-ec"),
            f"tap-adstage --config=ENV {option} | target-postgres --config=ENV > states"
            f"; tail -n 1 states > {state}",
            day=day,
            TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=schema,
            **LOADER,
        )

    def started_run(
        self, day: dt.date, report_requests: int, *options: str
    ) -> subprocess.Popen[str]:
        """Start a run, and return once it has sent so many report requests."""
        before = len(self.questions())
        meltano = self.start("meltano", "run", *options, *PLUGINS, day=day)
        self.await_questions(meltano, before + report_requests)
        return meltano

    def await_questions(self, process: subprocess.Popen[str], number: int) -> None:
        """Wait until so many reports have been requested in all."""
        deadline = time.monotonic() + 600
        while len(self.questions()) < number:
            assert process.poll() is None, "the run ended too early"
            assert time.monotonic() < deadline, "the run does not get on"
            time.sleep(0.01)

    def questions(self) -> list[dict[str, Any]]:
        requests = list(self.sandbox.requests)
        return [r.body for r in requests if r.path.endswith("/report")]

    def daily_ranges(self, asked: int) -> list[str]:
        """Return the ranges of daily reports after the first so many requests."""
        return [
            question["date_range"]
            for question in self.questions()[asked:]
            if len(question["fields"]) == 7
        ]

    def table(self, name: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.dsn, row_factory=dict_row) as connection:
            query = sql.SQL("select * from adstage.{}").format(sql.Identifier(name))
            rows = connection.execute(query).fetchall()
        return sorted(
            (tuple(row[column] for column in columns) for row in rows),
            key=repr,
        )

    def tables(self, schema: str = "adstage") -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of all tables, without the loader's own columns."""
        columns: dict[str, list[sql.Identifier]] = {}
        with psycopg.connect(self.postgres.dsn) as connection:
            for table, column in connection.execute(
                "select table_name, column_name from information_schema.columns "
                "where table_schema = %s and not starts_with(column_name, '_sdc_') "
                "order by table_name, column_name",
                [schema],
            ).fetchall():
                columns.setdefault(table, []).append(sql.Identifier(column))
            return {
                table: sorted(
                    connection.execute(
                        sql.SQL("select {} from {}").format(
                            sql.SQL(", ").join(names),
                            sql.Identifier(schema, table),
                        ),
                    ).fetchall(),
                    key=repr,
                )
                for table, names in columns.items()
            }
