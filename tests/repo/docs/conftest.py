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
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.world import World as SpotifyWorld
from tap_adstage.sandbox.world.world import World

from .trial import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TODAY = dt.date(2024, 3, 20)
TOKEN = "YOUR_TOKEN"
OF_SPOTIFY = {"fivetran.md", "spotify-ads.md"}
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
def spotify_api() -> Iterator[SpotifyAdsSandbox]:
    """Spotify's API, which takes the pages' own credentials, as yet unrotated."""
    with SpotifyAdsSandbox(
        world=SpotifyWorld(shape=((1, 2, 1),)),
        today=TODAY,
        client_id="YOUR_CLIENT",
        client_secret="YOUR_SECRET",
        refresh_token="YOUR_REFRESH_TOKEN",
    ) as sandbox:
        yield sandbox


@pytest.fixture
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    api: Sandbox,
    spotify_api: SpotifyAdsSandbox,
    new_database: Databases,
    plugins: Path,
) -> Place:
    """A copy of the clone, with everything that a page may speak to.

    Commands with settings from the environment read the API that the page is about.
    """
    clone, stage = tmp_path / "clone", tmp_path / "stage"
    ignored = shutil.ignore_patterns(*NOT_OF_THE_CLONE)
    shutil.copytree(ROOT, clone, ignore=ignored)
    link_plugins(plugins, clone)
    stage.mkdir()
    settings = {
        "adstage": {"api_url": api.api_url},
        "spotify_ads": {
            "api_url": spotify_api.api_url,
            "oauth_token_url": spotify_api.token_url,
        },
    }
    for each in settings.values():
        each["as_of"] = TODAY.isoformat()
    page = request.node.callspec.params["path"].name
    source = "spotify_ads" if page in OF_SPOTIFY else "adstage"
    environment = {
        **clean_environment(),
        **new_database(),
        **{
            f"TAP_ADSTAGE_{key.upper()}": text for key, text in settings[source].items()
        },
    }
    return Place(clone, stage, environment, settings)
