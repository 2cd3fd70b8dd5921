from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tap_adstage.sandbox.server import Sandbox

from .api import NETWORKS, TODAY, Api, v1_body, v1_rows, v1_totals

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.world import World

DOCUMENTED = {
    "aggregate_by",
    "date_range",
    "entity_level",
    "fields",
    "limit",
    "networks",
    "offset",
    "order",
    "provider",
    "sort_by",
    "statuses",
}
OPTIONAL = {
    "dimensions",
    "filters",
    "group_by",
    "query",
    "relative_to_time_zone",
    "targets",
}


def parameters(link: dict[str, str]) -> dict[str, str]:
    query = parse_qs(urlsplit(link["href"]).query, strict_parsing=True)
    return {name: values[0] for name, values in query.items()}


def identities(report: dict[str, Any]) -> list[str]:
    return [json.dumps(row["meta"], sort_keys=True) for row in v1_rows(report)]


@pytest.mark.parametrize("links", ["offset", "token"])
@pytest.mark.parametrize("limit", [1, 7, 18, 1000])
@pytest.mark.parametrize("aggregate_by", [None, "week"])
def test_pages_hold_each_row_once(
    world: World, links: str, limit: int, aggregate_by: str | None
) -> None:
    request: dict[str, Any] = {
        "date_range": "last 2 weeks",
        "aggregate_by": aggregate_by,
        "sort_by": "conversions",
        "order": None,
    }
    following = "next" if links == "offset" else "next_page"
    with (
        Sandbox(today=TODAY, world=world, v1_links=links) as sandbox,
        Api(sandbox) as api,
    ):
        whole = api.v1_report(**request)
        report = api.v1_report(**request, limit=limit)
        paged = identities(report)
        pages = 1
        while following in report["_links"]:
            report = api.get(report["_links"][following]["href"])
            paged += identities(report)
            pages += 1
            assert v1_totals(report) == v1_totals(whole)
    assert paged == identities(whole)
    assert pages == -(-18 // limit)


def test_links_spell_out_the_request(api: Api) -> None:
    request = {
        "entity_level": "campaigns",
        "aggregate_by": "month",
        "date_range": "last 30 days",
        "fields": ["clicks", "spend", "campaign_name"],
    }
    first = api.post_v1(request).json()
    assert first["_links"].keys() == {"next", "last"}
    url = f"{api.sandbox.api_url}/organizations/40/build_report"
    assert all(
        link["href"].split("?")[0] == url and link.keys() == {"href"}
        for link in first["_links"].values()
    )
    query = parameters(first["_links"]["next"])
    assert query.keys() == DOCUMENTED
    assert list(query) == sorted(query)
    assert query == {
        "aggregate_by": "month",
        "date_range": "2019-06-15..2019-07-14",
        "entity_level": "campaigns",
        "fields": "clicks,spend,campaign_name",
        "limit": "10",
        "networks": ",".join(NETWORKS),
        "offset": "10",
        "order": "desc",
        "provider": "adstage",
        "sort_by": "clicks",
        "statuses": "active,ad_group_inactive,campaign_inactive,completed,empty,"
        "inactive,not_empty",
    }
    assert parameters(first["_links"]["last"])["offset"] == "80"
    third = api.get(first["_links"]["next"]["href"].replace("offset=10", "offset=20"))
    assert third["_links"].keys() == {"next", "prev", "last"}
    assert parameters(third["_links"]["prev"])["offset"] == "10"
    last = api.get(first["_links"]["last"]["href"])
    assert last["_links"].keys() == {"prev", "last"}
    assert last["counts"]["page"] == 3
    full = api.v1_report(limit=6)["_links"]["last"]
    assert parameters(full)["offset"] == "12"


def test_a_report_of_one_page_links_to_that_as_its_last(api: Api) -> None:
    for filters in (None, [{"path": "clicks", "op": "gt", "value": 10**9}]):
        links = api.v1_report(filters=filters)["_links"]
        assert links.keys() == {"last"}
        assert parameters(links["last"])["offset"] == "0"


def detailed(world: World) -> dict[str, Any]:
    """Return a request with all parameters that the documentation's links lack."""
    accounts = world.entities("accounts")
    account = next(account for account in accounts if account.network == "facebook")
    return v1_body(
        "ads",
        provider="facebook",
        targets=[account.entity_id],
        dimensions=["age", "gender"],
        fields=["clicks", "spend"],
        filters=[{"path": "clicks", "op": "gt", "value": 3}],
        group_by="campaign_name",
        relative_to_time_zone="Australia/Sydney",
        date_range="yesterday",
        query={"_embedded": True, "_links": True},
        sort_by="entity_id",
        limit=8,
    )


@pytest.mark.parametrize("links", ["offset", "token"])
def test_links_repeat_all_of_the_request(world: World, links: str) -> None:
    request = detailed(world)
    name = "next" if links == "offset" else "next_page"
    page = {"limit", "offset"} if links == "offset" else {"page_token"}
    with (
        Sandbox(today=TODAY, world=world, v1_links=links) as sandbox,
        Api(sandbox) as api,
    ):
        first = api.post_v1(request).json()
        link = first["_links"][name]
        followed = api.get(link["href"])
        posted = api.post_v1({**request, "offset": 8}).json()
    query = parameters(link)
    assert query.keys() == (
        DOCUMENTED - {"aggregate_by", "limit", "offset"} | OPTIONAL | page
    )
    assert json.loads(query["filters"]) == request["filters"]
    assert query["targets"] == request["targets"][0]
    assert query["dimensions"] == "age,gender"
    assert query["group_by"] == "campaign_name"
    assert query["relative_to_time_zone"] == "Australia/Sydney"
    assert query["date_range"] == "2019-07-14..2019-07-14"
    assert followed["_embedded"] == posted["_embedded"]
    assert identities(followed) != identities(first)


def test_tokens_link_back_and_forth(world: World) -> None:
    with (
        Sandbox(today=TODAY, world=world, v1_links="token") as sandbox,
        Api(sandbox) as api,
    ):
        first = api.v1_report(limit=5)
        assert first["_links"].keys() == {"next_page"}
        second = api.get(first["_links"]["next_page"]["href"])
        assert second["_links"].keys() == {"next_page", "prev_page"}
        back = api.get(second["_links"]["prev_page"]["href"])
        assert back == first
        token = parameters(first["_links"]["next_page"])["page_token"]
        posted = api.v1_report(limit=3, page_token=token)
        assert posted["_embedded"] == second["_embedded"]


@pytest.mark.parametrize("dropped", [("targets",), ("filters", "targets"), ("offset",)])
def test_links_omit_what_the_sandbox_drops(
    world: World, dropped: tuple[str, ...]
) -> None:
    account = world.entities("accounts")[0]
    request: dict[str, Any] = {
        "targets": [account.entity_id],
        "filters": [{"path": "meta/network", "op": "in", "value": ["adwords"]}],
        "limit": 2,
    }
    with (
        Sandbox(today=TODAY, world=world, v1_link_drops=dropped) as sandbox,
        Api(sandbox) as api,
    ):
        first = api.v1_report("campaigns", **request)
        link = first["_links"]["next"]
        followed = api.get(link["href"])
    assert not parameters(link).keys() & set(dropped)
    is_other = followed["counts"] != first["counts"]
    assert is_other is ("targets" in dropped)


def test_following_may_take_the_first_request_again(world: World) -> None:
    with (
        Sandbox(today=TODAY, world=world, v1_follow="post") as sandbox,
        Api(sandbox) as api,
    ):
        request = v1_body("campaigns", limit=40)
        first = api.post_v1(request).json()
        link = first["_links"]["next"]
        refused = api.send("GET", link["href"])
        assert refused.status_code == 405
        assert refused.headers["Allow"] == "POST"
        assert refused.json()["error"] == "method_not_allowed"
        offset = int(parameters(link)["offset"])
        second = api.post_v1({**request, "offset": offset}).json()
    assert len(v1_rows(second)) == 40
    assert not set(identities(first)) & set(identities(second))


def test_a_link_requests_the_same_as_a_post(api: Api) -> None:
    request = v1_body("campaigns", limit=4, offset=4, networks="adwords,quora")
    link = api.post_v1({**request, "offset": 0}).json()["_links"]["next"]["href"]
    assert api.get(link) == api.post_v1(request).json()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=ten", "limit"),
        ("offset=", "offset"),
        ("filters=[", "filters"),
        ("query=x", "query"),
        ("fields=", "fields"),
        ("page_token=x", "page_token"),
        ("colour=blue", "colour"),
    ],
)
def test_bad_links_are_refused(api: Api, query: str, message: str) -> None:
    good = "organizations/40/build_report?date_range=yesterday&entity_level=ads"
    assert api.send("GET", good).status_code == 200
    response = api.send("GET", f"{good}&{query}")
    assert response.status_code == 400
    assert message in response.json()["message"]


@pytest.mark.parametrize(
    "arguments",
    [{"v1_links": "cursor"}, {"v1_follow": "put"}, {"v1_link_drops": ("target",)}],
    ids=str,
)
def test_unknown_styles_are_an_error_at_once(
    world: World, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Sandbox(world=world, **arguments)
