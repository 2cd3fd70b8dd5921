"""What AdStage takes away is a null column and a warning, and stops nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from harness.logs import warnings
from harness.relay import DESCRIPTORS, Relay

from tap_adstage.exceptions import ConfigError
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from pathlib import Path

    from harness.forked import ForkedTap
    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.server import Sandbox

LEADS = "custom_conversions:14:conversions"
VALUE = "custom_conversions:14:conversion_value"
CALCULATED = "calculated_metric:123"
REPORT: dict[str, Any] = {
    "entity_level": "campaigns",
    "fields": ["clicks"],
    "date_range": "last 3 days",
}


@pytest.fixture
def relay(httpserver: HTTPServer, sandbox: Sandbox) -> Relay:
    return Relay(httpserver, sandbox)


@pytest.fixture
def config(relay: Relay, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        **settings,
        "api_url": relay.api_url,
        "import_policy": "ignore",
        "max_retry_seconds": 0,
    }


def reports(**others: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, **REPORT, **keys} for name, keys in others.items()]


def run(
    forked: ForkedTap, folder: Path, config: dict[str, Any], catalog: dict[str, Any]
) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command line; return its exit code, its messages and its log."""
    for name, document in (("config", config), ("catalog", catalog)):
        (folder / name).write_text(json.dumps(document))
    ended = forked.run(
        folder, "--config", str(folder / "config"), "--catalog", str(folder / "catalog")
    )
    messages = [json.loads(line) for line in ended.stdout.splitlines()]
    return ended.code, messages, ended.stderr


def only_reports(catalog: dict[str, Any], *names: str) -> dict[str, Any]:
    """Select reports, and nothing else."""
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["tap_stream_id"] in names
    return catalog


@pytest.mark.parametrize(("lost", "version"), [(LEADS, 2), (CALCULATED, 2), (LEADS, 1)])
def test_a_deleted_metric_is_one_warning_and_a_null_column_and_all_reports_run(
    relay: Relay,
    config: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
    lost: str,
    version: int,
) -> None:
    column = lost.replace(":", "_")
    config["reports"] = reports(
        a={"fields": ["clicks", lost], "api_version": version},
        b={"api_version": version},
    )
    before = sync(config, streams=["a", "b"])
    assert any(record[column] for record in before.records("a"))
    relay.without(lost).bodies.clear()
    caplog.clear()
    after = sync(config, streams=["a", "b"])
    assert after.records("a") == [{**r, column: None} for r in before.records("a")]
    assert after.records("b") == before.records("b")
    assert all(after.bookmark(name) == before.bookmark(name) for name in "ab")
    assert lost not in json.dumps(after.state)  # so it counts as more once it is back
    (schema,) = after.of("SCHEMA", "a")
    assert schema["schema"]["properties"][column] == {"type": ["number", "null"]}
    assert len(relay.bodies) == 2
    assert lost not in json.dumps(relay.bodies)
    (warning,) = warnings(caplog)
    assert warning.startswith(f"a: AdStage no longer has {lost}; the columns stay")


def test_a_metric_that_comes_back_is_requested_again(
    relay: Relay, config: dict[str, Any], sync: Sync
) -> None:
    config["reports"] = reports(a={"fields": ["clicks", LEADS]})
    relay.without(LEADS)
    catalog = TapAdStage(config=dict(config)).catalog_dict
    sync(config, catalog=catalog, streams=["a"])
    relay.without()
    relay.bodies.clear()
    records = sync(config, catalog=catalog, streams=["a"]).records("a")
    assert LEADS in relay.bodies[0]["fields"]
    assert any(record["custom_conversions_14_conversions"] for record in records)


def test_a_misspelt_plain_field_stays_an_error_for_all(
    relay: Relay, config: dict[str, Any], sync: Sync
) -> None:
    config["reports"] = reports(a={"fields": ["cliks"]}, b={})
    with pytest.raises(ConfigError, match="did you mean clicks"):
        sync(config, streams=["b"])
    assert relay.bodies == []


@pytest.mark.parametrize(
    "keys",
    [
        {"sort_by": CALCULATED},
        {"filters": [{"path": CALCULATED, "op": "gt", "value": 1}]},
    ],
)
def test_a_report_that_needs_a_deleted_metric_fails_and_names_it(
    relay: Relay,
    config: dict[str, Any],
    forked: ForkedTap,
    tmp_path: Path,
    keys: dict[str, Any],
) -> None:
    config["reports"] = reports(a=keys, b={})
    catalog = only_reports(TapAdStage(config=dict(config)).catalog_dict, "a", "b")
    relay.without(CALCULATED)
    code, messages, log = run(forked, tmp_path, config, catalog)
    assert code == 1
    assert f"AdStage no longer has {CALCULATED}" in log
    assert "Traceback" not in log
    assert not [m for m in messages if m["type"] == "RECORD" and m["stream"] == "a"]


@pytest.mark.parametrize("whose", ["/api/metric_descriptors", "/api/organizations/"])
def test_an_empty_list_of_descriptors_is_an_error_and_not_a_column_of_nulls(
    relay: Relay,
    config: dict[str, Any],
    forked: ForkedTap,
    tmp_path: Path,
    whose: str,
) -> None:
    config["reports"] = reports(a={"fields": ["clicks", LEADS]})
    catalog = only_reports(TapAdStage(config=dict(config)).catalog_dict, "a")

    def empty(path: str, document: Any) -> Any:  # noqa: ANN401 - any JSON value
        is_emptied = path.startswith(whose) and path.endswith(DESCRIPTORS)
        return [] if is_emptied else document

    relay.change = empty
    code, messages, log = run(forked, tmp_path, config, catalog)
    assert code == 1
    assert "the answer has no descriptors" in log
    assert not [m for m in messages if m["type"] == "RECORD"]


# --- all there are ---


def test_a_star_has_what_is_there_and_a_new_metric_is_a_new_column(
    relay: Relay, config: dict[str, Any], sync: Sync
) -> None:
    config["reports"] = reports(
        a={"fields": ["clicks", "custom_conversions:*", "calculated_metric:*"]}
    )
    relay.without(LEADS)
    first = sync(config, streams=["a"])
    relay.without()
    second = sync(config, streams=["a"])
    columns = [
        {*messages.of("SCHEMA", "a")[0]["schema"]["properties"]}
        for messages in (first, second)
    ]
    assert columns[1] - columns[0] == {"custom_conversions_14_conversions"}
    assert columns[0] >= {
        "custom_conversions_14_conversion_value",
        "calculated_metric_123",
        "calculated_metric_124",
    }
    assert {LEADS, VALUE, CALCULATED} <= {*relay.bodies[-1]["fields"]}
    assert any(r["custom_conversions_14_conversions"] for r in second.records("a"))


def test_a_metric_that_is_newer_than_the_catalog_is_one_warning(
    relay: Relay,
    config: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config["reports"] = reports(a={"fields": ["clicks", "custom_conversions:*"]})
    relay.without(LEADS)
    catalog = TapAdStage(config=config).catalog_dict
    assert sync(config, catalog=catalog).records("a")
    assert not warnings(caplog)
    relay.without()
    assert sync(config, catalog=catalog).records("a")
    warning, last = warnings(caplog)
    assert warning.startswith(f"a: skipped {LEADS}, as the catalog lacks them; ")
    assert last == "The run is not complete; incomplete: a"


def test_a_star_that_stands_for_nothing_is_one_warning(
    relay: Relay,
    config: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def drop(path: str, document: Any) -> Any:  # noqa: ANN401 - any JSON value
        if not path.endswith(DESCRIPTORS):
            return document
        return [one for one in document if ":" not in one["id"]]

    relay.change = drop
    config["reports"] = reports(a={"fields": ["clicks", "custom_conversions:*"]})
    messages = sync(config, streams=["a"])
    (schema,) = messages.of("SCHEMA", "a")
    assert [*schema["schema"]["properties"]][-1] == "clicks"
    assert messages.records("a")
    (warning,) = warnings(caplog)
    assert warning.startswith("a: AdStage has none of custom_conversions:*")


# --- groups ---


def test_a_group_that_changes_is_one_warning_at_set_up(
    config: dict[str, Any], sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    config["reports"] = reports(
        a={"group_by": "campaign_name"}, b={"group_by": "campaign_entity_id"}
    )
    sync(config, streams=["a", "b"])
    (warning,) = warnings(caplog)
    assert warning.startswith("a: group_by: campaign_name can change in AdStage")
    assert "campaign_entity_id never changes" in warning


def test_a_renamed_campaign_leaves_rows_of_its_old_name_unless_its_id_is_the_group(
    relay: Relay, config: dict[str, Any], sync: Sync
) -> None:
    """The page of the documentation says what happens: this is it."""
    config |= {"reconcile": "off"}
    config["reports"] = reports(
        by_name={"group_by": "campaign_name", "fields": ["spend"]},
        by_id={"group_by": "campaign_entity_id", "fields": ["spend"]},
    )
    before = sync(config, streams=["by_name", "by_id"])
    name = next(r["campaign_name"] for r in before.records("by_name") if r["spend"])
    relay.names = {name: "Renamed"}
    after = sync(config, streams=["by_name", "by_id"])

    def upserted(stream: str, key: str) -> dict[Any, Any]:
        rows = [*before.records(stream), *after.records(stream)]
        return {(row["date"], row[key]): row["spend"] or 0 for row in rows}

    once = sum(r["spend"] or 0 for r in after.records("by_id"))
    assert sum(upserted("by_id", "campaign_entity_id").values()) == once
    assert sum(upserted("by_name", "campaign_name").values()) > once
