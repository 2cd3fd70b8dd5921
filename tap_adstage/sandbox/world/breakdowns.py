"""The amounts of an entity broken down by the dimensions of a provider."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, TypeAlias

from tap_adstage.sandbox.world.prng import between, mix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_adstage.sandbox.world.entities import Entity
    from tap_adstage.sandbox.world.measures import DailyAmounts
    from tap_adstage.sandbox.world.providers import Provider

Cell: TypeAlias = "tuple[tuple[str, str | None], ...]"
"""Pairs of a dimension's name and value."""

_SHARE, _ROUNDING = 51, 52


def combine_values(provider: Provider, dimensions: Sequence[str]) -> Iterator[Cell]:
    """Yield every combination of the dimensions' values; without dimensions, ()."""
    choices = (
        [(name, value) for value in provider.dimensions[name]] for name in dimensions
    )
    yield from itertools.product(*choices)


class Shares:
    """Sizes of the finest cells of each entity, cached.

    Attributes:
        finest: The combinations of all of the provider's dimensions.
    """

    def __init__(self, provider: Provider) -> None:
        """Start with an empty cache."""
        self.finest = [*combine_values(provider, [*provider.dimensions])]
        self._sizes = [len(values) for values in provider.dimensions.values()]
        self._cuts: dict[int, list[int]] = {}

    def cuts_of(self, entity: Entity) -> list[int]:
        """Return the boundaries of the finest cells, with their weights end to end."""
        cuts = self._cuts.get(entity.key)
        if cuts is None:
            weights = [
                [
                    between(mix(entity.key, _SHARE + column), place, 10, 60)
                    for place in range(size)
                ]
                for column, size in enumerate(self._sizes)
            ]
            products = map(math.prod, itertools.product(*weights))
            cuts = [*itertools.accumulate(products, initial=0)]
            self._cuts[entity.key] = cuts
        return cuts


class Breakdown:
    """The daily amounts of entities within one cell.

    An entity without children is always cut into the finest cells, whatever the
    dimensions of the report. One with children is their sum. So the parts add up to the
    whole, and all breakdowns at all levels agree.
    """

    def __init__(self, amounts: DailyAmounts, shares: Shares, cell: Cell) -> None:
        """Find the finest cells that the cell consists of."""
        self._amounts = amounts
        self._shares = shares
        places = (
            place for place, finest in enumerate(shares.finest) if {*cell} <= {*finest}
        )
        self._spans = [*_spans(places)]

    def amount(self, entity: Entity, name: str, day: int, age: int | None) -> int:
        """Return the cell's part of an amount; arguments as for `Amounts.amount`."""
        if entity.children:
            return sum(self.amount(child, name, day, age) for child in entity.children)
        whole = self._amounts.amount(entity, name, day, age)
        if whole == 0:
            return 0
        cuts = self._shares.cuts_of(entity)
        size = cuts[-1]
        # A small amount would be in the same cell every day without it.
        offset = mix(entity.key + _ROUNDING, day) % size
        return sum(
            (whole * cuts[end] + offset) // size
            - (whole * cuts[start] + offset) // size
            for start, end in self._spans
        )


def _spans(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end (exclusive) of each run of consecutive places."""
    runs = itertools.groupby(enumerate(places), lambda pair: pair[1] - pair[0])
    for _, run in runs:
        members = [place for _, place in run]
        yield members[0], members[-1] + 1
