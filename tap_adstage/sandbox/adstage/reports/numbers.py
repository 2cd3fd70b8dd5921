"""Computes the numbers of a report: metrics of one or several pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    from tap_adstage.sandbox.adstage.reports.pieces import Piece
    from tap_adstage.sandbox.adstage.reports.request import ReportRequest
    from tap_adstage.sandbox.world.breakdowns import Cell
    from tap_adstage.sandbox.world.measures import DailyAmounts, Parts
    from tap_adstage.sandbox.world.metrics import Metric
    from tap_adstage.sandbox.world.world import World


class ReportNumbers:
    """The numbers of a report, computed when they are needed, and cached."""

    def __init__(self, request: ReportRequest, world: World, today: dt.date) -> None:
        """Start with an empty cache.

        Args:
            request: The request.
            world: The data.
            today: The last day with data.
        """
        self._request = request
        self._world = world
        self._today = today
        self._days = [part for _, part in request.slices]
        self._cached_parts: dict[tuple[str, Cell, str], list[Parts]] = {}
        self._amounts: dict[Cell, DailyAmounts] = {}

    def total(self, pieces: Sequence[Piece], metric: Metric) -> float | int | None:
        """Return a metric of some pieces together over the whole range."""
        return self._number(metric, total_of(self._parts(pieces, metric)))

    def totals(
        self, pieces: Sequence[Piece], metrics: Iterable[Metric]
    ) -> dict[str, float | int | None]:
        """Return the metrics of some pieces together over the whole range.

        A metric that none of their networks has is null. It is omitted if all of them
        are networks that omit what they lack.
        """
        return {
            metric.id: self.total(pieces, metric)
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


def _reported(metrics: Iterable[Metric], pieces: Sequence[Piece]) -> Iterator[Metric]:
    networks = {piece.entity.network for piece in pieces}
    for metric in metrics:
        omitting = OMITTING_NETWORKS - metric.networks
        if not (networks and networks <= omitting):
            yield metric
