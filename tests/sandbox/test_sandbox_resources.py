from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uritemplate

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World

from .api import NETWORKS, TODAY, Api, body

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTS = [
    "users/40/list_network_accounts/all",
    "users/40/account_groups",
    "users/40/list_folders",
    "users/40/account_groups/988/list_accounts",
]


def pages(api: Api, path: str) -> Iterator[dict[str, Any]]:
    url: str | None = path
    while url is not None:
        page = api.get(url)
        yield page
        url = page["_links"].get("next", {}).get("href")


def items(api: Api, path: str) -> list[dict[str, Any]]:
    return [item for page in pages(api, path) for item in page["_embedded"]["item"]]


def test_the_user_has_two_numbers(api: Api) -> None:
    me = api.get("me")
    assert (me["id"], me["fetch_id"]) == ("/api/users/1", 40)
    organization = me["_embedded"]["adstage:organizations"][0]
    assert organization["id"] == "/api/organizations/1"
    assert organization["fetch_id"] == 40
    assert "id" not in api.get("organizations/40")


def test_the_lightweight_user_has_no_organizations(api: Api) -> None:
    full, light = api.get("me"), api.get("me?type=lightweight")
    assert full.pop("_embedded")
    assert light == full


def test_several_organizations_share_the_accounts() -> None:
    world = World(organizations=2, campaigns_per_account=1)
    with Sandbox(today=TODAY, world=world) as sandbox, Api(sandbox) as api:
        me = api.get("me")
        organizations = me["_embedded"]["adstage:organizations"]
        assert [organization["fetch_id"] for organization in organizations] == [40, 41]
        ids = []
        for organization in (40, 41):
            assert api.get(f"organizations/{organization}")["fetch_id"] == organization
            response = api.post_report(body(), organization)
            rows = response.json()["_embedded"]["results"]
            ids.append({row["meta"]["entity_id"] for row in rows})
            for entity in world.entities("accounts"):
                is_own = entity.organization_id == organization
                response = api.post_report(
                    body(targets=[entity.entity_id]), organization
                )
                assert response.status_code == (200 if is_own else 400)
        assert len(ids[0]) == len(ids[1]) == 9
        assert not ids[0] & ids[1]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_of_lists_hold_each_item_once(api: Api, path: str, limit: int) -> None:
    expected = {
        LISTS[0]: 18,
        LISTS[1]: 12,
        LISTS[2]: 14,
        LISTS[3]: api.get(LISTS[1] + "?limit=99")["_embedded"]["item"],
    }[path]
    if isinstance(expected, list):
        expected = next(item["account_count"] for item in expected if item["id"] == 988)
    read = list(pages(api, f"{path}?limit={limit}"))
    listed = [item for page in read for item in page["_embedded"]["item"]]
    identities = {
        (item.get("network"), item.get("remote_id"), item.get("id")) for item in listed
    }
    assert len(listed) == len(identities) == expected
    assert len(read) == -(-expected // limit)


def test_the_previous_page_starts_at_the_first_item_at_least(api: Api) -> None:
    page = api.get("users/40/account_groups?limit=5&offset=3")
    assert "&offset=0&" in page["_links"]["prev"]["href"]


@pytest.mark.parametrize("path", LISTS[:3])
def test_lists_link_only_to_pages_that_exist(api: Api, path: str) -> None:
    first = api.get(f"{path}?limit=5")
    assert first["_links"].keys() & {"next", "prev"} == {"next"}
    middle = api.get(first["_links"]["next"]["href"])
    assert {"next", "prev"} <= middle["_links"].keys()
    query = parse_qs(urlsplit(middle["_links"]["next"]["href"]).query)
    assert query["limit"] == ["5"]
    assert query["offset"] == ["10"]
    assert query["networks"] == [",".join(NETWORKS)]
    assert (query["sort_by"], query["order"]) == (["name"], ["asc"])
    back = api.get(middle["_links"]["prev"]["href"])
    assert back["_embedded"] == first["_embedded"]
    last = list(pages(api, f"{path}?limit=5"))[-1]
    assert last["_links"].keys() & {"next", "prev"} == {"prev"}
    total = last["total"]
    assert last["total_pages"] == last["current_page"] == -(-total // 5)
    assert last["page_total"] == len(last["_embedded"]["item"]) == (total % 5 or 5)


def test_lists_have_ten_items_by_default(api: Api) -> None:
    page = api.get("users/40/account_groups")
    assert len(page["_embedded"]["item"]) == 10
    assert page["page_options"] == {"limit": 10, "offset": 0}
    assert page["counts"] == {"overall": 12, "page": 10}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=ten", "limit=-1", "offset=-1", "offset="]
)
def test_bad_pages_are_refused(api: Api, path: str, query: str) -> None:
    response = api.send("GET", f"{path}?{query}")
    assert response.status_code == 400
    assert response.json()["error"] == "bad_request"
    assert query.split("=", maxsplit=1)[0] in response.json()["message"]


def test_accounts_are_the_worlds(api: Api, world: World) -> None:
    accounts = items(api, "users/40/list_network_accounts/all")
    assert {
        (account["network"], account["remote_id"], account["name"])
        for account in accounts
    } == {
        (account.network, account.remote_id, account.name)
        for account in world.entities("accounts")
    }
    assert [account["name"] for account in accounts] == sorted(
        account["name"] for account in accounts
    )
    assert {account["status"] for account in accounts} == {
        "ACTIVE",
        "PAUSED",
        "COMPLETED",
        "ARCHIVED",
        "DELETED",
    }
    assert len({account["currency_code"] for account in accounts}) > 3


def test_account_groups_lead_to_their_accounts(api: Api, world: World) -> None:
    groups = {group.id: group for group in world.account_groups}
    listed = items(api, "users/40/account_groups")
    assert {group["id"] for group in listed} == set(groups)
    counts = []
    for group in listed:
        assert group["_links"]["self"]["href"] == (
            f"/api/users/40/account_groups/{group['id']}"
        )
        (link,) = group["_links"]["adstage:list"]
        url = uritemplate.expand(link["href"], limit=2, offset="0")
        accounts = items(api, url)
        assert {(one["network"], one["remote_id"]) for one in accounts} == {
            (one.network, one.remote_id) for one in groups[group["id"]].accounts
        }
        assert group["account_count"] == len(accounts)
        counts.append(len(accounts))
    assert min(counts) == 0
    assert sum(counts) > 18


def test_folders_link_to_their_campaigns(api: Api, world: World) -> None:
    folders = {str(folder.fetch_id): folder for folder in world.folders}
    listed = items(api, "users/40/list_folders")
    assert {folder["fetch_id"] for folder in listed} == set(folders)
    seen: list[str] = []
    zeros = 0
    for folder in listed:
        links = folder["_links"]["adstage:network_campaign"]
        ids = [link["data-id"].rsplit("/", 1)[1] for link in links]
        campaigns = folders[folder["fetch_id"]].campaigns
        assert ids == [campaign.remote_id for campaign in campaigns]
        assert [link["data-fetch_id"] for link in links] == [int(id_) for id_ in ids]
        zeros += sum(id_.startswith("0") for id_ in ids)
        counts = dict(folder["network_counts"])
        assert counts.pop("totals") == len(ids) == sum(counts.values())
        seen += ids
    assert len(set(seen)) < len(seen)
    assert zeros
    assert any(not folder["_links"]["adstage:network_campaign"] for folder in listed)


def test_folder_lists_show_the_token_and_no_counts(api: Api) -> None:
    page = api.get("users/40/list_folders?limit=2")
    assert page["counts"] == {}
    assert page["total"] == 14
    assert page["_links"]["self"]["href"] == (
        f"{api.sandbox.api_url}/users/40/list_folders"
        "?limit=2&access_token=sandbox-token"
    )


def test_every_account_has_an_import_status(api: Api, world: World) -> None:
    accounts = api.get("users/40/sync_information")["accounts"]
    keys = [(account["network"], account["name"]) for account in accounts]
    assert len(set(keys)) == len(keys) == len(world.entities("accounts"))
    by_code = {
        account["import_status"]["code"]: account["import_status"]
        for account in accounts
    }
    assert by_code.keys() == {
        "good",
        "currently_importing",
        "permanent_authentication_error",
    }
    assert by_code["good"]["last_import_started"].startswith("2019-07-15T")
    assert by_code["good"]["importable"]
    importing = by_code["currently_importing"]
    assert importing["is_importing"]
    assert importing["last_import_finished"] < importing["last_import_started"]
    broken = by_code["permanent_authentication_error"]
    assert not broken["importable"]
    assert broken["last_import_finished"] < "2019-07-01"


def test_links_have_the_origin_of_the_request(api: Api) -> None:
    response = api.send(
        "GET", "users/40/account_groups?limit=1", headers={"Host": "sandbox.test:81"}
    )
    page = response.json()
    prefix = "http://sandbox.test:81/api/users/40/account_groups"
    assert page["_links"]["next"]["href"].startswith(f"{prefix}?")
    group = page["_embedded"]["item"][0]
    assert group["_links"]["adstage:list"][0]["href"].startswith(f"{prefix}/")


@pytest.mark.parametrize(
    "path",
    [
        "organizations/1",
        "organizations/41/metric_descriptors",
        "users/1/list_network_accounts/all",
        "users/1/account_groups",
        "users/1/list_folders",
        "users/1/sync_information",
        "users/40/list_network_accounts/adwords",
        "users/1/account_groups/988/list_accounts",
        "users/40/account_groups/1/list_accounts",
        "metric_descriptors/twitter",
        "organizations/forty",
        "nothing",
    ],
)
def test_unknown_paths_are_not_found(api: Api, path: str) -> None:
    response = api.send("GET", path)
    assert response.status_code == 404
    assert response.json()["error"] == "not_found"
    assert response.json()["message"]


def test_reports_are_only_under_v2(api: Api) -> None:
    assert api.send("POST", "organizations/40/report", json={}).status_code == 404
    assert api.post_report({}, organization=1).status_code == 404


def test_wrong_methods_are_refused(api: Api) -> None:
    response = api.send("POST", "me")
    assert response.status_code == 405
    assert response.json()["error"] == "method_not_allowed"
    assert "GET" in response.headers["Allow"]
    assert api.send("GET", "v2/organizations/40/report").status_code == 405


def test_json_has_its_content_type(api: Api) -> None:
    response = api.send("GET", "me")
    assert response.headers["Content-Type"] == "application/json"
