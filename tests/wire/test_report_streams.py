"""Report streams at the wire: what is asked, written and remembered."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from harness.failures import stream_fails
from harness.logs import errors, warnings
from harness.taps import directory_of
from werkzeug import Response

from tap_adstage.config.default_reports import default_reports
from tap_adstage.exceptions import ConfigError, ResponseError, StateError
from tap_adstage.streams.report_stream import ReportStream
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.singer import Messages, Sync
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.sandbox.server import Sandbox
    from tap_adstage.sandbox.world.entities import Entity

FIELDS = ["clicks", "impressions", "spend", "conversions"]
ROW = ["entity_id", "network", "currency_code"]
REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": [*FIELDS, "campaign_name"],
    "date_range": "last 25 days",
}


def questions(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Bodies of all report requests so far."""
    return [r.body for r in sandbox.requests if r.path.endswith("/report")]


def ranges(sandbox: Sandbox) -> list[str]:
    return [question["date_range"] for question in questions(sandbox)]


def with_report(settings: dict[str, Any], **keys: object) -> dict[str, Any]:
    # One request after the other: their order is looked at.
    return {"max_concurrency": 1, **settings, "reports": [{**REPORT, **keys}]}


def state_of(
    day: str, aggregate_by: str = "day", stream: str = "daily"
) -> dict[str, Any]:
    bookmark = {
        "replication_key": "date",
        "replication_key_value": day,
        "aggregate_by": aggregate_by,
    }
    return {"bookmarks": {stream: bookmark}}


def days(first: str, last: str) -> list[dt.date]:
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [start + dt.timedelta(days=n) for n in range((end - start).days + 1)]


def spend_of(
    sandbox: Sandbox,
    entities: Sequence[Entity],
    on: Sequence[dt.date],
) -> Decimal:
    """What the entities spent on the days."""
    total = Decimal(0)
    for entity in entities:
        for day in on:
            spent = sandbox.world.metric(entity, "spend", day, today=sandbox.today)
            total += spent or 0
    return total


# --- the numbers ---


@pytest.mark.parametrize(
    "level", ["accounts", "campaigns", "ad_groups", "ads", "keywords"]
)
@pytest.mark.parametrize("page_size", [100, 1000])
def test_daily_records_equal_the_sandbox_s_truth(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    level: str,
    page_size: int,
) -> None:
    config = with_report(
        {**settings, "page_size": page_size},
        entity_level=level,
        fields=FIELDS,
        date_range="last 3 days",
    )
    records = sync(config, streams=["daily"]).records("daily")
    truth = [
        {
            "date": day.isoformat(),
            "entity_id": entity.entity_id,
            "network": entity.network,
            "currency_code": entity.meta("currency_code"),
            **{
                field: sandbox.world.metric(entity, field, day, today=sandbox.today)
                for field in FIELDS
            },
        }
        for entity in sandbox.world.entities(level)
        for day in days("2024-03-17", "2024-03-19")
    ]

    def order(record: dict[str, Any]) -> tuple[str, str]:
        return (record["entity_id"], record["date"])

    assert sorted(records, key=order) == sorted(truth, key=order)


def test_the_five_default_reports_hold_the_names_and_ids_of_their_level(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    del settings["reports"]
    messages = sync({**settings, "start_date": "2024-03-19"})
    for report in default_reports():
        records = messages.records(report["name"])
        entities = sandbox.world.entities(report["entity_level"])
        texts = [field for field in report["fields"] if field not in FIELDS]
        assert sorted(
            tuple(r[name] for name in ["date", "entity_id", *texts]) for r in records
        ) == sorted(
            ("2024-03-19", entity.entity_id, *map(entity.meta, texts))
            for entity in entities
        )
        assert len(texts) >= 2
        assert all(set(FIELDS) <= set(record) for record in records)


@pytest.mark.parametrize(
    ("aggregate_by", "slices"),
    [
        ("week", [("2024-03-04", "2024-03-10"), ("2024-03-11", "2024-03-17")]),
        ("month", [("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-02-29")]),
        ("total", [("2024-01-10", "2024-02-20")]),
    ],
)
def test_longer_slices_are_the_sums_of_their_days(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    aggregate_by: str,
    slices: list[tuple[str, str]],
) -> None:
    start, end = slices[0][0], slices[-1][1]
    config = with_report(
        settings,
        aggregate_by=aggregate_by,
        entity_level="accounts",
        fields=["spend"],
        date_range=f"{start}..{end}",
    )
    records = sync(config, streams=["daily"]).records("daily")
    assert {
        (r["date"], r["date_end"], r["entity_id"]): r["spend"] for r in records
    } == {
        (first, last, account.entity_id): spend_of(
            sandbox, [account], days(first, last)
        )
        for account in sandbox.world.entities("accounts")
        for first, last in slices
    }


def test_a_group_is_the_sum_of_its_entities(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(
        settings,
        group_by="network",
        fields=["spend", "account_name"],
        date_range="yesterday",
    )
    records = sync(config, streams=["daily"]).records("daily")
    world, day = sandbox.world, dt.date(2024, 3, 19)
    assert {r["network"]: r["spend"] for r in records} == {
        network: spend_of(
            sandbox,
            [c for c in world.entities("campaigns") if c.network == network],
            [day],
        )
        for network in {account.network for account in world.entities("accounts")}
    }
    assert all(isinstance(r["account_name"], list) for r in records)


def test_custom_conversions_and_calculated_metrics_are_columns(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    fields = ["custom_conversions:14:conversions", "calculated_metric:123"]
    config = with_report(settings, fields=fields, date_range="last 2 days")
    records = sync(config, streams=["daily"]).records("daily")
    assert any(r["custom_conversions_14_conversions"] is not None for r in records)
    assert any(r["calculated_metric_123"] is not None for r in records)


def test_a_metric_that_a_network_lacks_is_null(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings, fields=["video_views"], date_range="yesterday")
    records = sync(config, streams=["daily"]).records("daily")
    day = dt.date(2024, 3, 19)
    assert {r["entity_id"]: r["video_views"] for r in records} == {
        campaign.entity_id: sandbox.world.metric(
            campaign, "video_views", day, today=sandbox.today
        )
        for campaign in sandbox.world.entities("campaigns")
    }
    assert {r["video_views"] is None for r in records} == {True, False}


# --- the question ---


def test_the_question_says_everything_that_the_report_does(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    target = sandbox.world.entities("accounts")[0].entity_id
    config = with_report(
        {**settings, "page_size": 500},
        fields=["Clicks", "campaign_name"],
        aggregate_by="week",
        date_range="last week",
        networks=["adwords", "quora"],
        statuses="all_active",
        time_zone="Asia/Tokyo",
        targets=[target],
        filters=[{"path": "Clicks", "op": "gte", "value": 0}],
        sort_by="Spend",
        order="desc",
        ignore_precision=True,
    )
    sync(config, streams=["daily"])
    assert questions(sandbox) == [
        {
            "version": "2",
            "date_range": "2024-03-11..2024-03-17",
            "output_format": "series",
            "aggregate_by": "week",
            "sources": {
                "metrics": {
                    "targets": [target],
                    "networks": ["adwords", "quora"],
                    "entity_level": "campaigns",
                },
            },
            "fields": [
                "entity_id",
                "network",
                "currency_code",
                "clicks",
                "campaign_name",
            ],
            "filters": [{"path": "clicks", "op": "gte", "value": 0}],
            "sort_by": "spend",
            "order": "desc",
            "ignore_precision": True,
            "limit": 500,
            "statuses": "all_active",
            "relative_to_time_zone": "Asia/Tokyo",
            "summarize_on": ["filtered"],
            "summary_fields": ["clicks"],
            "summary_format": "row",
        },
    ]


def test_the_question_has_the_defaults_that_keep_totals_and_pages_stable(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    sync(with_report(settings, date_range="yesterday"), streams=["daily"])
    (question,) = questions(sandbox)
    assert question["statuses"] == "all_with_deleted"
    assert (question["sort_by"], question["order"]) == ("entity_id", "asc")
    assert (question["limit"], question["ignore_precision"]) == (1000, False)
    assert question["relative_to_time_zone"] == "UTC"
    assert "targets" not in question["sources"]["metrics"]
    assert "filters" not in question
    assert "group_by" not in question


def test_archived_and_deleted_entities_are_rows_too(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    whole = sync(with_report(settings, date_range="yesterday"), streams=["daily"])
    visible = sync(
        with_report(settings, date_range="yesterday", statuses="all_visible"),
        streams=["daily"],
    )
    assert len(whole.records("daily")) == len(sandbox.world.entities("campaigns"))
    assert 0 < len(visible.records("daily")) < len(whole.records("daily"))


def test_page_two_is_the_same_question_with_a_token(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(
        {**settings, "page_size": 40},
        group_by="campaign_name",
        targets=["/network/adstage/organization/40"],
        date_range="yesterday",
    )
    records = sync(config, streams=["daily"]).records("daily")
    first, *others = questions(sandbox)
    assert others
    tokens = [question.pop("page_token") for question in others]
    assert len(set(tokens)) == len(tokens)
    assert all(question == first for question in others)
    names = {
        campaign.name or "(none)" for campaign in sandbox.world.entities("campaigns")
    }
    assert {record["campaign_name"] for record in records} == names


def test_chosen_accounts_are_the_targets(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    accounts = sandbox.world.entities("accounts")[2:4]
    chosen = [account.entity_id for account in accounts]
    narrowed = {**settings, "sync_mode": "SPECIFIC_ACCOUNTS", "accounts": chosen}
    records = sync(with_report(narrowed, date_range="yesterday")).records("daily")
    assert {record["entity_id"] for record in records} == {
        campaign.entity_id
        for campaign in sandbox.world.entities("campaigns")
        if campaign.account in accounts
    }


def test_chosen_accounts_narrow_a_report_that_has_targets_of_its_own(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    folder = next(
        folder for folder in sandbox.world.folders if len(folder.campaigns) > 3
    )
    account = folder.campaigns[0].account
    narrowed = {
        **settings,
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": [account.entity_id],
    }
    target = f"/network/adstage/folder/{folder.fetch_id}"
    config = with_report(narrowed, targets=[target], date_range="yesterday")
    records = sync(config).records("daily")
    expected = {c.entity_id for c in folder.campaigns if c.account == account}
    assert {record["entity_id"] for record in records} == expected


def test_a_field_that_is_not_selected_is_not_requested_and_not_written(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings, date_range="yesterday")
    catalog = TapAdStage(config=dict(config)).catalog_dict
    entry = next(e for e in catalog["streams"] if e["stream"] == "daily")
    for metadata in entry["metadata"]:
        name = metadata["breadcrumb"][-1] if metadata["breadcrumb"] else None
        metadata["metadata"]["selected"] = name not in {"spend", "network"}
    sandbox.requests.clear()
    records = sync(config, catalog={"streams": [entry]}).records("daily")
    (question,) = questions(sandbox)
    assert question["fields"] == [
        "entity_id",
        "currency_code",
        "clicks",
        "impressions",
        "conversions",
        "campaign_name",
    ]
    assert set(records[0]) == {"date", *question["fields"]}


def test_a_key_is_requested_whatever_the_catalog_selects(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings, date_range="yesterday")
    catalog = TapAdStage(config=dict(config)).catalog_dict
    entry = next(e for e in catalog["streams"] if e["stream"] == "daily")
    for metadata in entry["metadata"]:
        chosen = metadata["breadcrumb"] in ([], ["properties", "clicks"])
        metadata["metadata"] = {"selected": chosen}
    sandbox.requests.clear()
    sync(config, catalog={"streams": [entry]})
    assert questions(sandbox)[0]["fields"] == ["entity_id", "clicks"]


def test_a_column_that_the_catalog_s_schema_lacks_is_not_requested(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings, date_range="yesterday")
    catalog = TapAdStage(config=dict(config)).catalog_dict
    entry = next(e for e in catalog["streams"] if e["stream"] == "daily")
    del entry["schema"]["properties"]["spend"]
    entry["metadata"][0]["metadata"]["selected"] = True
    sandbox.requests.clear()
    sync(config, catalog={"streams": [entry]})
    assert "spend" not in questions(sandbox)[0]["fields"]


def test_names_of_fields_go_out_as_adstage_spells_them(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(
        settings,
        date_range="yesterday",
        group_by="NETWORK",
        sort_by="Network",
        filters=[{"path": "meta/Campaign_Name", "op": "nomatch", "value": "zzz"}],
    )
    assert sync(config, streams=["daily"]).records("daily")
    (question,) = questions(sandbox)
    assert (question["group_by"], question["sort_by"]) == ("network", "network")
    assert question["filters"][0]["path"] == "meta/campaign_name"


def test_a_page_of_another_shape_is_an_error_that_names_request_window_and_page(
    httpserver: HTTPServer,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    for path in ("/api/metric_descriptors", "/api/organizations/1/metric_descriptors"):
        httpserver.expect_request(path).respond_with_json([{"id": "clicks"}])
    httpserver.expect_request(
        "/api/v2/organizations/1/report",
    ).respond_with_json({"report": "failed"})
    config = with_report(settings, fields=["clicks"])
    config |= {
        "api_url": httpserver.url_for("/api"),
        "user_id": 40,
        "organization_id": 1,
        "import_policy": "ignore",
    }
    where = r"daily, 2024-02-24\.\.2024-03-04, page 1: POST \S+/report: type is None"
    with stream_fails(ResponseError, match=where):
        sync(config, streams=["daily"])


# --- windows, bookmarks, state ---


def test_a_first_sync_asks_for_its_range_in_windows_that_meet(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    messages = sync(with_report(settings), streams=["daily"])
    assert ranges(sandbox) == [
        "2024-02-24..2024-03-04",
        "2024-03-05..2024-03-14",
        "2024-03-15..2024-03-19",
    ]
    assert messages.bookmark("daily") == "2024-03-19"


def test_a_state_follows_each_window_with_every_row_up_to_it_written(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    messages = sync(with_report(settings), streams=["daily"])
    written: set[str] = set()
    bookmarks: list[str] = []
    for line in messages.lines:
        if line["type"] == "RECORD":
            assert not bookmarks or line["record"]["date"] > bookmarks[-1]
            written.add(line["record"]["date"])
        if line["type"] == "STATE":
            bookmark = line["value"]["bookmarks"]["daily"]["replication_key_value"]
            if bookmark not in bookmarks:
                bookmarks.append(bookmark)
            assert max(written) == bookmark
    assert bookmarks == ["2024-03-04", "2024-03-14", "2024-03-19"]
    assert len(written) == 25


def test_the_bookmark_s_form_is_the_documented_one(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    state = sync(with_report(settings), streams=["daily"]).state
    bookmark = state["bookmarks"]["daily"]
    assert state == {"bookmarks": {"daily": bookmark}}
    assert bookmark == {
        **state_of("2024-03-19")["bookmarks"]["daily"],
        "question": [
            ["entity_level", "campaigns"],
            ["fields", sorted([*ROW, *REPORT["fields"]])],
            ["first_day", "2024-02-24"],
        ],
        "accounts": bookmark["accounts"],
    }
    assert len(bookmark["accounts"]) == 6 * 18


@pytest.mark.parametrize(
    ("keys", "bookmark", "expected"),
    [
        ({}, "2024-03-18", ["2024-02-24..2024-03-04"]),
        (
            {"lookback_days": 5},
            "2024-03-18",
            ["2024-03-13..2024-03-19"],
        ),
        ({"lookback_days": 0}, "2024-03-18", ["2024-03-18..2024-03-19"]),
        # a pause longer than the range
        (
            {"date_range": "last 7 days"},
            "2024-03-02",
            ["2024-03-02..2024-03-11", "2024-03-12..2024-03-19"],
        ),
        ({"date_range": "last 7 days"}, "2024-03-18", ["2024-03-13..2024-03-19"]),
    ],
)
def test_a_later_run_goes_on_from_the_bookmark_less_the_lookback(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    keys: dict[str, Any],
    bookmark: str,
    expected: list[str],
) -> None:
    sync(with_report(settings, **keys), state=state_of(bookmark), streams=["daily"])
    assert ranges(sandbox)[: len(expected)] == expected


def test_late_conversions_are_picked_up(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings, fields=["conversions"])
    first = sync(config, streams=["daily"])
    sandbox.today = dt.date(2024, 3, 23)
    second = sync(
        {**config, "as_of": "2024-03-23"},
        state=first.state,
        streams=["daily"],
    )

    def conversions(messages: Messages, day: str) -> Decimal:
        values = [
            r["conversions"] for r in messages.records("daily") if r["date"] == day
        ]
        return sum((value for value in values if value is not None), Decimal(0))

    assert conversions(second, "2024-03-15") > conversions(first, "2024-03-15") > 0


@pytest.mark.parametrize(
    ("aggregate_by", "expected", "bookmark"),
    [
        ("week", ["2024-03-04..2024-03-10", "2024-03-11..2024-03-17"], "2024-03-18"),
        ("month", ["2024-03-01..2024-03-20"], "2024-03-01"),
    ],
)
def test_whole_weeks_and_months_are_asked_for(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    aggregate_by: str,
    expected: list[str],
    bookmark: str,
) -> None:
    config = with_report(
        settings,
        aggregate_by=aggregate_by,
        date_range="2024-03-07..2024-03-20",
    )
    messages = sync(config, streams=["daily"])
    assert ranges(sandbox)[: len(expected)] == expected
    assert messages.bookmark("daily") == bookmark


def test_the_bookmark_moves_over_windows_without_rows(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    nothing = [{"path": "meta/campaign_name", "op": "in", "value": ["no such"]}]
    messages = sync(with_report(settings, filters=nothing), streams=["daily"])
    assert len(ranges(sandbox)) == 3
    assert messages.records("daily") == []
    assert messages.bookmark("daily") == "2024-03-19"


@pytest.mark.parametrize(
    ("path", "window_days", "expected"),
    [("clicks", 10, 25), ("clicks", 1, 25), ("meta/network", 10, 3)],
)
def test_a_filter_on_a_metric_is_about_each_row_whatever_the_windows(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    path: str,
    window_days: int,
    expected: int,
) -> None:
    condition = (
        {"path": path, "op": "gt", "value": 500}
        if path == "clicks"
        else {"path": path, "op": "in", "value": ["quora"]}
    )
    config = with_report(settings, filters=[condition], window_days=window_days)
    records = sync(config, streams=["daily"]).records("daily")
    assert len(ranges(sandbox)) == expected
    world = sandbox.world
    assert {(r["date"], r["entity_id"]) for r in records} == {
        (day.isoformat(), campaign.entity_id)
        for campaign in world.entities("campaigns")
        for day in days("2024-02-24", "2024-03-19")
        if (
            (world.metric(campaign, "clicks", day, today=sandbox.today) or 0) > 500
            if path == "clicks"
            else campaign.network == "quora"
        )
    }


def test_a_future_end_is_today(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    messages = sync(
        with_report(settings, date_range="2024-03-18..2030-01-01"),
        streams=["daily"],
    )
    assert ranges(sandbox) == ["2024-03-18..2024-03-20"]
    assert messages.bookmark("daily") == "2024-03-20"


def test_a_start_date_inside_the_lookback_is_kept(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report({**settings, "start_date": "2024-03-10"}, window_days=30)
    sync(config, state=state_of("2024-03-18"), streams=["daily"])
    assert ranges(sandbox) == ["2024-03-10..2024-03-19"]


def test_a_bookmark_does_not_go_back(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report({**settings, "end_date": "2024-03-10"})
    messages = sync(config, state=state_of("2024-03-18"), streams=["daily"])
    assert ranges(sandbox) == ["2024-02-24..2024-03-04", "2024-03-05..2024-03-10"]
    for state in messages.states:
        assert state["bookmarks"]["daily"]["replication_key_value"] == "2024-03-18"


def test_a_state_follows_also_a_window_that_moves_no_bookmark(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    messages = sync(
        with_report(settings), state=state_of("2024-03-19"), streams=["daily"]
    )
    positions = [n for n, line in enumerate(messages.lines) if line["type"] == "STATE"]
    last_rows = [
        n
        for n, line in enumerate(messages.lines)
        if line["type"] == "RECORD"
        and line["record"]["date"] in {"2024-03-04", "2024-03-14", "2024-03-19"}
        and messages.lines[n + 1]["type"] == "STATE"
    ]
    assert len(last_rows) == 3
    assert len(positions) >= 4


def test_an_empty_range_sends_no_request_and_says_so(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    config = with_report(
        {**settings, "as_of": "2024-03-01"}, date_range="month to date"
    )
    messages = sync(config, state=state_of("2024-02-28"), streams=["daily"])
    assert questions(sandbox) == []
    assert messages.records("daily") == []
    assert messages.bookmark("daily") == "2024-02-28"
    lines = [r for r in caplog.records if "nothing to request" in r.getMessage()]
    assert len(lines) == 1


def test_a_changed_slice_starts_over_and_says_so(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    config = with_report(settings, aggregate_by="week", date_range="last 3 weeks")
    messages = sync(config, state=state_of("2024-03-18"), streams=["daily"])
    assert ranges(sandbox)[0].startswith("2024-02-26")
    expected = state_of("2024-03-11", "week")["bookmarks"]["daily"]
    assert messages.state["bookmarks"]["daily"].items() >= expected.items()
    (line,) = [r for r in caplog.records if "starting over" in r.getMessage()]
    assert line.levelname == "WARNING"
    assert "give the report a new name" in line.getMessage()


def test_a_bookmark_without_a_slice_goes_for_any(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    state = state_of("2024-03-18")
    del state["bookmarks"]["daily"]["aggregate_by"]
    sync(with_report(settings, lookback_days=0), state=state, streams=["daily"])
    assert ranges(sandbox) == ["2024-03-18..2024-03-19"]


def test_a_total_report_asks_for_its_whole_range_every_run(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings, aggregate_by="total", date_range="last 60 days")
    state = sync(config, streams=["daily"]).state
    sync(config, state=state, streams=["daily"])
    assert ranges(sandbox) == ["2024-01-20..2024-03-19"] * 2
    assert all("aggregate_by" not in question for question in questions(sandbox))


@pytest.mark.parametrize("value", ["soon", "2024-02-30", 20240318, ["2024-03-18"]])
def test_a_bookmark_that_is_no_date_is_an_error_that_names_it(
    sync: Sync,
    settings: dict[str, Any],
    value: object,
) -> None:
    state = state_of("2024-03-18")
    state["bookmarks"]["daily"]["replication_key_value"] = value
    with pytest.raises(StateError, match=r"bookmarks\.daily\.replication_key_value"):
        sync(with_report(settings), state=state, streams=["daily"])


def test_a_failed_window_leaves_the_bookmark_at_the_last_finished_one(
    sandbox: Sandbox,
    settings: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    tap = TapAdStage(config=with_report(settings))
    for name, stream in tap.streams.items():
        stream.selected = name == "daily"
    stream = tap.streams["daily"]
    assert isinstance(stream, ReportStream)
    records = stream.get_records(None)
    for record in records:
        if record["date"] == "2024-03-05":
            break
    sandbox.stop()
    directory_of(tap).client.transport.max_retry_seconds = 0
    list(records)
    (line,) = errors(caplog)
    assert line.startswith("daily: failed: daily, 2024-03-15..2024-03-19, page 1: ")
    assert "2024-03-14" in capsys.readouterr().out
    assert tap.state["bookmarks"]["daily"]["replication_key_value"] == "2024-03-14"


def test_full_table_replication_in_the_catalog_leaves_the_bookmark_alone(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings)
    entry = next(
        entry
        for entry in TapAdStage(config=dict(config)).catalog_dict["streams"]
        if entry["stream"] == "daily"
    )
    entry["replication_method"] = "FULL_TABLE"
    sandbox.requests.clear()
    config["reports"][0]["lookback_days"] = 2
    messages = sync(config, state=state_of("2024-03-22"), catalog={"streams": [entry]})
    assert ranges(sandbox)[0].startswith("2024-02-24")
    assert messages.bookmark("daily") == "2024-03-22"


# --- a look at a report, for the set-up test ---


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "2024-03-15..2024-03-19"),
        ({"aggregate_by": "week"}, "2024-03-18..2024-03-20"),
        ({"aggregate_by": "total"}, "2024-02-24..2024-03-19"),
        (
            {"filters": [{"path": "clicks", "op": "gt", "value": 0}]},
            "2024-03-19..2024-03-19",
        ),
    ],
)
def test_a_look_takes_one_row_of_the_last_window_and_leaves_nothing_behind(
    sandbox: Sandbox,
    settings: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    keys: dict[str, Any],
    expected: str,
) -> None:
    tap = TapAdStage(config=with_report(settings, **keys), setup_mapper=False)
    (report,) = tap.source.config.reports
    found = tap.report_stream(report).probe()
    assert not isinstance(found, str)
    days, has_rows = found
    assert (str(days), has_rows) == (expected, True)
    assert [(q["date_range"], q["limit"]) for q in questions(sandbox)] == [
        (expected, 1),
    ]
    assert "bookmarks" not in tap.state
    assert capsys.readouterr().out == ""


def test_a_look_is_at_the_last_window_wherever_the_bookmark_is(
    sandbox: Sandbox,
    settings: dict[str, Any],
) -> None:
    config = with_report(settings, lookback_days=0)
    state = state_of("2024-03-18")
    tap = TapAdStage(config=config, state=state, setup_mapper=False)
    (report,) = tap.source.config.reports
    assert not isinstance(tap.report_stream(report).probe(), str)
    assert ranges(sandbox) == ["2024-03-15..2024-03-19"]
    assert tap.state == state


# --- the SDK's own features ---


def test_stream_maps_and_flattening_keep_working(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = with_report(
        settings, fields=["clicks", "objective"], date_range="yesterday"
    )
    config |= {
        "stream_maps": {"daily": {"twice": "clicks * 2", "network": "__NULL__"}},
        "flattening_enabled": True,
        "flattening_max_depth": 1,
    }
    messages = sync(config, streams=["daily", "folders", "users"])
    record = messages.records("daily")[0]
    assert record["twice"] == record["clicks"] * 2
    assert "network" not in record
    assert {"objective__code", "objective__unit"} <= set(record)
    assert "network_counts__totals" in messages.records("folders")[0]
    for stream in ("daily", "folders", "users"):
        (schema,) = messages.of("SCHEMA", stream)
        for flat in messages.records(stream):
            filled = {name for name, value in flat.items() if value is not None}
            assert filled <= set(schema["schema"]["properties"])


def test_a_state_never_goes_before_the_batch_that_backs_it(
    sync: Sync,
    settings: dict[str, Any],
    tmp_path: Path,
) -> None:
    config = with_report(settings) | {
        "batch_config": {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri()},
            "batch_size": 1000,
        },
    }
    messages = sync(config, streams=["daily"])
    written: set[tuple[str, str]] = set()
    for line in messages.lines:
        if line["type"] == "BATCH":
            for uri in line["manifest"]:
                text = gzip.decompress(Path(uri.removeprefix("file://")).read_bytes())
                rows = [json.loads(row) for row in text.splitlines()]
                written |= {(row["date"], row["entity_id"]) for row in rows}
        if line["type"] == "STATE" and line["value"]["bookmarks"]["daily"]:
            bookmark = line["value"]["bookmarks"]["daily"]["replication_key_value"]
            assert len({key for key in written if key[0] <= bookmark}) == 90 * len(
                days("2024-02-24", bookmark),
            )
    assert len(messages.of("BATCH")) == 3
    assert len(written) == 90 * 25
    assert messages.bookmark("daily") == "2024-03-19"


def test_a_wrong_setting_of_the_sdk_is_an_error_too(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="flattening_enabled"):
        TapAdStage(config={**settings, "flattening_enabled": "perhaps"})


# --- stale catalogs ---


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"aggregate_by": "total"}, "date, date_end, entity_id"),
        ({"group_by": "campaign_type"}, "date, campaign_type"),
        ({"group_by": "network"}, "date, network"),
    ],
)
def test_a_catalog_of_before_the_report_got_another_key_is_refused(
    sync: Sync, settings: dict[str, Any], changes: dict[str, Any], key: str
) -> None:
    now, then = with_report(settings, **changes), with_report(settings)
    for config, before in ((now, then), (then, now)):
        catalog = TapAdStage(config=dict(before)).catalog_dict
        with pytest.raises(ConfigError, match=r"catalog: the key of daily is") as error:
            sync(config, catalog=catalog, streams=["daily"])
        assert f" {key}" in str(error.value)
        assert "--discover" in str(error.value)


def test_a_report_that_a_catalog_lacks_is_said_to_be_left_out(
    sync: Sync, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    catalog = TapAdStage(config=with_report(settings)).catalog_dict
    caplog.set_level("INFO", logger="tap-adstage")
    messages = sync(with_report(settings, name="renamed"), catalog=catalog)
    assert messages.records("renamed") == []
    told = warnings(caplog)
    assert told[0].startswith("renamed: not in the catalog, so it is skipped")
    assert told[-1] == "The run is not complete; incomplete: renamed"
    assert "renamed: incomplete; rows: 0; not in the catalog" in caplog.messages


# --- descriptors that vanish ---


def test_a_descriptor_that_vanished_since_discovery_is_one_warning_and_null_values(
    httpserver: HTTPServer,
    sync: Sync,
    sandbox: Sandbox,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    lost = "custom_conversions:14:conversions"
    config = with_report(settings, fields=["clicks", lost], date_range="last 12 days")
    catalog = TapAdStage(config=dict(config)).catalog_dict
    whole = sync(config, catalog=catalog, streams=["daily"]).records("daily")
    assert any(record["custom_conversions_14_conversions"] for record in whole)

    def without_it(request: Request) -> Response:
        url = sandbox.api_url.removesuffix("/api") + request.full_path
        answer = requests.request(
            request.method,
            url,
            data=request.get_data(),
            headers={"Authorization": request.headers["Authorization"]},
            timeout=20,
        )
        document = answer.json()
        if request.path.endswith("metric_descriptors"):
            document = [each for each in document if each["id"] != lost]
        elif lost in request.get_data(as_text=True):
            return Response("no such field", status=400)
        return Response(json.dumps(document), mimetype="application/json")

    httpserver.expect_request(re.compile("/api/.*")).respond_with_handler(without_it)
    config |= {"api_url": httpserver.url_for("/api"), "import_policy": "ignore"}
    caplog.clear()
    records = sync(config, catalog=catalog, streams=["daily"]).records("daily")
    assert records == [
        {**record, "custom_conversions_14_conversions": None} for record in whole
    ]
    (warning,) = warnings(caplog)
    assert warning.startswith(f"daily: AdStage no longer has {lost}")
    assert sync(config, streams=["daily"]).records("daily") == records
