"""Reports of API version 2: the query's body, and a page's rows (API V2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from tap_adstage.adstage.attributes import AttributeReader
from tap_adstage.adstage.metrics import merge_metrics, metrics_type
from tap_adstage.adstage.summed_fields import SUMMED
from tap_adstage.adstage.times import day_of, period
from tap_adstage.exceptions import ResponseError
from tap_adstage.http.typed_json import TypedDecoder
from tap_adstage.reports.control_totals import ControlTotals
from tap_adstage.reports.rows import Row, RowPage, with_floats
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.report_query import ReportQuery
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.rows import Number
    from tap_adstage.reports.windows import Slice, Window


M = TypeVar("M")
R = TypeVar("R")


class _Summary(msgspec.Struct):
    meta: dict[str, Any]


class _Sources(msgspec.Struct, Generic[M]):
    metrics: M | None = None
    calculated: M | None = None


class _Series(msgspec.Struct, Generic[M]):
    """A row of a time series report: metrics are lists."""

    summary: _Summary
    series: _Sources[M]


class _Total(msgspec.Struct, Generic[M]):
    """A row of a rows report: metrics are numbers."""

    meta: dict[str, Any]
    metrics: M | None = None
    calculated: M | None = None


class _Embedded(msgspec.Struct, Generic[R]):
    results: list[R]


class ReportV2:
    """A report of API version 2."""

    path = "/v2/organizations/{organization_id}/report"

    def __init__(self, query: ReportQuery, columns: ReportColumns) -> None:
        """Decide how pages are read.

        Args:
            query: What is requested.
            columns: The report's columns.
        """
        self._query = query
        self.columns = columns
        self._attributes = AttributeReader(columns)
        self._is_total = query.report.aggregate_by == "total"
        self._decoder: TypedDecoder[Any] = TypedDecoder(
            lambda number: (
                _Embedded[_Total[metrics_type(columns, number)]]  # type: ignore[misc]
                if self._is_total
                else _Embedded[_Series[metrics_type(columns, list[number])]]  # type: ignore[misc,valid-type]
            ),
        )

    def body(self, window: Window) -> dict[str, Any]:
        """Make the body of a window's first page; further pages add a `page_token`.

        Args:
            window: The days to request; they go out as an absolute date range.

        Returns:
            The body (API V2: Rows Report, Time Series Report).
        """
        query, report = self._query, self._query.report
        metrics: dict[str, Any] = {
            "networks": list(report.networks),
            "entity_level": report.entity_level,
        }
        if query.targets:
            metrics["targets"] = query.targets
        body: dict[str, Any] = {
            "version": "2",
            "date_range": str(window.range),
            "output_format": "row",
            "sources": {"metrics": metrics},
            "fields": list(query.fields),
            "sort_by": query.sort_by,
            "order": report.order,
            "limit": query.page_size,
            "statuses": report.statuses,
            "ignore_precision": report.ignore_precision,
            "relative_to_time_zone": report.time_zone,
        }
        if not self._is_total:
            body |= {"output_format": "series", "aggregate_by": report.aggregate_by}
        if query.filters:
            body["filters"] = query.filters
        if query.group_by:
            body["group_by"] = query.group_by
        if query.control_fields:
            body |= {
                "summarize_on": ["filtered"],
                "summary_fields": list(query.control_fields),
                "summary_format": "row",
            }
        return body

    def read(self, page: Page, window: Window) -> tuple[RowPage, ControlTotals]:
        """Read a page.

        Args:
            page: The page.
            window: The days that were requested.

        Returns:
            Its rows, and AdStage's count and totals of all of the window's rows, if it
            gives any that can be read (API V2: Rows Report, `summary`).

        Raises:
            ResponseError: If the page is not as documented, with the place.
        """
        kind = "rows" if self._is_total else "timeseries"
        if page.head.get("type") != kind:
            shown = excerpt(repr(page.head.get("type")))
            raise ResponseError(f"type is {shown}, not {kind}")
        results = page.embedded(self._decoder).results
        read = self._total_page if self._is_total else self._series_page
        row_page = (
            read(results, page, window) if results else RowPage(window.slices, [])
        )
        if not page.is_plain:
            row_page = RowPage(row_page.slices, with_floats(row_page.rows))
        return row_page, _control_totals(page.head)

    def _total_page(self, results: list[Any], page: Page, window: Window) -> RowPage:
        _check_range(page.head, window)
        attributes = self._attributes.read(
            [result.meta for result in results],
            "_embedded.results[{}]".format,
        )
        metrics = [
            merge_metrics(row.metrics, row.calculated, f"_embedded.results[{position}]")
            for position, row in enumerate(results)
        ]
        rows = [
            Row(values, [*zip(numbers, strict=True)])  # each number in its only slice
            for values, numbers in zip(attributes, metrics, strict=True)
        ]
        return RowPage(window.slices, rows)

    def _series_page(self, results: list[Any], page: Page, window: Window) -> RowPage:
        slices = slices_of(page.head, window)
        attributes = self._attributes.read(
            [result.summary.meta for result in results],
            "_embedded.results[{}].summary".format,
        )
        rows = []
        for position, (result, values) in enumerate(
            zip(results, attributes, strict=True)
        ):
            place = f"_embedded.results[{position}]"
            series = result.series
            metrics = merge_metrics(
                series.metrics, series.calculated, f"{place}.series"
            )
            rows.append(Row(values, self._complete(metrics, len(slices), place)))
        return RowPage(slices, rows)

    def _complete(
        self,
        values: tuple[list[Number | None] | None, ...],
        slices: int,
        place: str,
    ) -> list[list[Number | None]]:
        """Require a value for each slice; a metric that is missing is null in all."""
        try:
            if {*map(len, values)} == {slices}:  # type: ignore[arg-type] # see below
                return values  # type: ignore[return-value]
        except TypeError:  # a metric is missing
            nulls: list[Number | None] = [None] * slices
            values = tuple(nulls if v is None else v for v in values)
        for column, numbers in zip(self.columns.metrics, values, strict=True):
            if numbers is None or len(numbers) != slices:
                raise ResponseError(
                    f"{place}.series.{column.field}: there is no value for each of the "
                    f"{slices} timestamps",
                )
        return values  # type: ignore[return-value] # none of them is None


def slices_of(head: Mapping[str, Any], window: Window) -> list[Slice]:
    """Find the slice of each timestamp of a page.

    They must be exactly the requested slices: a row under the wrong day is worse than
    none, and a day without rows would count as finished.

    Args:
        head: The page's document without its rows.
        window: The days that were requested.

    Returns:
        The slices, in the order of the series' values.

    Raises:
        ResponseError: If they differ (API V2: Time Series Report, `time`).
    """
    time = head.get("time")
    if not isinstance(time, dict):
        raise ResponseError("time is not an object")
    timestamps = time.get("timestamps")
    if not isinstance(timestamps, list):
        raise ResponseError("time.timestamps is not a list")
    requested = {piece.start: piece for piece in window.slices}
    days = [day_of(timestamp) for timestamp in timestamps]
    if set(days) != set(requested) or len(days) != len(requested):
        shown = excerpt(json.dumps(timestamps, default=str))
        raise ResponseError(
            f"time.timestamps are not the slices of {window.range}, each once: {shown}",
        )
    return [requested[day] for day in days if day]


def _check_range(head: Mapping[str, Any], window: Window) -> None:
    """Require that the total's range, if it has one, has all requested days.

    AdStage may write whole months as a range's ends (`interval`).
    """
    if head.get("time") is None:
        return
    start, end = period(head["time"], "time")
    if start > window.range.start or end < window.range.end:
        raise ResponseError(
            f"time is {start}..{end}, which is not all of {window.range}"
        )


def _control_totals(head: Mapping[str, Any]) -> ControlTotals:
    summary = head.get("summary")
    filtered = summary.get("filtered") if isinstance(summary, dict) else None
    if not isinstance(filtered, dict):
        return ControlTotals()
    return ControlTotals.of(SUMMED, [filtered.get("count")], [filtered.get("metrics")])
