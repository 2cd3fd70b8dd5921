"""Report streams of API V1 at the wire, external providers among them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import stream_fails
from harness.logs import warnings

from tap_adstage.exceptions import ApiError, ConfigError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from harness.singer import Sync

    from tap_adstage.sandbox.world.world import World

TODAY = dt.date(2024, 3, 20)
FIELDS = ["clicks", "impressions", "spend", "conversions"]
REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": [*FIELDS, "ctr", "campaign_name", "folder_names", "objective"],
    "date_range": "last 12 days",
}


def with_report(settings: dict[str, Any], **keys: object) -> dict[str, Any]:
    reports = [{**REPORT, **keys}]
    # One request after the other: their order is looked at.
    given = {"import_policy": "ignore", "max_concurrency": 1}
    return {**settings, **given, "reports": reports}


def asked(sandbox: Sandbox, method: str = "POST") -> list[dict[str, Any]]:
    """Bodies, or queries, of all V1 report requests so far."""
    return [
        r.body if method == "POST" else r.query
        for r in sandbox.requests
        if r.path.endswith("/build_report") and r.method == method
    ]


def account_of(sandbox: Sandbox, network: str) -> str:
    """The entity id of a network's first account."""
    accounts = [
        *sandbox.world.provider_accounts.values(),
        *sandbox.world.entities("accounts"),
    ]
    return next(each.entity_id for each in accounts if each.network == network)


def key(record: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(record.get(name)) for name in ("date", "entity_id", "network"))


# --- the question ---


def test_the_question_says_everything_that_the_report_does(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    target = account_of(sandbox, "adwords")
    config = with_report(
        {**settings, "page_size": 500},
        api_version=1,
        fields=["Clicks", "campaign_name"],
        aggregate_by="week",
        date_range="last week",
        networks=["adwords", "quora"],
        statuses="all_active",
        time_zone="Asia/Tokyo",
        targets=[target],
        filters=[
            {"path": "Clicks", "op": "gte", "value": 0},
            {"path": "meta/Network", "op": "in", "value": ["adwords"]},
        ],
        sort_by="Spend",
        order="desc",
        group_by="Campaign_Name",
    )
    sync(config, streams=["daily"])
    assert asked(sandbox) == [
        {
            "entity_level": "campaigns",
            "date_range": "2024-03-11..2024-03-17",
            "aggregate_by": "week",
            "provider": "adstage",
            "networks": "adwords,quora",
            "targets": [target],
            "fields": ["campaign_name", "network", "currency_code", "clicks"],
            "filters": [
                {"path": "clicks", "op": "gte", "value": 0},
                {"path": "meta/network", "op": "in", "value": ["adwords"]},
            ],
            "sort_by": "spend",
            "order": "desc",
            "group_by": "campaign_name",
            "limit": 500,
            "statuses": "all_active",
            "relative_to_time_zone": "Asia/Tokyo",
        },
    ]


def test_the_question_has_the_defaults_that_keep_totals_and_pages_stable(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    sync(with_report(settings, api_version=1, aggregate_by="total"), streams=["daily"])
    (question,) = asked(sandbox)
    assert question["statuses"] == "all_with_deleted"
    assert (question["sort_by"], question["order"]) == ("entity_id", "asc")
    assert question["limit"] == 1000
    assert question["relative_to_time_zone"] == "UTC"
    assert {"aggregate_by", "targets", "filters", "group_by", "dimensions"}.isdisjoint(
        question
    )


def test_chosen_accounts_narrow_a_v1_report(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    account = account_of(sandbox, "quora")
    config = with_report(
        settings | {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [account]},
        api_version=1,
        date_range="yesterday",
    )
    records = sync(config, streams=["daily"]).records("daily")
    assert {record["network"] for record in records} == {"quora"}
    assert len(records) == 5
    assert asked(sandbox)[0]["targets"] == [account]


# --- V1 and V2 ---


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"entity_level": "accounts", "window_days": 3},
        {"aggregate_by": "week", "date_range": "last 2 weeks"},
        {"aggregate_by": "month", "date_range": "2 months to now"},
        {"aggregate_by": "total"},
        {"group_by": "network"},
        {"group_by": "campaign_type"},
        {"group_by": "folder_names", "aggregate_by": "total"},
        {"filters": [{"path": "clicks", "op": "gt", "value": 50}]},
        {"filters": [{"path": "meta/network", "op": "in", "value": ["quora"]}]},
        {"targets": ["/network/adstage/folder/168"], "statuses": "all_visible"},
        {"time_zone": "Pacific/Auckland", "networks": ["adwords", "spotify"]},
        {"fields": ["custom_conversions:14:conversions", "spend"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("page_size", [7, 1000])
def test_v1_and_v2_of_a_report_write_the_same_records(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    page_size: int,
    keys: dict[str, Any],
) -> None:
    settings |= {"page_size": page_size, "reconcile": "fail"}
    second = sync(with_report(settings, **keys), streams=["daily"])
    first = sync(with_report(settings, **keys, api_version=1), streams=["daily"])
    assert first.records("daily") == second.records("daily")
    assert len(first.records("daily")) > 1
    assert first.of("SCHEMA", "daily") == second.of("SCHEMA", "daily")
    assert first.states == second.states
    assert asked(sandbox)
    assert [text for text in warnings(caplog) if "can change in" not in text] == []


@pytest.fixture(
    params=[
        {},
        {"v1_links": "token"},
        {"v1_follow": "post"},
        {"v1_links": "token", "v1_follow": "post"},
        {"v1_link_drops": ("targets",)},
        {"v1_link_drops": ("filters",)},
        {"v1_link_drops": ("dimensions", "targets"), "v1_links": "token"},
        {"v1_link_drops": ("relative_to_time_zone",)},
        {"v1_link_drops": ("group_by",)},
    ],
    ids=str,
)
def styled(request: pytest.FixtureRequest, default_world: World) -> Iterator[Sandbox]:
    """A sandbox for each way in which V1's links may be made and followed."""
    with Sandbox(today=TODAY, world=default_world, **request.param) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    "keys",
    [
        {"filters": [{"path": "meta/campaign_name", "op": "imatch", "value": "us"}]},
        {"time_zone": "Pacific/Auckland", "date_range": "last 2 days"},
        {"group_by": "campaign_name"},
    ],
    ids=str,
)
def test_whatever_links_look_like_all_pages_are_those_of_the_question(
    styled: Sandbox, sync: Sync, settings: dict[str, Any], keys: dict[str, Any]
) -> None:
    settings |= {"api_url": styled.api_url, "page_size": 4, "reconcile": "fail"}
    keys = {"targets": ["/network/adstage/user/40"], **keys}
    paged = sync(with_report(settings, **keys, api_version=1), streams=["daily"])
    requests = len(asked(styled)) + len(asked(styled, "GET"))
    whole = sync(with_report(settings, **keys), streams=["daily"])
    assert paged.records("daily") == whole.records("daily")
    assert requests > 2


def test_a_refused_link_is_tried_once_a_window(
    sync: Sync, settings: dict[str, Any], default_world: World
) -> None:
    with Sandbox(today=TODAY, world=default_world, v1_follow="post") as sandbox:
        settings |= {"api_url": sandbox.api_url, "page_size": 20}
        sync(with_report(settings, api_version=1, window_days=6), streams=["daily"])
        assert len(asked(sandbox, "GET")) == 2
        assert [body.get("offset") for body in asked(sandbox)] == [
            None, 20, 40, 60, 80, None, 20, 40, 60, 80,
        ]  # fmt: skip


def test_a_range_that_v1_widens_is_not_repeated_in_the_next_window(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    config = with_report(
        settings,
        api_version=1,
        aggregate_by="month",
        date_range="2024-01-10..2024-03-20",
        window_days=40,
    )
    records = sync(config, streams=["daily"]).records("daily")
    assert [body["date_range"] for body in asked(sandbox)] == [
        "2024-01-01..2024-01-31",
        "2024-02-01..2024-02-29",
        "2024-03-01..2024-03-20",
    ]
    assert len({key(record) for record in records}) == len(records) == 3 * 90
    assert {record["date_end"] for record in records} == {
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
    }


def test_a_v1_report_goes_on_from_its_bookmark(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    config = with_report(settings, api_version=1, lookback_days=2)
    state = sync(config, streams=["daily"]).state
    assert state["bookmarks"]["daily"]["replication_key_value"] == "2024-03-19"
    sandbox.requests.clear()
    sync(config, state=state, streams=["daily"])
    assert [body["date_range"] for body in asked(sandbox)] == ["2024-03-17..2024-03-19"]


def test_unrounded_numbers_are_written_as_they_come(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    default_world: World,
) -> None:
    with Sandbox(today=TODAY, world=default_world, v1_rounding=False) as sandbox:
        settings |= {"api_url": sandbox.api_url}
        first = sync(with_report(settings, api_version=1), streams=["daily"])
        second = sync(with_report(settings, ignore_precision=True), streams=["daily"])
    assert first.records("daily") == second.records("daily")
    assert any(len(str(r["spend"])) > 14 for r in first.records("daily"))
    assert warnings(caplog) == []


# --- external providers ---

PROVIDERS = {
    "facebook": (["clicks", "reach", "spend"], ["age", "publisher_platform"]),
    "adwords": (["clicks", "cost"], ["Device", "AdNetworkType1"]),
    "gemini": (["clicks", "impressions", "spend"], ["Device Type"]),
    "google_analytics": (
        ["ga:sessions", "ga:transactionRevenue"],
        ["ga:sourceMedium", "ga:deviceCategory"],
    ),
}


def provider_report(sandbox: Sandbox, provider: str, **keys: object) -> dict[str, Any]:
    return {
        "name": "daily",
        "provider": provider,
        "entity_level": "accounts",
        "fields": PROVIDERS[provider][0],
        "targets": [account_of(sandbox, provider)],
        "date_range": "last 3 days",
        **keys,
    }


def column_of(field: str) -> str:
    return field.lower().replace(":", "_").replace(" ", "_")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_s_rows_are_its_own_numbers(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any], provider: str
) -> None:
    report = provider_report(sandbox, provider)
    records = sync(settings | {"reports": [report]}, streams=["daily"]).records("daily")
    account = sandbox.world.entity(report["targets"][0])
    assert [record["date"] for record in records] == [
        "2024-03-17", "2024-03-18", "2024-03-19",
    ]  # fmt: skip
    for record in records:
        assert record["entity_id"] == account.entity_id
        for field in report["fields"]:
            column = column_of(field)
            day = dt.date.fromisoformat(record["date"])
            assert record[column] == sandbox.world.provider_metric(
                provider, account, field, day, today=TODAY
            )
    (question,) = asked(sandbox)
    assert question["provider"] == provider
    assert question["targets"] == report["targets"]
    assert question["fields"] == report["fields"]
    assert "networks" not in question
    assert "dimensions" not in question


@pytest.mark.parametrize("aggregate_by", ["day", "total"])
@pytest.mark.parametrize("page_size", [3, 1000])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_dimensions_break_the_rows_down_and_keep_their_sum(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    provider: str,
    page_size: int,
    aggregate_by: str,
) -> None:
    fields, dimensions = PROVIDERS[provider]
    settings |= {"page_size": page_size, "reconcile": "fail"}
    report = provider_report(sandbox, provider, aggregate_by=aggregate_by)
    whole = sync(settings | {"reports": [report]}, streams=["daily"]).records("daily")
    sandbox.requests.clear()
    messages = sync(
        settings | {"reports": [report | {"dimensions": dimensions}]},
        streams=["daily"],
    )
    assert asked(sandbox)[0]["dimensions"] == dimensions
    columns = [column_of(name) for name in dimensions]
    (schema,) = messages.of("SCHEMA", "daily")
    dates = ["date"] if aggregate_by == "day" else ["date", "date_end"]
    assert schema["key_properties"] == [*dates, "entity_id", *columns]
    records = messages.records("daily")
    keys = [tuple(r[name] for name in schema["key_properties"]) for r in records]
    assert len(set(keys)) == len(keys) > len(whole)
    assert any("(none)" in values for values in keys)
    assert None not in {value for values in keys for value in values}
    # Reach counts people, and a person may be in several parts.
    added = [column_of(field) for field in fields if field != "reach"]
    sums: dict[tuple[str, str], Decimal | int] = defaultdict(int)
    for record in records:
        for column in added:
            sums[record["date"], column] += record[column] or 0
    expected = {(r["date"], column): r[column] for r in whole for column in added}
    assert sums == expected


def test_a_provider_s_text_fields_are_columns(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    report = provider_report(
        sandbox,
        "facebook",
        entity_level="campaigns",
        fields=["Campaign_Name", "clicks"],
        date_range="yesterday",
    )
    records = sync(settings | {"reports": [report]}, streams=["daily"]).records("daily")
    account = sandbox.world.entity(report["targets"][0])
    assert {r["entity_id"]: r["campaign_name"] for r in records} == {
        campaign.entity_id: campaign.name for campaign in account.children
    }


def test_a_provider_s_unknown_field_is_an_error_with_the_nearest_names(
    sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    report = provider_report(sandbox, "google_analytics", fields=["ga:bounce"])
    with pytest.raises(ConfigError, match=r"'ga:bounce'.*did you mean ga:bounceRate"):
        _ = TapAdStage(config=settings | {"reports": [report]}).streams


def test_a_provider_s_descriptors_are_read_once(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    reports = [
        provider_report(sandbox, "facebook", name=name) for name in ("one", "two")
    ]
    sync(settings | {"reports": reports}, streams=["one", "two", "metric_descriptors"])
    paths = [request.path for request in sandbox.requests]
    assert paths.count("/api/metric_descriptors/facebook") == 1
    assert paths.count("/api/metric_descriptors/adwords") == 1


def test_a_target_that_the_provider_lacks_ends_with_adstage_s_own_words(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    report = provider_report(
        sandbox,
        "google_analytics",
        targets=["/network/google_analytics/account/5"],
    )
    with stream_fails(ApiError, match="account/5"):
        sync(settings | {"reports": [report]}, streams=["daily"])
