"""Advertising entities and the groupings that AdStage adds to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEVELS = ("accounts", "campaigns", "ad_groups", "ads", "keywords")
"""The entity levels, coarsest first; ads and keywords are siblings."""

LEVEL_KINDS = {
    "accounts": "account",
    "campaigns": "campaign",
    "ad_groups": "ad_group",
    "ads": "ad",
    "keywords": "keyword",
}
"""The kind of the entities of each level."""

VISIBLE = frozenset({"ACTIVE", "PAUSED", "COMPLETED"})
"""Statuses of entities that AdStage shows; the others are archived and deleted."""


@dataclass(frozen=True)
class AccountGroup:
    """A user's named set of accounts."""

    id: int
    name: str
    accounts: tuple[Entity, ...] = field(repr=False)


@dataclass(frozen=True)
class Folder:
    """A user's named set of campaigns."""

    fetch_id: int
    name: str
    campaigns: tuple[Entity, ...] = field(repr=False)


@dataclass(eq=False)
class Entity:
    """An account, campaign, ad group, ad or keyword.

    Attributes:
        kind: `account`, `campaign`, `ad_group`, `ad` or `keyword`.
        network: Name of the advertising network, `adwords` for instance.
        remote_id: The network's identifier. A string of digits that may start with
            zeros or be larger than a double can hold.
        status: `ACTIVE`, `PAUSED`, `COMPLETED`, `ARCHIVED` or `DELETED`.
        organization_id: `fetch_id` of the organization that owns it.
        currency: Code and symbol of the account's currency.
        key: The bits from which all generated data of the entity follow.
        position: Place among the siblings, from 0.
        meta_fields: For each meta field, a function that returns its value.
        children: Entities one level down, without keywords.
        keywords: Keywords, of ad groups only.
        groups: Account groups, of accounts only.
        folders: Folders, of campaigns only.
    """

    kind: str
    network: str
    remote_id: str
    name: str
    status: str
    organization_id: int
    currency: tuple[str, str]
    key: int
    position: int
    meta_fields: Mapping[str, Callable[[Entity], object]] = field(repr=False)
    parent: Entity | None = field(default=None, repr=False)
    children: tuple[Entity, ...] = field(default=(), repr=False)
    keywords: tuple[Entity, ...] = field(default=(), repr=False)
    groups: tuple[AccountGroup, ...] = field(default=(), repr=False)
    folders: tuple[Folder, ...] = field(default=(), repr=False)
    entity_id: str = field(init=False)

    def __post_init__(self) -> None:
        """Derive the entity id, in which Google's keywords are criteria."""
        is_criterion = self.kind == "keyword" and self.network == "adwords"
        kind = "criterion" if is_criterion else self.kind
        self.entity_id = f"/network/{self.network}/{kind}/{self.remote_id}"

    def ancestor(self, kind: str) -> Entity | None:
        """Return the entity of that kind above this one, or this one, or None."""
        entity: Entity | None = self
        while entity is not None and entity.kind != kind:
            entity = entity.parent
        return entity

    @property
    def account(self) -> Entity:
        """The account that the entity belongs to; an account itself."""
        entity = self
        while entity.parent is not None:
            entity = entity.parent
        return entity

    def meta(self, name: str) -> object:
        """Return the value of a meta field as the API gives it.

        Args:
            name: A documented meta field, such as `campaign_name` or `budget.value`,
                or a tracking parameter, which the entity may lack.

        Raises:
            KeyError: There is no such field.
        """
        parent, dot, member = name.partition(".")
        if dot and name not in self.meta_fields:
            members = self.meta(parent)
            return members.get(member) if isinstance(members, dict) else None
        return self.meta_fields[name](self)
