from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal

import pytest

from tap_adstage.sandbox.world.entities import LEVELS, Entity
from tap_adstage.sandbox.world.meta_fields import META_FIELDS
from tap_adstage.sandbox.world.metrics import METRICS
from tap_adstage.sandbox.world.world import World

from .api import COMMON, NETWORKS, TODAY

DAY = dt.date(2019, 7, 2)
NEVER_RATIOS = [
    metric.id
    for metric in METRICS.values()
    if metric.below is None and metric.multiplier == 1
]


def test_there_is_enough_of_everything(world: World) -> None:
    counts = {level: len(world.entities(level)) for level in LEVELS}
    assert counts == {
        "accounts": 18,
        "campaigns": 90,
        "ad_groups": 360,
        "ads": 1080,
        "keywords": 1080,
    }
    by_network = Counter(account.network for account in world.entities("accounts"))
    assert by_network == dict.fromkeys(NETWORKS, 2)


def test_entity_ids_are_unique_and_lead_back(world: World) -> None:
    everything = [entity for level in LEVELS for entity in world.entities(level)]
    assert len({entity.entity_id for entity in everything}) == len(everything)
    for entity in everything:
        assert world.entity(entity.entity_id) is entity
        assert entity.remote_id.isdecimal()
    with pytest.raises(KeyError):
        world.entity("/network/adwords/account/1")


def test_keywords_are_criteria_on_adwords_only(world: World) -> None:
    kinds = {
        (entity.network, entity.entity_id.split("/")[3])
        for entity in world.entities("keywords")
    }
    assert kinds == {
        ("adwords", "criterion"),
        ("amazon", "keyword"),
        ("bing_ads", "keyword"),
    }


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_every_status(world: World, level: str) -> None:
    assert {entity.status for entity in world.entities(level)} == {
        "ACTIVE",
        "PAUSED",
        "COMPLETED",
        "ARCHIVED",
        "DELETED",
    }


def test_remote_ids_do_not_survive_as_numbers(world: World) -> None:
    ids = [entity.remote_id for level in LEVELS for entity in world.entities(level)]
    assert any(remote_id.startswith("0") for remote_id in ids)
    assert any(int(remote_id) != int(float(remote_id)) for remote_id in ids)


def test_names_are_as_people_write_them(world: World) -> None:
    names = [entity.name for level in LEVELS for entity in world.entities(level)]
    assert "" in names
    assert {"NULL", "--"} <= set(names)
    assert any(max(map(ord, name), default=0) > 0xFFFF for name in names)
    for part in ("\n", "\t", '"', "'", "%", "\\", "\u05de", "\r\n", "<b>"):
        assert any(part in name for name in names), part
    assert any(name != name.strip() for name in names)
    assert max(map(len, names)) > 500
    assert not any("\0" in name for name in names)
    per_account = Counter(
        (entity.account.entity_id, entity.name) for entity in world.entities("ads")
    )
    assert max(per_account.values()) > 1


@pytest.mark.parametrize("metric_id", NEVER_RATIOS)
def test_parents_are_the_sums_of_their_ads(world: World, metric_id: str) -> None:
    for level in ("accounts", "campaigns", "ad_groups"):
        for parent in world.entities(level)[::7]:
            whole = world.metric(parent, metric_id, DAY, today=TODAY)
            parts = [
                world.metric(ad, metric_id, DAY, today=TODAY) for ad in ads_of(parent)
            ]
            if whole is None:
                assert set(parts) == {None}
            else:
                assert sum(part for part in parts if part is not None) == whole


def test_numbers_are_not_all_alike(world: World) -> None:
    ads = world.entities("ads")
    for metric_id in ("impressions", "clicks", "spend"):
        values = Counter(world.metric(ad, metric_id, DAY) for ad in ads)
        assert len(values) > 50, metric_id
        assert values[0] + values[Decimal("0.00")] > 10, metric_id
    keywords = world.entities("keywords")
    assert (
        sum(bool(world.metric(entity, "conversions", DAY)) for entity in keywords) > 50
    )


def test_no_ad_is_clicked_more_often_than_shown(world: World) -> None:
    for ad in world.entities("ads"):
        clicks = world.metric(ad, "clicks", DAY)
        impressions = world.metric(ad, "impressions", DAY)
        assert clicks is not None
        assert impressions is not None
        assert 0 <= clicks <= impressions


def test_weekends_are_quieter(world: World) -> None:
    monday = dt.date(2019, 6, 3)
    week = [monday + dt.timedelta(days) for days in range(7)]
    totals = [
        sum(
            int(world.metric(account, "clicks", day) or 0)
            for account in world.entities("accounts")
        )
        for day in week
    ]
    assert min(totals[:5]) > 1.2 * max(totals[5:])


def test_ratios_are_of_sums(world: World) -> None:
    account = world.entities("accounts")[0]
    clicks = world.total(account, "clicks", DAY, TODAY)
    impressions = world.total(account, "impressions", DAY, TODAY)
    spend = world.total(account, "spend", DAY, TODAY)
    assert isinstance(spend, Decimal)
    assert clicks
    assert impressions
    ctr = world.total(account, "ctr", DAY, TODAY)
    assert ctr == round(Decimal(clicks) / Decimal(impressions), 4)
    cpm = world.total(account, "cpm", DAY, TODAY)
    assert cpm == round(spend * 1000 / Decimal(impressions), 2)


def test_dividing_by_zero_gives_null(world: World) -> None:
    idle = next(
        ad
        for ad in world.entities("ads")
        if ad.network == "adwords" and world.metric(ad, "impressions", DAY) == 0
    )
    assert world.metric(idle, "clicks", DAY) == 0
    assert world.metric(idle, "ctr", DAY) is None


def test_networks_and_levels_lack_metrics(world: World) -> None:
    by_network = {account.network: account for account in world.entities("accounts")}
    assert world.metric(by_network["facebook"], "likes", DAY) is not None
    assert world.metric(by_network["adwords"], "likes", DAY) is None
    keyword = world.entities("keywords")[0]
    assert world.metric(keyword, "video_views", DAY) is None
    assert world.metric(keyword.account, "video_views", DAY) is not None


@pytest.mark.parametrize("metric_id", ["conversions", "total_conversion_value"])
@pytest.mark.parametrize("level", LEVELS)
def test_conversions_come_late_and_stay(
    world: World, level: str, metric_id: str
) -> None:
    grown = 0
    for entity in world.entities(level)[:: max(1, len(world.entities(level)) // 60)]:
        seen = [
            world.metric(entity, metric_id, DAY, today=DAY + dt.timedelta(age))
            for age in range(31)
        ]
        known = [value for value in seen if value is not None]
        assert len(known) in {0, len(seen)}
        assert known == sorted(known)
        assert not known or known[0] >= 0
        assert not known or known[28] == known[30]
        final = world.metric(entity, metric_id, DAY)
        assert not known or known[28] == final
        grown += bool(known) and known[0] < known[28]
    assert grown > 5


def test_clicks_are_known_at_once(world: World) -> None:
    for account in world.entities("accounts"):
        for metric_id in ("clicks", "impressions", "spend"):
            assert world.metric(account, metric_id, DAY, today=DAY) == world.metric(
                account, metric_id, DAY
            )


def test_the_future_is_unknown(world: World) -> None:
    account = world.entities("accounts")[0]
    tomorrow = TODAY + dt.timedelta(days=1)
    assert world.metric(account, "clicks", TODAY, today=TODAY) is not None
    assert world.metric(account, "clicks", tomorrow, today=TODAY) is None
    assert world.total(account, "clicks", TODAY, tomorrow, today=TODAY) == (
        world.metric(account, "clicks", TODAY, today=TODAY)
    )


def test_the_seed_decides_everything() -> None:
    assert fingerprint(World(7)) == fingerprint(World(7))
    assert fingerprint(World(7)) != fingerprint(World(8))


def test_memory_is_bounded_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_adstage.sandbox.world.amounts._CACHED_SPLITS", 10)
    forgetful = World()
    for ad in world.entities("ads")[::40]:
        twin = forgetful.entity(ad.entity_id)
        for days in range(4):
            day = DAY + dt.timedelta(days)
            value = forgetful.metric(twin, "spend", day)
            assert value == world.metric(ad, "spend", day)
    splits = forgetful.amounts._splits  # noqa: SLF001
    assert 0 < len(splits) <= 10


def test_meta_fields_have_their_types(world: World) -> None:
    seen: dict[str, set[type]] = {field: set() for field in META_FIELDS}
    for level in LEVELS:
        for entity in world.entities(level):
            for field in META_FIELDS:
                seen[field].add(type(entity.meta(field)))
    for field, types in seen.items():
        expected: type = str
        if field.endswith("_float"):
            expected = float
        elif field in {"objective", "tracking_params"}:
            expected = dict
        elif field.startswith("folder_"):
            expected = list
        assert types - {type(None)} == {expected}, field


def test_meta_fields_include_the_parents(world: World) -> None:
    keyword = world.entities("keywords")[0]
    ad_group = keyword.parent
    assert ad_group is not None
    campaign = ad_group.parent
    assert campaign is not None
    assert keyword.meta("campaign_name") == campaign.name
    assert keyword.meta("remote_ad_group_id") == ad_group.remote_id
    assert keyword.meta("account_entity_id") == keyword.account.entity_id
    assert keyword.meta("ad_name") is None
    assert keyword.account.meta("campaign_name") is None
    assert campaign.meta("status") == campaign.meta("campaign_status")
    assert campaign.meta("type") == "network_campaign"
    with pytest.raises(KeyError):
        campaign.meta("no_such_field")


def test_floats_and_strings_are_the_same_money(world: World) -> None:
    for campaign in world.entities("campaigns"):
        value, number = campaign.meta("budget.value"), campaign.meta("budget_float")
        if value is None:
            assert number is None
        else:
            assert isinstance(value, str)
            assert float(value) == number


def ads_of(parent: Entity) -> list[Entity]:
    if parent.kind == "ad":
        return [parent]
    return [ad for child in parent.children for ad in ads_of(child)]


def fingerprint(world: World) -> str:
    entities = [entity for level in LEVELS for entity in world.entities(level)[::50]]
    return json.dumps(
        [
            (
                entity.entity_id,
                entity.name,
                entity.status,
                [
                    str(world.metric(entity, metric_id, DAY, today=TODAY))
                    for metric_id in COMMON
                ],
            )
            for entity in entities
        ]
    )
