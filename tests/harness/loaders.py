"""Loaders as `meltano.yml` and docs/loaders.md set them up, and what they loaded."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import yaml
from psycopg import sql
from psycopg.rows import dict_row

from harness.environment import clean_environment
from harness.markdown import Page
from harness.once import cache_folder, make_once
from harness.paths import ROOT, SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tap_adstage.sandbox.cli.postgres import Postgres

PAGE = Page(ROOT / "docs" / "loaders.md")
DUCKDB = "duckdb-cli==1.5.6"
"""DuckDB's command line, as the page runs it."""


def plugins() -> dict[str, dict[str, Any]]:
    """Return the loaders of `meltano.yml` and of the page, by name."""
    texts = [(ROOT / "meltano.yml").read_text()]
    texts += [block.text for block in PAGE.blocks if block.language == "yaml"]
    return {
        loader["name"]: loader
        for text in texts
        for loader in yaml.safe_load(text)["plugins"]["loaders"]
    }


def installed(*requirements: str, python: str = sys.executable) -> Path:
    """Return the folder of an environment's commands, kept for later runs too."""
    key = (*requirements, python, sys.version)

    def install(folder: Path) -> None:
        environment = folder / "venv"
        for arguments in (
            ["venv", "--python", python, str(environment)],
            ["pip", "install", "--python", str(environment), *requirements],
        ):
            subprocess.run(  # noqa: S603 - uv itself
                [SCRIPTS / "uv", "--quiet", *arguments],
                cwd=folder,  # apart from the project's own constraints
                env=clean_environment(),
                check=True,
                timeout=300,
            )

    return make_once(cache_folder("loader", *key), install) / "venv" / "bin"


def installed_loader(name: str) -> Path:
    """Return the command of a loader, as its `pip_url` installs it."""
    if name == "target-postgres":
        return SCRIPTS / name
    plugin = plugins()[name]
    requirements = plugin["pip_url"].split()
    return installed(*requirements, python=plugin.get("python", sys.executable)) / name


def query_duckdb(
    database: Path | str, query: str, folder: Path
) -> list[dict[str, Any]]:
    """Return the rows of a query, run in a folder by DuckDB's command line."""
    ended = subprocess.run(  # noqa: S603 - DuckDB itself
        [installed(DUCKDB) / "duckdb", "-json", database, query],
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    rows: list[dict[str, Any]] = json.loads(ended.stdout)
    return rows


class LoaderError(Exception):
    """A loader failed, with what it logged."""


@dataclass
class Loader(ABC):
    """A loader that writes into a folder or a database of its own.

    Attributes:
        name: Its name in `meltano.yml`.
        settings: All of them.
        folder: The working folder of its runs.
    """

    name: str
    settings: dict[str, Any]
    folder: Path

    def load(self, lines: Iterable[str]) -> Any:  # noqa: ANN401 - a state
        """Load messages, and return the state that the loader printed last."""
        config = self.folder / "target.json"
        config.write_text(json.dumps(self.settings))
        ended = subprocess.run(  # noqa: S603 - the loader itself
            [installed_loader(self.name), "--config", config],
            cwd=self.folder,
            input="".join(lines),
            capture_output=True,
            env=clean_environment(),
            text=True,
            check=False,
            timeout=120,
        )
        if ended.returncode:
            raise LoaderError(ended.stderr)
        return json.loads(ended.stdout.splitlines()[-1])

    @abstractmethod
    def rows(self, stream: str) -> list[dict[str, Any]]:
        """Return what is in a table, or in all of its files from the oldest on."""


class JsonlLoader(Loader):
    """target-jsonl."""

    def rows(self, stream: str) -> list[dict[str, Any]]:
        return [
            json.loads(line, parse_float=Decimal)
            for path in sorted((self.folder / "output").glob(f"{stream}-*"))
            for line in path.read_text().splitlines()
        ]


class CsvLoader(Loader):
    """MeltanoLabs' target-csv."""

    def rows(self, stream: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for path in sorted((self.folder / "output").glob(f"{stream}-*")):
            with path.open(newline="") as file:
                found += csv.DictReader(file)
        return found


class DuckdbLoader(Loader):
    """target-duckdb."""

    def rows(self, stream: str) -> list[dict[str, Any]]:
        return query_duckdb(
            self.settings["path"], f"from adstage.{stream}", self.folder
        )


@dataclass
class PostgresLoader(Loader):
    """target-postgres.

    Attributes:
        server: The server that it loads into.
    """

    server: Postgres

    def rows(self, stream: str) -> list[dict[str, Any]]:
        return self._select(sql.SQL("*"), stream)

    def json_types(self, stream: str, column: str) -> list[str]:
        """Return the types of a column's JSON values."""
        query = sql.SQL("jsonb_typeof({}) as type").format(sql.Identifier(column))
        return [row["type"] for row in self._select(query, stream)]

    def _select(self, columns: sql.Composable, stream: str) -> list[dict[str, Any]]:
        table = sql.Identifier(self.settings["default_target_schema"], stream)
        query = sql.SQL("select {} from {}").format(columns, table)
        with psycopg.connect(self.server.dsn, row_factory=dict_row) as connection:
            return connection.execute(query).fetchall()
