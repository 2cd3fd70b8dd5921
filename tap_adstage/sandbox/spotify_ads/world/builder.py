"""Builds the businesses, ad accounts and all that is in them from a seed."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from tap_adstage.sandbox.spotify_ads.world.entities import (
    Asset,
    Business,
    Entity,
    make_uuid,
)
from tap_adstage.sandbox.world import names
from tap_adstage.sandbox.world.prng import between, mix, pick

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = ((6, 3, 4), (3, 3, 4), (55, 1, 1), (2, 2, 2))
"""For each account: campaigns, ad sets in each of them, ads in each of those."""

_BUSINESS, _ACCOUNT, _CHILD, _ASSET, _NAME, _STATUS, _CREATED, _UPDATED = range(1, 9)

_FIRST_DAY = dt.datetime(2022, 2, 1, tzinfo=dt.timezone.utc)
_LONGEST_WAIT = int(dt.timedelta(days=200).total_seconds())
"""The seconds within which a child is created after its parent."""

_BUSINESS_TYPES = ("ADVERTISER", "AGENCY")
_CURRENCIES = ("USD", "EUR", "GBP", "JPY")
_ASSET_TYPES = ("AUDIO", "IMAGE", "VIDEO")
_STATUSES = {
    "CAMPAIGN": ("ACTIVE", "ACTIVE", "ACTIVE", "PAUSED", "ARCHIVED"),
    "AD_SET": ("ACTIVE", "ACTIVE", "APPROVED", "COMPLETED", "READY", "ARCHIVED"),
    "AD": ("APPROVED", "APPROVED", "PENDING", "REJECTED", "ARCHIVED"),
}
_CHILD_KINDS = ("CAMPAIGN", "AD_SET", "AD")
_AWKWARD_NAMES = tuple(
    name for name in names.AWKWARD_NAMES if re.fullmatch(r"\S.{,198}\S", name)
)
"""Those that Spotify would take."""

_UNKNOWN_STATUS_SHARE = 23
"""One of so many ads has a status that the OpenAPI file doesn't know."""


def build_businesses(seed: int, number: int) -> list[Business]:
    """Return the businesses."""
    return [
        Business(
            id=make_uuid(mix(mix(seed, _BUSINESS), index)),
            name=f"{names.COMPANIES[index % len(names.COMPANIES)]} Group",
            type=_BUSINESS_TYPES[index % len(_BUSINESS_TYPES)],
            created_at=_FIRST_DAY + dt.timedelta(days=index),
        )
        for index in range(number)
    ]


def build_accounts(
    seed: int,
    businesses: list[Business],
    shape: tuple[tuple[int, int, int], ...],
) -> list[Entity]:
    """Return the ad accounts with everything in them.

    Args:
        seed: The world's seed.
        businesses: They take turns as the accounts' owners.
        shape: For each account, campaigns, ad sets in each, and ads in each of those.
    """
    numbers = {kind: _count() for kind in _CHILD_KINDS}
    accounts = []
    for index, counts in enumerate(shape):
        key = mix(mix(seed, _ACCOUNT), index)
        created_at = _FIRST_DAY + dt.timedelta(days=7 + index)
        account = Entity(
            kind="AD_ACCOUNT",
            id=make_uuid(key),
            name=f"{names.COMPANIES[(index * 5 + 2) % len(names.COMPANIES)]} Audio",
            status="ACTIVE",
            created_at=created_at,
            updated_at=created_at + dt.timedelta(days=30),
            key=key,
            position=index,
            business=businesses[index % len(businesses)],
            currency=_CURRENCIES[index % len(_CURRENCIES)],
        )
        _add_children(account, counts, numbers)
        account.assets = _build_assets(key, 12 + 45 * (index == 0))
        accounts.append(account)
    return accounts


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _add_children(
    parent: Entity, counts: tuple[int, ...], numbers: dict[str, Iterator[int]]
) -> None:
    if not counts:
        return
    for place in range(counts[0]):
        kind = _CHILD_KINDS[-len(counts)]
        child = _build_child(parent, kind, place, next(numbers[kind]))
        parent.children.append(child)
        _add_children(child, counts[1:], numbers)


def _build_child(parent: Entity, kind: str, place: int, number: int) -> Entity:
    key = mix(mix(parent.key, _CHILD), place)
    created_at = parent.created_at + dt.timedelta(
        days=1, seconds=mix(key, _CREATED) % _LONGEST_WAIT
    )
    return Entity(
        kind=kind,
        id=make_uuid(key),
        name=_name(kind, key, number),
        status=_status(kind, key, number),
        created_at=created_at,
        updated_at=created_at + dt.timedelta(hours=between(key, _UPDATED, 1, 900)),
        key=key,
        position=number,
        business=parent.business,
        currency=parent.currency,
        parent=parent,
    )


def _name(kind: str, key: int, number: int) -> str:
    """Return a name, which other entities may share."""
    if number % 9 == 4:  # noqa: PLR2004
        return _AWKWARD_NAMES[number // 9 % len(_AWKWARD_NAMES)]
    if kind == "CAMPAIGN":
        theme = pick(key, _NAME, names.THEMES)
        return f"{pick(key, _STATUS, names.REGIONS)} - {theme} - Audio"
    choices = names.AUDIENCES if kind == "AD_SET" else names.HEADLINES
    return pick(key, _NAME, choices)


def _status(kind: str, key: int, number: int) -> str:
    is_unknown = kind == "AD" and number % _UNKNOWN_STATUS_SHARE == 7  # noqa: PLR2004
    return "UNDER_REVIEW" if is_unknown else pick(key, _STATUS, _STATUSES[kind])


def _build_assets(account_key: int, number: int) -> list[Asset]:
    assets = []
    for place in range(number):
        key = mix(mix(account_key, _ASSET), place)
        kind = _ASSET_TYPES[place % len(_ASSET_TYPES)]
        assets.append(
            Asset(
                id=make_uuid(key),
                name=f"{kind.lower()}_{place:03d}",
                type=kind,
                status="PROCESSING" if place % 11 == 5 else "READY",  # noqa: PLR2004
                created_at=_FIRST_DAY
                + dt.timedelta(days=30, seconds=mix(key, _CREATED) % _LONGEST_WAIT),
                key=key,
            )
        )
    return assets
