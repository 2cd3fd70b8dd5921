from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.sandbox.adstage.reports.statuses import STATUS_FILTERS
from tap_adstage.sandbox.world.entities import LEVELS
from tap_adstage.sandbox.world.metrics import METRICS

from .api import COMMON, NETWORKS, TODAY, Api, body, ids_of, is_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_adstage.sandbox.world.world import World

START, END = dt.date(2019, 7, 1), dt.date(2019, 7, 3)


def number(value: Decimal | int | None) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


def expected(world: World, entity_id: str, metric_id: str) -> float | int | None:
    entity = world.entity(entity_id)
    return number(world.total(entity, metric_id, START, END, today=TODAY))


@pytest.mark.parametrize("level", LEVELS)
def test_rows_are_the_worlds_truth(api: Api, world: World, level: str) -> None:
    rows = api.report(level, limit=1000)["_embedded"]["results"]
    assert rows
    for row in rows:
        entity_id = row["meta"]["entity_id"]
        entity = world.entity(entity_id)
        lacking = {metric_id for metric_id in COMMON if metric_id not in row["metrics"]}
        assert lacking == ({"conversions"} if entity.network == "spotify" else set())
        for metric_id, value in row["metrics"].items():
            assert value == expected(world, entity_id, metric_id)
        assert row["meta"]["network"] == entity.network
        assert row["meta"]["currency_code"] == entity.currency[0]
        assert row["calculated"] == {}
        assert "series" not in row


def test_every_metric_can_be_requested(api: Api, world: World) -> None:
    for row in api.results(fields=list(METRICS)):
        metrics = {**row["metrics"], **row["calculated"]}
        for metric_id, value in metrics.items():
            assert value == expected(world, row["meta"]["entity_id"], metric_id)
            assert (metric_id in row["calculated"]) is metric_id.startswith(
                "calculated_metric:"
            )


def test_a_metric_that_a_network_lacks_is_null_or_missing(api: Api) -> None:
    shown = {
        row["meta"]["network"]: row["metrics"].get("likes", "missing")
        for row in api.results(fields=["likes"])
    }
    assert shown["adwords"] is None
    assert shown["quora"] == "missing"
    assert isinstance(shown["facebook"], int)
    series = api.results(fields=["likes"], output_format="series", aggregate_by="day")
    by_network = {row["summary"]["meta"]["network"]: row["series"] for row in series}
    assert by_network["adwords"]["metrics"] == {"likes": [None] * 3}
    assert by_network["quora"]["metrics"] == {}


@pytest.mark.parametrize(
    ("aggregate_by", "date_range", "slices"),
    [
        (
            "day",
            "2019-06-29..2019-07-01",
            ["06-29/06-29", "06-30/06-30", "07-01/07-01"],
        ),
        (
            "week",
            "2019-06-12..2019-06-24",
            ["06-10/06-16", "06-17/06-23", "06-24/06-30"],
        ),
        ("month", "2019-05-31..2019-06-10", ["05-01/05-31", "06-01/06-30"]),
    ],
)
def test_slices_are_whole_and_hold_the_requested_days(
    api: Api, world: World, aggregate_by: str, date_range: str, slices: list[str]
) -> None:
    request: dict[str, Any] = {
        "aggregate_by": aggregate_by,
        "date_range": date_range,
        "networks": ["adwords"],
    }
    rows = api.report(**request)
    series = api.report(output_format="series", **request)
    start, end = (dt.date.fromisoformat(day) for day in date_range.split(".."))
    spans = [tuple(f"2019-{end}" for end in days.split("/")) for days in slices]
    assert rows["time"] == {
        "start": f"{start}T00:00:00Z",
        "end": f"{end}T23:59:59Z",
        "interval": aggregate_by,
    }
    assert series["time"] == {
        **rows["time"],
        "timestamps": [f"{first}T00:00:00Z" for first, _ in spans],
    }
    for row, one in zip(
        rows["_embedded"]["results"], series["_embedded"]["results"], strict=True
    ):
        entity = world.entity(row["meta"]["entity_id"])
        assert one["summary"]["metrics"] == row["metrics"]
        for place, (first, last) in enumerate(spans):
            part = row["series"][place]
            assert part["time"] == {
                "start": f"{first}T00:00:00Z",
                "end": f"{last}T23:59:59Z",
            }
            days = (
                max(start, dt.date.fromisoformat(first)),
                min(end, dt.date.fromisoformat(last)),
            )
            for metric_id, value in part["metrics"].items():
                total = world.total(entity, metric_id, *days, today=TODAY)
                assert value == number(total)
                assert one["series"]["metrics"][metric_id][place] == value


def test_calculated_metrics_stand_apart_in_series(api: Api) -> None:
    row = api.results(
        fields=["clicks", "calculated_metric:123"],
        output_format="series",
        aggregate_by="day",
        networks=["quora"],
    )[0]
    assert row["summary"]["calculated"].keys() == {"calculated_metric:123"}
    assert row["series"]["metrics"].keys() == {"clicks"}
    assert len(row["series"]["calculated"]["calculated_metric:123"]) == 3


def test_days_to_come_are_null(api: Api) -> None:
    row = api.results(
        date_range="2019-07-14..2019-07-17",
        output_format="series",
        aggregate_by="day",
        networks=["adwords"],
    )[0]
    known = [value is not None for value in row["series"]["metrics"]["clicks"]]
    assert known == [True, True, False, False]
    assert row["summary"]["metrics"]["clicks"] == sum(
        row["series"]["metrics"]["clicks"][:2]
    )
    future = api.results(date_range="2019-08-01", networks=["adwords"])[0]
    assert future["metrics"] == dict.fromkeys(COMMON)


def test_statuses_are_all_visible_by_default(api: Api, world: World) -> None:
    everything = world.entities("campaigns")
    for statuses, allowed in STATUS_FILTERS.items():
        ids = api.ids("campaigns", statuses=statuses)
        assert ids == ids_of(
            entity for entity in everything if entity.status in allowed
        )
    assert api.ids("campaigns", statuses=None) == api.ids(
        "campaigns", statuses="all_visible"
    )


def test_networks_limit_the_report(api: Api, world: World) -> None:
    ids = api.ids("campaigns", networks=["quora", "twitter"])
    assert ids == ids_of(
        entity
        for entity in world.entities("campaigns")
        if entity.network in {"quora", "twitter"}
    )


@pytest.mark.parametrize(
    "target", ["accounts", "campaigns", "ad_groups", "ads", "keywords"]
)
@pytest.mark.parametrize("level", LEVELS)
def test_targets_limit_the_report_or_are_too_fine(
    api: Api, world: World, level: str, target: str
) -> None:
    owner = world.entities(target)[4]
    order = ["accounts", "campaigns", "ad_groups"]
    coarser = [level, *(order[: order.index(level)] if level in order else order)]
    if target in coarser:
        ids = api.ids(level, targets=[owner.entity_id])
        inside = [entity for entity in world.entities(level) if is_in(entity, owner)]
        assert ids == ids_of(inside)
        assert ids
    else:
        refuse(api, "coarser", level, targets=[owner.entity_id])


def refuse(api: Api, message: str, level: str, **changes: Any) -> None:  # noqa: ANN401
    response = api.post_report(body(level, **changes))
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_groupings_are_targets(api: Api, world: World) -> None:
    group, folder = world.account_groups[1], world.folders[2]
    everything = ids_of(world.entities("campaigns"))
    prefix = "/network/adstage"
    assert api.ids("campaigns", targets=[f"{prefix}/user/40"]) == everything
    assert api.ids("campaigns", targets=[f"{prefix}/organization/40"]) == everything
    in_group = api.ids("accounts", targets=[f"{prefix}/account_group/{group.id}"])
    assert in_group == ids_of(group.accounts)
    in_folder = api.ids("campaigns", targets=[f"{prefix}/folder/{folder.fetch_id}"])
    assert in_folder == ids_of(folder.campaigns)
    ads = api.ids("ads", targets=[f"{prefix}/folder/{folder.fetch_id}"])
    assert ads == ids_of(
        entity
        for entity in world.entities("ads")
        if any(is_in(entity, campaign) for campaign in folder.campaigns)
    )


def test_targets_add_up_without_repeating(api: Api, world: World) -> None:
    account = world.entities("accounts")[0]
    other = world.entities("accounts")[5]
    campaign = account.children[0]
    rows = api.results(
        "campaigns",
        targets=[account.entity_id, campaign.entity_id, other.entity_id],
    )
    ids = [row["meta"]["entity_id"] for row in rows]
    assert len(ids) == len(set(ids)) == 10
    assert set(ids) == ids_of((*account.children, *other.children))


def test_meta_fields_come_back_under_their_names(api: Api, world: World) -> None:
    fields = [
        "campaign_name",
        "budget.value",
        "budget_float",
        "objective",
        "objective.code",
        "folder_names",
        "folder_ids.40",
        "spend",
    ]
    for row in api.results("campaigns", fields=fields):
        entity = world.entity(row["meta"]["entity_id"])
        assert row["meta"].keys() == {
            "currency_code",
            "currency_symbol",
            "entity_id",
            "id",
            "network",
            "campaign_name",
            "budget.value",
            "budget_float",
            "objective",
            "objective.code",
            "folder_names.40",
            "folder_ids.40",
        }
        assert row["meta"]["campaign_name"] == entity.name
        assert row["meta"]["folder_names.40"] == [
            folder.name for folder in entity.folders
        ]
        assert row["meta"]["folder_ids.40"] == [
            str(folder.fetch_id) for folder in entity.folders
        ]
        assert row["meta"]["objective"] == entity.meta("objective")
        assert row["metrics"].keys() == {"spend"}


def test_rows_link_to_their_entity(api: Api, world: World) -> None:
    row = api.results("campaigns", networks=["adwords"])[0]
    entity = world.entity(row["meta"]["entity_id"])
    path = f"network/adwords/campaigns/{entity.remote_id}"
    assert row["_links"] == {
        "adstage:network_campaign": {
            "href": f"{api.sandbox.api_url}/{path}",
            "title": entity.name,
        }
    }


@pytest.mark.parametrize("order", ["asc", "desc", None])
@pytest.mark.parametrize("sort_by", ["spend", "ctr", "status", "entity_id", "ad_type"])
def test_rows_are_sorted(
    api: Api, world: World, sort_by: str, order: str | None
) -> None:
    rows = api.results(
        "ads", sort_by=sort_by, order=order, networks=["facebook", "quora"]
    )
    ids = [row["meta"]["entity_id"] for row in rows]

    def value(entity_id: str) -> object:
        if sort_by in METRICS:
            return expected(world, entity_id, sort_by)
        return world.entity(entity_id).meta(sort_by)

    known = [entity_id for entity_id in sorted(ids) if value(entity_id) is not None]
    known.sort(key=value, reverse=order != "asc")  # type: ignore[arg-type]
    assert ids == known + [
        entity_id for entity_id in sorted(ids) if value(entity_id) is None
    ]


def test_the_sort_field_need_not_be_shown(api: Api) -> None:
    row = api.results(fields=["clicks"], sort_by="spend")[0]
    assert row["metrics"].keys() <= {"clicks"}


@pytest.mark.parametrize("sort_by", ["entity_id", "status", "conversions"])
@pytest.mark.parametrize("limit", [7, 100, 359, 360, 1000])
def test_pages_hold_each_entity_once(api: Api, sort_by: str, limit: int) -> None:
    request: dict[str, Any] = {"sort_by": sort_by, "fields": ["clicks"], "limit": limit}
    whole = [
        row["meta"]["entity_id"]
        for row in api.results("ad_groups", **{**request, "limit": 1000})
    ]
    paged: list[str] = []
    pages = 0
    while True:
        report = api.report("ad_groups", **request)
        paged += [row["meta"]["entity_id"] for row in report["_embedded"]["results"]]
        pages += 1
        assert report["_links"].keys() - {"results"} == report["_forms"].keys()
        assert ("prev_page" in report["_forms"]) is (pages > 1)
        if "next_page" not in report["_forms"]:
            break
        form = report["_forms"]["next_page"]
        request["page_token"] = form["fields"]["page_token"]["value"]
        request["limit"] = 5  # which the token overrules
    assert paged == whole
    assert pages == -(-360 // limit)


def test_a_page_has_a_thousand_rows_by_default(api: Api) -> None:
    report = api.report("ads", fields=["clicks"], date_range="yesterday")
    assert len(report["_embedded"]["results"]) == 1000
    form = report["_forms"]["next_page"]
    token = form["fields"]["page_token"]["value"]
    second = api.report(
        "ads", fields=["clicks"], date_range="yesterday", page_token=token
    )
    assert len(second["_embedded"]["results"]) == 80
    assert second["_forms"].keys() == {"prev_page"}


def test_offsets_skip_rows(api: Api) -> None:
    whole = [row["meta"]["entity_id"] for row in api.results()]
    part = api.report(limit=4, offset=6)["_embedded"]["results"]
    assert [row["meta"]["entity_id"] for row in part] == whole[6:10]
    beyond = api.report(limit=4, offset=60)
    assert beyond["_embedded"]["results"] == []
    assert beyond["_forms"].keys() == {"prev_page"}


def test_groups_sum_up_their_entities(api: Api, world: World) -> None:
    rows = api.results(
        "campaigns",
        group_by="account_name",
        fields=["clicks", "ctr", "spend", "campaign_name", "status"],
    )
    accounts = {account.name: account for account in world.entities("accounts")}
    assert [row["meta"]["account_name"] for row in rows] == sorted(accounts)
    for row in rows:
        account = accounts[row["meta"]["account_name"]]
        names = list(dict.fromkeys(campaign.name for campaign in account.children))
        assert row["meta"]["entity_id"] is None
        assert row["meta"]["campaign_name"] == names
        assert row["meta"]["network"] == [account.network]
        assert row["meta"]["currency_code"] == account.currency[0]
        assert set(row["meta"]["status"]) == {
            campaign.status for campaign in account.children
        }
        for metric_id, value in row["metrics"].items():
            assert value == expected(world, account.entity_id, metric_id)
        assert row["_links"] == {}


def test_groups_of_several_currencies_have_none(api: Api) -> None:
    rows = api.results(group_by="network")
    assert [row["meta"]["network"] for row in rows] == sorted(NETWORKS)
    assert {row["meta"]["currency_code"] for row in rows} >= {None}


def test_what_belongs_to_no_group_is_a_group(api: Api, world: World) -> None:
    rows = api.results("campaigns", group_by="folder_names", sort_by="folder_names")
    names = [row["meta"]["folder_names.40"] for row in rows]
    assert names.count(None) == 1
    assert names[-1] is None
    assert set(names) - {None} == {
        folder.name for folder in world.folders if folder.campaigns
    }
    unfiled = [entity for entity in world.entities("campaigns") if not entity.folders]
    assert rows[-1]["metrics"]["clicks"] == sum(
        expected(world, entity.entity_id, "clicks") or 0 for entity in unfiled
    )


def test_texts_of_groups_end_at_a_hundred(api: Api) -> None:
    rows = api.results("ads", group_by="type", fields=["ad_entity_id", "clicks"])
    assert len(rows) == 1
    assert len(rows[0]["meta"]["ad_entity_id"]) == 100
    assert len(set(rows[0]["meta"]["ad_entity_id"])) == 100


def test_groups_are_paged_and_counted(api: Api) -> None:
    report = api.report(
        "ads",
        group_by="network",
        limit=4,
        summarize_on=["filtered"],
        summary_fields=["clicks"],
        summary_format="row",
    )
    assert len(report["_embedded"]["results"]) == 4
    assert report["summary"]["filtered"]["count"] == 9
    assert "next_page" in report["_forms"]


FILTERS: list[tuple[str, str, Any]] = [
    ("clicks", "gt", 5000),
    ("clicks", "lt", 5000),
    ("ctr", "gte", 0.02),
    ("spend", "lte", 9000.5),
    ("conversions", "in", [150, 151, 152, 153, 154, 155, 156, 157]),
    ("meta/network", "in", ["adwords", "Quora"]),
    ("meta/network", "iin", ["adwords", "Quora"]),
    ("meta/campaign_name", "match", "Brand"),
    ("meta/campaign_name", "nomatch", "Brand"),
    ("meta/campaign_name", "imatch", "brand"),
    ("meta/campaign_name", "inomatch", "brand"),
    ("meta/budget_float", "gt", 900),
    ("meta/campaign_type", "nomatch", "SEARCH"),
    ("meta/campaign_name", "gte", "N"),
    ("meta/folder_names.40", "imatch", "2019"),
]


def passes(actual: Any, op: str, value: Any) -> bool:  # noqa: ANN401
    if isinstance(actual, list):
        return any(passes(item, op, value) for item in actual)
    if actual is None:
        return op in {"nomatch", "inomatch"}
    text = str(actual)
    checks: dict[str, Callable[[], bool]] = {
        "gt": lambda: actual > value,
        "lt": lambda: actual < value,
        "gte": lambda: actual >= value,
        "lte": lambda: actual <= value,
        "in": lambda: actual in value,
        "iin": lambda: text.lower() in [str(item).lower() for item in value],
        "match": lambda: value in text,
        "nomatch": lambda: value not in text,
        "imatch": lambda: value.lower() in text.lower(),
        "inomatch": lambda: value.lower() not in text.lower(),
    }
    return bool(checks[op]())


@pytest.mark.parametrize(("path", "op", "value"), FILTERS)
def test_filters_select_rows(
    api: Api,
    world: World,
    path: str,
    op: str,
    value: Any,  # noqa: ANN401
) -> None:
    ids = api.ids("campaigns", filters=[{"path": path, "op": op, "value": value}])
    everything = world.entities("campaigns")
    expected_ids = set()
    for entity in everything:
        actual: object
        if path.startswith("meta/"):
            name = path.removeprefix("meta/").removesuffix(".40")
            actual = entity.meta(name)
        else:
            actual = expected(world, entity.entity_id, path)
        if passes(actual, op, value):
            expected_ids.add(entity.entity_id)
    assert ids == expected_ids
    assert 0 < len(ids) < len(everything)


def test_comparisons_know_equality(api: Api) -> None:
    clicks = sorted(row["metrics"]["clicks"] for row in api.results())
    assert len(set(clicks)) == 18

    def count(op: str) -> int:
        return len(api.ids(filters=[{"path": "clicks", "op": op, "value": clicks[7]}]))

    assert [count(op) for op in ("lt", "lte", "gt", "gte")] == [7, 8, 10, 11]


def test_filters_are_anded(api: Api) -> None:
    first = {"path": "meta/network", "op": "in", "value": ["adwords", "facebook"]}
    second = {"path": "clicks", "op": "gt", "value": 2000}
    both = api.ids("campaigns", filters=[first, second])
    one, other = (
        api.ids("campaigns", filters=[condition]) for condition in (first, second)
    )
    assert both == one & other
    assert both < one
    assert both < other


def test_metric_filters_are_for_groups(api: Api) -> None:
    rows = api.results("campaigns", group_by="network")
    clicks = sorted(row["metrics"]["clicks"] for row in rows)
    filtered = api.results(
        "campaigns",
        group_by="network",
        filters=[{"path": "clicks", "op": "gt", "value": clicks[4]}],
    )
    assert sorted(row["metrics"]["clicks"] for row in filtered) == clicks[5:]


@pytest.mark.parametrize("summary_format", ["row", "series"])
@pytest.mark.parametrize("output_format", ["row", "series"])
def test_summaries_sum_up_pages_and_everything(
    api: Api, world: World, output_format: str, summary_format: str
) -> None:
    report = api.report(
        "campaigns",
        output_format=output_format,
        aggregate_by="day",
        limit=20,
        fields=["clicks", "ctr", "calculated_metric:123"],
        filters=[{"path": "clicks", "op": "gt", "value": 500}],
        summarize_on=["page", "filtered"],
        summary_fields=["clicks", "ctr", "calculated_metric:123"],
        summary_format=summary_format,
    )
    summary = report["summary"]
    matching = [
        entity
        for entity in world.entities("campaigns")
        if (expected(world, entity.entity_id, "clicks") or 0) > 500
    ]
    assert summary["filtered"]["count"] == len(matching) > 20
    total = sum(expected(world, entity.entity_id, "clicks") or 0 for entity in matching)
    assert summary["filtered"]["metrics"]["clicks"] == total
    impressions = sum(
        expected(world, entity.entity_id, "impressions") or 0 for entity in matching
    )
    assert summary["filtered"]["metrics"]["ctr"] == round(total / impressions, 4)
    assert summary["filtered"]["calculated"] == {}
    rows = report["_embedded"]["results"]
    parts = [row.get("summary", row) for row in rows]
    for kind, metric_id in (
        ("metrics", "clicks"),
        ("calculated", "calculated_metric:123"),
    ):
        of_page = sum(part[kind][metric_id] for part in parts)
        assert summary["page"][kind][metric_id] == of_page
    series = summary["filtered"]["series"]
    if summary_format == "row":
        assert "series" not in summary["page"]
        assert sum(part["metrics"]["clicks"] for part in series) == total
        assert [part["time"]["start"][:10] for part in series] == [
            "2019-07-01",
            "2019-07-02",
            "2019-07-03",
        ]
    else:
        assert sum(series["metrics"]["clicks"]) == total
        assert sum(summary["page"]["series"]["metrics"]["clicks"]) == sum(
            part["metrics"]["clicks"] for part in parts
        )


def test_summaries_count_no_entity_twice(api: Api) -> None:
    """A campaign of two folders is in two groups."""
    summary = {
        "summarize_on": ["page", "filtered"],
        "summary_fields": ["clicks"],
        "summary_format": "row",
    }
    report = api.report("campaigns", group_by="folder_ids", **summary)
    rows = report["_embedded"]["results"]
    ungrouped = api.report("campaigns", **summary)["summary"]["filtered"]["metrics"]
    assert report["summary"]["filtered"]["metrics"] == ungrouped
    assert report["summary"]["page"]["metrics"] == ungrouped
    assert sum(row["metrics"]["clicks"] for row in rows) > ungrouped["clicks"]


def test_only_requested_summaries_are_returned(api: Api) -> None:
    assert api.report()["summary"] is None
    report = api.report(
        summarize_on=["filtered"], summary_fields=["spend"], summary_format="row"
    )
    assert report["summary"].keys() == {"filtered", "summaries", "type"}
    assert "series" not in report["summary"]["filtered"]


def test_money_is_rounded_by_default(api: Api) -> None:
    exact = {row["meta"]["entity_id"]: row["metrics"] for row in api.results()}
    raw = api.report(ignore_precision=True)["_embedded"]["results"]
    longer = 0
    ctr = api.report(ignore_precision=True, fields=["ctr"])["_embedded"]["results"]
    for row in ctr:
        value = row["metrics"]["ctr"]
        assert value == round(value, 10) != round(value, 5)
    for row in raw:
        spend = exact[row["meta"]["entity_id"]]["spend"]
        assert row["metrics"]["spend"] == pytest.approx(spend, rel=1e-6)
        assert row["metrics"]["clicks"] == exact[row["meta"]["entity_id"]]["clicks"]
        longer += row["metrics"]["spend"] != round(row["metrics"]["spend"], 2)
        assert spend == round(spend, 2)
    assert longer > 9


@pytest.mark.parametrize("ignore_precision", [False, True])
def test_no_number_has_an_exponent(api: Api, *, ignore_precision: bool) -> None:
    response = api.post_report(
        body("ads", fields=list(METRICS), ignore_precision=ignore_precision)
    )
    numbers: list[str] = []

    def keep(text: str) -> float:
        numbers.append(text)
        return float(text)

    json.loads(response.content, parse_float=keep)
    assert numbers
    assert not [text for text in numbers if "e" in text.lower()]
    if not ignore_precision:
        assert max(len(text.partition(".")[2]) for text in numbers) <= 4


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({}, "2019-07-15"),
        ({"relative_to_time_zone": "Pacific/Kiritimati"}, "2019-07-16"),
        ({"relative_to_time_zone": "Pacific/Pago_Pago"}, "2019-07-15"),
        ({"relative_to_datetime": "2019-03-14"}, "2019-03-14"),
        (
            {
                "relative_to_datetime": "2019-03-14T23:30:00",
                "relative_to_time_zone": "Australia/Sydney",
            },
            "2019-03-14",
        ),
        (
            {
                "relative_to_datetime": "2019-03-14T23:30:00+00:00",
                "relative_to_time_zone": "Australia/Sydney",
            },
            "2019-03-15",
        ),
        ({"relative_to_datetime": "2019-03-14T02:00:00+11:00"}, "2019-03-13"),
    ],
)
def test_relative_ranges_know_their_day(
    api: Api, changes: dict[str, str], day: str
) -> None:
    report = api.report(date_range="today", **changes)
    assert report["time"]["start"] == f"{day}T00:00:00Z"
    assert report["time"]["end"] == f"{day}T23:59:59Z"
