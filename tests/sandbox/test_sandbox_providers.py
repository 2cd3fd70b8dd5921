from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.entities import LEVEL_KINDS, LEVELS
from tap_adstage.sandbox.world.providers import EXTERNAL
from tap_adstage.sandbox.world.world import World

from .api import TODAY, Api, ids_of, is_in, v1_body, v1_rows, v1_totals

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.entities import Entity

START, END = dt.date(2019, 7, 1), dt.date(2019, 7, 3)
DIMENSIONS = {
    "facebook": ["age", "gender", "publisher_platform"],
    "adwords": ["Device", "AdNetworkType1"],
    "gemini": ["Device Type"],
    "google_analytics": ["ga:sourceMedium", "ga:deviceCategory"],
}
LEVELS_OF = [
    (name, level) for name, provider in EXTERNAL.items() for level in provider.levels
]
BROKEN_DOWN = [
    (name, list(chosen))
    for name, dimensions in DIMENSIONS.items()
    for size in range(1, len(dimensions) + 1)
    for chosen in itertools.combinations(dimensions, size)
]


def account_of(world: World, provider: str) -> Entity:
    accounts = world.provider_entities(provider, "accounts")
    return next(account for account in accounts if account.network == provider)


def provider_request(world: World, provider: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    target = account_of(world, provider).entity_id
    metrics = list(EXTERNAL[provider].metrics)
    return {"provider": provider, "targets": [target], "fields": metrics, **changes}


def number(value: Decimal | int | None) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize(("provider", "level"), LEVELS_OF)
def test_rows_are_the_providers_truth(
    api: Api, world: World, provider: str, level: str
) -> None:
    account = account_of(world, provider)
    rows = api.v1_results(level, **provider_request(world, provider))
    assert {row["meta"]["entity_id"] for row in rows} == ids_of(
        entity
        for entity in world.provider_entities(provider, level)
        if is_in(entity, account)
    )
    assert rows
    for row in rows:
        entity = world.entity(row["meta"]["entity_id"])
        assert entity.kind == LEVEL_KINDS[level]
        assert row["meta"]["network"] == provider
        assert row["data"].keys() == EXTERNAL[provider].metrics.keys()
        for metric_id, value in row["data"].items():
            total = world.provider_total(
                provider, entity, metric_id, START, END, today=TODAY
            )
            assert value == number(total)


@pytest.mark.parametrize("provider", DIMENSIONS)
def test_descriptors_are_all_that_can_be_requested(
    api: Api, world: World, provider: str
) -> None:
    descriptors = api.get(f"metric_descriptors/{provider}")
    kinds = {descriptor["id"]: descriptor["type"] for descriptor in descriptors}
    fields = list(kinds)
    (row,) = api.v1_results(**provider_request(world, provider, fields=fields))
    assert row["data"].keys() == {field for field in fields if kinds[field] == "METRIC"}
    texts = {field for field in fields if kinds[field] == "TEXT"}
    assert texts <= row["meta"].keys()
    assert set(DIMENSIONS[provider]) <= texts
    assert {row["meta"][dimension] for dimension in DIMENSIONS[provider]} == {None}
    for unknown in ("cpm", "campaign_status", "no_such_field"):
        assert unknown not in kinds
        response = api.post_v1(
            v1_body(**provider_request(world, provider, fields=[unknown]))
        )
        assert response.status_code == 400
        assert unknown in response.json()["message"]


def test_names_of_fields_are_the_providers_own(world: World) -> None:
    """Facebook's clicks are all clicks; Google Analytics has prefixes and case."""
    day = END
    facebook = account_of(world, "facebook")
    clicks = world.metric(facebook, "clicks", day)
    engagements = world.metric(facebook, "engagements", day)
    assert clicks is not None
    assert engagements
    total = world.provider_metric("facebook", facebook, "clicks", day)
    assert total == clicks + engagements
    links = world.provider_metric("facebook", facebook, "link_clicks", day)
    assert links == clicks
    adwords = account_of(world, "adwords")
    cost = world.provider_metric("adwords", adwords, "cost", day)
    assert cost == world.metric(adwords, "spend", day)
    assert [*EXTERNAL["google_analytics"].metrics] == [
        "ga:sessions",
        "ga:users",
        "ga:bounceRate",
        "ga:transactionRevenue",
    ]


@pytest.mark.parametrize(("provider", "dimensions"), BROKEN_DOWN)
def test_every_combination_of_dimensions_is_a_row(
    api: Api, world: World, provider: str, dimensions: list[str]
) -> None:
    account = account_of(world, provider)
    rows = api.v1_results(**provider_request(world, provider, dimensions=dimensions))
    known = EXTERNAL[provider].dimensions
    combinations = [tuple(row["meta"].get(name) for name in dimensions) for row in rows]
    assert len(combinations) == len(set(combinations))
    assert set(combinations) == set(
        itertools.product(*(known[name] for name in dimensions))
    )
    for row, values in zip(rows, combinations, strict=True):
        assert row["meta"]["row_name"] == account.name
        for metric_id, value in row["data"].items():
            total = world.provider_total(
                provider,
                account,
                metric_id,
                START,
                END,
                today=TODAY,
                dimensions=dict(zip(dimensions, values, strict=True)),
            )
            assert value == number(total)


@pytest.mark.parametrize("aggregate_by", ["day", "week"])
@pytest.mark.parametrize(("provider", "dimensions"), BROKEN_DOWN)
def test_parts_add_up_to_the_whole(
    api: Api, world: World, provider: str, dimensions: list[str], aggregate_by: str
) -> None:
    request = provider_request(world, provider, aggregate_by=aggregate_by)
    (whole,) = api.v1_results(**request)
    report = api.v1_report(**request, dimensions=dimensions)
    parts = v1_rows(report)
    additive = [
        metric.id for metric in EXTERNAL[provider].metrics.values() if not metric.below
    ]
    for metric_id in additive:
        of_parts = sum(Decimal(str(part["data"][metric_id])) for part in parts)
        assert of_parts == Decimal(str(whole["data"][metric_id]))
        for place, piece in enumerate(whole["series"]):
            of_parts = sum(
                Decimal(str(part["series"][place]["data"][metric_id])) for part in parts
            )
            assert of_parts == Decimal(str(piece["data"][metric_id]))
    assert v1_totals(report)["data"] == whole["data"]
    assert len({part["id"] for part in parts}) == len(parts)


def test_all_breakdowns_agree(world: World) -> None:
    facebook = account_of(world, "facebook")

    def clicks(**dimensions: str | None) -> int:
        value = world.provider_metric(
            "facebook", facebook, "clicks", END, dimensions=dimensions
        )
        assert isinstance(value, int)
        return value

    genders = EXTERNAL["facebook"].dimensions["gender"]
    assert clicks(age="25-34") == sum(
        clicks(age="25-34", gender=gender) for gender in genders
    )
    assert clicks() == sum(clicks(gender=gender) for gender in genders)
    assert len({clicks(gender=gender) for gender in genders}) == len(genders)


@pytest.mark.parametrize("level", ["campaigns", "ad_groups", "ads"])
def test_parts_of_parents_are_the_sums_of_their_children_s(
    api: Api, world: World, level: str
) -> None:
    request = provider_request(
        world, "facebook", dimensions=["gender"], fields=["clicks"], group_by="gender"
    )
    parents, children = api.v1_results(**request), api.v1_results(level, **request)
    assert [(row["meta"]["gender"], row["data"]) for row in parents] == [
        (row["meta"]["gender"], row["data"]) for row in children
    ]


@pytest.mark.parametrize("provider", DIMENSIONS)
def test_a_missing_value_is_null_or_omitted(
    api: Api, world: World, provider: str
) -> None:
    name = DIMENSIONS[provider][0]
    rows = api.v1_results(**provider_request(world, provider, dimensions=[name]))
    shown = [row["meta"].get(name, "missing") for row in rows]
    absent = "missing" if provider in {"adwords", "gemini"} else None
    assert shown.count(absent) == 1
    assert {type(value) for value in shown if value != absent} == {str}


def test_counts_and_pages_are_of_broken_down_rows(api: Api, world: World) -> None:
    request = provider_request(
        world, "facebook", dimensions=["age", "gender"], fields=["clicks"]
    )
    first = api.v1_report("campaigns", **request, limit=25)
    assert first["counts"] == {
        "overall": 5 * 21,
        "overall_buckets": 5 * 21,
        "filtered": 5 * 21,
        "filtered_buckets": 5 * 21,
        "page": 25,
    }
    rows, report = v1_rows(first), first
    while "next" in report["_links"]:
        report = api.get(report["_links"]["next"]["href"])
        rows += v1_rows(report)
    assert rows == api.v1_results("campaigns", **request)


def test_dimensions_can_be_filtered_sorted_and_grouped_by(
    api: Api, world: World
) -> None:
    request = provider_request(
        world, "facebook", dimensions=["age"], fields=["clicks", "age"]
    )
    ages = [value for value in EXTERNAL["facebook"].dimensions["age"] if value]
    rows = api.v1_results("campaigns", **request, sort_by="age", order="desc")
    shown = [row["meta"]["age"] for row in rows]
    assert shown == [age for age in reversed(ages) for _ in range(5)] + [None] * 5
    filters = [{"path": "meta/age", "op": "in", "value": ["18-24", "65+"]}]
    report = api.v1_report("campaigns", **request, filters=filters)
    assert {row["meta"]["age"] for row in v1_rows(report)} == {"18-24", "65+"}
    assert report["counts"]["filtered"] == len(v1_rows(report)) == 10
    of_rows = sum(row["data"]["clicks"] for row in v1_rows(report))
    assert v1_totals(report)["data"]["clicks"] == of_rows
    grouped = api.v1_results("campaigns", **request, group_by="age")
    assert [row["meta"]["age"] for row in grouped] == [*ages, None]
    for row in grouped:
        assert row["meta"]["entity_id"] is None
        assert row["data"]["clicks"] == sum(
            other["data"]["clicks"]
            for other in rows
            if other["meta"]["age"] == row["meta"]["age"]
        )


@pytest.mark.parametrize("provider", DIMENSIONS)
def test_rows_of_a_provider_need_no_more_than_its_account(
    api: Api, world: World, provider: str
) -> None:
    target = account_of(world, provider).entity_id
    request = {
        "date_range": "yesterday",
        "entity_level": "accounts",
        "provider": provider,
        "targets": [target],
        "dimensions": DIMENSIONS[provider][:1],
    }
    rows = v1_rows(api.post_v1(request).json())
    metrics = EXTERNAL[provider].metrics
    first = next(iter(metrics)) if provider == "google_analytics" else "clicks"
    shown = [row["data"][first] for row in rows]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) > 3
    assert {tuple(row["data"]) for row in rows} == {tuple(metrics)}


def test_groups_are_broken_down_too(api: Api, world: World) -> None:
    request = provider_request(
        world, "facebook", dimensions=["gender"], fields=["clicks"]
    )
    rows = api.v1_results("ads", **request, group_by="campaign_name")
    names = {campaign.name for campaign in account_of(world, "facebook").children}
    cells = [(row["meta"]["campaign_name"], row["meta"]["gender"]) for row in rows]
    assert len(cells) == len(set(cells)) == 3 * len(names)
    (whole,) = api.v1_results(
        **provider_request(world, "facebook", fields=["link_clicks"])
    )
    totals = v1_totals(api.v1_report("ads", **{**request, "fields": ["link_clicks"]}))
    assert totals["data"] == whole["data"]


def test_only_providers_know_the_accounts_that_are_not_imported(
    api: Api, world: World
) -> None:
    assert world.provider_accounts.keys() == {"gemini", "google_analytics"}
    listed = api.get("users/40/list_network_accounts/all?limit=1000")
    networks = {item["network"] for item in listed["_embedded"]["item"]}
    networks |= {
        account["network"]
        for account in api.get("users/40/sync_information")["accounts"]
    }
    assert not networks & world.provider_accounts.keys()
    for account in world.provider_accounts.values():
        assert world.entity(account.entity_id) is account
        assert account.entity_id not in ids_of(world.entities("accounts"))
        for response in (
            api.post_v1(v1_body(targets=[account.entity_id])),
            api.post_v1(v1_body(networks=[account.network])),
        ):
            assert response.status_code == 400
    counts = {
        (name, level): len(world.provider_entities(name, level))
        for name in world.provider_accounts
        for level in LEVELS
    }
    assert counts == {
        ("gemini", "accounts"): 1,
        ("gemini", "campaigns"): 5,
        ("gemini", "ad_groups"): 20,
        ("gemini", "ads"): 60,
        ("gemini", "keywords"): 0,
        ("google_analytics", "accounts"): 1,
        ("google_analytics", "campaigns"): 0,
        ("google_analytics", "ad_groups"): 0,
        ("google_analytics", "ads"): 0,
        ("google_analytics", "keywords"): 0,
    }


def test_the_first_organization_owns_them() -> None:
    world = World(organizations=2, accounts_per_network=1, campaigns_per_account=1)
    with Sandbox(today=TODAY, world=world) as sandbox, Api(sandbox) as api:
        for provider in world.provider_accounts:
            request = v1_body(**provider_request(world, provider))
            assert api.post_v1(request, 40).status_code == 200
            assert api.post_v1(request, 41).status_code == 400


@pytest.mark.parametrize("provider", DIMENSIONS)
def test_a_provider_takes_one_account_of_its_own(
    api: Api, world: World, provider: str
) -> None:
    account = account_of(world, provider)
    other = account_of(world, "facebook" if provider == "adwords" else "adwords")
    bad: list[object] = [
        None,
        [],
        account.entity_id,
        [7],
        [account.entity_id, account.entity_id],
        [other.entity_id],
        [f"/network/{provider}/account/1"],
        ["/network/adstage/user/40"],
        *([child.entity_id] for child in account.children[:1]),
    ]
    for targets in bad:
        request = v1_body(**provider_request(world, provider, targets=targets))
        response = api.post_v1(request)
        assert response.status_code == 400, targets
        assert "targets" in response.json()["message"]


@pytest.mark.parametrize(
    ("provider", "level", "changes", "message"),
    [
        ("facebook", "keywords", {}, "entity_level"),
        ("gemini", "keywords", {}, "entity_level"),
        ("google_analytics", "campaigns", {}, "entity_level"),
        ("facebook", "ads", {"dimensions": ["Device"]}, "unknown 'Device'"),
        ("adwords", "ads", {"dimensions": ["device"]}, "Device, AdNetworkType1"),
        ("google_analytics", "accounts", {"dimensions": ["ga:browser"]}, "ga:browser"),
        ("gemini", "ads", {"networks": "facebook"}, "gemini alone"),
        ("facebook", "ads", {"fields": ["calculated_metric:123"]}, "calculated"),
        ("facebook", "ads", {"sort_by": "cpm"}, "cpm"),
        ("facebook", "ads", {"group_by": "ad_name"}, "ad_name"),
        (
            "facebook",
            "ads",
            {"filters": [{"path": "cpm", "op": "gt", "value": 1}]},
            "filters",
        ),
    ],
)
def test_what_a_provider_lacks_is_refused(
    api: Api,
    world: World,
    provider: str,
    level: str,
    changes: dict[str, Any],
    message: str,
) -> None:
    response = api.post_v1(
        v1_body(level, **provider_request(world, provider, **changes))
    )
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_conversions_of_providers_come_late_too(world: World) -> None:
    account = account_of(world, "adwords")
    early, late = (
        world.provider_metric("adwords", account, "conversions", END, today=today)
        for today in (END, END + dt.timedelta(days=28))
    )
    assert early is not None
    assert late is not None
    assert early < late
