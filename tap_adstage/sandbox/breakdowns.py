"""How the amounts of an entity break down by the dimensions of a provider."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeAlias

from tap_adstage.sandbox.mixing import between, mix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_adstage.sandbox.entities import Entity
    from tap_adstage.sandbox.measures import DailyAmounts
    from tap_adstage.sandbox.providers import Provider

Cell: TypeAlias = "tuple[tuple[str, str | None], ...]"
"""Values of some dimensions, each with its name before it."""

_SHARE, _LUCK = 51, 52


def cells_of(provider: Provider, dimensions: Sequence[str]) -> Iterator[Cell]:
    """Yield every combination of the dimensions' values, one empty without any."""
    choices = (
        [(name, value) for value in provider.dimensions[name]] for name in dimensions
    )
    yield from itertools.product(*choices)


class Breakdown:
    """The daily amounts of entities within one cell.

    An amount is always cut by all of the provider's dimensions, whatever a report is
    broken by. So the parts add up to the whole, and every breakdown tells the same.
    """

    def __init__(self, amounts: DailyAmounts, provider: Provider, cell: Cell) -> None:
        """Find where the cell's parts of each amount are."""
        self._amounts = amounts
        self._provider = provider
        self._places = [
            place
            for place, finest in enumerate(cells_of(provider, [*provider.dimensions]))
            if set(cell) <= set(finest)
        ]
        self._cuts: dict[int, list[int]] = {}

    def amount(self, entity: Entity, name: str, day: int, age: int | None) -> int:
        """Return the cell's part of an amount; arguments as of `Amounts.amount`."""
        whole = self._amounts.amount(entity, name, day, age)
        cuts = self._cuts_of(entity)
        every = cuts[-1]
        luck = mix(entity.key + _LUCK, day) % every  # else small amounts stayed in one
        return sum(
            (whole * cuts[place + 1] + luck) // every
            - (whole * cuts[place] + luck) // every
            for place in self._places
        )

    def _cuts_of(self, entity: Entity) -> list[int]:
        """Return where the finest cells begin and end, if weights stand end to end."""
        cuts = self._cuts.get(entity.key)
        if cuts is None:
            weights = [
                [
                    between(mix(entity.key, _SHARE + column), place, 10, 60)
                    for place in range(len(values))
                ]
                for column, values in enumerate(self._provider.dimensions.values())
            ]
            cuts = [0]
            for factors in itertools.product(*weights):
                weight = 1
                for factor in factors:
                    weight *= factor
                cuts.append(cuts[-1] + weight)
            self._cuts[entity.key] = cuts
        return cuts
