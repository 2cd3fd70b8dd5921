"""How the amounts of an entity break down by the dimensions of a provider."""

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
"""Values of some dimensions, each with its name before it."""

_SHARE, _LUCK = 51, 52


def cells_of(provider: Provider, dimensions: Sequence[str]) -> Iterator[Cell]:
    """Yield every combination of the dimensions' values, one empty without any."""
    choices = (
        [(name, value) for value in provider.dimensions[name]] for name in dimensions
    )
    yield from itertools.product(*choices)


class Shares:
    """How large the finest cells of each entity are; remembers it of those asked for.

    Attributes:
        finest: The cells of all of the provider's dimensions together.
    """

    def __init__(self, provider: Provider) -> None:
        """Start with an empty memory."""
        self.finest = [*cells_of(provider, [*provider.dimensions])]
        self._sizes = [len(values) for values in provider.dimensions.values()]
        self._cuts: dict[int, list[int]] = {}

    def cuts_of(self, entity: Entity) -> list[int]:
        """Return where the finest cells begin and end, if weights stand end to end."""
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

    What has no children is always cut into the finest cells, whatever a report is
    broken by, and what has some is their sum. So the parts add up to the whole, and
    every breakdown at every level tells the same.
    """

    def __init__(self, amounts: DailyAmounts, shares: Shares, cell: Cell) -> None:
        """Find where the cell's parts of each amount are."""
        self._amounts = amounts
        self._shares = shares
        self._spans = [
            *_spans(
                place for place, each in enumerate(shares.finest) if {*cell} <= {*each}
            )
        ]

    def amount(self, entity: Entity, name: str, day: int, age: int | None) -> int:
        """Return the cell's part of an amount; arguments as of `Amounts.amount`."""
        if entity.children:
            return sum(self.amount(each, name, day, age) for each in entity.children)
        whole = self._amounts.amount(entity, name, day, age)
        if whole == 0:
            return 0
        cuts = self._shares.cuts_of(entity)
        every = cuts[-1]
        luck = mix(entity.key + _LUCK, day) % every  # else small amounts stayed in one
        return sum(
            (whole * cuts[end] + luck) // every - (whole * cuts[start] + luck) // every
            for start, end in self._spans
        )


def _spans(places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of places, the end exclusive."""
    runs = itertools.groupby(enumerate(places), lambda pair: pair[1] - pair[0])
    for _, run in runs:
        members = [place for _, place in run]
        yield members[0], members[-1] + 1
