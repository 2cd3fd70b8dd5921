from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

from . import spotify_api
from .api import TODAY, Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_adstage.sandbox.world.world import World


@pytest.fixture(scope="package")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in the middle of July 2019 that tests only read."""
    with Sandbox(today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture(scope="package")
def api(sandbox: Sandbox) -> Iterator[Api]:
    with Api(sandbox) as api:
        yield api


@pytest.fixture(scope="package")
def world(sandbox: Sandbox) -> World:
    return sandbox.world


@pytest.fixture(scope="package")
def spotify() -> Iterator[spotify_api.SpotifyApi]:
    """A client of a sandbox of Spotify's API that tests only read."""
    with (
        SpotifyAdsSandbox(today=spotify_api.TODAY) as sandbox,
        spotify_api.SpotifyApi(sandbox) as api,
    ):
        yield api
