"""Flattened records have the keys of their SCHEMA, whatever is in their objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from harness.logs import warnings
from harness.relay import Relay

from tap_adstage.exceptions import ConfigError

if TYPE_CHECKING:
    from harness.singer import Messages, Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.server import Sandbox

REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "ads",
    "fields": [
        "clicks",
        "objective",
        "tracking_params",
        "tracking_params.utm_source",
        "tracking_params.hsa_cam",
        "folder_names",
    ],
    "date_range": "yesterday",
    "networks": ["adwords", "facebook"],
}
UTM = ["utm_medium", "utm_source", "utm_campaign", "utm_content", "utm_term"]
STREAMS = ["daily", "users", "folders", "accounts", "metric_descriptors"]


@pytest.fixture
def config(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        **settings,
        "reports": [REPORT],
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "import_policy": "ignore",
    }


def assert_alike(messages: Messages) -> dict[str, set[str]]:
    """Compare the keys of each record with its SCHEMA's; return those by stream."""
    columns: dict[str, set[str]] = {}
    for message in messages.of("SCHEMA"):
        columns[message["stream"]] = {*message["schema"]["properties"]}
    for message in messages.of("RECORD"):
        assert {*message["record"]} == columns[message["stream"]], message["stream"]
    return columns


@pytest.mark.parametrize("depth", [1, 9])
@pytest.mark.parametrize("separator", [None, "_x_", "."])
def test_records_and_schema_have_the_same_keys(
    config: dict[str, Any], sync: Sync, depth: int, separator: str | None
) -> None:
    config["flattening_max_depth"] = depth
    if separator is not None:
        config["flattening_separator"] = separator
    messages = sync(config, streams=STREAMS)
    columns = assert_alike(messages)
    between = separator or "__"
    members = {f"tracking_params{between}{member}" for member in UTM}
    assert members <= columns["daily"]
    assert "tracking_params" not in columns["daily"]
    records = messages.records("daily")
    with_params = [r for r in records if r[f"tracking_params{between}utm_source"]]
    assert 0 < len(with_params) < len(records)  # some ads have none: null
    assert all(
        r[f"tracking_params{between}utm_source"] == r["tracking_params_utm_source"]
        for r in records
    )
    assert all(isinstance(json.loads(r["folder_names"] or "[]"), list) for r in records)


def test_without_depth_objects_stay_and_records_have_their_keys(
    config: dict[str, Any], sync: Sync
) -> None:
    messages = sync(config | {"flattening_max_depth": 0}, streams=["daily"])
    assert "tracking_params" in assert_alike(messages)["daily"]


@pytest.mark.parametrize("length", [20, 30, 40])
def test_shortened_keys_are_alike(
    config: dict[str, Any], sync: Sync, length: int
) -> None:
    config["flattening_max_key_length"] = length
    config["reports"] = [{**REPORT, "fields": ["objective"]}]
    assert_alike(sync(config, streams=["daily", "folders"]))


@pytest.mark.parametrize(
    ("settings_", "name"),
    [
        ({"flattening_separator": "_"}, "tracking_params_utm_source"),
        ({"stream_maps": {"daily": {"clicks": "(clicks"}}}, "(clicks"),
        ({"stream_maps": {"daily": {"date": None}}}, "'date'"),
        ({"stream_maps": {"__other__": {}}}, "__other__"),
    ],
)
def test_what_the_sdk_refuses_is_one_clear_error(
    config: dict[str, Any], sync: Sync, settings_: dict[str, Any], name: str
) -> None:
    with pytest.raises(ConfigError, match="stream_maps and flattening: ") as error:
        sync(config | settings_)
    assert name in str(error.value)


@pytest.mark.parametrize(
    "maps",
    [
        {"tracking_params": "__NULL__"},
        {"params": "tracking_params", "tracking_params": "__NULL__"},
        {"params": "tracking_params", "source": "record['network']"},
        {"objective": "str(objective)"},
        {"__alias__": "renamed", "all": "record"},
        {"__filter__": "clicks > 3"},
        {
            "__else__": None,
            "date": "date",
            "entity_id": "entity_id",
            "objective": "objective",
        },
    ],
)
def test_stream_maps_and_flattening_go_together(
    config: dict[str, Any], sync: Sync, maps: dict[str, Any]
) -> None:
    plain = sync(config, streams=["daily"])
    mapped = sync(config | {"stream_maps": {"daily": maps}}, streams=["daily"])
    columns = assert_alike(mapped)
    assert columns != assert_alike(plain) or "__filter__" in maps
    assert mapped.of("RECORD")


def test_a_copy_of_a_stream_is_flattened_as_well(
    config: dict[str, Any], sync: Sync
) -> None:
    config["stream_maps"] = {"copy": {"__source__": "daily", "spent": "clicks"}}
    columns = assert_alike(sync(config, streams=["daily"]))
    assert columns["copy"] == columns["daily"] | {"spent"}


def test_a_member_that_no_page_documents_is_one_warning(
    config: dict[str, Any],
    sync: Sync,
    sandbox: Sandbox,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    relay = Relay(httpserver, sandbox)
    relay.names = {"utm_term": "hsa_cam"}
    config |= {"api_url": relay.api_url}
    config["reports"] = [{**REPORT, "fields": ["clicks", "tracking_params"]}]
    config["reports"][0]["entity_level"] = "keywords"
    messages = sync(config, streams=["daily"])
    assert_alike(messages)
    assert all(
        r["tracking_params__utm_term"] is None for r in messages.records("daily")
    )
    (warning,) = warnings(caplog)
    assert warning.startswith("daily: skipped tracking_params__hsa_cam,")
