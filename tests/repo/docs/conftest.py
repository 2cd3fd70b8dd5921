from __future__ import annotations

import datetime as dt
import itertools
import shutil
from typing import TYPE_CHECKING, Protocol

import psycopg
import pytest
from harness.environment import clean_environment, link_plugins
from harness.paths import ROOT
from psycopg import sql

from tap_adstage.sandbox.cli.environment import loader_settings
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World

from .trial import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TODAY = dt.date(2024, 3, 20)
TOKEN = "YOUR_TOKEN"
NOT_OF_THE_CLONE = (
    ".git",
    ".venv",
    ".meltano",
    "*_cache",
    ".hypothesis",
    "__pycache__",
)


class Databases(Protocol):
    """Makes databases of the one server."""

    def __call__(self) -> Mapping[str, str]: ...


@pytest.fixture(scope="session")
def new_database() -> Iterator[Databases]:
    """Makes an empty database, and returns the loader's settings for it."""
    numbers = itertools.count()
    with Postgres() as server:

        def make() -> Mapping[str, str]:
            name = f"page_{next(numbers)}"
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                query = sql.SQL("create database {}").format(sql.Identifier(name))
                connection.execute(query)
            return loader_settings(server) | {"TARGET_POSTGRES_DATABASE": name}

        yield make


@pytest.fixture(scope="session")
def api() -> Iterator[Sandbox]:
    """The API that answers to the pages' own token, with few ads in each campaign."""
    with Sandbox(
        world=World(ad_groups_per_campaign=1), today=TODAY, token=TOKEN
    ) as sandbox:
        yield sandbox


@pytest.fixture
def place(
    tmp_path: Path,
    api: Sandbox,
    new_database: Databases,
    plugins: Path,
) -> Place:
    """A copy of the clone, with everything that a page may speak to."""
    clone, stage = tmp_path / "clone", tmp_path / "stage"
    ignored = shutil.ignore_patterns(*NOT_OF_THE_CLONE)
    shutil.copytree(ROOT, clone, ignore=ignored)
    link_plugins(plugins, clone)
    stage.mkdir()
    environment = {
        **clean_environment(),
        **new_database(),
        "TAP_ADSTAGE_API_URL": api.api_url,
        "TAP_ADSTAGE_AS_OF": TODAY.isoformat(),
    }
    settings = {"api_url": api.api_url, "as_of": TODAY.isoformat()}
    return Place(clone, stage, environment, settings)
