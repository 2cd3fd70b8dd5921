"""Reads and checks the targets of reports: entity ids that a report is limited to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from tap_adstage.sandbox.adstage.reports.body_values import refuse
from tap_adstage.sandbox.world.names import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tap_adstage.sandbox.world.entities import Entity
    from tap_adstage.sandbox.world.world import World

    Target: TypeAlias = Callable[[Entity], bool]
    """Returns whether an entity belongs to the target."""

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
"""How fine a kind of target is, 0 for the coarsest."""

V1_KINDS = ("user", "organization", "account_group", "account", "folder", "campaign")
"""Kinds of targets that API V1 accepts."""

_LEVEL_RANKS = {"accounts": 0, "campaigns": 1, "ad_groups": 2, "ads": 3, "keywords": 3}


def parse_targets(
    value: object,
    level: str,
    world: World,
    organization_id: int,
    *,
    kinds: Collection[str] = tuple(_RANKS),
) -> tuple[Target, ...] | None:
    """Return the targets of a request, None if they are omitted.

    Args:
        value: The request's value of `targets`.
        level: The entity level of the report.
        world: The data.
        organization_id: The organization whose entities can be targets.
        kinds: The kinds of targets that the API accepts.

    Raises:
        RefusedRequest: A target is invalid, unknown, or finer than the entity level.
    """
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        refuse(
            f"targets must be a non-empty array of entity ids or omitted, not {value!r}"
        )
    targets = []
    for entity_id in value:
        _check_kind(entity_id, level, kinds)
        targets.append(_target(str(entity_id), world, organization_id))
    return tuple(targets)


def parse_provider_target(
    value: object, provider: str, world: World, organization_id: int
) -> tuple[Target, ...]:
    """Return the only account that a report of an external provider is limited to.

    Raises:
        RefusedRequest: There is not exactly one target, or it is not such an account.
    """
    example = f"one account, such as /network/{provider}/account/123"
    if not isinstance(value, list) or len(value) != 1:
        refuse(f"targets: provider {provider} takes {example}, not {value!r}")
    match = _ENTITY_ID.fullmatch(value[0]) if isinstance(value[0], str) else None
    if match is None or match.groups()[:2] != (provider, "account"):
        refuse(f"targets: provider {provider} takes {example}, not {value[0]!r}")
    target = _entity(value[0], world, organization_id)
    if target is None:
        accounts = world.provider_entities(provider, "accounts")
        known = ", ".join(
            account.entity_id
            for account in accounts
            if account.organization_id == organization_id
        )
        refuse(
            f"targets: there is no {value[0]}; {provider} has {known or 'no accounts'}"
        )
    return (target,)


def _check_kind(value: object, level: str, kinds: Collection[str]) -> None:
    match = _ENTITY_ID.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _RANKS:
        example = "/network/adwords/account/123"
        refuse(f"targets: {value!r} is not an entity id such as {example}")
    kind = match[2]
    if kind not in kinds:
        refuse(f"targets: {value} is not one of {', '.join(kinds)}")
    is_sibling = {kind, level} in ({"ad", "keywords"}, {"keyword", "ads"})
    if (
        _RANKS[kind] > _LEVEL_RANKS[level]
        or is_sibling
        or (kind == "criterion" and level == "ads")
    ):
        refuse(f"targets: {value} is not coarser than the entity level {level}")


def _target(entity_id: str, world: World, organization_id: int) -> Target:
    _, _, network, kind, remote_id = entity_id.split("/")
    target = None
    if network == "adstage":
        target = _grouping(kind, int(remote_id), world, organization_id)
    elif network in NETWORKS:
        target = _entity(entity_id, world, organization_id)
    if target is None:
        refuse(f"targets: there is no {entity_id}")
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
    """Return the target of these entities and everything in them."""

    def contains(entity: Entity) -> bool:
        ancestor: Entity | None = entity
        while ancestor is not None:
            if ancestor in owners:
                return True
            ancestor = ancestor.parent
        return False

    return contains
