"""Reports of API version 1: the question, and what is read from a page (API V1)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage import hal
from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.control_totals import ControlTotals
from tap_adstage.reports.rows import (
    an_object,
    dates,
    meta_values,
    metric_values,
    number,
    period,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_adstage.adstage.report_columns import ReportColumns
    from tap_adstage.adstage.report_query import ReportQuery
    from tap_adstage.config.reports import ReportConfig
    from tap_adstage.reports.rows import Row
    from tap_adstage.reports.windows import Slice, Window

PATH = "/organizations/{organization_id}/build_report"
TOTALS_ARE_EMBEDDED = True

_BASIC = "adstage:metrics"
_SERIES = "adstage:time_series"

_DAY = dt.timedelta(days=1)


def body(question: ReportQuery, window: Window) -> dict[str, Any]:
    """The body of a report's first page; its links lead to the further pages.

    Args:
        question: What to ask for.
        window: The days to ask for; they go out as an absolute date range.

    Returns:
        The body (API V1: Basic Report, Time Series Report).
    """
    report = question.report
    asked: dict[str, Any] = {
        "entity_level": report.entity_level,
        "date_range": str(window.range),
        "limit": question.page_size,
        "sort_by": question.sort_by,
        "order": report.order,
        "statuses": report.statuses,
        "provider": report.provider,
        "relative_to_time_zone": report.time_zone,
    }
    if not report.is_external:  # a text, as the documented links have it
        asked["networks"] = ",".join(report.networks)
    if report.aggregate_by != "total":
        asked["aggregate_by"] = report.aggregate_by
    given = {
        "fields": list(question.fields),
        "targets": question.targets,
        "filters": question.filters,
        "group_by": question.group_by,
        "dimensions": list(report.dimensions),
    }
    return asked | {key: value for key, value in given.items() if value}


def rows(
    page: Mapping[str, Any],
    window: Window,
    columns: ReportColumns,
    report: ReportConfig,
) -> Iterator[Row]:
    """Read a page's rows.

    Args:
        page: The page's document.
        window: The days that were asked for; slices outside them, to which AdStage
            widens a range, are another window's.
        columns: The report's columns.
        report: The report.

    Yields:
        Each row's records, with every column; what AdStage leaves out is null.

    Raises:
        ResponseError: If the page is not as documented, naming the place.
    """
    entity_id = _known_entity(report)
    for place, row in rows_of(page, _relation(report)):
        meta = an_object(row, "meta", place)
        data = an_object(row, "data", place)
        if report.is_external:  # its text fields may stand beside its metrics
            meta = {**data, **{key: meta[key] for key in meta if meta[key] is not None}}
        values = meta_values(meta, columns, place, entity_id=entity_id)
        if report.aggregate_by == "total":
            _check_range(row, window, place)
            metrics = metric_values([data], columns, number, place)
            yield [{**dates(window.slices[0], columns), **values, **metrics}]
            continue
        series = _series(row, window, place)
        yield [
            {
                **dates(piece, columns),
                **values,
                **metric_values(
                    [series.get(piece, {})], columns, number, f"{place}.series"
                ),
            }
            for piece in window.slices
        ]


def control(
    page: Mapping[str, Any],
    window: Window,
    report: ReportConfig,
) -> ControlTotals | None:
    """Read AdStage's own count and totals of all of a report's pages.

    Args:
        page: Any page's document.
        window: The days that were asked for; totals of slices outside them, to which
            AdStage widens a range, are left out.
        report: The report.

    Returns:
        The count and totals over everything that the filters let through; `None` where
        the page has neither (API V1: Basic Report, `counts` and totals).
    """
    counts = page.get("counts")
    counted = counts if isinstance(counts, dict) else {}
    # A group's or a breakdown's rows are buckets, and `filtered` may count entities.
    buckets = bool(report.group_by or report.dimensions)
    keys = ("filtered", "filtered_buckets") if buckets else ("filtered",)
    control = ControlTotals.of(
        [counted.get(key) for key in keys],
        _totals(page, window, report),
    )
    return control if control.counts or control.sums else None


def _totals(
    page: Mapping[str, Any],
    window: Window,
    report: ReportConfig,
) -> list[Any]:
    """The totals of a page, as far as they are there and can be read."""
    relation = f"{_relation(report)}/totals"
    try:
        (totals,) = hal.embedded(page, relation)
        if report.aggregate_by == "total":
            _check_range(totals, window, relation)
            return [totals.get("data")]
        return [*_points(totals, window, relation).values()]
    except (ResponseError, ValueError):
        return []


def _relation(report: ReportConfig) -> str:
    return _BASIC if report.aggregate_by == "total" else _SERIES


def _series(
    row: Mapping[str, Any],
    window: Window,
    where: str,
) -> dict[Slice, Mapping[str, Any]]:
    """A row's metrics by slice.

    A slice may be missing only inside the range that the row itself says it is about:
    a day without data is null, a day that was not answered for is an error.
    """
    found = _points(row, window, where)
    missing = [piece for piece in window.slices if piece not in found]
    if missing and "timeframe" not in row:
        if row["series"] and not found:
            raise ResponseError(f"{where}: its series is of other days")
    elif missing:
        start, end = period(row, "timeframe", where)
        if missing[0].start < start or min(missing[-1].end, window.range.end) > end:
            raise ResponseError(
                f"{where}: there is no slice of {missing[0].start} in its series",
            )
    return found


def _points(
    row: Mapping[str, Any],
    window: Window,
    where: str,
) -> dict[Slice, Mapping[str, Any]]:
    """The points of a series by slice, those outside the window left out."""
    series = row.get("series")
    if not isinstance(series, list):
        raise ResponseError(f"{where}.series is not a list")
    asked = {piece.start: piece for piece in window.slices}
    found: dict[Slice, Mapping[str, Any]] = {}
    for position, point in enumerate(series):
        place = f"{where}.series[{position}]"
        if not isinstance(point, dict):
            raise ResponseError(f"{place} is not an object")
        start, end = period(point, "timeframe", place)
        piece = asked.get(start)
        if piece is None and _is_widened(row, start, end, window, where):
            continue
        if piece is None or not _is_whole(piece, end, window):
            raise ResponseError(
                f"{place}: its timeframe {start}..{end} is no slice of {window.range}",
            )
        if piece in found:
            raise ResponseError(f"{place}: the slice of {start} comes twice")
        found[piece] = an_object(point, "data", place)
    return found


def _is_widened(
    row: Mapping[str, Any],
    start: dt.date,
    end: dt.date,
    window: Window,
    where: str,
) -> bool:
    """Whether a point is of days that AdStage added to those that were asked for.

    The row's own range has them too. Elsewhere, a point has lost its date.
    """
    first, last = (
        period(row, "timeframe", where) if "timeframe" in row else (start, end)
    )
    is_outside = end < window.slices[0].start or start > window.slices[-1].end
    return is_outside and first <= start <= end <= last


def _is_whole(piece: Slice, end: dt.date, window: Window) -> bool:
    """Whether a point ends as its slice may: today, or at the midnight after it."""
    return (
        end == piece.end or min(piece.end, window.range.end) <= end <= piece.end + _DAY
    )


def _check_range(row: Mapping[str, Any], window: Window, where: str) -> None:
    """A row's range must be the one that was asked for: its record says that it is."""
    if "timeframe" in row:  # the samples have it, the attribute tables don't
        start, end = period(row, "timeframe", where)
        if (start, end) != (window.range.start, window.range.end):
            raise ResponseError(
                f"{where}: its timeframe is {start}..{end}, not {window.range}",
            )


def _known_entity(report: ReportConfig) -> str | None:
    """What all rows are about where an external provider's don't say."""
    if report.is_external and report.entity_level == "accounts":
        return report.targets[0]
    return None
