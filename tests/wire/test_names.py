"""Names that leave the tap fit a table, or the run ends before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from harness.commands import run_tap
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
LONG = f"custom_conversions:14:{'offsite_conversion_' * 3}purchase"
LONG_COLUMN = LONG.replace(":", "_")
LONG_REPORT = "campaign_performance_of_all_our_networks_by_day_for_the_finance_team_v2"
REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks"],
    "date_range": "yesterday",
}


@pytest.fixture
def relay(httpserver: HTTPServer, sandbox: Sandbox) -> Relay:
    """A sandbox whose custom conversion has a long name."""
    relay = Relay(httpserver, sandbox)
    relay.names = {LEADS: LONG}
    return relay


@pytest.fixture
def config(relay: Relay, settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "api_url": relay.api_url, "import_policy": "ignore"}


def with_report(config: dict[str, Any], **keys: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**config, "reports": [{**REPORT, **keys}]}


def errors_of(sync: Sync, config: dict[str, Any], *streams: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        sync(config, streams=[*streams])
    return error.value.errors


def test_the_names_are_as_long_as_they_should_be() -> None:
    assert (len(LONG), len(LONG_REPORT)) == (87, 71)


# --- columns ---


@pytest.mark.parametrize("field", [LONG, "custom_conversions:*"])
def test_a_metric_with_a_long_name_is_refused_with_what_to_do(
    config: dict[str, Any], relay: Relay, sync: Sync, field: str
) -> None:
    (error,) = errors_of(sync, with_report(config, fields=["clicks", field]), "daily")
    assert error == (
        f"reports.daily.fields: the column name {LONG_COLUMN} has 87 bytes, and "
        "databases such as Postgres take 63; name it with "
        f'{{"field": "{LONG}", "column": "…"}}'
    )
    assert relay.bodies == []


@pytest.mark.parametrize("others", [[], ["custom_conversions:*"]])
def test_a_column_gives_it_a_name(
    config: dict[str, Any],
    relay: Relay,
    settings: dict[str, Any],
    sync: Sync,
    others: list[str],
) -> None:
    truth = sync(with_report(settings, fields=[LEADS]), streams=["daily"])
    named = {"field": LONG, "column": "app_installs"}
    messages = sync(with_report(config, fields=[named, *others]), streams=["daily"])
    assert LONG in relay.bodies[0]["fields"]
    (schema,) = messages.of("SCHEMA", "daily")
    assert "app_installs" in schema["schema"]["properties"]
    assert [r["app_installs"] for r in messages.records("daily")] == [
        r["custom_conversions_14_conversions"] for r in truth.records("daily")
    ]


def test_totals_are_compared_whatever_a_column_is_called(
    settings: dict[str, Any], sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    fields = [{"field": "clicks", "column": "impressions"}]
    fields.append({"field": "impressions", "column": "clicks"})
    settings |= {"reconcile": "fail", "import_policy": "ignore"}
    given = with_report(settings, fields=fields)
    plain = with_report(settings, fields=["clicks", "impressions"])
    records = sync(given, streams=["daily"]).records("daily")
    assert records == [
        {**r, "clicks": r["impressions"], "impressions": r["clicks"]}
        for r in sync(plain, streams=["daily"]).records("daily")
    ]
    assert warnings(caplog) == []


def test_discovery_has_it_so_that_it_can_be_deselected(
    config: dict[str, Any], sync: Sync, forked: ForkedTap, tmp_path: Path
) -> None:
    config = with_report(config, fields=["clicks", LONG])
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    ended = forked.run(tmp_path, "--config", str(file), "--discover")
    assert ended.code == 0
    catalog = json.loads(ended.stdout)
    (entry,) = [e for e in catalog["streams"] if e["tap_stream_id"] == "daily"]
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] == ["properties", LONG_COLUMN]:
            metadata["metadata"]["selected"] = False
    assert sync(config, catalog=catalog, streams=["daily"]).records("daily")


def test_streams_that_are_not_read_may_have_any_names(
    config: dict[str, Any], sync: Sync
) -> None:
    config = with_report(config, name=LONG_REPORT, fields=[LONG])
    assert sync(config, streams=["folders"]).records("folders")


# --- streams ---


def test_a_long_name_of_a_report_is_refused(
    config: dict[str, Any], relay: Relay, sync: Sync
) -> None:
    (error,) = errors_of(sync, with_report(config, name=LONG_REPORT), LONG_REPORT)
    assert error == (
        f"reports.{LONG_REPORT}.name: the table name {LONG_REPORT} has 71 bytes, and "
        "databases such as Postgres take 63; choose a shorter one"
    )
    assert relay.bodies == []


def test_all_long_names_are_named_at_once(config: dict[str, Any], sync: Sync) -> None:
    config = with_report(config, name=LONG_REPORT, fields=[LONG])
    assert len(errors_of(sync, config, LONG_REPORT)) == 2


def test_the_longest_names_that_fit_do(config: dict[str, Any], sync: Sync) -> None:
    name, column = "n" * 63, "c" * 63
    config = with_report(
        config, name=name, fields=[{"field": "clicks", "column": column}]
    )
    assert column in sync(config, streams=[name]).records(name)[0]


def test_the_command_line_writes_nothing_and_shows_no_traceback(
    config: dict[str, Any], forked: ForkedTap, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(with_report(config, name=LONG_REPORT, fields=[LONG])))
    ended = forked.run(tmp_path, "--config", str(file))
    assert (ended.code, ended.stdout) == (1, "")
    assert "name it with" in ended.stderr
    assert "choose a shorter one" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("keys", "others", "reason"),
    [
        ({"fields": [LONG]}, {}, "name it with"),
        ({"name": LONG_REPORT}, {}, "choose a shorter one"),
        ({}, {"stream_maps": {"daily": {"x" * 64: "clicks"}}}, "choose a shorter"),
        ({}, {"stream_maps": {"daily": {"x": "(clicks"}}}, "stream_maps and flatt"),
        ({}, {"flattening_enabled": True}, "flattening_max_depth is required"),
    ],
)
def test_the_set_up_test_finds_them_too(
    config: dict[str, Any],
    forked: ForkedTap,
    tmp_path: Path,
    keys: dict[str, Any],
    others: dict[str, Any],
    reason: str,
) -> None:
    file = tmp_path / "config.json"
    for given, code in ((with_report(config, **keys) | others, 1), (config, 0)):
        file.write_text(json.dumps(given))
        ended = forked.run(tmp_path, "--config", str(file), "--test")
        assert ended.code == code, ended.stderr
        assert (reason in ended.stderr) == bool(code)
        assert "Traceback" not in ended.stderr


# --- after stream maps and flattening ---


def test_what_leaves_the_tap_counts_and_not_what_stream_maps_shorten(
    config: dict[str, Any], sync: Sync
) -> None:
    config = with_report(config, name=LONG_REPORT, fields=["clicks", LONG])
    config["stream_maps"] = {
        LONG_REPORT: {
            "__alias__": "short",
            "installs": LONG_COLUMN,
            LONG_COLUMN: "__NULL__",
        }
    }
    records = sync(config, streams=[LONG_REPORT]).records("short")
    assert {"clicks", "installs"} <= {*records[0]}


@pytest.mark.parametrize(
    ("maps", "setting", "size"),
    [
        ({"daily": {"__alias__": "x" * 64}}, "stream_maps: the table name", 64),
        ({"x" * 70: {"__source__": "daily"}}, "stream_maps: the table name", 70),
        ({"daily": {"__alias__": "ü" * 32}}, "stream_maps: the table name", 64),
        ({"daily": {"y" * 64: "clicks"}}, "stream_maps.daily: the column name", 64),
        ({"daily": {"ä" * 32: "clicks"}}, "stream_maps.daily: the column name", 64),
        (
            {"folders": {"y" * 64: "name"}},
            "stream_maps.folders: the column name",
            64,
        ),
    ],
)
def test_a_long_name_that_stream_maps_make_is_refused(
    config: dict[str, Any], sync: Sync, maps: dict[str, Any], setting: str, size: int
) -> None:
    given = with_report(config) | {"stream_maps": maps}
    (error,) = errors_of(sync, given, "daily", "folders")
    assert error.startswith(setting)
    assert f" has {size} bytes" in error


def test_bytes_count_and_not_characters(config: dict[str, Any], sync: Sync) -> None:
    given = with_report(config) | {"stream_maps": {"daily": {"__alias__": "ü" * 31}}}
    assert sync(given, streams=["daily"]).records("ü" * 31)


def test_a_stream_that_maps_remove_may_have_any_name(
    config: dict[str, Any], sync: Sync
) -> None:
    given = with_report(config, name=LONG_REPORT)
    given["stream_maps"] = {LONG_REPORT: None}
    assert sync(given, streams=[LONG_REPORT]).of("RECORD") == []


def test_flattened_names_count_and_can_be_shortened(
    config: dict[str, Any], sync: Sync
) -> None:
    given = with_report(config, fields=["objective"]) | {
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "flattening_separator": "_" * 60,
    }
    errors = errors_of(sync, given, "daily")
    assert len(errors) == 4
    assert errors[0].startswith(f"stream daily: the column name objective{'_' * 60}")
    assert errors[0].endswith("set flattening_max_key_length to 63")
    given |= {"flattening_separator": "__", "flattening_max_key_length": 63}
    assert "objective__code" in sync(given, streams=["daily"]).records("daily")[0]


def test_the_offered_key_length_makes_flattened_names_fit(
    config: dict[str, Any], relay: Relay, sync: Sync
) -> None:
    """Only an object of the user's own can have so long a member."""
    named = "objective_of_the_campaign_as_the_network_names_it_in_its_api"
    given = with_report(config, fields=["objective"]) | {
        "stream_maps": {"daily": {named: "objective", "objective": "__NULL__"}},
        "flattening_enabled": True,
        "flattening_max_depth": 1,
    }
    assert all(
        error.endswith("set flattening_max_key_length to 63")
        for error in errors_of(sync, given, "daily")
    )
    messages = sync(given | {"flattening_max_key_length": 63}, streams=["daily"])
    (schema,) = messages.of("SCHEMA", "daily")
    assert max(map(len, schema["schema"]["properties"])) <= 63
    assert relay.bodies


# --- where settings come from ---


def test_fields_with_columns_come_from_the_environment_too(
    sandbox: Sandbox, relay: Relay
) -> None:
    report = {**REPORT, "fields": ["clicks", {"field": LONG, "column": "leads"}]}
    ended = run_tap(
        "--config=ENV",
        "--discover",
        environment={
            "TAP_ADSTAGE_API_URL": relay.api_url,
            "TAP_ADSTAGE_ACCESS_TOKEN": sandbox.token,
            "TAP_ADSTAGE_REPORTS": json.dumps([report]),
        },
    )
    assert ended.returncode == 0, ended.stderr
    streams = json.loads(ended.stdout)["streams"]
    (stream,) = [s for s in streams if s["tap_stream_id"] == "daily"]
    assert "leads" in stream["schema"]["properties"]


def test_a_key_keeps_its_column(config: dict[str, Any]) -> None:
    given = with_report(config, fields=[{"field": "entity_id", "column": "id"}])
    with pytest.raises(ConfigError, match="entity_id always has the column entity_id"):
        TapAdStage(config=given)


def test_descriptors_with_one_column_can_have_two(
    config: dict[str, Any], relay: Relay, sync: Sync
) -> None:
    relay.names = {LEADS: "custom_conversions:14.conversions:x"}

    def twice(path: str, document: Any) -> Any:  # noqa: ANN401 - any JSON value
        if not path.endswith(DESCRIPTORS):
            return document
        return [*document, {"id": "custom_conversions:14:conversions:x"}]

    relay.change = twice
    fields: list[Any] = ["custom_conversions:*"]
    with pytest.raises(ConfigError) as error:
        sync(with_report(config, fields=fields), streams=["daily"])
    assert (
        "would share the column custom_conversions_14_conversions_x"
        in error.value.errors[0]
    )
    offered = '{"field": "custom_conversions:14:conversions:x", "column": "…"}'
    assert offered in error.value.errors[0]
    fields.append(json.loads(offered.replace("…", "other")))
    TapAdStage(config=with_report(config, fields=fields))
