"""The targets of reports: entity ids of what a report is limited to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from tap_adstage.sandbox.refusals import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_adstage.sandbox.entities import Entity
    from tap_adstage.sandbox.world import World

    Target: TypeAlias = Callable[[Entity], bool]
    """Tells whether an entity belongs to the target."""

_ENTITY_ID = re.compile(r"/network/([a-z_]+)/([a-z_]+)/([0-9]+)")

_RANKS = {
    "user": 0,
    "organization": 0,
    "account_group": 0,
    "account": 0,
    "folder": 1,
    "campaign": 1,
    "ad_group": 2,
    "ad": 3,
    "keyword": 3,
    "criterion": 3,
}
"""How fine a grouping a kind of target is."""

_LEVEL_RANKS = {"accounts": 0, "campaigns": 1, "ad_groups": 2, "ads": 3, "keywords": 3}


def parse_targets(
    value: object, level: str, world: World, organization_id: int
) -> tuple[Target, ...] | None:
    """Return the targets of a request, None where it is about all there is.

    Raises:
        RefusedRequest: One is no entity id, unknown, or finer than the entity level.
    """
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        _refuse(f"must be a non-empty array of entity ids or left out, not {value!r}")
    return tuple(_target(each, level, world, organization_id) for each in value)


def _target(value: object, level: str, world: World, organization_id: int) -> Target:
    match = _ENTITY_ID.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _RANKS:
        _refuse(f"{value!r} is no entity id such as /network/adwords/account/123")
    network, kind, remote_id = match.groups()
    is_sibling = {kind, level} in ({"ad", "keywords"}, {"keyword", "ads"})
    if (
        _RANKS[kind] > _LEVEL_RANKS[level]
        or is_sibling
        or (kind == "criterion" and level == "ads")
    ):
        _refuse(f"{value} is no coarser than the entity level {level}")
    if network == "adstage":
        target = _grouping(kind, int(remote_id), world, organization_id)
    else:
        target = _entity(str(value), world, organization_id)
    if target is None:
        _refuse(f"there is no {value}")
    return target


def _grouping(
    kind: str, number: int, world: World, organization_id: int
) -> Target | None:
    if (kind, number) in {
        ("user", world.user.fetch_id),
        ("organization", organization_id),
    }:
        return lambda _: True
    if kind == "account_group":
        for group in world.account_groups:
            if group.id == number:
                return _any_of(frozenset(group.accounts))
    if kind == "folder":
        for folder in world.folders:
            if folder.fetch_id == number:
                return _any_of(frozenset(folder.campaigns))
    return None


def _entity(entity_id: str, world: World, organization_id: int) -> Target | None:
    try:
        entity = world.entity(entity_id)
    except KeyError:
        return None
    if entity.organization_id != organization_id:
        return None
    return _any_of(frozenset({entity}))


def _any_of(owners: frozenset[Entity]) -> Target:
    """Return the target of everything that is one of these or in one of these."""

    def contains(entity: Entity) -> bool:
        ancestor: Entity | None = entity
        while ancestor is not None:
            if ancestor in owners:
                return True
            ancestor = ancestor.parent
        return False

    return contains


def _refuse(message: str) -> NoReturn:
    raise RefusedRequest(f"sources.metrics.targets: {message}")
