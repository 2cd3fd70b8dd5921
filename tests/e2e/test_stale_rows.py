"""docs/state.md: how rows of what AdStage no longer has are deleted."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
from harness.environment import clean_environment
from harness.markdown import Page
from harness.paths import ROOT, SCRIPTS
from harness.pipeline import FIRST, SECOND, small_world
from psycopg import sql

from tap_adstage.sandbox.cli.environment import loader_settings
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tap_adstage.sandbox.world.world import World

TEST = "test_the_page_s_sql_deletes_what_is_gone_and_nothing_else"
FOLDER = 168
REPORTS: list[dict[str, Any]] = [
    {
        "name": "campaign_performance",
        "entity_level": "campaigns",
        "fields": ["clicks", "remote_account_id"],
    },
    {
        "name": "folder",
        "entity_level": "campaigns",
        "fields": ["clicks"],
        "targets": [f"/network/adstage/folder/{FOLDER}"],
    },
]


def load(sandbox: Sandbox, postgres: Postgres, folder: Path) -> None:
    """Load all streams into Postgres."""
    config = folder / "config.json"
    settings = {
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "as_of": sandbox.today.isoformat(),
        "start_date": "2024-03-18",
        "reports": REPORTS,
    }
    config.write_text(json.dumps(settings))
    pipe = (
        f"{SCRIPTS}/tap-adstage --config config.json |"
        f"{SCRIPTS}/target-postgres --config=ENV"
    )
    subprocess.run(  # noqa: S603 - the project's own commands
        ["bash", "-o", "pipefail", "-c", pipe],  # noqa: S607
        cwd=folder,
        env={
            **clean_environment(),
            **loader_settings(postgres),
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "adstage",
        },
        check=True,
        timeout=120,
    )


def loaded(connection: psycopg.Connection, table: str, *columns: str) -> set[Any]:
    query = sql.SQL("select {} from adstage.{}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
    )
    return {*connection.execute(query).fetchall()}


def expected(world: World) -> dict[str, set[Any]]:
    """What the tables hold of what AdStage has."""
    (folder,) = (each for each in world.folders if each.fetch_id == FOLDER)
    return {
        "accounts": {(each.entity_id,) for each in world.entities("accounts")},
        "members": {
            (str(each.fetch_id), campaign.network, campaign.remote_id)
            for each in world.folders
            for campaign in each.campaigns
        },
        "campaigns": {(each.entity_id,) for each in world.entities("campaigns")},
        "folder": {(campaign.entity_id,) for campaign in folder.campaigns},
    }


def found(connection: psycopg.Connection) -> dict[str, set[Any]]:
    members = ("folder_id", "network", "remote_campaign_id")
    return {
        "accounts": loaded(connection, "accounts", "entity_id"),
        "members": loaded(connection, "folder_campaigns", *members),
        "campaigns": loaded(connection, "campaign_performance", "entity_id"),
        "folder": loaded(connection, "folder", "entity_id"),
    }


def test_the_page_s_sql_deletes_what_is_gone_and_nothing_else(tmp_path: Path) -> None:
    scripts = [
        block.text
        for block in Page(ROOT / "docs" / "state.md").blocks
        if block.marks.get("run by", "").endswith(f"::{TEST}")
    ]
    assert len(scripts) == 3
    world = small_world()
    (folder,) = (each for each in world.folders if each.fetch_id == FOLDER)
    with (
        Sandbox(world=world, today=FIRST) as sandbox,
        Postgres() as postgres,
        psycopg.connect(postgres.dsn, autocommit=True) as connection,
    ):
        load(sandbox, postgres, tmp_path)
        before = expected(world)
        assert found(connection) == before
        world.unlinked = frozenset({folder.campaigns[0].account.entity_id})
        sandbox.today = SECOND
        load(sandbox, postgres, tmp_path)
        assert found(connection) == before  # they stay
        for script in scripts:
            connection.execute(script.encode())
        after = expected(world)
        assert all(after[name] < before[name] for name in before)
        assert found(connection) == after
