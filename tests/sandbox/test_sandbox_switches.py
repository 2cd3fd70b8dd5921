"""Switches that change a sandbox, for tests of its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World

from .api import TODAY, Api, body, v1_rows, v1_totals

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def own() -> Iterator[Api]:
    """A sandbox that the test may change."""
    world = World(accounts_per_network=1, campaigns_per_account=2)
    with Sandbox(today=TODAY, world=world) as sandbox, Api(sandbox) as api:
        yield api


def statuses(api: Api) -> dict[str, dict[str, Any]]:
    """Return the import statuses by the accounts' entity ids."""
    listed = api.get("users/40/sync_information")["accounts"]
    accounts = api.sandbox.world.entities("accounts")
    ids = {(account.network, account.name): account.entity_id for account in accounts}
    return {
        ids[account["network"], account["name"]]: account["import_status"]
        for account in listed
    }


def test_imports_are_overridden_a_key_at_a_time(own: Api) -> None:
    before = statuses(own)
    never, stale = list(before)[:2]
    own.sandbox.imports = {
        never: {"last_import_finished": None, "importable": True},
        stale: {"last_import_finished": "2019-07-09T04:00:00Z"},
    }
    after = statuses(own)
    assert after.pop(never) == {
        **before[never],
        "last_import_finished": None,
        "importable": True,
    }
    assert after.pop(stale) == {
        **before[stale],
        "last_import_finished": "2019-07-09T04:00:00Z",
    }
    assert after == {key: before[key] for key in after}
    assert own.sandbox.imports[stale]["last_import_finished"].startswith("2019-07-09")  # type: ignore[attr-defined]
    own.sandbox.imports = {}
    assert statuses(own) == before


def test_imports_can_be_given_from_the_start() -> None:
    world = World(accounts_per_network=1, campaigns_per_account=1)
    account = world.entities("accounts")[0]
    changes = {account.entity_id: {"code": "permanent_authentication_error"}}
    with (
        Sandbox(today=TODAY, world=world, imports=changes) as sandbox,
        Api(sandbox) as api,
    ):
        code = "permanent_authentication_error"
        assert statuses(api)[account.entity_id]["code"] == code
        assert api.get("me")["account_status"][account.network] == code


@pytest.mark.parametrize(
    ("imports", "message"),
    [
        ({"/network/adwords/account/1": {}}, "/network/adwords/account/1"),
        ({"": {"finished": None}}, "last_import_finished"),
    ],
)
def test_imports_of_nothing_are_an_error(
    own: Api, imports: dict[str, dict[str, object]], message: str
) -> None:
    account = own.sandbox.world.entities("accounts")[0].entity_id
    wrong = {key or account: value for key, value in imports.items()}
    with pytest.raises(ValueError, match=message):
        own.sandbox.imports = wrong
    with pytest.raises(ValueError, match=message):
        Sandbox(world=own.sandbox.world, imports=wrong)
    assert own.sandbox.imports == {}


@pytest.mark.parametrize("output_format", ["row", "series"])
def test_dropped_rows_of_v2_count_all_the_same(own: Api, output_format: str) -> None:
    request: dict[str, Any] = {
        "output_format": output_format,
        "aggregate_by": "day",
        "limit": 7,
        "summarize_on": ["page", "filtered"],
        "summary_fields": ["clicks"],
        "summary_format": "row",
    }
    whole = own.report("campaigns", **request)
    second = own.report("campaigns", **request, offset=7)
    own.sandbox.drop_rows = 2
    short = own.report("campaigns", **request)
    assert own.report("campaigns", **request, offset=7) == second
    shown = short["_embedded"].pop("results")
    assert shown == whole["_embedded"].pop("results")[:5]
    assert short == whole
    assert short["summary"]["filtered"]["count"] == 18


@pytest.mark.parametrize("aggregate_by", [None, "day"])
@pytest.mark.parametrize("group_by", [None, "network"])
def test_dropped_rows_of_v1_count_all_the_same(
    own: Api, aggregate_by: str | None, group_by: str | None
) -> None:
    request: dict[str, Any] = {
        "aggregate_by": aggregate_by,
        "group_by": group_by,
        "limit": 4,
    }
    whole = own.v1_report(**request)
    second = own.v1_report(**request, offset=4)
    own.sandbox.drop_rows = 1
    short = own.v1_report(**request)
    assert v1_rows(short) == v1_rows(whole)[:3]
    assert v1_totals(short) == v1_totals(whole)
    assert short["counts"] == whole["counts"]
    assert short["_links"] == whole["_links"]
    assert own.v1_report(**request, offset=4) == second


def test_drops_at_most_the_rows_there_are(own: Api) -> None:
    own.sandbox.drop_rows = 50
    assert own.report("campaigns")["_embedded"]["results"] == []
    empty = own.report(filters=[{"path": "clicks", "op": "gt", "value": 10**9}])
    assert empty["_embedded"]["results"] == []
    own.sandbox.drop_rows = 0
    assert len(own.report("campaigns")["_embedded"]["results"]) == 18


def test_rows_can_be_dropped_from_the_start() -> None:
    world = World(accounts_per_network=1, campaigns_per_account=1)
    with (
        Sandbox(today=TODAY, world=world, drop_rows=3) as sandbox,
        Api(sandbox) as api,
    ):
        assert sandbox.drop_rows == 3
        assert len(api.results()) == 9 - 3


# --- accounts that come and go ---


def account_answers(api: Api) -> dict[str, Any]:
    """Return all answers with accounts, and with anything in them."""
    world = api.sandbox.world
    return {
        "accounts": api.get("users/40/list_network_accounts/all"),
        "imports": sorted(statuses(api)),
        "members": [
            api.get(f"users/40/account_groups/{group.id}/list_accounts")
            for group in world.account_groups
        ],
        "folders": api.get("users/40/list_folders"),
        "campaigns": sorted(api.ids("campaigns")),
    }


def test_an_account_that_is_unlinked_is_nowhere_until_it_is_linked_again(
    own: Api,
) -> None:
    world = own.sandbox.world
    before, (gone, *_) = account_answers(own), world.entities("accounts")
    world.unlinked = frozenset({gone.entity_id})
    after = account_answers(own)
    assert gone not in world.entities("accounts")
    for campaign in gone.children:
        assert campaign.remote_id not in str(after["folders"])
        assert campaign.entity_id in before["campaigns"]
        assert campaign.entity_id not in after["campaigns"]
    for name in ("accounts", "members"):
        assert gone.remote_id in str(before[name])
        assert gone.remote_id not in str(after[name])
    assert set(before["imports"]) - set(after["imports"]) == {gone.entity_id}
    answer = own.post_report(body(targets=[gone.entity_id]))
    assert answer.status_code == 400
    assert gone.entity_id in answer.text
    world.unlinked = frozenset()
    assert account_answers(own) == before


def test_only_accounts_can_be_unlinked(own: Api) -> None:
    with pytest.raises(ValueError, match="unknown account '/network/quora/account/9'"):
        own.sandbox.world.unlinked = frozenset({"/network/quora/account/9"})
