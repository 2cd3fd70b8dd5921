from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from harness.environment import clean_environment, link_plugins
from harness.pipeline import FIRST, OWN_FILE, SETTINGS, Pipeline, small_world

from tap_adstage.sandbox.cli.environment import loader_settings
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_adstage.sandbox.world.world import World


@pytest.fixture
def world() -> World:
    """The sandbox's world, a small one: each row takes its time to load."""
    return small_world()


@pytest.fixture
def pipeline(plugins: Path, tmp_path: Path, world: World) -> Iterator[Pipeline]:
    """Meltano with a sandbox, a Postgres, a project and a state of its own."""
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(plugins / "meltano.yml", project)
    (project / "ads.meltano.yml").write_text(OWN_FILE)
    link_plugins(plugins, project)
    with Sandbox(world=world, today=FIRST) as sandbox, Postgres() as postgres:
        environment = {
            **clean_environment(),
            **SETTINGS,
            **loader_settings(postgres),
            "TAP_ADSTAGE_API_URL": sandbox.api_url,
            "TAP_ADSTAGE_ACCESS_TOKEN": sandbox.token,
            "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path / 'meltano.db'}",
        }
        yield Pipeline(sandbox, postgres, environment, project)
