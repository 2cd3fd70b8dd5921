from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.sandbox.adstage.reports.statuses import STATUS_FILTERS
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.entities import LEVELS
from tap_adstage.sandbox.world.metrics import METRICS

from .api import COMMON, NETWORKS, TODAY, Api, body, ids_of, v1_rows, v1_totals

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.world import World

START, END = dt.date(2019, 7, 1), dt.date(2019, 7, 3)
FIELDS_OF_V1 = [name for name in METRICS if not name.startswith("calculated_metric:")]


def number(value: Decimal | int | None) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


def timeframe(first: str, last: str) -> dict[str, str]:
    return {"start": f"{first}T00:00:00Z", "end": f"{last}T23:59:59Z"}


def ids(rows: list[dict[str, Any]]) -> set[str]:
    return {row["meta"]["entity_id"] for row in rows}


@pytest.mark.parametrize("level", LEVELS)
def test_basic_rows_are_the_worlds_truth(api: Api, world: World, level: str) -> None:
    report = api.v1_report(level, fields=[*COMMON, "account_name"])
    rows = v1_rows(report)
    assert len(rows) == min(1000, len(world.entities(level)))
    for row in rows:
        entity = world.entity(row["meta"]["entity_id"])
        assert row.keys() == {"data", "timeframe", "meta"}
        for metric_id, value in row["data"].items():
            total = world.total(entity, metric_id, START, END, today=TODAY)
            assert value == number(total)
        assert row["timeframe"] == timeframe("2019-07-01", "2019-07-03")
        assert row["meta"] == {
            "account_name": entity.account.name,
            "currency_code": entity.currency[0],
            "currency_symbol": entity.currency[1],
            "entity_id": entity.entity_id,
            "network": entity.network,
            "row_name": entity.name,
        }


@pytest.mark.parametrize("aggregate_by", ["day", "week", "month"])
@pytest.mark.parametrize("level", ["accounts", "ad_groups"])
def test_both_versions_report_the_same_for_whole_slices(
    api: Api, level: str, aggregate_by: str
) -> None:
    days = {"day": "2019-07-01..2019-07-09", "week": "2019-06-10..2019-06-30"}
    date_range = days.get(aggregate_by, "2019-05-01..2019-06-30")
    request: dict[str, Any] = {"aggregate_by": aggregate_by, "date_range": date_range}
    old = api.v1_results(level, fields=FIELDS_OF_V1, **request)
    new = api.results(level, fields=FIELDS_OF_V1, **request)
    assert len(old) == len(new)
    for one, other in zip(old, new, strict=True):
        assert one["meta"]["entity_id"] == other["meta"]["entity_id"]
        assert one["id"] == other["meta"]["id"]
        assert one["data"] == other["metrics"]
        assert [(part["data"], part["timeframe"]) for part in one["series"]] == [
            (part["metrics"], part["time"]) for part in other["series"]
        ]


@pytest.mark.parametrize(
    ("aggregate_by", "date_range", "slices"),
    [
        ("day", "2019-06-30..2019-07-01", ["06-30/06-30", "07-01/07-01"]),
        (
            "week",
            "2019-06-12..2019-06-24",
            ["06-10/06-16", "06-17/06-23", "06-24/06-30"],
        ),
        ("month", "2019-05-31..2019-06-01", ["05-01/05-31", "06-01/06-30"]),
        ("month", "2019-07-02..2019-07-03", ["07-01/07-31"]),
    ],
)
def test_a_series_covers_whole_slices_and_never_days_to_come(
    api: Api, world: World, aggregate_by: str, date_range: str, slices: list[str]
) -> None:
    spans = [
        [dt.date.fromisoformat(f"2019-{end}") for end in days.split("/")]
        for days in slices
    ]
    report = api.v1_report(
        aggregate_by=aggregate_by, date_range=date_range, fields=["clicks"]
    )
    whole = timeframe(str(spans[0][0]), str(spans[-1][1]))
    clicks = 0
    for row in v1_rows(report):
        entity = world.entity(row["meta"]["entity_id"])
        assert row["timeframe"] == whole
        assert row["meta"]["series_name"] == entity.name
        for part, (first, last) in zip(row["series"], spans, strict=True):
            assert part["timeframe"] == timeframe(str(first), str(last))
            known = min(last, TODAY)
            total = world.total(entity, "clicks", first, known)
            assert part["data"] == {"clicks": total}
        of_row = sum(part["data"]["clicks"] for part in row["series"])
        assert row["data"] == {"clicks": of_row}
        clicks += of_row
    totals = v1_totals(report)
    assert totals["timeframe"] == whole
    assert totals["data"] == {"clicks": clicks}
    assert sum(part["data"]["clicks"] for part in totals["series"]) == clicks
    assert totals["id"] == "totals"
    assert totals["meta"]["series_name"] == "All"


def test_days_to_come_are_null(api: Api) -> None:
    row = api.v1_results(
        aggregate_by="day", date_range="2019-07-15..2019-07-16", networks="adwords"
    )[0]
    assert [part["data"]["clicks"] is None for part in row["series"]] == [False, True]


def test_numbers_are_rounded_by_default(api: Api, world: World) -> None:
    exact = {row["meta"]["entity_id"]: row["data"] for row in api.v1_results()}
    with (
        Sandbox(today=TODAY, world=world, v1_rounding=False) as sandbox,
        Api(sandbox) as other,
    ):
        rows = other.v1_results()
        unrounded = other.results(ignore_precision=True)
    assert [row["data"] for row in rows] == [row["metrics"] for row in unrounded]
    longer = 0
    for row in rows:
        spend = exact[row["meta"]["entity_id"]]["spend"]
        assert spend == round(spend, 2)
        assert row["data"]["spend"] == pytest.approx(spend, rel=1e-6)
        longer += row["data"]["spend"] != spend
    assert longer > 9


def test_totals_are_of_all_pages(api: Api) -> None:
    whole, part = api.v1_report("campaigns"), api.v1_report("campaigns", limit=7)
    assert v1_totals(part) == v1_totals(whole)
    assert v1_totals(whole)["data"]["clicks"] == sum(
        row["data"]["clicks"] for row in v1_rows(whole)
    )
    assert v1_totals(whole)["timeframe"] == timeframe("2019-07-01", "2019-07-03")


def test_counts_are_of_rows(api: Api, world: World) -> None:
    report = api.v1_report("campaigns", limit=7, statuses="all_active")
    active = [
        entity for entity in world.entities("campaigns") if entity.status == "ACTIVE"
    ]
    assert report["counts"] == {
        "overall": 90,
        "overall_buckets": 90,
        "filtered": len(active),
        "filtered_buckets": len(active),
        "page": 7,
    }
    grouped = api.v1_report("campaigns", limit=7, group_by="network")
    assert grouped["counts"] == {
        "overall": 9,
        "overall_buckets": 9,
        "filtered": 9,
        "filtered_buckets": 9,
        "page": 7,
    }
    filters = [{"path": "clicks", "op": "gt", "value": 10**9}]
    empty = api.v1_report("campaigns", filters=filters)
    assert (empty["counts"]["filtered"], empty["counts"]["page"]) == (0, 0)
    assert v1_totals(empty)["data"] == dict.fromkeys(COMMON)


def test_groups_sum_up_their_entities(api: Api, world: World) -> None:
    fields = ["clicks", "ctr", "campaign_name"]
    rows = api.v1_results("campaigns", group_by="account_name", fields=fields)
    by_v2 = api.results("campaigns", group_by="account_name", fields=fields)
    assert [row["data"] for row in rows] == [row["metrics"] for row in by_v2]
    accounts = {account.name: account for account in world.entities("accounts")}
    for row in rows:
        account = accounts[row["meta"]["account_name"]]
        assert row["meta"] == {
            "account_name": account.name,
            "campaign_name": list(
                dict.fromkeys(campaign.name for campaign in account.children)
            ),
            "currency_code": account.currency[0],
            "currency_symbol": account.currency[1],
            "entity_id": None,
            "network": [account.network],
            "row_name": account.name,
        }


def test_what_belongs_to_no_group_is_a_group(api: Api) -> None:
    rows = api.v1_results("campaigns", group_by="folder_names", aggregate_by="day")
    groups = [row["meta"]["folder_names.40"] for row in rows]
    assert groups.count(None) == 1
    assert [row["meta"]["series_name"] for row in rows] == groups
    ungrouped = api.v1_report("campaigns")
    grouped = api.v1_report("campaigns", group_by="folder_names")
    assert v1_totals(grouped)["data"] == v1_totals(ungrouped)["data"]


def test_texts_of_groups_end_at_a_hundred(api: Api) -> None:
    rows = api.v1_results("ads", group_by="type", fields=["ad_entity_id", "clicks"])
    assert [len(row["meta"]["ad_entity_id"]) for row in rows] == [100]


@pytest.mark.parametrize(
    "networks", [["quora", "twitter"], "quora,twitter", "quora, twitter"]
)
def test_networks_are_an_array_or_a_comma_separated_list(
    api: Api, networks: object
) -> None:
    rows = api.v1_results(networks=networks)
    assert {row["meta"]["network"] for row in rows} == {"quora", "twitter"}
    assert {row["meta"]["network"] for row in api.v1_results(networks="quora")} == {
        "quora"
    }
    assert {row["meta"]["network"] for row in api.v1_results()} == set(NETWORKS)


def test_statuses_are_names_or_the_words_of_links(api: Api, world: World) -> None:
    everything = world.entities("campaigns")
    for statuses, allowed in STATUS_FILTERS.items():
        reported = ids(api.v1_results("campaigns", statuses=statuses))
        assert reported == ids_of(
            entity for entity in everything if entity.status in allowed
        )
    for words, named in (
        ("active,empty,not_empty", {"ACTIVE"}),
        ("inactive,completed,archived", {"PAUSED", "COMPLETED", "ARCHIVED"}),
        ("campaign_inactive", {"PAUSED"}),
        ("deleted", {"DELETED"}),
    ):
        reported = ids(api.v1_results("campaigns", statuses=words))
        assert reported == ids_of(
            entity for entity in everything if entity.status in named
        )
    assert ids(api.v1_results("campaigns", statuses=None)) == ids(
        api.v1_results("campaigns", statuses="all_visible")
    )


def test_targets_and_filters_limit_the_report(api: Api, world: World) -> None:
    account = next(e for e in world.entities("accounts") if e.network == "adwords")
    folder, group = world.folders[2], world.account_groups[1]
    prefix = "/network/adstage"
    for targets, expected in (
        ([account.entity_id], account.children),
        ([account.children[1].entity_id], account.children[1:2]),
        ([f"{prefix}/folder/{folder.fetch_id}"], folder.campaigns),
        (
            [f"{prefix}/account_group/{group.id}"],
            [campaign for one in group.accounts for campaign in one.children],
        ),
        ([f"{prefix}/user/40"], world.entities("campaigns")),
        ([f"{prefix}/organization/40"], world.entities("campaigns")),
    ):
        assert ids(api.v1_results("campaigns", targets=targets)) == ids_of(expected)
    filters = [
        {"path": "meta/campaign_name", "op": "match", "value": "Brand"},
        {"path": "clicks", "op": "gt", "value": 100},
    ]
    reported = ids(api.v1_results("campaigns", filters=filters))
    assert reported == api.ids("campaigns", filters=filters)
    assert reported


def test_a_report_has_ten_rows_by_clicks_by_default(api: Api) -> None:
    request = {"date_range": "yesterday", "entity_level": "ads"}
    report = api.post_v1(request).json()
    rows = v1_rows(report)
    clicks = [row["data"]["clicks"] for row in rows]
    assert len(clicks) == 10
    assert clicks == sorted(clicks, reverse=True)
    assert rows[0]["data"].keys() >= {"clicks", "impressions", "spend", "ctr"}
    assert rows[0]["meta"].keys() == {
        "currency_code",
        "currency_symbol",
        "entity_id",
        "network",
        "row_name",
    }


def test_a_series_has_all_fields_by_default(api: Api) -> None:
    row = api.v1_results(fields=None, aggregate_by="day", networks="facebook")[0]
    assert row["data"].keys() == set(FIELDS_OF_V1)
    assert row["series"][0]["data"].keys() == set(FIELDS_OF_V1)
    assert {"account_name", "folder_ids.40", "objective"} <= row["meta"].keys()


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({}, "2019-07-15"),
        ({"relative_to": "2019-03-14"}, "2019-03-14"),
        ({"relative_to": "2019-03-14T23:30:00"}, "2019-03-14"),
        ({"relative_to": "Pacific/Kiritimati"}, "2019-07-16"),
        ({"relative_to_time_zone": "Pacific/Kiritimati"}, "2019-07-16"),
        ({"relative_to_datetime": "2019-03-14T02:00:00+11:00"}, "2019-03-13"),
        ({"relative_to": "2019-03-14", "relative_to_datetime": "2018-01-01"}, None),
    ],
)
def test_relative_ranges_know_their_day(
    api: Api, changes: dict[str, str], day: str | None
) -> None:
    day = day or "2018-01-01"
    row = api.v1_results(date_range="today", **changes)[0]
    assert row["timeframe"] == timeframe(day, day)


def test_a_query_picks_parts_of_the_answer(api: Api) -> None:
    whole = api.v1_report("campaigns")
    picked = api.v1_report(
        "campaigns", query={"_embedded": {"adstage:metrics/totals": {"data": True}}}
    )
    assert picked == {
        "_embedded": {"adstage:metrics/totals": {"data": v1_totals(whole)["data"]}}
    }
    everything = api.v1_report("campaigns", query=True)
    assert everything["_embedded"] == whole["_embedded"]
    assert everything["counts"] == whole["counts"]
    without = api.v1_report(
        query={
            "_embedded": {"adstage:metrics": {"meta": {"network": True}}},
            "counts": True,
            "_links": False,
        }
    )
    assert without.keys() == {"_embedded", "counts"}
    rows = without["_embedded"]["adstage:metrics"]
    assert {tuple(row) for row in rows} == {("meta",)}
    assert [row["meta"] for row in rows] == [
        {"network": row["meta"]["network"]} for row in api.v1_results()
    ]


SUMMED: list[dict[str, Any]] = [
    {},
    {"group_by": "network"},
    {"group_by": "folder_ids"},
    {"filters": [{"path": "clicks", "op": "gt", "value": 500}]},
    {"filters": [{"path": "clicks", "op": "gt", "value": 10**9}]},
]


@pytest.mark.parametrize("changes", SUMMED)
@pytest.mark.parametrize("aggregate_by", ["day", "week", "month"])
def test_summary_rows_of_v2_series_are_what_v1_totals_are(
    api: Api, changes: dict[str, Any], aggregate_by: str
) -> None:
    """Clients compare a V2 series with that row."""
    fields = ["clicks", "spend", "ctr", "likes"]
    request: dict[str, Any] = {
        "fields": fields,
        "aggregate_by": aggregate_by,
        "date_range": "2019-04-01..2019-06-30",
        **changes,
    }
    response = api.post_report(
        body(
            "campaigns",
            output_format="series",
            limit=5,
            summarize_on=["filtered"],
            summary_fields=fields,
            summary_format="row",
            **request,
        )
    )
    assert response.status_code == 200, response.text
    filtered = response.json()["summary"]["filtered"]
    v1 = api.v1_report("campaigns", limit=5, **request)
    assert filtered["count"] == v1["counts"]["filtered"]
    assert filtered["metrics"] == v1_totals(v1)["data"]
    is_empty = filtered["count"] == 0
    assert is_empty is (changes == SUMMED[-1])
    if is_empty:
        assert filtered["metrics"] == dict.fromkeys(fields)
    else:
        spend = filtered["metrics"]["spend"]
        assert spend == round(spend, 2)
