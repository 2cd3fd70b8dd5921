"""Selects, groups and sorts the rows of a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tap_adstage.sandbox.adstage.reports.numbers import ReportNumbers
from tap_adstage.sandbox.adstage.reports.pieces import Piece, Row
from tap_adstage.sandbox.adstage.reports.shared_meta import shared_meta
from tap_adstage.sandbox.world.breakdowns import combine_values

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from tap_adstage.sandbox.adstage.reports.request import ReportRequest
    from tap_adstage.sandbox.world.breakdowns import Cell
    from tap_adstage.sandbox.world.entities import Entity
    from tap_adstage.sandbox.world.world import World


class ReportRows:
    """The rows of a report.

    Attributes:
        numbers: The metrics of rows and of their pieces.
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
        self.numbers = ReportNumbers(request, world, today)
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
            condition.accepts(self.numbers.total(row.pieces, metrics[condition.field]))
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
            return self.numbers.total(row.pieces, metric)
        value = self.meta(row, self._request.sort_by)
        if value is None or isinstance(value, (str, float)):
            return value
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def _group_suffix(self, row: Row) -> str:
        return f"[{self._request.group_by}={row.group}]"
