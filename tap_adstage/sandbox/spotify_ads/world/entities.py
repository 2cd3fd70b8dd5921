"""Businesses, ad accounts, campaigns, ad sets, ads and assets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_adstage.sandbox.world.prng import mix

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

KINDS = ("AD_ACCOUNT", "CAMPAIGN", "AD_SET", "AD")
"""The kinds of entity that reports have, coarsest first."""


@dataclass(eq=False)
class Business:
    """A business; its ad accounts name it."""

    id: str
    name: str
    type: str
    created_at: dt.datetime


@dataclass(eq=False)
class Entity:
    """An ad account, campaign, ad set or ad.

    Attributes:
        kind: One of `KINDS`.
        id: A UUID.
        status: Of the kind's statuses; reports have archived entities too.
        key: The bits from which all generated data of the entity follow.
        position: Place among all of its kind, from 0.
        business: Of an ad account and all that is in it.
        currency: Of the ad account, as a code.
    """

    kind: str
    id: str
    name: str
    status: str
    created_at: dt.datetime
    updated_at: dt.datetime
    key: int
    position: int
    business: Business
    currency: str
    parent: Entity | None = field(default=None, repr=False)
    children: list[Entity] = field(default_factory=list, repr=False)
    assets: list[Asset] = field(default_factory=list, repr=False)

    @property
    def account(self) -> Entity:
        """The ad account that it belongs to, or is."""
        entity = self
        while entity.parent is not None:
            entity = entity.parent
        return entity

    def lineage(self) -> Iterator[Entity]:
        """Yield the entity, its parent, and so on up to the ad account."""
        entity: Entity | None = self
        while entity is not None:
            yield entity
            entity = entity.parent

    def descendants(self, kind: str) -> Iterator[Entity]:
        """Yield the entities of a kind in it; itself if it is of that kind."""
        if self.kind == kind:
            yield self
        for child in self.children:
            yield from child.descendants(kind)


@dataclass(eq=False)
class Asset:
    """A picture, sound or film of an ad account."""

    id: str
    name: str
    type: str
    status: str
    created_at: dt.datetime
    key: int


def make_uuid(key: int) -> str:
    """Return a UUID of version 4 that follows from a key."""
    bits = f"{mix(key, 1):016x}{mix(key, 2):016x}"
    variant = "89ab"[int(bits[16], 16) % 4]
    return (
        f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{variant}{bits[17:20]}-{bits[20:32]}"
    )
