"""`World`, the truth that the API reports."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from operator import add
from typing import TYPE_CHECKING

from tap_adstage.sandbox.spotify_ads.world.builder import (
    SMALL,
    build_accounts,
    build_businesses,
)
from tap_adstage.sandbox.spotify_ads.world.metrics import (
    IMPRESSIONS,
    is_hidden,
    sums_of,
    value_of,
)
from tap_adstage.sandbox.spotify_ads.world.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_adstage.sandbox.spotify_ads.world.entities import Entity

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
_CACHED_LIFETIMES = 2000
HIDDEN = -5
"""What Spotify writes in place of too few conversions."""


@dataclass(frozen=True)
class WorldRow:
    """An entity's metrics in a day, an hour or a longer time.

    Attributes:
        start: Its beginning, in UTC.
        end: The first moment after it.
        sums: What adds up, money in millionths of the currency.
    """

    entity: Entity
    start: dt.datetime
    end: dt.datetime
    sums: Mapping[str, int]

    def value(self, field: str) -> float:
        """Return the true value of a metric; a count is an int."""
        return value_of(field, self.sums)

    def shown(self, field: str) -> float:
        """Return what Spotify writes for a metric, -5 if it hides it."""
        return HIDDEN if is_hidden(field, self.sums) else self.value(field)

    def is_hidden(self, field: str) -> bool:
        """Return whether Spotify hides a metric."""
        return is_hidden(field, self.sums)


class World:
    """Businesses, their ad accounts, and all metrics; safe to read from threads.

    Attributes:
        businesses: The user's businesses.
        ad_accounts: The ad accounts of all of them.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        businesses: int = 2,
        shape: tuple[tuple[int, int, int], ...] = SMALL,
    ) -> None:
        """Generate the entities.

        Args:
            seed: Another seed gives other data.
            businesses: How many businesses there are.
            shape: For each account, campaigns, ad sets in each, ads in each of those.
        """
        self.businesses = build_businesses(seed, businesses)
        self.ad_accounts = build_accounts(seed, self.businesses, shape)
        self._by_id = {
            entity.id: entity
            for account in self.ad_accounts
            for kind in ("AD_ACCOUNT", "CAMPAIGN", "AD_SET", "AD")
            for entity in account.descendants(kind)
        }

    def entities(self, kind: str, account: Entity | None = None) -> list[Entity]:
        """Return the entities of a kind, of all accounts or of one."""
        accounts = self.ad_accounts if account is None else [account]
        return [entity for each in accounts for entity in each.descendants(kind)]

    def entity(self, entity_id: str) -> Entity:
        """Return an entity of any kind.

        Raises:
            KeyError: There is none of that id.
        """
        return self._by_id[entity_id]

    def archive(self, entity_id: str, moment: dt.datetime) -> None:
        """Archive an entity, which keeps its metrics."""
        entity = self._by_id[entity_id]
        entity.status, entity.updated_at = "ARCHIVED", moment

    def days(
        self,
        entities: Iterable[Entity],
        fields: Sequence[str],
        first: dt.date,
        last: dt.date,
    ) -> Iterator[WorldRow]:
        """Yield a row for each entity and day, both inclusive, with delivery."""
        yield from _series(entities, fields, _midnight(first), _midnight(last), DAY)

    def hours(
        self,
        entities: Iterable[Entity],
        fields: Sequence[str],
        first: dt.datetime,
        last: dt.datetime,
    ) -> Iterator[WorldRow]:
        """Yield a row for each entity and hour, both inclusive, with delivery."""
        yield from _series(entities, fields, first, last, HOUR)

    def totals(
        self,
        entities: Iterable[Entity],
        fields: Sequence[str],
        first: dt.date,
        last: dt.date,
    ) -> Iterator[WorldRow]:
        """Yield a row for each entity, also without delivery; both days inclusive."""
        sums = Sums(sums_of((IMPRESSIONS, *fields)))
        for entity in entities:
            yield _total(entity, sums, first, last)

    def lifetimes(
        self, entities: Iterable[Entity], fields: Sequence[str], last: dt.date
    ) -> Iterator[WorldRow]:
        """Yield a row for each entity, also without delivery, up to a day."""
        for entity in entities:
            yield lifetime(entity, tuple(fields), last)


@lru_cache(maxsize=_CACHED_LIFETIMES)
def lifetime(entity: Entity, fields: tuple[str, ...], last: dt.date) -> WorldRow:
    """Return an entity's metrics up to a day, which is included."""
    sums = Sums(sums_of((IMPRESSIONS, *fields)))
    return _total(entity, sums, entity.created_at.date(), last)


def _total(entity: Entity, sums: Sums, first: dt.date, last: dt.date) -> WorldRow:
    ads = [*entity.descendants("AD")]
    totals = [0] * len(sums.names)
    for number in range((last - first).days + 1):
        day = sums.of_day(ads, first + dt.timedelta(days=number)).between(0, 24)
        totals = [*map(add, totals, day)]
    return WorldRow(
        entity,
        _midnight(first),
        _midnight(last) + DAY,
        dict(zip(sums.names, totals, strict=True)),
    )


def _series(
    entities: Iterable[Entity],
    fields: Sequence[str],
    first: dt.datetime,
    last: dt.datetime,
    step: dt.timedelta,
) -> Iterator[WorldRow]:
    """Yield a row for each entity and step from `first` to `last`, both inclusive."""
    sums = Sums(sums_of((IMPRESSIONS, *fields)))
    hours = int(step / HOUR)
    for entity in entities:
        ads = [*entity.descendants("AD")]
        moment = first
        day_sums = sums.of_day(ads, moment.date())
        while moment <= last:
            if moment.hour == 0:
                day_sums = sums.of_day(ads, moment.date())
            totals = day_sums.between(moment.hour, moment.hour + hours)
            if any(totals):
                yield WorldRow(
                    entity,
                    moment,
                    moment + step,
                    dict(zip(sums.names, totals, strict=True)),
                )
            moment += step


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.timezone.utc)
