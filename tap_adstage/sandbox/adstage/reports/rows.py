"""Selects, groups and sorts a report's rows, and computes their values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tap_adstage.sandbox.adstage.reports.shared_meta import shared_meta
from tap_adstage.sandbox.world.breakdowns import Cell, combine_values
from tap_adstage.sandbox.world.measures import (
    json_number,
    parts_by_slice,
    sum_by_slice,
    total_of,
)
from tap_adstage.sandbox.world.metrics import OMITTING_NETWORKS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from tap_adstage.sandbox.adstage.reports.request import ReportRequest
    from tap_adstage.sandbox.world.entities import Entity
    from tap_adstage.sandbox.world.measures import DailyAmounts, Parts
    from tap_adstage.sandbox.world.metrics import Metric
    from tap_adstage.sandbox.world.world import World


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


class ReportRows:
    """The rows of a report; values are computed when they are needed.

    Attributes:
        overall: How many rows the report would have without any limit.
        matching: All rows that pass the filters, in the order of the report.
        page: The rows of the requested page.
        shown: The rows of the answer: those of the page, except the dropped ones.
    """

    def __init__(
        self,
        request: ReportRequest,
        world: World,
        organization_id: int,
        today: dt.date,
        *,
        drop_rows: int = 0,
    ) -> None:
        """Select and sort the rows of a request.

        Args:
            request: The request.
            world: The data.
            organization_id: The organization whose entities are reported.
            today: The last day with data.
            drop_rows: How many rows of the first page are not shown, although counted.
        """
        self._request = request
        self._world = world
        self._today = today
        self._days = [part for _, part in request.slices]
        self._cached_parts: dict[tuple[str, Cell, str], list[Parts]] = {}
        self._amounts: dict[Cell, DailyAmounts] = {}
        everything = [
            Piece(entity, cell)
            for entity in self._entities(organization_id)
            for cell in combine_values(request.provider, request.dimensions)
        ]
        self.overall = sum(1 for _ in self._group(everything))
        pieces = [piece for piece in everything if self._selects(piece)]
        rows = [row for row in self._group(pieces) if self._accepts(row)]
        self.matching = self._sort(rows)
        self.page = self.matching[request.offset : request.offset + request.limit]
        is_first = request.offset == 0
        self.shown = self.page[: -drop_rows or None] if is_first else self.page

    def meta(self, row: Row, field: str) -> object:
        """Return a row's value of a meta field or dimension."""
        if field == self._request.group_by:
            return row.group
        if field in self._request.provider.dimensions:
            return dict(row.cell).get(field)
        if self._request.group_by is None:
            return row.entities[0].meta(field)
        return shared_meta(row.entities, field, suffix=self._group_suffix(row))

    def totals(
        self, pieces: Sequence[Piece], metrics: Iterable[Metric]
    ) -> dict[str, float | int | None]:
        """Return the metrics of some pieces together over the whole range.

        A metric that none of their networks has is null. It is omitted if all of them
        are networks that omit what they lack.
        """
        return {
            metric.id: self._number(metric, total_of(self._parts(pieces, metric)))
            for metric in _reported(metrics, pieces)
        }

    def series(
        self, pieces: Sequence[Piece], metrics: Iterable[Metric]
    ) -> dict[str, list[float | int | None]]:
        """Return the metrics of some pieces together, a number for each slice."""
        return {
            metric.id: [
                self._number(metric, parts) for parts in self._parts(pieces, metric)
            ]
            for metric in _reported(metrics, pieces)
        }

    def _entities(self, organization_id: int) -> Iterator[Entity]:
        """Yield the provider's entities, an external provider's only in the target."""
        request = self._request
        provider = request.provider
        for entity in self._world.provider_entities(
            provider.name, request.entity_level
        ):
            if entity.organization_id == organization_id and (
                not provider.is_external or self._is_targeted(entity)
            ):
                yield entity

    def _is_targeted(self, entity: Entity) -> bool:
        targets = self._request.targets
        return targets is None or any(contains(entity) for contains in targets)

    def _selects(self, piece: Piece) -> bool:
        request, entity = self._request, piece.entity
        return (
            entity.network in request.networks
            and entity.status in request.statuses
            and self._is_targeted(entity)
            and all(
                condition.accepts(self._piece_meta(piece, condition.field))
                for condition in request.filters
                if condition.is_meta
            )
        )

    def _piece_meta(self, piece: Piece, field: str) -> object:
        if field in self._request.provider.dimensions:
            return dict(piece.cell).get(field)
        return piece.entity.meta(field)

    def _group(self, pieces: Sequence[Piece]) -> Iterator[Row]:
        field = self._request.group_by
        if field is None:
            yield from (Row((piece,)) for piece in pieces)
            return
        members: dict[tuple[object, Cell], list[Piece]] = {}
        for piece in pieces:
            value = self._piece_meta(piece, field)
            values = (value or [None]) if isinstance(value, list) else [value]
            for group in values:
                members.setdefault((group, piece.cell), []).append(piece)
        for (group, _), group_pieces in members.items():
            yield Row(tuple(group_pieces), group)

    def _accepts(self, row: Row) -> bool:
        metrics = self._request.provider.metrics
        return all(
            condition.accepts(self._total(row, metrics[condition.field]))
            for condition in self._request.filters
            if not condition.is_meta
        )

    def _sort(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows in order: those without a value last, ties by identity."""
        tied = sorted(rows, key=self._identity)
        with_value, without_value = [], []
        for row in tied:
            value = self._sort_value(row)
            if value is None:
                without_value.append(row)
            else:
                with_value.append((value, row))
        with_value.sort(key=lambda pair: pair[0], reverse=self._request.descending)
        return [row for _, row in with_value] + without_value

    def _identity(self, row: Row) -> tuple[bool, str]:
        if self._request.group_by is None:
            return False, row.entities[0].entity_id
        return row.group is None, str(row.group)

    def _sort_value(self, row: Row) -> float | str | None:
        metric = self._request.provider.metrics.get(self._request.sort_by)
        if metric is not None:
            return self._total(row, metric)
        value = self.meta(row, self._request.sort_by)
        if value is None or isinstance(value, (str, float)):
            return value
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def _total(self, row: Row, metric: Metric) -> float | int | None:
        return self._number(metric, total_of(self._parts(row.pieces, metric)))

    def _parts(self, pieces: Sequence[Piece], metric: Metric) -> list[Parts]:
        """Return a metric's parts for each slice, summed over the pieces."""
        columns = [self._parts_of_one(piece, metric) for piece in pieces]
        if len(columns) == 1:
            return columns[0]
        return sum_by_slice(columns) if columns else [None] * len(self._days)

    def _parts_of_one(self, piece: Piece, metric: Metric) -> list[Parts]:
        key = piece.entity.entity_id, piece.cell, metric.id
        parts = self._cached_parts.get(key)
        if parts is None:
            amounts = self._amounts_in(piece.cell)
            parts = parts_by_slice(
                amounts, piece.entity, metric, self._days, today=self._today
            )
            self._cached_parts[key] = parts
        return parts

    def _amounts_in(self, cell: Cell) -> DailyAmounts:
        amounts = self._amounts.get(cell)
        if amounts is None:
            amounts = self._world.breakdown(self._request.provider.name, cell)
            self._amounts[cell] = amounts
        return amounts

    def _number(self, metric: Metric, parts: Parts) -> float | int | None:
        return json_number(
            metric, parts, ignore_precision=self._request.ignore_precision
        )

    def _group_suffix(self, row: Row) -> str:
        return f"[{self._request.group_by}={row.group}]"


def pieces_of(rows: Iterable[Row]) -> tuple[Piece, ...]:
    """Return the pieces of some rows; one in several groups counts once."""
    return tuple(dict.fromkeys(piece for row in rows for piece in row.pieces))


def _reported(metrics: Iterable[Metric], pieces: Sequence[Piece]) -> Iterator[Metric]:
    networks = {piece.entity.network for piece in pieces}
    for metric in metrics:
        omitting = OMITTING_NETWORKS - metric.networks
        if not (networks and networks <= omitting):
            yield metric
