"""The generated truth: a user, organizations, accounts and all that is in them."""

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

__all__ = ["World"]


class World:
    """Everything that the sandbox knows, the same for the same arguments.

    A world holds no clock. What depends on the day that it is (late conversions, and
    days still to come) takes that day as `today`; where it is left out, everything
    has happened and no conversion is missing.

    Attributes:
        seed: The number that everything generated follows from.
        user: The one user, whose `fetch_id` is 40.
        organizations: The user's organizations, the first with `fetch_id` 40.
        account_groups: The user's account groups, by id. One is empty.
        folders: The user's folders, by fetch_id. One is empty.
        provider_accounts: Accounts by network, `gemini` and `google_analytics`, that
            only these external providers report on. They are the first organization's.
        amounts: What happened on each day, as integers.
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
            organizations: How many organizations share the accounts out among them.
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
        organization_ids = [each.fetch_id for each in self.organizations]
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
        self._shares = {name: Shares(each) for name, each in EXTERNAL.items()}

    @property
    def unlinked(self) -> frozenset[str]:
        """Entity ids of the accounts that AdStage has no link to now.

        Neither they nor what is in them are anywhere in the world until they are linked
        again. It is set as a whole, also while a sandbox runs.

        Raises:
            ValueError: Where it is set to what is no account's.
        """
        return self._unlinked

    @unlinked.setter
    def unlinked(self, entity_ids: frozenset[str]) -> None:
        unknown = entity_ids - {account.entity_id for account in self._accounts}
        if unknown:
            raise ValueError(f"unlinked: there is no account {min(unknown)!r}")
        self._unlinked = entity_ids
        linked = [each for each in self._accounts if each.entity_id not in entity_ids]
        self._by_level = _by_level(linked)
        self._by_id = {
            entity.entity_id: entity
            for levels in (self._by_level, *self._by_provider.values())
            for entities in levels.values()
            for entity in entities
        }
        self.account_groups: tuple[AccountGroup, ...] = tuple(
            replace(group, accounts=tuple(filter(self._has, group.accounts)))
            for group in self._groups
        )
        self.folders: tuple[Folder, ...] = tuple(
            replace(folder, campaigns=tuple(filter(self._has, folder.campaigns)))
            for folder in self._folders
        )

    def _has(self, entity: Entity) -> bool:
        return entity.account.entity_id not in self._unlinked

    def entities(self, level: str) -> Sequence[Entity]:
        """Return all entities of a level, whatever their status.

        Args:
            level: `accounts`, `campaigns`, `ad_groups`, `ads` or `keywords`.
        """
        return self._by_level[level]

    def provider_entities(self, provider: str, level: str) -> Sequence[Entity]:
        """Return what a provider can report on, whatever the status.

        Args:
            provider: `adstage`, which knows the cross-network networks, or one network.
            level: As of `entities`.
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
            KeyError: There is none.
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
            An int for counts and a Decimal for the rest; None where the network or the
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

        A ratio is taken of the sums and is no sum of ratios.
        """
        metric = METRICS[metric_id]
        parts = parts_by_slice(
            self.amounts, entity, metric, [Slice(start, end)], today=today
        )
        return measure(metric, total_of(parts))

    def breakdown(self, provider: str, cell: Cell) -> DailyAmounts:
        """Return what happened on each day within a cell of a provider's dimensions."""
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
            entity: On the provider's network.
            metric_id: The provider's own, `ga:sessions` for instance.
            start: The first day.
            end: The last day.
            today: As of `metric`.
            dimensions: The part to look at: values by dimension, None for what has no
                value. Dimensions that are left out are summed up.
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
    """Yield the entities of a kind, parents in order and siblings together."""
    waiting = deque(accounts)
    while waiting:
        entity = waiting.popleft()
        if entity.kind == kind:
            yield entity
        else:
            waiting.extend(entity.children)
            if kind == "keyword":
                waiting.extend(entity.keywords)
