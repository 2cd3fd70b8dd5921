"""What rows consist of: entities, or their parts in a cell of some dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_adstage.sandbox.world.breakdowns import Cell
    from tap_adstage.sandbox.world.entities import Entity


class Piece(NamedTuple):
    """An entity, or its part in one cell of a report that is broken down."""

    entity: Entity
    cell: Cell = ()


@dataclass(frozen=True, eq=False)
class Row:
    """A single piece, or the pieces of a group, all of the same cell.

    Attributes:
        pieces: The pieces, at least one.
        group: The group's value of the field that the report is grouped by; None if the
            entities have no value, or the report is not grouped.
    """

    pieces: tuple[Piece, ...]
    group: object = None

    @property
    def entities(self) -> tuple[Entity, ...]:
        """The entities of the pieces."""
        return tuple(piece.entity for piece in self.pieces)

    @property
    def cell(self) -> Cell:
        """The values of the dimensions, empty without dimensions."""
        return self.pieces[0].cell


def pieces_of(rows: Iterable[Row]) -> tuple[Piece, ...]:
    """Return the pieces of some rows; one in several groups counts once."""
    return tuple(dict.fromkeys(piece for row in rows for piece in row.pieces))
