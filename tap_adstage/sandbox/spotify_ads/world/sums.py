"""The sums of every ad and hour, as integers; money is in millionths.

An ad's sums of a day follow from a hash and are split among the hours without
remainder. A coarser entity has the sums of its ads. So hours add up to days, days to
any longer time, and ads to ad sets, campaigns and accounts.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from tap_adstage.sandbox.spotify_ads.world.metrics import (
    IMPRESSIONS,
    PER_MILLION,
    PURCHASES,
    REVENUE,
)
from tap_adstage.sandbox.world.prng import between, mix

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tap_adstage.sandbox.spotify_ads.world.entities import Entity

_HOUR_WEIGHTS = (
    3,
    2,
    0,
    0,
    0,
    1,
    3,
    6,
    8,
    7,
    6,
    6,
    7,
    7,
    6,
    6,
    7,
    9,
    10,
    9,
    8,
    7,
    6,
    4,
)
_HOURS = (0, *accumulate(_HOUR_WEIGHTS))
_MILLION = 1_000_000

_PERIOD, _ACTIVE, _PHASE, _VOLUME, _PRICE = range(21, 26)
_QUIET_SHARE = 9
"""On one of so many days, an ad has no delivery in the middle of its flight."""

_WEEKDAYS = (95, 98, 104, 106, 118, 110, 84)
_MULTIPLIERS = {
    name: 0x9E37_79B9_7F4A_7C15 + 2 * 0x51_7CC1 * place
    for place, name in enumerate(PER_MILLION)
}
_MASK = 0xFFFF


class Sums:
    """The sums of some metrics, day by day.

    Attributes:
        names: The metrics that add up, in the order of the sums.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Prepare for these metrics."""
        self.names = tuple(names)
        self._revenue = self.names.index(REVENUE) if REVENUE in self.names else None

    def of_day(self, ads: Sequence[Entity], day: dt.date) -> DaySums:
        """Return the sums of the ads that were delivered on a day."""
        parts = []
        ordinal, weekday = day.toordinal(), _WEEKDAYS[day.weekday()]
        for ad in ads:
            flight = _flight(ad.key, ad.created_at.toordinal())
            bits = mix(ad.key, ordinal)
            if flight.has(ordinal) and bits % _QUIET_SHARE:
                number = flight.volume * weekday * (60 + bits % 81) // 10_000
                sums = [_sum(name, number, bits, flight.price) for name in self.names]
                parts.append((flight.price, sums))
        return DaySums(self, parts)

    def of_hours(self, sums: list[int], first: int, last: int, price: int) -> list[int]:
        """Return what an ad's sums of a day have in hours, `last` excluded."""
        low, high = _HOURS[first], _HOURS[last]
        parts = [
            total * high // _HOURS[-1] - total * low // _HOURS[-1] for total in sums
        ]
        if self._revenue is not None:  # each purchase has its revenue in its hour
            parts[self._revenue] = parts[self.names.index(PURCHASES)] * price
        return parts


class DaySums:
    """The sums of some ads on a day."""

    def __init__(self, sums: Sums, ads: list[tuple[int, list[int]]]) -> None:
        """Take the price and the sums of each ad."""
        self._sums = sums
        self._ads = ads

    def between(self, first: int, last: int) -> list[int]:
        """Return the sums of the hours from `first` to before `last`."""
        if (first, last) == (0, 24):
            parts = [sums for _, sums in self._ads]
        else:
            parts = [
                self._sums.of_hours(sums, first, last, price)
                for price, sums in self._ads
            ]
        return [sum(column) for column in zip(*parts, strict=True)] or [0] * len(
            self._sums.names
        )


class _Flight(NamedTuple):
    """When an ad is delivered, some weeks of every few months, and how often."""

    first: int
    period: int
    active: int
    phase: int
    volume: int
    price: int

    def has(self, day: int) -> bool:
        return day > self.first and (day + self.phase) % self.period < self.active


@cache
def _flight(key: int, created: int) -> _Flight:
    period = between(key, _PERIOD, 60, 150)
    return _Flight(
        first=created,
        period=period,
        active=between(key, _ACTIVE, 25, 55),
        phase=between(key, _PHASE, 0, period),
        volume=between(key, _VOLUME, 80, 2500),
        price=between(key, _PRICE, 9_000_000, 140_000_000),
    )


def _sum(name: str, impressions: int, bits: int, price: int) -> int:
    if name == IMPRESSIONS:
        return impressions
    if name == REVENUE:
        return _sum(PURCHASES, impressions, bits, price) * price
    low, high = PER_MILLION[name]
    share = (bits * _MULTIPLIERS[name] >> 24) & _MASK
    return impressions * (low + (high - low) * share // _MASK) // _MILLION


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Return integers in the proportion of the weights that add up to a total."""
    bounds = [total * part // sum(weights) for part in (0, *accumulate(weights))]
    return [high - low for low, high in pairwise(bounds)]
