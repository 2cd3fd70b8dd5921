"""The truth behind the sandbox of Spotify's API: what adds up, and what doesn't."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tap_adstage.sandbox.spotify_ads.world.audiences import (
    AUDIENCES,
    audience_rows,
    insight_obstacle,
)
from tap_adstage.sandbox.spotify_ads.world.metrics import (
    DEDUPLICATED,
    FIELDS,
    RATIOS,
    SUMS,
)
from tap_adstage.sandbox.spotify_ads.world.world import World

from .spotify_api import TODAY, UTC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_adstage.sandbox.spotify_ads.world.world import WorldRow

FIRST = dt.date(2024, 3, 7)
KINDS = ("AD_ACCOUNT", "CAMPAIGN", "AD_SET", "AD")


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def total(rows: Iterable[WorldRow]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals.update(row.sums)
    return totals


def test_there_are_49_fields(world: World) -> None:
    assert len({*FIELDS}) == 49
    row = next(world.days(world.entities("CAMPAIGN"), FIELDS, FIRST, TODAY))
    assert all(isinstance(row.value(field), (int, float)) for field in FIELDS)


@pytest.mark.parametrize("kind", KINDS)
def test_hours_add_up_to_days_and_days_to_a_total(world: World, kind: str) -> None:
    entities = world.entities(kind)
    start = dt.datetime.combine(FIRST, dt.time(), UTC)
    end = dt.datetime.combine(TODAY, dt.time(23), UTC)

    hours = total(world.hours(entities, SUMS, start, end))
    days = total(world.days(entities, SUMS, FIRST, TODAY))
    whole = total(world.totals(entities, SUMS, FIRST, TODAY))

    assert hours == days == whole
    assert all(days[name] for name in SUMS)


def test_totals_of_two_ranges_add_up_to_a_lifetime(world: World) -> None:
    entities = world.entities("CAMPAIGN", world.ad_accounts[0])
    split = dt.date(2023, 9, 1)

    before = total(world.totals(entities, SUMS, dt.date(2022, 1, 1), split))
    after = total(world.totals(entities, SUMS, split + dt.timedelta(days=1), TODAY))

    assert before + after == total(world.lifetimes(entities, SUMS, TODAY))


def test_ads_add_up_to_ad_sets_campaigns_and_accounts(world: World) -> None:
    for account in world.ad_accounts:
        totals = [
            total(world.days(world.entities(kind, account), SUMS, FIRST, TODAY))
            for kind in KINDS
        ]
        assert totals[0] == totals[1] == totals[2] == totals[3]
        assert totals[0]["SPEND"] > 0


def test_people_do_not_add_up(world: World) -> None:
    account = world.ad_accounts[0]
    (whole,) = world.totals([account], FIELDS, FIRST, TODAY)
    days = [*world.days([account], FIELDS, FIRST, TODAY)]
    campaigns = [*world.totals(account.children, FIELDS, FIRST, TODAY)]

    for name in DEDUPLICATED:
        assert 0 < whole.value(name) < sum(row.value(name) for row in days)
        assert whole.value(name) < sum(row.value(name) for row in campaigns)
        assert whole.value(name) >= max(row.value(name) for row in days)


def test_ratios_follow_from_what_they_are_of(world: World) -> None:
    row = next(world.days(world.entities("CAMPAIGN"), FIELDS, FIRST, TODAY))

    assert row.value("SPEND") == row.sums["SPEND"] / 1_000_000
    assert row.value("CTR") == round(
        100 * row.value("CLICKS") / row.value("IMPRESSIONS"), 4
    )
    assert row.value("FREQUENCY") == row.value("IMPRESSIONS") / row.value("REACH")
    assert len(RATIOS) == 15


def test_a_few_conversions_are_hidden_with_what_follows_from_them(world: World) -> None:
    rows = [*world.days(world.entities("CAMPAIGN"), FIELDS, FIRST, TODAY)]

    for row in rows:
        few = 0 < row.value("PURCHASES") < 5
        for field in ("PURCHASES", "REVENUE", "AVERAGE_ORDER_VALUE"):
            assert row.shown(field) == (-5 if few else row.value(field))
        assert row.shown("CLICKS") == row.value("CLICKS")
    assert len({row.shown("PURCHASES") for row in rows} & {-5, 0, 5}) == 3


def test_a_day_without_delivery_has_no_row(world: World) -> None:
    ads = world.entities("AD")
    days = (TODAY - FIRST).days + 1
    rows = [*world.days(ads, ("CLICKS",), FIRST, TODAY)]

    assert len(rows) < len(ads) * days / 2
    assert all(row.value("IMPRESSIONS") for row in rows)
    assert {row.entity for row in rows} < {*ads}


def test_lifetimes_list_entities_without_delivery(world: World) -> None:
    ads = world.entities("AD")
    early = [*world.lifetimes(ads, ("CLICKS",), dt.date(2022, 12, 1))]

    assert [row.entity for row in early] == ads
    assert any(row.value("IMPRESSIONS") == 0 for row in early)


@pytest.mark.parametrize("dimension", AUDIENCES)
def test_audiences_add_up_to_the_lifetime(world: World, dimension: str) -> None:
    for entity in world.entities("AD_SET")[:3]:
        rows = audience_rows(entity, dimension, SUMS, TODAY)

        assert [row.audience for row in rows] == [*AUDIENCES[dimension]]
        assert total(rows) == total(world.lifetimes([entity], SUMS, TODAY))


def test_some_entities_have_no_insights(world: World) -> None:
    obstacles = {insight_obstacle(entity, TODAY) for entity in world.entities("AD_SET")}

    assert obstacles == {
        None,
        "INSUFFICIENT_IMPRESSIONS",
        "INSUFFICIENT_LISTENERS",
        "INSUFFICIENT_REACH",
        "PLACEMENT_UNAVAILABLE",
    }


def test_the_seed_decides_the_data() -> None:
    first, again, other = World(1), World(1), World(2)

    def ids(world: World) -> list[str]:
        return [entity.id for kind in KINDS for entity in world.entities(kind)]

    assert ids(first) == ids(again)
    assert not {*ids(first)} & {*ids(other)}
    assert len({*ids(first)}) == len(ids(first))


def test_a_world_can_be_as_large_as_one_likes() -> None:
    world = World(shape=((10, 10, 10),) * 3)

    assert [len(world.entities(kind)) for kind in KINDS] == [3, 30, 300, 3000]


def test_archiving_changes_an_entity_and_not_its_numbers() -> None:
    world = World()
    ad = next(e for e in world.entities("AD") if e.status != "ARCHIVED")
    before = [*world.days([ad], SUMS, dt.date(2024, 1, 1), TODAY)]
    moment = dt.datetime(2024, 3, 21, tzinfo=UTC)

    world.archive(ad.id, moment)

    assert (ad.status, ad.updated_at) == ("ARCHIVED", moment)
    assert [*world.days([ad], SUMS, dt.date(2024, 1, 1), TODAY)] == before
