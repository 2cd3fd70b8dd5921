"""Runs that share the accounts out among them, each with a state of its own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.adstage.resources import TABLES
from tap_adstage.config.shards import Shard
from tap_adstage.exceptions import StateError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.singer import Messages, Sync


DAILY: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks", "spend", "campaign_name"],
    "date_range": "month to date",
}
GROUPED = {**DAILY, "name": "grouped", "group_by": "network"}


def reports(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Reports of every kind."""
    facebook = next(
        account.entity_id
        for account in sandbox.world.entities("accounts")
        if account.network == "facebook"
    )
    folder = next(f for f in sandbox.world.folders if len(f.campaigns) > 3)
    return [
        DAILY,
        GROUPED,
        {**DAILY, "name": "weekly_ads", "entity_level": "ads", "aggregate_by": "week"},
        {**DAILY, "name": "total", "aggregate_by": "total"},
        {**DAILY, "name": "first", "api_version": 1},
        {**DAILY, "name": "spotify", "networks": ["spotify"]},
        {**DAILY, "name": "many_clicks", "filters": [MANY_CLICKS]},
        {
            **DAILY,
            "name": "folder",
            "targets": [f"/network/adstage/folder/{folder.fetch_id}"],
        },
        {
            "name": "live",
            "provider": "facebook",
            "targets": [facebook],
            "entity_level": "campaigns",
            "dimensions": ["age"],
            "fields": ["clicks"],
            "date_range": "yesterday",
        },
    ]


MANY_CLICKS = {"path": "clicks", "op": "gt", "value": 500}


def ordered(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(records, key=lambda record: repr(sorted(record.items())))


def questions(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [r.body for r in sandbox.requests if r.path.endswith("report")]


def asked_accounts(sandbox: Sandbox) -> set[str]:
    """Accounts that reports were limited to."""
    return {
        target
        for question in questions(sandbox)
        for target in question["sources"]["metrics"]["targets"]
    }


# --- all shards together ---


@pytest.mark.parametrize("count", [2, 3, 12])
def test_the_union_of_all_shards_is_the_whole(
    count: int,
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    few_days = [{**each, "date_range": "last 3 days"} for each in reports(sandbox)]
    config = settings | {"reports": few_days}
    whole = sync(config)
    parts = [sync(config | {"shard": f"{n}/{count}"}) for n in range(1, count + 1)]
    for stream in (
        *TABLES,
        *(report["name"] for report in config["reports"]),
    ):
        union = [record for part in parts for record in part.records(stream)]
        assert ordered(union) == ordered(whole.records(stream)), stream
        assert union, stream


def test_chosen_accounts_are_shared_out(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    chosen = [each.entity_id for each in sandbox.world.entities("accounts")[3:9]]
    config = settings | {
        "reports": [DAILY],
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": chosen,
    }
    whole = sync(config).records("daily")
    parts = [sync(config | {"shard": f"{n}/3"}).records("daily") for n in (1, 2, 3)]
    assert ordered(record for part in parts for record in part) == ordered(whole)
    assert asked_accounts(sandbox) == {*chosen}


def test_a_shard_has_no_accounts_of_another_organization(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    """AdStage lists the accounts of all of a user's organizations."""
    with Sandbox(today=dt.date(2024, 3, 20), world=World(organizations=2)) as sandbox:
        config = settings | {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "organization_id": sandbox.world.organizations[1].fetch_id,
            "reports": [DAILY, {**DAILY, "name": "first", "api_version": 1}],
        }
        whole = sync(config)
        parts = [sync(config | {"shard": f"{n}/3"}) for n in (1, 2, 3)]
    for stream in ("daily", "first"):
        union = [record for part in parts for record in part.records(stream)]
        assert ordered(union) == ordered(whole.records(stream))
        assert union


# --- one shard ---


def test_a_report_asks_for_the_shard_s_accounts_alone(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    sync(settings | {"reports": [DAILY], "shard": "2/3"})
    accounts = {each.entity_id for each in sandbox.world.entities("accounts")}
    assert asked_accounts(sandbox) == {id_ for id_ in accounts if Shard(2, 3).has(id_)}


def test_of_what_another_shard_reads_nothing_is_written(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not even a SCHEMA or ACTIVATE_VERSION, which would touch the other's table."""
    caplog.set_level("INFO")
    messages = sync(
        settings
        | {
            "reports": [DAILY, GROUPED],
            "shard": "2/3",
            "emit_activate_version_messages": True,
        },
    )
    assert {line.get("stream") for line in messages.lines} == {"daily", None}
    assert not messages.of("ACTIVATE_VERSION")
    left = ", ".join([*TABLES, "grouped"])
    assert f"shard 2/3: left to other shards: {left}" in caplog.messages


def test_a_full_table_report_of_a_shard_leaves_other_shards_rows_alone(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    config = settings | {
        "reports": [DAILY, GROUPED],
        "emit_activate_version_messages": True,
    }
    catalog = TapAdStage(config=dict(config)).catalog_dict
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    whole = sync(config, catalog=catalog)
    part = sync(config | {"shard": "1/3"}, catalog=catalog)
    assert {m["stream"] for m in whole.of("ACTIVATE_VERSION")} >= {"daily", "grouped"}
    versions = {message["stream"] for message in part.of("ACTIVATE_VERSION")}
    assert "daily" not in versions
    assert versions >= {"grouped", "accounts"}


def test_every_shard_has_the_same_catalog(settings: dict[str, Any]) -> None:
    config = settings | {"reports": [DAILY, GROUPED]}
    whole = TapAdStage(config=dict(config)).catalog_dict
    assert TapAdStage(config=config | {"shard": "2/3"}).catalog_dict == whole


def test_a_shard_without_accounts_asks_for_nothing_and_moves_on(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    accounts = [each.entity_id for each in sandbox.world.entities("accounts")]
    empty = next(
        shard
        for shard in (Shard(number, 40) for number in range(2, 41))
        if not any(map(shard.has, accounts))
    )
    caplog.set_level("INFO")
    messages = sync(settings | {"reports": [DAILY], "shard": str(empty)})
    assert questions(sandbox) == []
    assert messages.records("daily") == []
    assert messages.bookmark("daily") == "2024-03-19"
    assert any(
        line.startswith(f"daily: nothing to request: no account in shard {empty} is on")
        for line in caplog.messages
    )


def test_a_report_on_networks_of_no_chosen_account_asks_for_nothing(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    account = sandbox.world.entities("accounts")[0]
    other = {**DAILY, "networks": ["spotify"]}
    assert account.network != "spotify"
    messages = sync(
        settings
        | {
            "reports": [other],
            "sync_mode": "SPECIFIC_ACCOUNTS",
            "accounts": [account.entity_id],
        },
    )
    assert questions(sandbox) == []
    assert messages.bookmark("daily") == "2024-03-19"


def test_only_the_shard_s_accounts_hold_its_bookmark(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    behind = sandbox.world.entities("accounts")[0]
    ran = {"last_import_started": "2024-03-11T01:00:00Z"}
    sandbox.imports = {
        each.entity_id: {
            "code": "import_successful",
            "importable": True,
            "is_importing": False,
            "last_import_started": "2024-03-20T01:00:00Z",
            "last_import_finished": "2024-03-20T02:00:00Z",
            **(ran if each is behind else {}),
        }
        for each in sandbox.world.entities("accounts")
    }
    config = settings | {"reports": [DAILY], "import_policy": "hold"}
    bookmarks = {
        Shard(number, 3): sync(config | {"shard": f"{number}/3"}).bookmark("daily")
        for number in (1, 2, 3)
    }
    assert bookmarks == {
        shard: "2024-03-10" if shard.has(behind.entity_id) else "2024-03-19"
        for shard in bookmarks
    }


# --- state ---


@pytest.fixture
def ran(sync: Sync, settings: dict[str, Any]) -> Callable[..., Messages]:
    """Run a report as a shard, with the state of an earlier run."""

    def run(
        shard: str | None,
        state: dict[str, Any] | None = None,
        **report: Any,  # noqa: ANN401 - any key
    ) -> Messages:
        config = settings | {
            "reports": [DAILY | report],
            "lookback_days": 3,
            "shard": shard,
        }
        return sync(config, state=state)

    return run


def first_day(sandbox: Sandbox) -> str:
    return min(str(question["date_range"])[:10] for question in questions(sandbox))


def test_a_shard_s_bookmark_says_whose_it_is(ran: Callable[..., Messages]) -> None:
    assert ran("2/3").state["bookmarks"]["daily"]["shard"] == "2/3"
    assert "shard" not in ran(None).state["bookmarks"]["daily"]
    assert "shard" not in ran("1/1").state["bookmarks"]["daily"]
    grouped = ran("1/3", group_by="network")
    assert "shard" not in grouped.state["bookmarks"]["daily"]


@pytest.mark.parametrize(
    ("before", "now"),
    [("2/3", "2/3"), (None, "2/3"), ("2/3", "5/6"), ("1/1", None)],
)
def test_a_shard_goes_on_from_what_covers_its_accounts(
    before: str | None,
    now: str | None,
    ran: Callable[..., Messages],
    sandbox: Sandbox,
) -> None:
    state = ran(before).state
    sandbox.requests.clear()
    ran(now, state)
    assert first_day(sandbox) == "2024-03-16"  # the bookmark less the lookback


@pytest.mark.parametrize(
    ("before", "now"),
    [("2/3", "1/3"), ("2/3", None), ("5/6", "2/3"), ("1/2", "1/3")],
)
def test_a_shard_starts_over_from_what_does_not(
    before: str,
    now: str | None,
    ran: Callable[..., Messages],
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = ran(before).state
    sandbox.requests.clear()
    messages = ran(now, state)
    assert first_day(sandbox) == "2024-03-01"
    assert messages.state["bookmarks"]["daily"].get("shard") == now
    assert (
        f"daily: starting over, as the bookmark 2024-03-19 is of shard {before}, "
        f"which lacks accounts of shard {now or '1/1'}; reading 2024-03-01..2024-03-19 "
        "in 2 windows"
    ) in caplog.messages


@pytest.mark.parametrize("shard", ["9/8", "", 3, None])
def test_a_bookmark_of_no_shard_is_refused(
    shard: object,
    ran: Callable[..., Messages],
) -> None:
    state = ran("2/3").state
    state["bookmarks"]["daily"]["shard"] = shard
    with pytest.raises(StateError, match=r"bookmarks\.daily\.shard is .+ such as 3/8"):
        ran("2/3", state)


def test_each_shard_fetches_late_conversions_of_its_own_accounts(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    later = dt.date(2024, 3, 23)
    config = settings | {
        "reports": [{**DAILY, "fields": ["conversions"]}],
        "lookback_days": 7,
    }
    states = {n: sync(config | {"shard": f"{n}/3"}).state for n in (1, 2, 3)}
    whole_state = sync(config).state
    sandbox.today = later
    config["as_of"] = later.isoformat()
    whole = sync(config, state=whole_state).records("daily")
    parts = [
        record
        for n, state in states.items()
        for record in sync(config | {"shard": f"{n}/3"}, state=state).records("daily")
    ]
    assert ordered(parts) == ordered(whole)
    assert min(record["date"] for record in parts) == "2024-03-12"
