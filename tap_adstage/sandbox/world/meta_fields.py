"""The documented meta fields of entities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from tap_adstage.sandbox.world import names
from tap_adstage.sandbox.world.prng import between, mix, pick

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_adstage.sandbox.world.entities import Entity

    MetaField: TypeAlias = Callable[[Entity], object]

_BUDGET, _BID, _OBJECTIVE, _TYPE, _MATCH, _QUALITY, _TEXT, _UTM = range(21, 29)

_MATCH_TYPES = ("EXACT", "PHRASE", "BROAD")
_CAMPAIGN_TYPES = {
    "adwords": ("SEARCH", "DISPLAY"),
    "linkedin": ("SSU", "TEXT_AD", "SPONSORED_INMAILS"),
    "amazon": ("SPONSORED_PRODUCTS", "SPONSORED_BRANDS"),
}
_AD_TYPES = ("TEXT", "IMAGE", "VIDEO")
_LEGACY_LEVELS = (
    ("account", "accounts"),
    ("campaign", "campaigns"),
    ("ad_group", "ad_groups"),
    ("ad", "ads"),
    ("keyword", "keywords"),
)


def legacy_id(entity: Entity) -> str:
    """Return the entity's `id`, AdStage's older identifier."""
    account = entity.account
    prefix = f"production.{entity.organization_id}.accounts.{account.network}"
    parts = [prefix, account.remote_id]
    for kind, level in _LEGACY_LEVELS[1:]:
        ancestor = entity.ancestor(kind)
        if ancestor is not None:
            parts += [level, ancestor.remote_id]
    return ".".join(parts)


def _of(kind: str, attribute: str) -> MetaField:
    """Return a field with an attribute of the ancestor of that kind."""

    def value(entity: Entity) -> object:
        ancestor = entity.ancestor(kind)
        return None if ancestor is None else getattr(ancestor, attribute)

    return value


def _of_ad(text: Callable[[Entity], object]) -> MetaField:
    """Return a field that is null for anything but ads."""
    return lambda entity: text(entity) if entity.kind == "ad" else None


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _budget(entity: Entity) -> dict[str, object]:
    campaign = entity.ancestor("campaign")
    if campaign is None or mix(campaign.key, _BUDGET) % 8 == 0:
        return {}
    cents = between(campaign.key, _BUDGET, 1_500, 250_000)
    is_daily = mix(campaign.key, _BUDGET) % 3 != 0
    return {
        "float": cents / 100,
        "value": _money(cents),
        "pretty_budget": f"{campaign.currency[1]}{_money(cents)}",
        "title": "Daily budget" if is_daily else "Lifetime budget",
        "subtitle": "per day" if is_daily else None,
        "type": "DAILY" if is_daily else "LIFETIME",
    }


def _bid(entity: Entity) -> dict[str, object]:
    owner = entity if entity.kind == "keyword" else entity.ancestor("ad_group")
    if owner is None or mix(owner.key, _BID) % 7 == 0:
        return {}
    cents = between(owner.key, _BID, 5, 1_250)
    return {
        "float": cents / 100,
        "value": _money(cents),
        "pretty_bid": f"{owner.currency[1]}{_money(cents)}",
        "title": "Max. CPC",
        "subtitle": "manual",
        "type": "CPC",
    }


def _objective(entity: Entity) -> dict[str, object]:
    campaign = entity.ancestor("campaign")
    if campaign is None or mix(campaign.key, _OBJECTIVE) % 6 == 0:
        return {}
    choice = mix(campaign.key, _OBJECTIVE) % len(names.OBJECTIVES)
    code, title, subtitle, unit = names.OBJECTIVES[choice]
    return {"code": code, "title": title, "subtitle": subtitle, "unit": unit}


def _tracking(entity: Entity) -> dict[str, object]:
    """Return the UTM parameters of an ad or keyword; three in four have them."""
    if entity.kind not in {"ad", "keyword"} or mix(entity.key, _UTM) % 4 == 0:
        return {}
    campaign = entity.ancestor("campaign")
    return {
        "utm_medium": "cpc" if entity.network in names.KEYWORD_NETWORKS else "social",
        "utm_source": entity.network,
        "utm_campaign": None if campaign is None else campaign.name,
        "utm_content": entity.remote_id,
        "utm_term": entity.name if entity.kind == "keyword" else None,
    }


def _url(entity: Entity, suffix: str = "") -> str:
    return f"https://shop.example/{entity.network}/{entity.remote_id}{suffix}"


def _campaign_type(entity: Entity) -> object:
    campaign = entity.ancestor("campaign")
    choices = _CAMPAIGN_TYPES.get(entity.network)
    if campaign is None or choices is None:
        return None
    return pick(campaign.key, _TYPE, choices)


def _ad_type(entity: Entity) -> str:
    return pick(entity.key, _TYPE, _AD_TYPES)


def _match_type(entity: Entity) -> object:
    is_keyword = entity.kind == "keyword"
    return pick(entity.key, _MATCH, _MATCH_TYPES) if is_keyword else None


def _quality_score(entity: Entity) -> object:
    if entity.kind != "keyword" or entity.network == "amazon":
        return None
    return float(between(entity.key, _QUALITY, 1, 10))


def _account_group(attribute: str) -> MetaField:
    """Return a field with an attribute of the account's first group."""

    def value(entity: Entity) -> object:
        groups = entity.account.groups
        return str(getattr(groups[0], attribute)) if groups else None

    return value


def _folders(attribute: str) -> MetaField:
    """Return a field with an attribute of all the campaign's folders."""

    def value(entity: Entity) -> object:
        campaign = entity.ancestor("campaign")
        if campaign is None:
            return None
        return [str(getattr(folder, attribute)) for folder in campaign.folders]

    return value


def _part(whole: Callable[[Entity], dict[str, object]], key: str) -> MetaField:
    return lambda entity: whole(entity).get(key)


META_FIELDS: dict[str, MetaField] = {
    "network": lambda entity: entity.network,
    "name": lambda entity: entity.name,
    "account_name": _of("account", "name"),
    "campaign_name": _of("campaign", "name"),
    "ad_group_name": _of("ad_group", "name"),
    "ad_name": _of("ad", "name"),
    "currency_code": lambda entity: entity.currency[0],
    "currency_symbol": lambda entity: entity.currency[1],
    "remote_account_id": _of("account", "remote_id"),
    "remote_campaign_id": _of("campaign", "remote_id"),
    "remote_ad_group_id": _of("ad_group", "remote_id"),
    "remote_ad_id": _of("ad", "remote_id"),
    "remote_keyword_id": _of("keyword", "remote_id"),
    "account_group_id": _account_group("id"),
    "account_group_name": _account_group("name"),
    "folder_names": _folders("name"),
    "folder_ids": _folders("fetch_id"),
    "id": legacy_id,
    "entity_id": lambda entity: entity.entity_id,
    "account_entity_id": _of("account", "entity_id"),
    "campaign_entity_id": _of("campaign", "entity_id"),
    "ad_group_entity_id": _of("ad_group", "entity_id"),
    "ad_entity_id": _of("ad", "entity_id"),
    "keyword_entity_id": _of("keyword", "entity_id"),
    "status": lambda entity: entity.status,
    "account_status": _of("account", "status"),
    "campaign_status": _of("campaign", "status"),
    "ad_group_status": _of("ad_group", "status"),
    "ad_status": _of("ad", "status"),
    "keyword_status": _of("keyword", "status"),
    "bid_float": _part(_bid, "float"),
    **{
        f"bid.{key}": _part(_bid, key)
        for key in ("pretty_bid", "title", "subtitle", "type", "value")
    },
    "budget_float": _part(_budget, "float"),
    **{
        f"budget.{key}": _part(_budget, key)
        for key in ("pretty_budget", "title", "subtitle", "type", "value")
    },
    "objective": lambda entity: _objective(entity) or None,
    **{
        f"objective.{key}": _part(_objective, key)
        for key in ("code", "title", "subtitle", "unit")
    },
    "type": lambda entity: f"network_{entity.kind}",
    "campaign_type": _campaign_type,
    "ad_type": _of_ad(_ad_type),
    "keyword_match_type": _match_type,
    "keyword_text": _of("keyword", "name"),
    "quality_score_float": _quality_score,
    "title": _of_ad(lambda ad: pick(ad.key, _TEXT, names.HEADLINES)),
    "ad_headline": _of_ad(
        lambda ad: (
            pick(ad.key, _TEXT, names.HEADLINES)
            if ad.network in names.KEYWORD_NETWORKS
            else None
        )
    ),
    "description": _of_ad(
        lambda ad: f"{pick(ad.key, _TEXT + 1, names.HEADLINES)}. Terms apply."
    ),
    "update": _of_ad(
        lambda ad: f"{ad.name}\n\n#sale" if ad.network == "linkedin" else None
    ),
    "post_text": _of_ad(
        lambda ad: (
            f"{ad.name} \N{RIGHTWARDS ARROW} {_url(ad)}"
            if ad.network in {"facebook", "twitter", "pinterest"}
            else None
        )
    ),
    "destination_url": _of_ad(_url),
    "final_url": _of_ad(
        lambda ad: (
            _url(ad, "?utm_source=adwords&x=1%2C2") if ad.network == "adwords" else None
        )
    ),
    "final_mobile_url": _of_ad(
        lambda ad: _url(ad, "#mobile") if ad.network == "adwords" else None
    ),
    "image_url": _of_ad(
        lambda ad: _url(ad, ".png") if _ad_type(ad) == "IMAGE" else None
    ),
    "submitted_image_url": _of_ad(
        lambda ad: (
            _url(ad, "-submitted.png")
            if ad.network == "linkedin" and _ad_type(ad) == "IMAGE"
            else None
        )
    ),
    "tracking_url_template": _of_ad(
        lambda ad: (
            "https://track.example/?u={lpurl}&k={keyword}"
            if ad.network in {"adwords", "bing_ads"}
            else None
        )
    ),
    "tracking_params": lambda entity: _tracking(entity) or None,
    **{
        f"tracking_params.{key}": _part(_tracking, key)
        for key in (
            "utm_medium",
            "utm_source",
            "utm_campaign",
            "utm_content",
            "utm_term",
        )
    },
}
"""Every documented meta field; `folder_names` and `folder_ids` without a user id."""

TRACKING_PARAMETER = re.compile(r"tracking_params\.[\w-]+")
"""Any parameter's name is a meta field; it is null for entities that lack it."""

OBJECT_FIELDS = frozenset({"objective", "tracking_params"})
"""Fields whose values are objects; nothing can be grouped by them."""

LIST_FIELDS = frozenset({"folder_ids", "folder_names"})
"""Fields whose values are lists; an entity belongs to the group of each element."""
