"""`World`: a user, organizations, accounts and everything in them."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_adstage.sandbox.world.amounts import Amounts
from tap_adstage.sandbox.world.breakdowns import Breakdown, Shares
from tap_adstage.sandbox.world.entities import LEVEL_KINDS, LEVELS
from tap_adstage.sandbox.world.measures import Slice, measure, parts_by_slice, total_of
from tap_adstage.sandbox.world.metrics import METRICS
from tap_adstage.sandbox.world.organizations import User, build_user
from tap_adstage.sandbox.world.providers import EXTERNAL
from tap_adstage.sandbox.world.world_builder import (
    build_account_groups,
    build_accounts,
    build_folders,
    build_provider_accounts,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from tap_adstage.sandbox.world.breakdowns import Cell
    from tap_adstage.sandbox.world.entities import AccountGroup, Entity, Folder
    from tap_adstage.sandbox.world.measures import DailyAmounts
    from tap_adstage.sandbox.world.organizations import Organization


class World:
    """All data of the sandbox, the same for the same arguments.

    A world has no clock. Late conversions and days still to come depend on `today`; if
    it is omitted, all days are past and no conversion is missing.

    Attributes:
        seed: The number that all data follow from.
        user: The only user, whose `fetch_id` is 40.
        organizations: The user's organizations, the first with `fetch_id` 40.
        account_groups: The user's account groups, in the order of their ids.
        folders: The user's folders, in the order of their ids.
        provider_accounts: The first organization's accounts on `gemini` and
            `google_analytics`, by network; only external providers report on them.
        amounts: The daily amounts of all entities.
    """

    def __init__(  # noqa: PLR0913
        self,
        seed: int = 1,
        *,
        organizations: int = 1,
        accounts_per_network: int = 2,
        campaigns_per_account: int = 5,
        ad_groups_per_campaign: int = 4,
        ads_per_ad_group: int = 3,
        keywords_per_ad_group: int = 9,
    ) -> None:
        """Generate a world.

        Args:
            seed: Another seed gives other ids, names and numbers.
            organizations: How many organizations share the accounts.
            accounts_per_network: Accounts on each of the nine networks.
            campaigns_per_account: Campaigns in each account.
            ad_groups_per_campaign: Ad groups in each campaign.
            ads_per_ad_group: Ads in each ad group.
            keywords_per_ad_group: Keywords in each ad group of a network with keywords.
        """
        self.seed = seed
        self.user: User = build_user(organizations)
        self.organizations: tuple[Organization, ...] = self.user.organizations
        counts = {
            "campaign": campaigns_per_account,
            "ad_group": ad_groups_per_campaign,
            "ad": ads_per_ad_group,
            "keyword": keywords_per_ad_group,
        }
        organization_ids = [
            organization.fetch_id for organization in self.organizations
        ]
        accounts = build_accounts(
            seed,
            organization_ids=organization_ids,
            accounts_per_network=accounts_per_network,
            counts=counts,
        )
        self.provider_accounts: Mapping[str, Entity] = build_provider_accounts(
            seed, organization_id=organization_ids[0], counts=counts
        )
        self._by_provider = {
            name: _by_level([account])
            for name, account in self.provider_accounts.items()
        }
        self._accounts = accounts
        self._groups = build_account_groups(seed, accounts)
        self._folders = build_folders(seed, _by_level(accounts)["campaigns"])
        self.unlinked = frozenset()
        self.amounts = Amounts()
        self._shares = {name: Shares(provider) for name, provider in EXTERNAL.items()}

    @property
    def unlinked(self) -> frozenset[str]:
        """Entity ids of the accounts that AdStage currently has no link to.

        The world has neither them nor anything in them until they are linked again. Set
        it as a whole; a sandbox may be running.

        Raises:
            ValueError: An id is not an account's.
        """
        return self._unlinked

    @unlinked.setter
    def unlinked(self, entity_ids: frozenset[str]) -> None:
        unknown = entity_ids - {account.entity_id for account in self._accounts}
        if unknown:
            raise ValueError(f"unlinked: unknown account {min(unknown)!r}")
        self._unlinked = entity_ids
        linked = [
            account for account in self._accounts if account.entity_id not in entity_ids
        ]
        self._by_level = _by_level(linked)
        self._by_id = {
            entity.entity_id: entity
            for levels in (self._by_level, *self._by_provider.values())
            for entities in levels.values()
            for entity in entities
        }
        self.account_groups: tuple[AccountGroup, ...] = tuple(
            replace(group, accounts=tuple(filter(self._is_linked, group.accounts)))
            for group in self._groups
        )
        self.folders: tuple[Folder, ...] = tuple(
            replace(folder, campaigns=tuple(filter(self._is_linked, folder.campaigns)))
            for folder in self._folders
        )

    def _is_linked(self, entity: Entity) -> bool:
        return entity.account.entity_id not in self._unlinked

    def entities(self, level: str) -> Sequence[Entity]:
        """Return all entities of a level, whatever their status.

        Args:
            level: `accounts`, `campaigns`, `ad_groups`, `ads` or `keywords`.
        """
        return self._by_level[level]

    def provider_entities(self, provider: str, level: str) -> Sequence[Entity]:
        """Return the entities that a provider reports on, whatever their status.

        Args:
            provider: `adstage` for all cross-network networks, or one network.
            level: As for `entities`.
        """
        if provider in self._by_provider:
            return self._by_provider[provider][level]
        return [
            entity
            for entity in self._by_level[level]
            if provider in {"adstage", entity.network}
        ]

    def entity(self, entity_id: str) -> Entity:
        """Return the entity with that id, such as `/network/adwords/account/123`.

        Raises:
            KeyError: The id is unknown.
        """
        return self._by_id[entity_id]

    def metric(
        self,
        entity: Entity,
        metric_id: str,
        day: dt.date,
        *,
        today: dt.date | None = None,
    ) -> Decimal | int | None:
        """Return one metric of one entity on one day, rounded to its precision.

        Returns:
            An int for counts and a Decimal for the rest. None if the network or the
            level does not have the metric, the day is after today, or a ratio would
            divide by zero.
        """
        return self.total(entity, metric_id, day, day, today=today)

    def total(
        self,
        entity: Entity,
        metric_id: str,
        start: dt.date,
        end: dt.date,
        *,
        today: dt.date | None = None,
    ) -> Decimal | int | None:
        """Return one metric of one entity over all days from start to end, inclusive.

        A ratio divides the sums; it is not a sum of ratios.
        """
        metric = METRICS[metric_id]
        parts = parts_by_slice(
            self.amounts, entity, metric, [Slice(start, end)], today=today
        )
        return measure(metric, total_of(parts))

    def breakdown(self, provider: str, cell: Cell) -> DailyAmounts:
        """Return the daily amounts within a cell of a provider's dimensions."""
        if not cell:
            return self.amounts
        return Breakdown(self.amounts, self._shares[provider], cell)

    def provider_metric(  # noqa: PLR0913
        self,
        provider: str,
        entity: Entity,
        metric_id: str,
        day: dt.date,
        *,
        today: dt.date | None = None,
        dimensions: Mapping[str, str | None] | None = None,
    ) -> Decimal | int | None:
        """Return one metric of an external provider on a day; see `provider_total`."""
        return self.provider_total(
            provider, entity, metric_id, day, day, today=today, dimensions=dimensions
        )

    def provider_total(  # noqa: PLR0913
        self,
        provider: str,
        entity: Entity,
        metric_id: str,
        start: dt.date,
        end: dt.date,
        *,
        today: dt.date | None = None,
        dimensions: Mapping[str, str | None] | None = None,
    ) -> Decimal | int | None:
        """Return one metric of an external provider from start to end, inclusive.

        Args:
            provider: `facebook`, `adwords`, `gemini` or `google_analytics`.
            entity: An entity on the provider's network.
            metric_id: One of the provider's own metrics, `ga:sessions` for instance.
            start: The first day.
            end: The last day.
            today: As for `metric`.
            dimensions: Values by dimension, None for no value. Omitted dimensions are
                summed up.
        """
        metric = EXTERNAL[provider].metrics[metric_id]
        amounts = self.breakdown(provider, tuple((dimensions or {}).items()))
        parts = parts_by_slice(
            amounts, entity, metric, [Slice(start, end)], today=today
        )
        return measure(metric, total_of(parts))


def _by_level(accounts: Sequence[Entity]) -> dict[str, tuple[Entity, ...]]:
    return {
        level: tuple(_descendants(accounts, LEVEL_KINDS[level])) for level in LEVELS
    }


def _descendants(accounts: Sequence[Entity], kind: str) -> Iterator[Entity]:
    """Yield the entities of a kind, in the order of their parents."""
    waiting = deque(accounts)
    while waiting:
        entity = waiting.popleft()
        if entity.kind == kind:
            yield entity
        else:
            waiting.extend(entity.children)
            if kind == "keyword":
                waiting.extend(entity.keywords)
