"""What Meltano and the loader make of a run in which some streams fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.failures import Front
from harness.pipeline import FIRST, PLUGINS, SECOND

if TYPE_CHECKING:
    from harness.pipeline import Pipeline
    from pytest_httpserver import HTTPServer


def test_what_was_read_is_loaded_and_its_bookmarks_are_kept(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    front = Front(httpserver, pipeline.sandbox)
    pipeline.environment |= {
        "TAP_ADSTAGE_API_URL": front.settings["api_url"],
        "TAP_ADSTAGE_EMIT_ACTIVATE_VERSION_MESSAGES": "true",
        "TARGET_POSTGRES_ADD_RECORD_METADATA": "true",
        "TARGET_POSTGRES_ACTIVATE_VERSION": "true",
        "TARGET_POSTGRES_HARD_DELETE": "true",
    }
    pipeline.run(FIRST)
    before = pipeline.tables()
    assert before["folder_campaigns"]

    front.answers = {"/list_folders": 403, '/report .*"entity_level": "campaigns"': 403}
    process = pipeline.start("meltano", "run", *PLUGINS, day=SECOND)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "Extractor failed" in output
    assert (
        "The run is not complete; failed: daily_campaigns, folder_campaigns, folders"
        in output
    )
    after = pipeline.tables()
    for name in ("folders", "folder_campaigns", "daily_campaigns"):
        assert after[name] == before[name]
    assert len(after["daily_accounts"]) > len(before["daily_accounts"])
    state_id = "dev:ads-to-target-postgres"
    output = pipeline.finish("meltano", "state", "get", state_id, day=SECOND)
    document = next(line for line in output.splitlines() if line.startswith("{"))
    bookmarks = json.loads(document)["singer_state"]["bookmarks"]
    assert bookmarks["daily_campaigns"]["replication_key_value"] == "2024-03-19"
    assert bookmarks["daily_accounts"]["replication_key_value"] == "2024-03-22"

    front.answers.clear()
    pipeline.run(SECOND)
    healed = pipeline.tables()
    assert len(healed["daily_campaigns"]) > len(before["daily_campaigns"])
