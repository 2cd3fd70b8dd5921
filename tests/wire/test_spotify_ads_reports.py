"""Reports of Spotify by day and of a total: what is sent, and what is written."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from harness.spotify import day_after, days_of, first_pages, shown, values

from tap_adstage.config.shards import Shard
from tap_adstage.exceptions import ConfigError
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.singer import Sync

FIRST, LAST = dt.date(2024, 3, 11), dt.date(2024, 3, 19)
FIELDS = ["IMPRESSIONS", "CLICKS", "SPEND", "REACH", "COMPLETES"]
CONVERSIONS = ["LEADS", "PURCHASES", "REVENUE", "COST_PER_LEAD"]
LEVELS = {
    "ad_accounts": "AD_ACCOUNT",
    "campaigns": "CAMPAIGN",
    "ad_sets": "AD_SET",
    "ads": "AD",
}


def report(**keys: object) -> dict[str, Any]:
    return {
        "name": "r",
        "entity_level": "campaigns",
        "fields": FIELDS,
        "date_range": f"{FIRST}..{LAST}",
        **keys,
    }


def expected(
    world: World, kind: str, fields: list[str] = FIELDS
) -> dict[tuple[str, str], Any]:
    """The truth: values by entity and day."""
    rows = world.days(world.entities(kind), fields, FIRST, LAST)
    return {
        (row.entity.id, row.start.date().isoformat()): shown(row, fields)
        for row in rows
    }


@pytest.mark.parametrize("level", LEVELS)
def test_a_daily_report_has_the_truth_of_each_level(
    level: str,
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
) -> None:
    reports = [report(entity_level=level)]
    messages = sync(spotify_settings | {"reports": reports}, streams=["r"])
    records = messages.records("r")
    written = {(r["entity_id"], r["date"]): values(r, FIELDS) for r in records}
    assert written == expected(spotify_sandbox.world, LEVELS[level])
    assert len(records) == len(written)
    for record in records:
        entity = spotify_sandbox.world.entity(record["entity_id"])
        account = entity.account
        assert record["ad_account_id"] == account.id
        assert record["currency_code"] == account.currency
        assert record["entity_name"] == entity.name
        assert record["entity_status"] == entity.status
        assert record["below_threshold"] == []
        has_parent = level in {"ad_sets", "ads"}
        assert ("parent_id" in record) == ("parent_name" in record) == has_parent
        if has_parent:
            assert entity.parent
            parent = (entity.parent.id, entity.parent.name)
            assert (record["parent_id"], record["parent_name"]) == parent


def test_the_key_is_the_account_the_entity_and_the_day(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    messages = sync(spotify_settings | {"reports": [report()]}, streams=["r"])
    (schema,) = messages.of("SCHEMA", "r")
    assert schema["key_properties"] == ["date", "ad_account_id", "entity_id"]
    assert schema["bookmark_properties"] == ["date"]
    properties = schema["schema"]["properties"]
    assert properties["date"] == {"type": "string", "format": "date"}
    assert properties["spend"] == {"type": ["number", "null"]}
    assert properties["below_threshold"]["type"] == ["array", "null"]
    assert [*properties][:5] == [
        *("date", "ad_account_id", "entity_id", "entity_name", "entity_status")
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_requests_are_as_the_specification_has_them(
    level: str,
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
) -> None:
    settings = spotify_settings | {
        "reports": [report(entity_level=level, window_days=4)],
        "reconcile": "off",
        "page_size": 20,
    }
    sync(settings, streams=["r"])
    requests = first_pages(spotify_sandbox)
    asked: dict[tuple[str, str], list[str]] = {}
    for request in requests:
        assert request["entity_type"] == [LEVELS[level]]
        assert request["fields"] == FIELDS
        assert request["granularity"] == ["DAY"]
        assert request["limit"] == ["20"]
        assert all(
            request[end][0].endswith("T00:00:00Z")
            for end in ("report_start", "report_end")
        )
        ids = request.get("entity_ids", [])
        assert len(ids) <= 50
        key = request["account"][0], request["report_start"][0]
        asked.setdefault(key, []).extend(ids)
        if level == "ad_accounts":
            assert "entity_ids" not in request
            assert "entity_ids_type" not in request
        else:
            assert request["entity_ids_type"] == [LEVELS[level]]
        parents = ["true"] if level in {"ad_sets", "ads"} else None
        assert request.get("include_parent_entity") == parents
    assert days_of(requests) == [
        "2024-03-11..2024-03-14",
        "2024-03-15..2024-03-18",
        "2024-03-19..2024-03-19",
    ]
    world = spotify_sandbox.world
    assert len(asked) == 3 * len(world.ad_accounts)
    for (account, _), ids in asked.items():
        entities = world.entities(LEVELS[level], world.entity(account))
        everyone = [] if level == "ad_accounts" else [e.id for e in entities]
        assert sorted(ids) == sorted(everyone)


def test_windows_are_as_long_as_spotify_allows_and_share_no_day(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    long = report(
        entity_level="ad_accounts", date_range="2023-09-01..2024-03-19", window_days=89
    )
    sync(spotify_settings | {"reports": [long]}, streams=["r"])
    days = days_of(first_pages(spotify_sandbox))
    assert days[0] == "2023-09-01..2023-11-28"
    ends = [day.partition("..")[2] for day in days]
    starts = [day.partition("..")[0] for day in days]
    assert starts[1:] == [day_after(end) for end in ends[:-1]]
    assert ends[-1] == "2024-03-19"


def test_a_later_run_resumes_at_the_bookmark_less_the_lookback(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {
        "reports": [report(date_range=None, lookback_days=2, entity_level="ads")],
        "start_date": "2024-03-11",
    }
    del settings["reports"][0]["date_range"]
    first = sync(settings, streams=["r"])
    assert first.bookmark("r") == "2024-03-19"
    spotify_sandbox.today = dt.date(2024, 3, 22)
    before = len(first_pages(spotify_sandbox))
    second = sync(settings | {"as_of": "2024-03-22"}, state=first.state, streams=["r"])
    requests = first_pages(spotify_sandbox)[before:]
    assert days_of(requests) == ["2024-03-17..2024-03-21"]
    assert second.bookmark("r") == "2024-03-21"
    assert {record["date"] for record in second.records("r")} == {
        f"2024-03-{day}" for day in range(17, 22)
    }


def test_a_window_without_rows_moves_the_bookmark_too(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    early = report(date_range="2012-01-01..2012-01-20", window_days=10)
    messages = sync(spotify_settings | {"reports": [early]}, streams=["r"])
    assert messages.records("r") == []
    assert messages.bookmark("r") == "2012-01-20"
    states = [s["bookmarks"]["r"].get("replication_key_value") for s in messages.states]
    assert "2012-01-10" in states


# --- totals ---


def test_a_lifetime_is_asked_for_without_dates_and_has_the_truth(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    lifetime = {
        "name": "r",
        "entity_level": "ad_sets",
        "aggregate_by": "total",
        "fields": FIELDS,
    }
    messages = sync(spotify_settings | {"reports": [lifetime]}, streams=["r"])
    for request in first_pages(spotify_sandbox):
        assert request["granularity"] == ["LIFETIME"]
        assert "report_start" not in request
        assert "report_end" not in request
    world = spotify_sandbox.world
    rows = world.lifetimes(world.entities("AD_SET"), FIELDS, spotify_sandbox.today)
    truth = {row.entity.id: shown(row, FIELDS) for row in rows}
    records = messages.records("r")
    assert {r["entity_id"]: values(r, FIELDS) for r in records} == truth
    (schema,) = messages.of("SCHEMA", "r")
    assert schema["key_properties"] == ["ad_account_id", "entity_id"]
    assert "date" not in schema["schema"]["properties"]
    assert not schema.get("bookmark_properties")
    assert not messages.state["bookmarks"].get("r")


def test_a_total_of_a_range_has_its_days_as_a_key(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    total = report(aggregate_by="total")
    messages = sync(spotify_settings | {"reports": [total]}, streams=["r"])
    requests = first_pages(spotify_sandbox)
    assert days_of(requests) == [f"{FIRST}..{LAST}"]
    assert {request["granularity"][0] for request in requests} == {"LIFETIME"}
    records = messages.records("r")
    assert {(r["date"], r["date_end"]) for r in records} == {(str(FIRST), str(LAST))}
    world = spotify_sandbox.world
    rows = world.totals(world.entities("CAMPAIGN"), FIELDS, FIRST, LAST)
    truth = {row.entity.id: shown(row, FIELDS) for row in rows}
    assert {r["entity_id"]: values(r, FIELDS) for r in records} == truth
    (schema,) = messages.of("SCHEMA", "r")
    assert schema["key_properties"] == [
        *("date", "date_end", "ad_account_id", "entity_id")
    ]


def test_the_totals_of_earlier_ranges_stay_in_the_table(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    total = report(aggregate_by="total", date_range="last month")
    settings = spotify_settings | {"emit_activate_version_messages": True}
    messages = sync(settings | {"reports": [total]}, streams=["r"])
    assert messages.records("r")
    assert messages.of("ACTIVATE_VERSION", "r") == []
    assert messages.bookmark("r") == "2024-02-01"


def test_every_run_reads_the_whole_of_a_total(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {"reports": [report(aggregate_by="total")]}
    first = sync(settings, streams=["r"])
    second = sync(settings, state=first.state, streams=["r"])
    assert second.records("r") == first.records("r") != []


# --- fields ---


def test_what_spotify_hides_is_null_and_named(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    hidden = report(entity_level="ads", fields=[*FIELDS, *CONVERSIONS])
    messages = sync(spotify_settings | {"reports": [hidden]}, streams=["r"])
    records = messages.records("r")
    fields = [*FIELDS, *CONVERSIONS]
    truth = expected(spotify_sandbox.world, "AD", fields)
    named = set()
    for record in records:
        row = truth[record["entity_id"], record["date"]]
        assert values(record, fields) == row
        nulls = [name for name, value in row.items() if value is None]
        assert record["below_threshold"] == nulls
        named |= {*nulls}
    assert named == {field.lower() for field in CONVERSIONS}


def test_e_cpm_is_computed_of_fields_that_are_asked_for_instead(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {"reports": [report(fields=["e_cpm", "CLICKS"])]}
    messages = sync(settings, streams=["r"])
    for request in first_pages(spotify_sandbox):
        if request["entity_type"] == ["CAMPAIGN"]:
            assert request["fields"] == ["CLICKS", "SPEND", "IMPRESSIONS"]
    truth = expected(spotify_sandbox.world, "CAMPAIGN", ["SPEND", "IMPRESSIONS"])
    records = messages.records("r")
    assert "spend" not in records[0]
    for record in records:
        row = truth[record["entity_id"], record["date"]]
        if row["impressions"]:
            exact = 1000 * Decimal(repr(row["spend"])) / row["impressions"]
            assert abs(record["e_cpm"] - exact) < exact / 10**14
        else:
            assert record["e_cpm"] is None


def test_a_column_that_is_not_selected_is_not_asked_for(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {"reports": [report()], "reconcile": "off"}
    catalog = TapAdStage(config=settings).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] == "r"
            elif entry["breadcrumb"][-1] in {"reach", "spend", "entity_name"}:
                entry["metadata"]["selected"] = False
    messages = sync(settings, catalog=catalog)
    record = messages.records("r")[0]
    assert not {"reach", "spend", "entity_name"} & record.keys()
    for request in first_pages(spotify_sandbox):
        assert request["fields"] == ["IMPRESSIONS", "CLICKS", "COMPLETES"]


def test_a_field_takes_the_column_that_the_user_names(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    named = report(fields=[{"field": "SPEND", "column": "cost"}, "LEADS"])
    messages = sync(spotify_settings | {"reports": [named]}, streams=["r"])
    assert messages.records("r")[0]["cost"] > 0


@pytest.mark.parametrize(
    ("field", "column"),
    [("SPEND", "date"), ("SPEND", "impressions"), ("SPEND", "below_threshold")],
)
def test_two_columns_of_one_name_are_an_error(
    field: str, column: str, spotify_settings: dict[str, Any]
) -> None:
    clash = report(fields=["IMPRESSIONS", {"field": field, "column": column}])
    settings = spotify_settings | {"reports": [clash]}
    with pytest.raises(ConfigError, match=f"{field} would share the column {column}"):
        TapAdStage(config=settings).discover_streams()


# --- shards, and a question that asks for more ---


def test_shards_share_out_the_accounts(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {"reports": [report()]}
    whole = sync(settings, streams=["r"]).records("r")
    parts = []
    for number in (1, 2):
        shard = Shard(number, 2)
        records = sync(settings | {"shard": str(shard)}, streams=["r"]).records("r")
        assert {shard.has(record["ad_account_id"]) for record in records} <= {True}
        parts += records
    assert sorted(map(str, parts)) == sorted(map(str, whole))
    assert {r["ad_account_id"] for r in whole} == {
        account.id for account in spotify_sandbox.world.ad_accounts
    }


def test_an_account_that_joins_gets_its_earlier_days(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tap-adstage")
    joins = spotify_sandbox.world.ad_accounts[1]
    spotify_sandbox.switches.hidden_accounts = frozenset({joins.id})
    settings = spotify_settings | {"reports": [report(lookback_days=0)]}
    first = sync(settings, streams=["r"])
    spotify_sandbox.switches.hidden_accounts = frozenset()
    second = sync(settings, state=first.state, streams=["r"])
    records = second.records("r")
    early = [record for record in records if record["date"] < str(LAST)]
    assert {record["ad_account_id"] for record in early} == {joins.id}
    assert min(record["date"] for record in early) == str(FIRST)
    assert f"ad account {joins.name} ({joins.id}) joined" in caplog.text


def test_one_more_field_starts_over(
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = sync(spotify_settings | {"reports": [report()]}, streams=["r"])
    more = report(fields=[*FIELDS, "STARTS"], lookback_days=0)
    second = sync(
        spotify_settings | {"reports": [more]}, state=first.state, streams=["r"]
    )
    assert "it asks for more than before (fields: starts)" in caplog.text
    assert min(record["date"] for record in second.records("r")) == str(FIRST)


@pytest.mark.parametrize("column", ["reach", "entity_name"])
def test_a_column_that_is_selected_again_starts_over(
    column: str, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {"reports": [report(lookback_days=0)]}
    catalog = TapAdStage(config=settings).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"][-1:] == [column]:
                entry["metadata"]["selected"] = False
    first = sync(settings, catalog=catalog, streams=["r"])
    assert column not in first.records("r")[0]
    again = sync(settings, state=first.state, catalog=catalog, streams=["r"])
    assert {record["date"] for record in again.records("r")} == {str(LAST)}
    second = sync(settings, state=again.state, streams=["r"])
    assert min(record["date"] for record in second.records("r")) == str(FIRST)


# --- the set-up test ---


def test_a_probe_asks_for_one_row(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any]
) -> None:
    tap = TapAdStage(config=spotify_settings | {"reports": [report()]})
    probed = tap.probe(tap.source.config.reports[0])
    assert probed is not None
    assert str(probed[0]) == f"{FIRST}..{LAST}"
    assert probed[1] is True
    (request,) = first_pages(spotify_sandbox)
    assert request["limit"] == ["1"]


def test_a_probe_without_an_entity_to_ask_for_finds_no_row(
    spotify_settings: dict[str, Any],
) -> None:
    with SpotifyAdsSandbox(world=World(1, shape=((0, 0, 0),))) as sandbox:
        settings = spotify_settings | {
            "api_url": sandbox.api_url,
            "reports": [report()],
        }
        tap = TapAdStage(config=settings)
        probed = tap.probe(tap.source.config.reports[0])
    assert probed is not None
    assert probed[1] is False


@pytest.mark.parametrize("backfill", ["auto", "off"])
@pytest.mark.parametrize("has_question", [True, False])
def test_the_bookmark_of_another_source_starts_over(
    spotify_settings: dict[str, Any],
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
    backfill: str,
    *,
    has_question: bool,
) -> None:
    """Both sources have a report of this name by default, and a state may be shared."""
    days = {"start_date": "2024-03-01", "lookback_days": 0, "backfill": backfill}
    report = {"name": "campaign_performance", "entity_level": "campaigns"}
    adstage = settings | days | {"reports": [{**report, "fields": ["clicks"]}]}
    spotify = spotify_settings | days | {"reports": [{**report, "fields": ["CLICKS"]}]}
    streams = ["campaign_performance"]
    state = sync(adstage, streams=streams).state
    if not has_question:  # that of an earlier version
        bookmark = state["bookmarks"]["campaign_performance"]
        del bookmark["question"], bookmark["accounts"]
    for config in (spotify, adstage):
        caplog.clear()
        messages = sync(config, state=state, streams=streams)
        dates = [row["date"] for row in messages.records("campaign_performance")]
        assert min(dates) <= "2024-03-02"
        assert "starting over, as the bookmark 2024-03-19 is of another" in caplog.text
        state = messages.state
        again = sync(config, state=state, streams=streams)
        assert {r["date"] for r in again.records("campaign_performance")} == {
            "2024-03-19"
        }


@pytest.mark.parametrize(
    ("shard", "reason", "end"),
    [
        (
            {},
            "no business of the user has an ad account",
            "The run is not complete; incomplete: r",
        ),
        (
            {"shard": "1/2"},
            "no ad account is in shard 1/2",
            "The run is complete: 1 stream, 0 rows",
        ),
    ],
)
def test_why_nothing_is_requested_without_ad_accounts(
    shard: dict[str, str],
    reason: str,
    end: str,
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tap-adstage")
    accounts = spotify_sandbox.world.ad_accounts
    spotify_sandbox.switches.hidden_accounts = frozenset(each.id for each in accounts)
    settings = spotify_settings | {"reports": [report()]} | shard
    assert sync(settings, streams=["r"]).records("r") == []
    assert f"r: nothing to request: {reason}" in caplog.text
    assert caplog.messages[-1] == end
