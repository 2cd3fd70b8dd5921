"""Which rows a report has, and what stands in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.measures import (
    json_number,
    parts_by_slice,
    sum_by_slice,
    total_of,
)
from tap_adstage.sandbox.meta import LIST_FIELDS, legacy_id
from tap_adstage.sandbox.metrics import METRICS, OMITTING_NETWORKS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from tap_adstage.sandbox.entities import Entity
    from tap_adstage.sandbox.measures import Parts
    from tap_adstage.sandbox.metrics import Metric
    from tap_adstage.sandbox.report_request import ReportRequest
    from tap_adstage.sandbox.world import World

MAX_TEXTS = 100
"""How many texts a group's meta field shows at most."""

_SINGLE_FIELDS = frozenset({"currency_code", "currency_symbol"})
"""Meta fields that are one text also of groups, null where the group is mixed."""


@dataclass(frozen=True, eq=False)
class Row:
    """One entity, or the entities of a group.

    Attributes:
        entities: One, or those of the group.
        group: What the group has in common; None also for those that have none of it.
    """

    entities: tuple[Entity, ...]
    group: object = None


class ReportRows:
    """The rows of a report, computed as they are asked for.

    Attributes:
        matching: All rows that the filters let through, in the order of the report.
        page: Those of them on the requested page.
    """

    def __init__(
        self,
        request: ReportRequest,
        world: World,
        organization_id: int,
        today: dt.date,
    ) -> None:
        """Find and sort the rows of a request."""
        self._request = request
        self._world = world
        self._today = today
        self._days = [part for _, part in request.slices]
        self._known: dict[tuple[str, str], list[Parts]] = {}
        entities = [
            entity
            for entity in world.entities(request.entity_level)
            if entity.organization_id == organization_id and self._selects(entity)
        ]
        rows = [row for row in self._grouped(entities) if self._accepts(row)]
        self.matching = self._sorted(rows)
        self.page = self.matching[request.offset : request.offset + request.limit]

    def meta(self, row: Row, field: str) -> object:
        """Return a row's value of a meta field."""
        if self._request.group_by is None:
            return row.entities[0].meta(field)
        if field == self._request.group_by:
            return row.group
        return shared_meta(row.entities, field, suffix=self._group_suffix(row))

    def totals(
        self, entities: Sequence[Entity], metrics: Iterable[Metric]
    ) -> dict[str, float | int | None]:
        """Return the metrics of some entities together over the whole range.

        A metric that none of their networks has is null, or missing where all of the
        networks are such as leave it out.
        """
        return {
            metric.id: self._number(metric, total_of(self._parts(entities, metric)))
            for metric in _reported(metrics, entities)
        }

    def series(
        self, entities: Sequence[Entity], metrics: Iterable[Metric]
    ) -> dict[str, list[float | int | None]]:
        """Return the metrics of some entities together, one number for each slice."""
        return {
            metric.id: [
                self._number(metric, parts) for parts in self._parts(entities, metric)
            ]
            for metric in _reported(metrics, entities)
        }

    def _selects(self, entity: Entity) -> bool:
        request = self._request
        return (
            entity.network in request.networks
            and entity.status in request.statuses
            and (
                request.targets is None
                or any(contains(entity) for contains in request.targets)
            )
            and all(
                each.accepts(entity.meta(each.field))
                for each in request.filters
                if each.is_meta
            )
        )

    def _grouped(self, entities: Sequence[Entity]) -> Iterator[Row]:
        field = self._request.group_by
        if field is None:
            yield from (Row((entity,)) for entity in entities)
            return
        members: dict[object, list[Entity]] = {}
        for entity in entities:
            value = entity.meta(field)
            values = (value or [None]) if isinstance(value, list) else [value]
            for each in values:
                members.setdefault(each, []).append(entity)
        for group, entities_of_group in members.items():
            yield Row(tuple(entities_of_group), group)

    def _accepts(self, row: Row) -> bool:
        return all(
            each.accepts(self._total(row, METRICS[each.field]))
            for each in self._request.filters
            if not each.is_meta
        )

    def _sorted(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows in order; rows without a value are last, ties by identity."""
        tied = sorted(rows, key=self._identity)
        known, unknown = [], []
        for row in tied:
            value = self._sort_value(row)
            if value is None:
                unknown.append(row)
            else:
                known.append((value, row))
        known.sort(key=lambda pair: pair[0], reverse=self._request.descending)
        return [row for _, row in known] + unknown

    def _identity(self, row: Row) -> tuple[bool, str]:
        if self._request.group_by is None:
            return False, row.entities[0].entity_id
        return row.group is None, str(row.group)

    def _sort_value(self, row: Row) -> float | str | None:
        metric = METRICS.get(self._request.sort_by)
        if metric is not None:
            return self._total(row, metric)
        value = self.meta(row, self._request.sort_by)
        if value is None or isinstance(value, (str, float)):
            return value
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def _total(self, row: Row, metric: Metric) -> float | int | None:
        return self._number(metric, total_of(self._parts(row.entities, metric)))

    def _parts(self, entities: Sequence[Entity], metric: Metric) -> list[Parts]:
        """Return the sums behind a metric for each slice."""
        columns = [self._parts_of_one(entity, metric) for entity in entities]
        if len(columns) == 1:
            return columns[0]
        return sum_by_slice(columns) if columns else [None] * len(self._days)

    def _parts_of_one(self, entity: Entity, metric: Metric) -> list[Parts]:
        key = entity.entity_id, metric.id
        parts = self._known.get(key)
        if parts is None:
            parts = parts_by_slice(
                self._world.amounts, entity, metric, self._days, today=self._today
            )
            self._known[key] = parts
        return parts

    def _number(self, metric: Metric, parts: Parts) -> float | int | None:
        return json_number(
            metric, parts, ignore_precision=self._request.ignore_precision
        )

    def _group_suffix(self, row: Row) -> str:
        return f"[{self._request.group_by}={row.group}]"


def entities_of(rows: Iterable[Row]) -> tuple[Entity, ...]:
    """Return the entities of some rows, each once though it be in several groups."""
    return tuple(dict.fromkeys(entity for row in rows for entity in row.entities))


def shared_meta(entities: Sequence[Entity], field: str, *, suffix: str = "") -> object:
    """Return the value of a meta field for several entities together.

    That is null for `entity_id`, the accounts' legacy ids in one text for `id`, the
    currency if all have the same, and a list of distinct values for any other field.
    """
    if field == "entity_id":
        return None
    if field == "id":
        accounts = dict.fromkeys(entity.account for entity in entities)
        return ",".join(legacy_id(account) for account in accounts) + suffix
    values = _distinct(entities, field)
    if field in _SINGLE_FIELDS:
        return values[0] if len(values) == 1 else None
    return values[:MAX_TEXTS]


def _distinct(entities: Iterable[Entity], field: str) -> list[object]:
    """Return the different values of a field, without nulls, as they come."""
    distinct: dict[object, object] = {}
    for entity in entities:
        value = entity.meta(field)
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                key = json.dumps(each) if isinstance(each, dict) else each
                distinct.setdefault(key, each)
    return list(distinct.values())


def _reported(
    metrics: Iterable[Metric], entities: Sequence[Entity]
) -> Iterator[Metric]:
    for metric in metrics:
        is_left_out = entities and all(
            entity.network in OMITTING_NETWORKS
            and entity.network not in metric.networks
            for entity in entities
        )
        if not is_left_out:
            yield metric


def qualified(field: str, user_id: int) -> str:
    """Return the name under which a meta field comes back."""
    return f"{field}.{user_id}" if field in LIST_FIELDS else field
