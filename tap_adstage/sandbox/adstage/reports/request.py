"""What a report is asked for, whichever version of the API was asked."""

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
    """What to sum up: `page` and/or `filtered`, which fields, and in which format."""

    on: tuple[str, ...]
    fields: tuple[str, ...]
    format: str


@dataclass(frozen=True)
class ReportRequest:
    """A report request that can be answered.

    Attributes:
        body: The JSON body as it came, which forms repeat in part.
        days: The requested range.
        slices: The parts of the range, one without `aggregate_by`, each with its days
            that are reported on.
        provider: Where the data come from.
        dimensions: What each entity's row is broken by.
        fields: The requested fields, without repetitions, in the order asked for.
        sort_by: A metric or meta field.
        targets: None for all that the organization has.
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
        """The requested fields that are no metrics."""
        return tuple(name for name in self.fields if name not in self.provider.metrics)
