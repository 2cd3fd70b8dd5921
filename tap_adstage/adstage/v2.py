"""Reports of API version 2: the question, and what is read from a page (API V2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.control_totals import ControlTotals
from tap_adstage.reports.rows import (
    an_object,
    dates,
    day_of,
    meta_values,
    metric_values,
    number,
    period,
    rows_of,
)
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_adstage.adstage.report_columns import ReportColumns
    from tap_adstage.adstage.report_query import ReportQuery
    from tap_adstage.config.reports import ReportConfig
    from tap_adstage.reports.rows import Row
    from tap_adstage.reports.windows import Slice, Window

PATH = "/v2/organizations/{organization_id}/report"
TOTALS_ARE_EMBEDDED = False


def body(question: ReportQuery, window: Window) -> dict[str, Any]:
    """The body of a report's first page; further pages add a `page_token`.

    Args:
        question: What to ask for.
        window: The days to ask for; they go out as an absolute date range.

    Returns:
        The body (API V2: Rows Report, Time Series Report).
    """
    report = question.report
    metrics: dict[str, Any] = {
        "networks": list(report.networks),
        "entity_level": report.entity_level,
    }
    if question.targets:
        metrics["targets"] = question.targets
    asked: dict[str, Any] = {
        "version": "2",
        "date_range": str(window.range),
        "output_format": "row",
        "sources": {"metrics": metrics},
        "fields": list(question.fields),
        "sort_by": question.sort_by,
        "order": report.order,
        "limit": question.page_size,
        "statuses": report.statuses,
        "ignore_precision": report.ignore_precision,
        "relative_to_time_zone": report.time_zone,
    }
    if report.aggregate_by != "total":
        asked |= {"output_format": "series", "aggregate_by": report.aggregate_by}
    if question.filters:
        asked["filters"] = question.filters
    if question.group_by:
        asked["group_by"] = question.group_by
    if question.control_fields:
        asked |= {
            "summarize_on": ["filtered"],
            "summary_fields": list(question.control_fields),
            "summary_format": "row",
        }
    return asked


def rows(
    page: Mapping[str, Any],
    window: Window,
    columns: ReportColumns,
    report: ReportConfig,
) -> Iterator[Row]:
    """Read a page's rows, one for each entity (or group).

    Args:
        page: The page's document.
        window: The days that were asked for.
        columns: The report's columns.
        report: The report.

    Yields:
        Each row's records, with every column; what AdStage leaves out is null.

    Raises:
        ResponseError: If the page is not as documented, naming the place.
    """
    if report.aggregate_by == "total":
        results = _results(page, "rows")
        if results:
            _check_range(page, window)
        for place, result in results:
            record = {
                **dates(window.slices[0], columns),
                **meta_values(an_object(result, "meta", place), columns, place),
                **metric_values(_sources(result, place), columns, number, place),
            }
            yield [record]
        return
    results = _results(page, "timeseries")
    found = slices(page, window) if results else []
    for place, result in results:
        yield _series(result, found, columns, place)


def control(
    page: Mapping[str, Any],
    window: Window,
    report: ReportConfig,
) -> ControlTotals | None:
    """Read AdStage's own count and totals of all of a report's pages.

    Args:
        page: Any page's document.
        window: The days that were asked for.
        report: The report.

    Returns:
        The summary over everything that the filters let through; `None` where the page
        has none that can be read (API V2: Rows Report, `summary`).
    """
    del window, report
    summary = page.get("summary")
    filtered = summary.get("filtered") if isinstance(summary, dict) else None
    if not isinstance(filtered, dict):
        return None
    control = ControlTotals.of([filtered.get("count")], [filtered.get("metrics")])
    return control if control.counts or control.sums else None


def slices(page: Mapping[str, Any], window: Window) -> list[Slice]:
    """The slices that a page's timestamps stand for.

    They must be those that were asked for, all of them: a row under the wrong day is
    worse than none, and a day without rows would count as finished.

    Args:
        page: The page's document, or all of it but its rows.
        window: The days that were asked for.

    Returns:
        The slices, in the order of the series' values.

    Raises:
        ResponseError: If they are others (API V2: Time Series Report, `time`).
    """
    timestamps = an_object(page, "time", "").get("timestamps")
    if not isinstance(timestamps, list):
        raise ResponseError("time.timestamps is not a list")
    asked = {piece.start: piece for piece in window.slices}
    days = [day_of(timestamp) for timestamp in timestamps]
    if set(days) != set(asked) or len(days) != len(asked):
        shown = excerpt(json.dumps(timestamps, default=str))
        raise ResponseError(
            f"time.timestamps are not the slices of {window.range}, each once: {shown}",
        )
    return [asked[day] for day in days if day]


def _results(
    page: Mapping[str, Any],
    kind: str,
) -> list[tuple[str, dict[str, Any]]]:
    """The results of a page that is what was asked for, each with its place."""
    if page.get("type") != kind:
        raise ResponseError(f"type is {excerpt(repr(page.get('type')))}, not {kind}")
    return rows_of(page, "results")


def _series(
    result: Mapping[str, Any],
    timestamps: Sequence[Slice],
    columns: ReportColumns,
    where: str,
) -> Row:
    summary, place = an_object(result, "summary", where), f"{where}.summary"
    meta = meta_values(an_object(summary, "meta", place), columns, place)
    series = an_object(result, "series", where)

    def whole(found: Any, place: str) -> Sequence[Any]:  # noqa: ANN401 - any JSON value
        if found is None:
            return [None] * len(timestamps)
        if not isinstance(found, list) or len(found) != len(timestamps):
            raise ResponseError(
                f"{place}: there is no value for each of the {len(timestamps)} "
                "timestamps",
            )
        return [number(value, place) for value in found]

    place = f"{where}.series"
    metrics = metric_values(_sources(series, place), columns, whole, place)
    return [
        {
            **dates(piece, columns),
            **meta,
            **{name: values[position] for name, values in metrics.items()},
        }
        for position, piece in enumerate(timestamps)
    ]


def _check_range(page: Mapping[str, Any], window: Window) -> None:
    """A total must be of the days that were asked for, if it says of which it is.

    AdStage may write whole months where it shows a range's ends (`interval`).
    """
    if page.get("time") is None:
        return
    start, end = period(page, "time", "")
    if start > window.range.start or end < window.range.end:
        raise ResponseError(f"time is {start}..{end}, which is not all {window.range}")


def _sources(holder: Mapping[str, Any], where: str) -> list[Mapping[str, Any]]:
    sources = [
        an_object(holder, part, where)
        for part in ("metrics", "calculated")
        if holder.get(part) is not None
    ]
    if not sources:
        raise ResponseError(f"{where} has no metrics")
    return sources
