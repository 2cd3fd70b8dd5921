"""What the shipped settings of target-postgres load is exactly what AdStage wrote."""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from harness.paths import ROOT, SCRIPTS

from tap_adstage.sandbox.cli.environment import loader_settings
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer

NUMBERS = {
    "clicks": ["3589", "0"],
    "impressions": ["12345678901234567", "9007199254740993"],
    "spend": ["12345678901234567.25", "0.1"],
}
METRICS = ", ".join(f'"{name}": [{", ".join(each)}]' for name, each in NUMBERS.items())
PAGE = """{
  "type": "timeseries",
  "time": {"timestamps": ["2024-03-18T00:00:00Z", "2024-03-19T00:00:00Z"]},
  "_embedded": {"results": [{
    "summary": {"meta": {"entity_id": "/network/adwords/campaign/1",
                         "network": "adwords", "campaign_name": "a\\u0000b\\ud83d"}},
    "series": {"metrics": {METRICS}, "calculated": {}}}]}
}""".replace("METRICS", METRICS)


@pytest.fixture
def settings(httpserver: HTTPServer) -> dict[str, Any]:
    answers = {
        "/organizations/40": '{"fetch_id": 40}',
        "/metric_descriptors": json.dumps([{"id": name} for name in NUMBERS]),
        "/organizations/40/metric_descriptors": '[{"id": "ctr"}]',
        "/v2/organizations/40/report": PAGE,
    }
    for path, text in answers.items():
        request = httpserver.expect_request(f"/api{path}")
        request.respond_with_data(text, content_type="application/json")
    report = {
        "name": "exact",
        "entity_level": "campaigns",
        "fields": [*NUMBERS, "campaign_name"],
        "date_range": "2024-03-18..2024-03-19",
    }
    return {
        "api_url": httpserver.url_for("/api"),
        "access_token": "s3cret",
        "organization_id": 40,
        "as_of": "2024-03-20",
        "import_policy": "ignore",
        "reconcile": "off",
        "reports": [report],
    }


@pytest.mark.parametrize("is_batch", [False, True])
def test_numbers_arrive_digit_by_digit_and_texts_that_postgres_can_store(
    settings: dict[str, Any],
    tmp_path: Path,
    is_batch: bool,  # noqa: FBT001 - of a table
) -> None:
    if is_batch:
        settings["batch_config"] = {
            "encoding": {"format": "jsonl", "compression": "none"},
            "storage": {"root": (tmp_path / "batches").as_uri()},
        }
    tap = TapAdStage(config=settings)
    for name, stream in tap.streams.items():
        stream.selected = name == "exact"
    messages = tmp_path / "messages.jsonl"
    with messages.open("w") as stdout, contextlib.redirect_stdout(stdout):
        tap.sync_all()
    with Postgres() as postgres, psycopg.connect(postgres.dsn) as connection:
        load(messages, postgres)
        rows = connection.execute(
            "select clicks::text, impressions::text, spend::text, campaign_name "
            "from adstage.exact order by date"
        ).fetchall()
    names = ["a\ufffdb\ufffd"] * 2
    assert rows == [*zip(*NUMBERS.values(), names, strict=True)]


def load(messages: Path, postgres: Postgres) -> None:
    """Load messages with the settings of `meltano.yml`."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    (loader,) = project["plugins"]["loaders"]
    connection: dict[str, Any] = {
        name.removeprefix("TARGET_POSTGRES_").lower(): value
        for name, value in loader_settings(postgres).items()
    }
    connection["port"] = int(connection["port"])
    config = messages.with_name("target.json")
    config.write_text(json.dumps(loader["config"] | connection))
    with messages.open() as stdin:
        subprocess.run(  # noqa: S603 - the real target-postgres
            [SCRIPTS / "target-postgres", "--config", config],
            stdin=stdin,
            check=True,
            timeout=120,
        )
