"""The daily amounts of every entity, as integers; money is in cents.

An account's amounts follow from a hash. They are split among its campaigns, theirs
among ad groups and ads, without remainder. So a parent is exactly the sum of its
children, and costs no more to compute than one child. Keywords have their own amounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.sandbox.world.prng import between, mix

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.entities import Entity

CONVERSION_DAYS = 28
"""Days after which no further conversion is attributed to a click."""

_ONE = 1_000_000

_FUNNEL: dict[str, tuple[str, int, int]] = {
    "clicks": ("impressions", 9_000, 38_000),
    "spend": ("clicks", 45 * _ONE, 320 * _ONE),
    "conversions": ("clicks", 25_000, 90_000),
    "custom_conversions": ("clicks", 10_000, 40_000),
    "video_views": ("impressions", 60_000, 300_000),
    "reach": ("impressions", 450_000, 800_000),
    "engagements": ("clicks", 300_000, 900_000),
    "likes": ("clicks", 100_000, 500_000),
    "comments": ("clicks", 10_000, 60_000),
    "shares": ("clicks", 10_000, 80_000),
    "follows": ("clicks", 5_000, 30_000),
}
"""For an amount, its source, and the least and most of it per million of that."""

_VALUES = {
    "total_conversion_value": "conversions",
    "custom_conversion_value": "custom_conversions",
}
"""Amounts of money and the conversions that they are the value of."""

_SALTS = {
    name: 1000 + place for place, name in enumerate(("impressions", *_FUNNEL, *_VALUES))
}
_VOLUME, _WEIGHT, _ARRIVAL = 11, 12, 13

_WEEKDAYS = (104, 108, 106, 103, 94, 66, 61)
"""Volume of each weekday from Monday, in percent; a week averages about 92."""

_CACHED_SPLITS = 60_000


class Amounts:
    """Daily amounts of all entities, with a bounded cache."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._splits: dict[tuple[int, str, int], tuple[int, ...]] = {}
        self._weights: dict[tuple[int, str], list[int]] = {}

    def amount(self, entity: Entity, name: str, day: int, age: int | None) -> int:
        """Return an amount of an entity on a day.

        Args:
            entity: An entity of any level.
            name: The amount's name, `impressions` or `spend` for instance.
            day: Proleptic ordinal of the day.
            age: Days that have passed since, 0 or more; None for the final amount.
        """
        source = _VALUES.get(name)
        if source is not None:
            price = between(mix(entity.account.key, _SALTS[name]), day, 1900, 9900)
            return self.amount(entity, source, day, age) * price
        if name == "conversions" and age is not None and age < CONVERSION_DAYS:
            return self._conversions(entity, day, age)
        return self._final(entity, name, day)

    def _conversions(self, entity: Entity, day: int, age: int) -> int:
        """Return the conversions that are attributed after so many days."""
        if entity.children:
            return sum(self._conversions(child, day, age) for child in entity.children)
        percentage = 30 + 70 * age // CONVERSION_DAYS
        arrival = mix(entity.key + _ARRIVAL, day) % 100
        return (self._final(entity, "conversions", day) * percentage + arrival) // 100

    def _final(self, entity: Entity, name: str, day: int) -> int:
        if entity.parent is None or entity.kind == "keyword":
            return self._root(entity, name, day)
        return self._split(entity.parent, name, day)[entity.position]

    def _root(self, entity: Entity, name: str, day: int) -> int:
        salted = entity.key + _SALTS[name]
        noise = 85 + mix(salted, day) % 31
        if name == "impressions":
            low, high = (60, 900) if entity.kind == "keyword" else (40_000, 300_000)
            volume = between(entity.key, _VOLUME, low, high)
            return volume * _WEEKDAYS[(day - 1) % 7] * noise // 10_000
        source, low, high = _FUNNEL[name]
        rate = between(salted, 0, low, high)
        amount = self._root(entity, source, day) * rate * noise
        rounding = mix(salted + 1, day) % (100 * _ONE)  # else small amounts were all 0
        return (amount + rounding) // (100 * _ONE)

    def _split(self, parent: Entity, name: str, day: int) -> tuple[int, ...]:
        """Return each child's share of the parent's amount.

        The children's weights are laid end to end. Each boundary between two of them
        moves a little every day, and the amount is cut there.
        """
        cached = self._splits.get((parent.key, name, day))
        if cached is not None:
            return cached
        total = self._final(parent, name, day)
        weights = self._weights_of(parent, name)
        total_weight = sum(weights) or 1
        salted = parent.key + _SALTS[name]
        shares, position, cut = [], 0, 0
        for place, weight in enumerate(weights):
            position += weight
            boundary = position
            if place + 1 < len(weights):
                room = min(weight, weights[place + 1]) // 2
                boundary += mix(salted + place, day) % (room + 1)
            next_cut = total * boundary // total_weight
            shares.append(next_cut - cut)
            cut = next_cut
        split = tuple(shares)
        if len(self._splits) >= _CACHED_SPLITS:
            self._splits.clear()
        self._splits[parent.key, name, day] = split
        return split

    def _weights_of(self, parent: Entity, name: str) -> list[int]:
        weights = self._weights.get((parent.key, name))
        if weights is None:
            weights = [_weight(child.key, name) for child in parent.children]
            self._weights[parent.key, name] = weights
        return weights


def _weight(key: int, name: str) -> int:
    """Return a child's weight: 0 for one that never served, else 1000 to 5000."""
    if mix(key, _WEIGHT) % 19 == 0:
        return 0
    base = 1000 + mix(key, _WEIGHT + 1) % 3000
    return base + mix(key, _SALTS[name]) % (base // 4)
