"""`ReportRequest`: a valid report request of API V1 or V2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_adstage.sandbox.adstage.reports.filters import Filter
    from tap_adstage.sandbox.adstage.reports.targets import Target
    from tap_adstage.sandbox.world.measures import Slice
    from tap_adstage.sandbox.world.metrics import Metric
    from tap_adstage.sandbox.world.providers import Provider


@dataclass(frozen=True)
class Summaries:
    """The requested summaries.

    Attributes:
        on: The rows that are summed up: `page`, `filtered`, or both.
        fields: The fields of the summaries.
        format: `row` or `series`.
    """

    on: tuple[str, ...]
    fields: tuple[str, ...]
    format: str


@dataclass(frozen=True)
class ReportRequest:
    """A valid report request.

    Attributes:
        body: The JSON body as received; forms repeat a part of it.
        days: The requested range.
        slices: The slices of the range, each with those of its days that count. Without
            `aggregate_by` there is one slice.
        provider: The source of the data.
        dimensions: The dimensions that rows are broken down by.
        fields: The requested fields, without duplicates, in the requested order.
        sort_by: A metric or meta field.
        targets: None for everything in the organization.
    """

    body: Mapping[str, Any]
    days: Slice
    slices: tuple[tuple[Slice, Slice], ...]
    output_format: str
    aggregate_by: str | None
    targets: tuple[Target, ...] | None
    networks: frozenset[str]
    entity_level: str
    fields: tuple[str, ...]
    filters: tuple[Filter, ...]
    summaries: Summaries | None
    sort_by: str
    descending: bool
    group_by: str | None
    ignore_precision: bool
    limit: int
    offset: int
    statuses: frozenset[str]
    provider: Provider
    dimensions: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The requested fields that are metrics."""
        metrics = self.provider.metrics
        return tuple(metrics[name] for name in self.fields if name in metrics)

    @property
    def meta_fields(self) -> tuple[str, ...]:
        """The requested fields that are not metrics."""
        return tuple(name for name in self.fields if name not in self.provider.metrics)
