"""Reports of API version 1: the query's body, and a page's rows (API V1)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from tap_adstage.adstage.attributes import AttributeReader
from tap_adstage.adstage.metrics import metrics_type
from tap_adstage.adstage.summed_fields import SUMMED
from tap_adstage.adstage.times import period
from tap_adstage.exceptions import ResponseError
from tap_adstage.http.typed_json import TypedDecoder
from tap_adstage.reports.control_totals import ControlTotals
from tap_adstage.reports.rows import Row, RowPage, with_floats
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.report_query import ReportQuery
    from tap_adstage.config.adstage_settings import AdStageReportConfig
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.rows import Number
    from tap_adstage.reports.windows import Window

M = TypeVar("M")

_TOTAL = "adstage:metrics"
_SERIES = "adstage:time_series"
_DAY = dt.timedelta(days=1)
_NUMBERS = {int, float, Decimal, type(None)}
"""The types that a metric may have; a boolean is not one."""


class _Timeframe(msgspec.Struct, frozen=True):
    """Two timestamps, both inclusive."""

    start: str | None = None
    end: str | None = None


class _Point(msgspec.Struct, Generic[M]):
    data: M
    timeframe: _Timeframe


class _Series(msgspec.Struct, Generic[M]):
    """A row of a time series report."""

    meta: dict[str, Any]
    data: dict[str, Any]
    series: list[_Point[M]]
    timeframe: _Timeframe | None = None


class _Total(msgspec.Struct, Generic[M]):
    """A row of a basic report."""

    meta: dict[str, Any]
    data: M
    timeframe: _Timeframe | None = None


class _SeriesPage(msgspec.Struct, Generic[M]):
    rows: list[_Series[M]] = msgspec.field(name=_SERIES)
    totals: Any = msgspec.field(name=f"{_SERIES}/totals", default=None)


class _TotalPage(msgspec.Struct, Generic[M]):
    rows: list[_Total[M]] = msgspec.field(name=_TOTAL)
    totals: Any = msgspec.field(name=f"{_TOTAL}/totals", default=None)


class _SeriesTotals(msgspec.Struct):
    series: list[_Point[dict[str, Any]]]
    timeframe: _Timeframe | None = None


class _TotalTotals(msgspec.Struct):
    data: dict[str, Any] | None = None
    timeframe: _Timeframe | None = None


class ReportV1:
    """A report of API version 1."""

    path = "/organizations/{organization_id}/build_report"

    def __init__(self, query: ReportQuery, columns: ReportColumns) -> None:
        """Decide how pages are read.

        Args:
            query: What is requested.
            columns: The report's columns.
        """
        self._query = query
        self.columns = columns
        self._is_total = query.report.aggregate_by == "total"
        self._attributes = AttributeReader(columns, _known_entity(query.report))
        # An external provider's totals have texts beside the metrics.
        self._is_mixed = self._is_total and query.report.is_external
        page = _TotalPage if self._is_total else _SeriesPage
        self._decoder: TypedDecoder[Any] = TypedDecoder(
            lambda number: page[
                dict[str, Any] if self._is_mixed else metrics_type(columns, number)
            ],
        )

    def body(self, window: Window) -> dict[str, Any]:
        """Make the body of a window's first page; its links lead to the further pages.

        Args:
            window: The days to request; they go out as an absolute date range.

        Returns:
            The body (API V1: Basic Report, Time Series Report).
        """
        query, report = self._query, self._query.report
        body: dict[str, Any] = {
            "entity_level": report.entity_level,
            "date_range": str(window.range),
            "limit": query.page_size,
            "sort_by": query.sort_by,
            "order": report.order,
            "statuses": report.statuses,
            "provider": report.provider,
            "relative_to_time_zone": report.time_zone,
        }
        if not report.is_external:  # a text, as the documented links have it
            body["networks"] = ",".join(report.networks)
        if not self._is_total:
            body["aggregate_by"] = report.aggregate_by
        optional = {
            "fields": list(query.fields),
            "targets": query.targets,
            "filters": query.filters,
            "group_by": query.group_by,
            "dimensions": list(report.dimensions),
        }
        return body | {key: value for key, value in optional.items() if value}

    def read(self, page: Page, window: Window) -> tuple[RowPage, ControlTotals]:
        """Read a page.

        Args:
            page: The page.
            window: The days that were requested. Slices outside them, to which AdStage
                widens a range, are another window's.

        Returns:
            Its rows, and AdStage's count and totals of all of the window's rows, if it
            gives any that can be read (API V1: Basic Report, `counts` and totals).

        Raises:
            ResponseError: If the page is not as documented, with the place.
        """
        embedded = page.embedded(self._decoder)
        relation = self._relation
        read = self._total if self._is_total else self._series
        frames = _Frames(window)
        metrics = [
            read(row, frames, f"_embedded.{relation}[{position}]")
            for position, row in enumerate(embedded.rows)
        ]
        attributes = self._attributes.read(
            self._metas(embedded.rows), f"_embedded.{relation}[{{}}]".format
        )
        rows = [*map(Row, attributes, metrics)]
        counts = page.head.get("counts")
        control = ControlTotals.of(
            SUMMED,
            self._counts(counts if isinstance(counts, dict) else {}),
            self._totals(embedded.totals, frames),
        )
        if not (page.is_plain or self._is_mixed):  # where numbers are all decimals
            rows = with_floats(rows)
        return RowPage(window.slices, rows), control

    @property
    def _relation(self) -> str:
        return _TOTAL if self._is_total else _SERIES

    def _total(
        self, row: _Total[Any], frames: _Frames, place: str
    ) -> list[tuple[Number | None]]:
        frames.check_whole(row.timeframe, place)
        if not self._is_mixed:
            return [*zip(msgspec.structs.astuple(row.data), strict=True)]
        values = [row.data.get(column.field) for column in self.columns.metrics]
        if not {*map(type, values)} <= _NUMBERS:
            raise self._not_a_number(values, place)
        return [*zip(values, strict=True)]

    def _not_a_number(self, values: list[Any], place: str) -> ResponseError:
        column, value = next(
            (column, value)
            for column, value in zip(self.columns.metrics, values, strict=True)
            if type(value) not in _NUMBERS
        )
        shown = excerpt(repr(value))
        return ResponseError(f"{place}.{column.field}: {shown} is not a number")

    def _series(
        self, row: _Series[Any], frames: _Frames, place: str
    ) -> list[tuple[Number | None, ...]]:
        points = frames.arrange(row.series, row.timeframe, place)
        nothing = (None,) * len(self.columns.metrics)
        values = [
            nothing if point is None else msgspec.structs.astuple(point.data)
            for point in points
        ]
        return [*zip(*values, strict=True)]

    def _metas(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Collect the rows' text fields; an external provider has some in `data`."""
        if not self._query.report.is_external:
            return [row.meta for row in rows]
        return [
            {**row.data, **{k: v for k, v in row.meta.items() if v is not None}}
            for row in rows
        ]

    def _counts(self, counts: dict[str, Any]) -> list[Any]:
        report = self._query.report
        # Rows of a group or a breakdown are buckets; `filtered` may count entities.
        are_buckets = bool(report.group_by or report.dimensions)
        names = ("filtered", "filtered_buckets") if are_buckets else ("filtered",)
        return [counts.get(name) for name in names]

    def _totals(self, totals: Any, frames: _Frames) -> list[Any]:  # noqa: ANN401
        """Read the totals of a page; empty if there are none, or none that is valid."""
        if isinstance(totals, list):
            totals = totals[0] if len(totals) == 1 else None
        relation = f"{self._relation}/totals"
        try:
            if self._is_total:
                total = msgspec.convert(totals, _TotalTotals)
                frames.check_whole(total.timeframe, relation)
                return [total.data]
            series = msgspec.convert(totals, _SeriesTotals)
            points = frames.arrange(
                series.series, series.timeframe, relation, may_lack_slices=True
            )
            return [point.data for point in points if point]
        except (ResponseError, ValueError):
            return []


class _Frames:
    """The timeframes of a page's rows, each read once."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._orders: dict[object, list[int | None]] = {}
        self._whole: _Timeframe | None = None

    def check_whole(
        self,
        timeframe: _Timeframe | None,
        where: str,
    ) -> None:
        """Require the requested range, as the row's record will have its dates."""
        if timeframe == self._whole:
            return
        if isinstance(timeframe, _Timeframe):  # samples have it, attribute tables don't
            start, end = _days(timeframe, f"{where}.timeframe")
            window = self._window.range
            if (start, end) != (window.start, window.end):
                raise ResponseError(
                    f"{where}: its timeframe is {start}..{end}, not {window}",
                )
            self._whole = timeframe

    def arrange(
        self,
        points: Sequence[_Point[M]],
        timeframe: _Timeframe | None,
        where: str,
        *,
        may_lack_slices: bool = False,
    ) -> list[_Point[M] | None]:
        """Find the point of each slice of the window.

        Args:
            points: The points of a series; those outside the window are skipped.
            timeframe: The row's own range, if it has one.
            where: The row's place in the page, for an error.
            may_lack_slices: Whether slices may be missing outside that range, too.

        Returns:
            A point, or `None`, for each slice. Inside the row's own range, a missing
            slice is a day without data; outside it, the day was not answered, which is
            an error.

        Raises:
            ResponseError: If the series is of other days.
        """
        # Rows of a page mostly have the same frames, which take long to read.
        key = (may_lack_slices, timeframe, *[point.timeframe for point in points])
        order = self._orders.get(key)
        if order is None:
            order = self._order(points, timeframe, where)
            if not may_lack_slices:
                self._check_missing(order, points, timeframe, where)
            self._orders[key] = order
        return [None if position is None else points[position] for position in order]

    def _order(
        self,
        points: Sequence[_Point[M]],
        timeframe: _Timeframe | None,
        where: str,
    ) -> list[int | None]:
        window = self._window
        slices = {piece.start: piece for piece in window.slices}
        positions: dict[dt.date, int] = {}
        for position, point in enumerate(points):
            place = f"{where}.series[{position}]"
            start, end = _days(point.timeframe, f"{place}.timeframe")
            piece = slices.get(start)
            if piece is None and self._is_widened(start, end, timeframe, where):
                continue
            # A slice may end today, or at the midnight after it.
            if piece is None or not (
                end == piece.end
                or min(piece.end, window.range.end) <= end <= piece.end + _DAY
            ):
                raise ResponseError(
                    f"{place}: its timeframe {start}..{end} is not a slice of "
                    f"{window.range}",
                )
            if start in positions:
                raise ResponseError(f"{place}: duplicate slice of {start}")
            positions[start] = position
        return [positions.get(piece.start) for piece in window.slices]

    def _is_widened(
        self,
        start: dt.date,
        end: dt.date,
        timeframe: _Timeframe | None,
        where: str,
    ) -> bool:
        """Whether a point is of days that AdStage added to the requested ones.

        Then the row's own range has them too. Otherwise, the point's date is wrong.
        """
        first, last = start, end
        if isinstance(timeframe, _Timeframe):
            first, last = _days(timeframe, f"{where}.timeframe")
        slices = self._window.slices
        is_outside = end < slices[0].start or start > slices[-1].end
        return is_outside and first <= start <= end <= last

    def _check_missing(
        self,
        order: list[int | None],
        points: Sequence[object],
        timeframe: _Timeframe | None,
        where: str,
    ) -> None:
        slices = self._window.slices
        missing = [p for p, at in zip(slices, order, strict=True) if at is None]
        if not missing:
            return
        if not isinstance(timeframe, _Timeframe):
            if points and len(missing) == len(slices):
                raise ResponseError(f"{where}: its series is of other days")
            return
        start, end = _days(timeframe, f"{where}.timeframe")
        last = min(missing[-1].end, self._window.range.end)
        if missing[0].start < start or last > end:
            raise ResponseError(
                f"{where}: there is no slice of {missing[0].start} in its series",
            )


def _days(timeframe: _Timeframe, where: str) -> tuple[dt.date, dt.date]:
    return period({"start": timeframe.start, "end": timeframe.end}, where)


def _known_entity(report: AdStageReportConfig) -> str | None:
    """Find the one entity of an external provider's account report."""
    if report.is_external and report.entity_level == "accounts":
        return report.targets[0]
    return None
