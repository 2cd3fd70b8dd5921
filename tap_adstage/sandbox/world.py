"""The generated truth: a user, organizations, accounts and all that is in them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tap_adstage.sandbox.amounts import Amounts
from tap_adstage.sandbox.building import (
    build_account_groups,
    build_accounts,
    build_folders,
)
from tap_adstage.sandbox.entities import LEVEL_KINDS, LEVELS
from tap_adstage.sandbox.measures import Slice, measure, parts_by_slice, total_of
from tap_adstage.sandbox.metrics import METRICS
from tap_adstage.sandbox.organizations import User, build_user

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from tap_adstage.sandbox.entities import AccountGroup, Entity, Folder
    from tap_adstage.sandbox.organizations import Organization

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
        accounts = build_accounts(
            seed,
            organization_ids=[each.fetch_id for each in self.organizations],
            accounts_per_network=accounts_per_network,
            counts={
                "campaign": campaigns_per_account,
                "ad_group": ad_groups_per_campaign,
                "ad": ads_per_ad_group,
                "keyword": keywords_per_ad_group,
            },
        )
        self._by_level: dict[str, tuple[Entity, ...]] = {
            level: tuple(_descendants(accounts, LEVEL_KINDS[level])) for level in LEVELS
        }
        self._by_id = {
            entity.entity_id: entity
            for entities in self._by_level.values()
            for entity in entities
        }
        self.account_groups: tuple[AccountGroup, ...] = build_account_groups(
            seed, accounts
        )
        self.folders: tuple[Folder, ...] = build_folders(
            seed, self._by_level["campaigns"]
        )
        self.amounts = Amounts()

    def entities(self, level: str) -> Sequence[Entity]:
        """Return all entities of a level, whatever their status.

        Args:
            level: `accounts`, `campaigns`, `ad_groups`, `ads` or `keywords`.
        """
        return self._by_level[level]

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
