"""Spotify's resource streams against the sandbox's own truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import Front, stream_fails
from harness.logs import errors, warnings

from tap_adstage.exceptions import (
    ApiError,
    ConfigError,
    IncompleteRunError,
    ResponseError,
)
from tap_adstage.sandbox.spotify_ads.world.world import World
from tap_adstage.spotify_ads.resources import TABLES
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.singer import Messages, Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

LISTS = {"campaigns": "CAMPAIGN", "ad_sets": "AD_SET", "ads": "AD"}
WORLD = World(1)
FIRST, SECOND, *OTHERS = (account.id for account in WORLD.ad_accounts)


@pytest.fixture
def front(httpserver: HTTPServer, spotify_sandbox: SpotifyAdsSandbox) -> Front:
    return Front(httpserver, spotify_sandbox)


def accounts_of(messages: Messages, stream: str) -> set[str]:
    return {record["ad_account_id"] for record in messages.records(stream)}


@pytest.mark.parametrize("page_size", [7, 50])
def test_everything_is_read_whole_at_any_page_size(
    spotify_settings: dict[str, Any], sync: Sync, page_size: int
) -> None:
    messages = sync(spotify_settings | {"page_size": page_size})
    ids = {name: [r["id"] for r in messages.records(name)] for name in TABLES}
    assert ids["businesses"] == [business.id for business in WORLD.businesses]
    assert sorted(ids["ad_accounts"]) == sorted(a.id for a in WORLD.ad_accounts)
    for name, kind in LISTS.items():
        assert sorted(ids[name]) == sorted(e.id for e in WORLD.entities(kind)), name
        for record in messages.records(name):
            entity = WORLD.entity(record["id"])
            assert record["ad_account_id"] == entity.account.id
            assert record["name"] == entity.name
            assert record["status"] == entity.status
    assert {(r["ad_account_id"], r["id"]) for r in messages.records("assets")} == {
        (account.id, asset.id)
        for account in WORLD.ad_accounts
        for asset in account.assets
    }


def test_what_is_archived_comes_too_and_so_do_unknown_values(
    spotify_settings: dict[str, Any], sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    messages = sync(spotify_settings)
    assert "UNDER_REVIEW" in {r["status"] for r in messages.records("ads")}
    goals = {r["delivery_goal"] for r in messages.records("ad_sets")}
    assert "SOUND_ON_COMPLETES" in goals
    for name in LISTS:
        statuses = {record["status"] for record in messages.records(name)}
        assert "ARCHIVED" in statuses, name
    assert "planning_notes" not in messages.records("campaigns")[0]
    assert warnings(caplog) == [
        "campaigns: skipped fields of Spotify that have no column: planning_notes"
    ]


def test_nested_objects_stay_objects_and_micro_amounts_as_they_are(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    messages = sync(spotify_settings)
    ad_set = messages.records("ad_sets")[0]
    assert ad_set["budget"]["micro_amount"] % 1_000_000 == 0
    assert ad_set["bid_micro_amount"] >= 2_000_000
    assert ad_set["targets"]["age_ranges"][0] == {"min": 18, "max": 24}
    assert ad_set["frequency_caps"][0]["frequency_unit"] == "DAY"
    ad = messages.records("ads")[0]
    assert ad["call_to_action"]["key"] == "LEARN_MORE"
    assert {*ad["assets"]} == {"asset_id", "companion_asset_id", "logo_asset_id"}
    assert messages.records("ad_accounts")[0]["billing_address"]["city"]


def test_each_stream_is_a_full_table_with_the_key_id(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    messages = sync(spotify_settings)
    for name in TABLES:
        (schema,) = messages.of("SCHEMA", name)
        assert schema["key_properties"] == ["id"]
        assert "bookmark_properties" not in schema
    assert not any(messages.state["bookmarks"].values())


def test_members_of_objects_that_are_not_documented_stay(
    httpserver: HTTPServer, front: Front, sync: Sync
) -> None:
    del httpserver
    front.answers[f"/{FIRST}/ad_sets"] = {
        "ad_sets": [
            {
                "id": "s",
                "budget": {"micro_amount": "5000000", "pace": {"per_hour": 1}},
                "targets": {"moods": ["CALM"]},
                "reject_reasons": [{"rejection": "no", "appeal": 1}],
            }
        ],
        "paging": {"total_results": 1},
    }
    record, *_ = sync(front.settings, streams=["ad_sets"]).records("ad_sets")
    assert record["budget"] == {"micro_amount": 5_000_000, "pace": {"per_hour": 1}}
    assert record["targets"] == {"moods": ["CALM"]}
    assert record["reject_reasons"] == [{"rejection": "no", "appeal": 1}]


def test_flattening_makes_columns_of_documented_members(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    flat = {"flattening_enabled": True, "flattening_max_depth": 1}
    messages = sync(spotify_settings | flat, streams=["ad_sets"])
    record = messages.records("ad_sets")[0]
    assert record["budget__micro_amount"] % 1_000_000 == 0
    (schema,) = messages.of("SCHEMA", "ad_sets")
    assert {*record} <= {*schema["schema"]["properties"]}


# --- accounts that are chosen, refused, shared out ---


@pytest.mark.parametrize("table", [*LISTS, "assets"])
def test_an_account_that_refuses_fails_alone(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    table: str,
) -> None:
    del capsys
    spotify_sandbox.switches.refused_accounts = frozenset([FIRST])
    name = WORLD.entity(FIRST).name
    with stream_fails(ApiError, "READ_NOT_ALLOWED.*accept the terms") as failure:
        sync(spotify_settings, streams=[table])
    assert str(failure.value).startswith(f"ad account {name} ({FIRST}): GET ")
    assert errors(caplog)[0].startswith(f"{table}: skipped: ad account {name}")
    asked = {r.path for r in spotify_sandbox.requests if r.path.endswith(table)}
    assert len(asked) == len(WORLD.ad_accounts)


def test_a_business_that_refuses_fails_alone(front: Front, sync: Sync) -> None:
    business = WORLD.businesses[0]
    front.answers[f"/businesses/{business.id}/ad_accounts"] = 403
    with stream_fails(ApiError, f"business {business.name!r}: GET"):
        sync(front.settings, streams=["ad_accounts"])
    assert f"/businesses/{WORLD.businesses[1].id}/ad_accounts" in front.asked[-1]


def test_without_any_business_s_accounts_the_tables_fail(
    front: Front, sync: Sync
) -> None:
    front.answers["/ad_accounts"] = 403
    with stream_fails(ApiError, "business .*: GET"):
        sync(front.settings, streams=["ads"])


def test_an_account_of_two_businesses_is_read_once(front: Front, sync: Sync) -> None:
    front.answers[r"/businesses/[^/]*/ad_accounts"] = {
        "ad_accounts": [{"id": FIRST, "name": "shared"}]
    }
    messages = sync(front.settings, streams=["ad_accounts", "ads"])
    assert [r["id"] for r in messages.records("ad_accounts")] == [FIRST]
    assert accounts_of(messages, "ads") == {FIRST}
    asked = [path for path in front.asked if f"/{FIRST}/ads" in path]
    assert len({*asked}) == len(asked)


def test_chosen_accounts_alone_are_read(
    spotify_settings: dict[str, Any], sync: Sync, spotify_sandbox: SpotifyAdsSandbox
) -> None:
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [SECOND.upper()]}
    messages = sync(spotify_settings | chosen)
    assert [r["id"] for r in messages.records("ad_accounts")] == [SECOND]
    for name in (*LISTS, "assets"):
        assert accounts_of(messages, name) == {SECOND}
    assert not any(FIRST in request.path for request in spotify_sandbox.requests)


def test_of_several_chosen_accounts_those_that_there_are_are_read(
    spotify_settings: dict[str, Any], sync: Sync, spotify_sandbox: SpotifyAdsSandbox
) -> None:
    spotify_sandbox.switches.hidden_accounts = frozenset([FIRST])
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [FIRST, SECOND]}
    with pytest.raises(IncompleteRunError) as ended:
        sync(spotify_settings | chosen, streams=["campaigns"])
    assert str(ended.value.__cause__).startswith(
        f"accounts: {FIRST} not linked; the linked ones are "
    )
    assert spotify_sandbox.requests[-1].path.endswith(f"/{SECOND}/campaigns")


def test_without_any_of_the_chosen_accounts_nothing_is_written(
    spotify_settings: dict[str, Any],
    sync: Sync,
    spotify_sandbox: SpotifyAdsSandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spotify_sandbox.switches.hidden_accounts = frozenset([FIRST])
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [FIRST]}
    listed = ", ".join(sorted([SECOND, *OTHERS]))
    with pytest.raises(ConfigError, match=f"the linked ones are {listed}$"):
        sync(spotify_settings | chosen)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shard", ["1/3", "2/3"])
def test_the_first_shard_reads_all_resources(
    spotify_settings: dict[str, Any], sync: Sync, shard: str
) -> None:
    messages = sync(spotify_settings | {"shard": shard})
    has_all = accounts_of(messages, "ads") == {a.id for a in WORLD.ad_accounts}
    assert has_all == (shard == "1/3")
    assert bool(messages.lines) == has_all


# --- answers that are not as documented ---


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"campaigns": [{"name": "x"}]}, r"campaigns\[0\]: id is None, not a text"),
        ({"campaigns": [{"id": "x", "created_at": "?"}]}, "created_at is '[?]', not"),
        ({"campaigns": 7}, "campaigns is 7, not a list"),
    ],
    ids=json.dumps,
)
def test_what_is_not_as_documented_fails_alone(
    front: Front, sync: Sync, answer: object, reason: str
) -> None:
    front.answers[f"/{FIRST}/campaigns"] = answer
    with stream_fails(ResponseError, reason):
        sync(front.settings, streams=["campaigns"])


def test_entities_of_one_account_are_written_before_all_others_are_read(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any]
) -> None:
    tap = TapAdStage(config=spotify_settings | {"max_concurrency": 1})
    records = iter(tap.streams["campaigns"].get_records(None))
    assert next(records)
    lists = [r for r in spotify_sandbox.requests if r.path.endswith("/campaigns")]
    assert len(lists) == 1 < len(WORLD.ad_accounts)


def test_entities_of_one_account_are_fetched_while_another_s_are_read(
    spotify_settings: dict[str, Any], sync: Sync, spotify_sandbox: SpotifyAdsSandbox
) -> None:
    sync(spotify_settings, streams=["ads"])
    paths = [r.path for r in spotify_sandbox.requests if r.path.endswith("/ads")]
    offsets = [r.query["offset"] for r in spotify_sandbox.requests if r.path in paths]
    assert offsets[:4].count("0") > 1


# --- the sandbox in the tap ---


def test_the_sandbox_needs_no_token_and_no_network(
    sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"source": "spotify_ads", "sandbox": True, "reports": []}
    messages = sync(settings, streams=["businesses"])
    assert len(messages.records("businesses")) == len(WORLD.businesses)
    assert "sandbox: on, so all data are generated" in caplog.text
