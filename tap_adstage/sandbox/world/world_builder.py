"""Builds the entities of a world from its seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.sandbox.world import names
from tap_adstage.sandbox.world.entities import AccountGroup, Entity, Folder
from tap_adstage.sandbox.world.meta_fields import META_FIELDS
from tap_adstage.sandbox.world.prng import between, mix, pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KEY, _STATUS, _REMOTE_ID, _NAME, _THEME, _PROVIDER_KEY = range(1, 7)

_STATUSES = ("ACTIVE",) * 12 + (
    "PAUSED",
    "PAUSED",
    "PAUSED",
    "COMPLETED",
    "COMPLETED",
    "ARCHIVED",
    "DELETED",
)
"""Each status as often as its share of 19."""

_ACCOUNT_STATUSES = {3: "PAUSED", 6: "COMPLETED", 9: "ARCHIVED", 14: "DELETED"}
"""Statuses by the account's position; the other accounts are active."""

_CHILD_KINDS = {"account": "campaign", "campaign": "ad_group", "ad_group": "ad"}

_ID_DIGITS = {"facebook": 17, "amazon": 15, "pinterest": 18, "linkedin": 9}
"""Digits of the networks' own ids, 10 by default."""

_AWKWARD_ACCOUNTS = {"facebook": 0, "pinterest": 1, "quora": 6, "twitter": 8}
"""Networks whose first account has an awkward name, with the index of that name."""

_GROUPS, _FOLDERS = 12, 14
_NAMELESS_GROUP = 5

_AWKWARD_SHARE = {"campaign": 5, "ad_group": 11, "ad": 13, "keyword": 17}
"""One of so many entities of a kind has an awkward name."""


def build_accounts(
    seed: int,
    *,
    organization_ids: Sequence[int],
    accounts_per_network: int,
    counts: Mapping[str, int],
) -> tuple[Entity, ...]:
    """Return the accounts with everything in them.

    Args:
        seed: The world's seed.
        organization_ids: The `fetch_id`s of the organizations, which take turns.
        accounts_per_network: Accounts on each network.
        counts: How many children of each kind a parent has.
    """
    accounts = []
    for index in range(accounts_per_network * len(names.NETWORKS)):
        network = names.NETWORKS[index // accounts_per_network]
        key = mix(mix(seed, _KEY), index)
        account = Entity(
            kind="account",
            network=network,
            remote_id=_remote_id(network, "account", key, index),
            name=_account_name(network, key, index % accounts_per_network),
            status=_ACCOUNT_STATUSES.get(index, "ACTIVE"),
            organization_id=organization_ids[index % len(organization_ids)],
            currency=names.CURRENCIES[index % len(names.CURRENCIES)],
            key=key,
            position=index,
            meta_fields=META_FIELDS,
        )
        _add_children(account, index, counts)
        accounts.append(account)
    return tuple(accounts)


def build_provider_accounts(
    seed: int, *, organization_id: int, counts: Mapping[str, int]
) -> dict[str, Entity]:
    """Return an account on each network that only external providers report on.

    Google Analytics calls them profiles, and has nothing below them.
    """
    accounts = {}
    for index, network in enumerate(names.PROVIDER_NETWORK_NAMES):
        key = mix(mix(seed, _PROVIDER_KEY), index)
        account = Entity(
            kind="account",
            network=network,
            remote_id=_remote_id(network, "account", key, index),
            name=_account_name(network, key, index),
            status="ACTIVE",
            organization_id=organization_id,
            currency=names.CURRENCIES[index],
            key=key,
            position=index,
            meta_fields=META_FIELDS,
        )
        if network != "google_analytics":
            _add_children(account, index, counts)
        accounts[network] = account
    return accounts


def build_account_groups(
    seed: int, accounts: Sequence[Entity]
) -> tuple[AccountGroup, ...]:
    """Return twelve account groups, which share accounts; the last one is empty."""
    groups = []
    for index in range(_GROUPS):
        members = tuple(
            account
            for account in accounts
            if index + 1 < _GROUPS and (account.position * 5 + index) % 11 in {0, 4, 7}
        )
        region, theme = names.REGIONS[index % 6], pick(seed, index, names.THEMES)
        name = "" if index == _NAMELESS_GROUP else f"{region} {theme} Clients"
        groups.append(AccountGroup(id=988 + 3 * index, name=name, accounts=members))
    for account in accounts:
        account.groups = tuple(group for group in groups if account in group.accounts)
    return tuple(groups)


def build_folders(seed: int, campaigns: Sequence[Entity]) -> tuple[Folder, ...]:
    """Return fourteen folders; a campaign is in up to two, the last one is empty."""
    folders = []
    for index in range(_FOLDERS):
        members = tuple(
            campaign
            for place, campaign in enumerate(campaigns)
            if index + 1 < _FOLDERS and _is_in_folder(place, index)
        )
        awkward = names.AWKWARD_NAMES[index % len(names.AWKWARD_NAMES)]
        name = awkward if index % 3 == 0 else f"{pick(seed, index, names.THEMES)} 2019"
        folders.append(Folder(fetch_id=168 + 5 * index, name=name, campaigns=members))
    for campaign in campaigns:
        campaign.folders = tuple(
            folder for folder in folders if campaign in folder.campaigns
        )
    return tuple(folders)


def _is_in_folder(place: int, index: int) -> bool:
    """Return whether the campaign at that place is in the folder of that index."""
    return place % 6 != 0 and (place * 7 + index) % 17 in {2, 8}


def _add_children(parent: Entity, number: int, counts: Mapping[str, int]) -> None:
    """Add children and keywords to an entity; `number` counts all of its kind."""
    kind = _CHILD_KINDS.get(parent.kind)
    if kind is not None:
        parent.children = _build_children(parent, kind, number, counts)
    if parent.kind == "ad_group" and parent.network in names.KEYWORD_NETWORKS:
        parent.keywords = _build_children(parent, "keyword", number, counts)


def _build_children(
    parent: Entity, kind: str, number: int, counts: Mapping[str, int]
) -> tuple[Entity, ...]:
    return tuple(
        _build_child(parent, kind, number * counts[kind] + position, position, counts)
        for position in range(counts[kind])
    )


def _build_child(
    parent: Entity, kind: str, number: int, position: int, counts: Mapping[str, int]
) -> Entity:
    key = mix(mix(parent.key, len(kind)), position)
    entity = Entity(
        kind=kind,
        network=parent.network,
        remote_id=_remote_id(parent.network, kind, key, number),
        name=_name(kind, key, number),
        status=_STATUSES[mix(key, _STATUS) % len(_STATUSES)],
        organization_id=parent.organization_id,
        currency=parent.currency,
        key=key,
        position=position,
        meta_fields=META_FIELDS,
        parent=parent,
    )
    _add_children(entity, number, counts)
    return entity


def _remote_id(network: str, kind: str, key: int, number: int) -> str:
    """Return a string of digits, unique among entities of that network and kind.

    The low digits are the entity's number, the high ones look random. Every ninth
    starts with zeros; Facebook's and Pinterest's are beyond 2 ** 53.
    """
    digits = _ID_DIGITS.get(network, 10)
    high = between(key, _REMOTE_ID, 10 ** (digits - 6), 10 ** (digits - 5) - 1)
    zeros = "00" if number % 9 == 4 and kind != "account" else ""  # noqa: PLR2004
    if kind == "account" and number % 4 == 1:
        zeros = "0"
    return f"{zeros}{high}{number:05d}"


def _account_name(network: str, key: int, place: int) -> str:
    """Return a name, unique among the network's accounts."""
    company = pick(key, _NAME, names.COMPANIES)
    purpose = names.ACCOUNT_PURPOSES[place % len(names.ACCOUNT_PURPOSES)]
    number = f" {place + 1}" if place >= len(names.ACCOUNT_PURPOSES) else ""
    if network in _AWKWARD_ACCOUNTS and place == 0:
        company = names.AWKWARD_NAMES[_AWKWARD_ACCOUNTS[network]]
    network_name = (names.NETWORK_NAMES | names.PROVIDER_NETWORK_NAMES)[network]
    return f"{company} - {network_name} {purpose}{number}"


def _name(kind: str, key: int, number: int) -> str:
    """Return a name, which other entities may share."""
    share = _AWKWARD_SHARE[kind]
    if number % share == share - 1:
        return names.AWKWARD_NAMES[number // share % len(names.AWKWARD_NAMES)]
    if kind == "campaign":
        region = pick(key, _NAME, names.REGIONS)
        return f"{region} - {pick(key, _THEME, names.THEMES)} - 2019"
    choices = {
        "ad_group": names.AUDIENCES,
        "ad": names.HEADLINES,
        "keyword": names.SEARCH_TERMS,
    }
    return pick(key, _NAME, choices[kind])
