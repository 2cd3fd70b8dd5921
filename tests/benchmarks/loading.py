"""From the tap into a real Postgres, with Meltano and without."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asked
import click
import psycopg
import yaml
from psycopg import sql
from runs import environment, run

from tap_adstage.sandbox.cli.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench import Bench
    from runs import Contestant, Run

_ROOT = Path(__file__).parents[2]
_SCRIPTS = Path(sysconfig.get_path("scripts"))
_LOADER = str(_SCRIPTS / "target-postgres")
_MELTANO = str(_SCRIPTS / "meltano")
_COLUMNS = ("date", *asked.META, *asked.METRICS)


def load_with_meltano(bench: Bench) -> tuple[dict[str, list[Run]], float]:
    """Load the report by the shipped `meltano.yml`, and with the loader's defaults.

    Returns:
        The runs of both, and the seconds of a run that has no rows to load.
    """
    project = _installed_project(bench.folder)
    shipped = {
        "TAP_ADSTAGE__SELECT": json.dumps([f"{asked.DAYS.name}.*"]),
        "MELTANO_STATE_BACKEND_URI": "systemdb",
        **_variables("TAP_ADSTAGE", bench.tap_settings),
    }
    defaults = _variables("TARGET_POSTGRES", _loader_defaults())
    with Postgres() as postgres:

        def loading(schema: str, extra: Mapping[str, str]) -> Contestant:
            database = bench.folder / f"{schema}.db"
            settings = _connection(postgres) | {"default_target_schema": schema}
            variables = {
                **shipped,
                **_variables("TARGET_POSTGRES", settings),
                "MELTANO_DATABASE_URI": f"sqlite:///{database}",
                **extra,
            }

            def load() -> Run:
                bench.server.prepare()
                database.unlink(missing_ok=True)  # and with it the bookmarks
                return run(
                    [_MELTANO, "run", "tap-adstage", "target-postgres"],
                    bench.folder,
                    extra=variables,
                    cwd=project,
                )

            return load

        runs = bench.load(
            {
                "as shipped": _into(
                    postgres, "shipped", bench.rows, loading("shipped", {})
                ),
                "loader's defaults": _into(
                    postgres, "defaults", bench.rows, loading("defaults", defaults)
                ),
            },
        )
        _check_same_tables(postgres, "shipped", "defaults")
        before_the_report = {"TAP_ADSTAGE_AS_OF": str(bench.first_day)}
        empty = loading("empty", before_the_report)()
    return runs, empty.wall


def load_with_and_without_batches(
    bench: Bench,
    root: Path,
    batch_config: dict[str, Any],
) -> dict[str, list[Run]]:
    """Load the report as records, and as BATCH messages, without Meltano."""
    with Postgres() as postgres:

        def loading(schema: str, tap: list[str]) -> Contestant:
            settings = _shipped_loader_settings() | _connection(postgres)
            settings["default_target_schema"] = schema
            loader = [_LOADER, "--config", bench.written(f"loader-{schema}", settings)]
            pipeline = f"set -o pipefail; {shlex.join(tap)} | {shlex.join(loader)}"

            def load() -> Run:
                shutil.rmtree(root, ignore_errors=True)
                root.mkdir()
                bench.server.prepare()
                return run(["bash", "-c", pipeline], bench.folder)

            return _into(postgres, schema, bench.rows, load)

        runs = bench.load(
            {
                "records": loading("records", bench.tap()),
                "batches": loading(
                    "batches", bench.tap("batching", batch_config=batch_config)
                ),
            },
        )
        _check_same_tables(postgres, "records", "batches")
    return runs


def _into(
    postgres: Postgres,
    schema: str,
    rows: int,
    load: Callable[[], Run],
) -> Contestant:
    """Load into a new schema; its table must have so many rows afterwards."""
    table = sql.Identifier(schema, asked.DAYS.name)

    def load_anew() -> Run:
        with psycopg.connect(postgres.dsn) as connection:
            drop = sql.SQL("drop schema if exists {} cascade")
            connection.execute(drop.format(sql.Identifier(schema)))
        ended = load()
        found = _number(postgres, sql.SQL("select count(*) from {}").format(table))
        if found != rows:
            raise click.ClickException(f"{schema}: {found} rows and not {rows}")
        return ended

    return load_anew


def _check_same_tables(postgres: Postgres, one: str, other: str) -> None:
    """Refuse tables if one has a row that the other has not."""
    columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    left, right = (
        sql.SQL("select {} from {}").format(
            columns, sql.Identifier(each, asked.DAYS.name)
        )
        for each in (one, other)
    )
    for ours, theirs in ((left, right), (right, left)):
        query = sql.SQL("select count(*) from ({} except all {})").format(ours, theirs)
        if _number(postgres, query):
            raise click.ClickException(f"{one} and {other} have different rows")


def _number(postgres: Postgres, query: sql.Composed) -> int:
    with psycopg.connect(postgres.dsn) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _installed_project(folder: Path) -> Path:
    """A copy of the project, in which Meltano has installed the plugins."""
    project = folder / "project"
    project.mkdir()
    for name in ("meltano.yml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(_ROOT / name, project / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(_ROOT / "tap_adstage", project / "tap_adstage", ignore=ignored)
    click.echo("  Meltano installs the plugins", err=True)
    subprocess.run(  # noqa: S603 - Meltano itself
        [_MELTANO, "install"],
        cwd=project,
        env=environment(),
        check=True,
        capture_output=True,
    )
    return project


def _shipped_loader_settings() -> dict[str, Any]:
    """What `meltano.yml` sets for the loader."""
    plugins = yaml.safe_load((_ROOT / "meltano.yml").read_text())["plugins"]
    loader = plugins["loaders"][0]
    settings: dict[str, Any] = loader["config"]
    return settings


def _loader_defaults() -> dict[str, Any]:
    """The loader's own defaults of what `meltano.yml` sets."""
    about = subprocess.run(  # noqa: S603 - the loader itself
        [_LOADER, "--about", "--format", "json"],
        env=environment(),
        check=True,
        capture_output=True,
    )
    known = json.loads(about.stdout)["settings"]["properties"]
    shipped = {*_shipped_loader_settings()} - {"default_target_schema"}
    return {name: known[name]["default"] for name in shipped}


def _connection(postgres: Postgres) -> dict[str, Any]:
    return {
        "host": postgres.host,
        "port": postgres.port,
        "user": postgres.user,
        "password": postgres.password,
        "database": postgres.database,
    }


def _variables(prefix: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as environment variables, as Meltano reads them."""
    return {
        f"{prefix}_{name.upper()}": value
        if isinstance(value, str)
        else json.dumps(value)
        for name, value in settings.items()
    }
