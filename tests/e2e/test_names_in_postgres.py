"""The longest names that the tap lets through are tables and columns in Postgres."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import psycopg
from harness.pipeline import FIRST, small_world
from psycopg import sql

from e2e.test_pipeline import load, settings_of
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from pathlib import Path

LEADS = "custom_conversions:14:conversions"
LONGEST_TABLE, LONGEST_COLUMN = "t" * 63, "c" * 63
REPORT: dict[str, Any] = {
    "name": LONGEST_TABLE,
    "entity_level": "keywords",
    "fields": [
        "clicks",
        {"field": LEADS, "column": LONGEST_COLUMN},
        "calculated_metric:*",
        "calculated_metric:999999",
        "tracking_params",
    ],
    "date_range": "yesterday",
}


def test_the_longest_names_flattened_members_and_deleted_metrics_load(
    tmp_path: Path,
) -> None:
    messages = tmp_path / "messages.jsonl"
    with Sandbox(world=small_world(), today=FIRST) as sandbox:
        config = settings_of(sandbox) | {
            "reports": [REPORT],
            "flattening_enabled": True,
            "flattening_max_depth": 1,
            "stream_maps": {"__else__": None, LONGEST_TABLE: {}},
        }
        with messages.open("w") as stdout, contextlib.redirect_stdout(stdout):
            TapAdStage(config=config).sync_all()
    lines = map(json.loads, messages.read_text().splitlines())
    records = [m["record"] for m in lines if m["type"] == "RECORD"]
    columns = [
        "entity_id",
        "clicks",
        LONGEST_COLUMN,
        "calculated_metric_123",
        "calculated_metric_999999",
        "tracking_params__utm_source",
    ]
    query = sql.SQL("select {} from adstage.{}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(LONGEST_TABLE)
    )
    with Postgres() as postgres:
        load(messages, postgres, tmp_path / "target.json")
        with psycopg.connect(postgres.dsn) as connection:
            rows = connection.execute(query).fetchall()
    assert any(record[LONGEST_COLUMN] for record in records)
    assert any(record["tracking_params__utm_source"] for record in records)
    assert sorted(rows, key=repr) == sorted(
        (tuple(record[column] for column in columns) for record in records), key=repr
    )
