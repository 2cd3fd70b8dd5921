"""Aggregate reports: by the hour, by day, of a range or of a whole lifetime."""

from __future__ import annotations

import datetime as dt
from itertools import compress
from typing import TYPE_CHECKING, Any

from tap_adstage.config.spotify_ads import LEVELS
from tap_adstage.exceptions import ResponseError
from tap_adstage.http.json_values import moment
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.spotify_ads.batches import CONTROL, Batch
from tap_adstage.spotify_ads.metrics import MetricReader, rows_of
from tap_adstage.spotify_ads.report_columns import has_parents
from tap_adstage.spotify_ads.report_page import (
    NO_PARENT,
    AggregateRow,
    PageDecoder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_adstage.config.spotify_ads_settings import SpotifyAdsReportConfig
    from tap_adstage.exceptions import ApiError
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.windows import Window
    from tap_adstage.spotify_ads.client import Query
    from tap_adstage.spotify_ads.entities import Entities
    from tap_adstage.spotify_ads.metrics import RowTable
    from tap_adstage.spotify_ads.report_page import ReportPage

_GRANULARITIES = {"day": "DAY", "hour": "HOUR", "total": "LIFETIME"}
_DAY, _HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)

SUMMED = {"IMPRESSIONS": 0, "CLICKS": 0, "SPEND": 2}
"""Fields whose sums over the entities of an account are compared with its own, with the
fewest decimals of a total."""

HOURS_KEPT = dt.timedelta(days=14)
"""How far back from now Spotify has hours."""

_GRACE = dt.timedelta(minutes=15)
"""How long a request for the oldest hour may wait to be sent, and to be sent again."""


def oldest_hour(now: dt.datetime) -> dt.datetime:
    """Find the first hour that can be requested.

    Args:
        now: The real time, in UTC.
    """
    earliest = now - HOURS_KEPT + _GRACE
    whole = earliest.replace(minute=0, second=0, microsecond=0)
    return whole if whole == earliest else whole + _HOUR


class Aggregates:
    """The requests and rows of one aggregate report."""

    resource = "aggregate_reports"

    def __init__(  # noqa: PLR0913
        self,
        report: SpotifyAdsReportConfig,
        columns: ReportColumns,
        fields: Sequence[str],
        entities: Entities,
        *,
        page_size: int,
        now: Callable[[], dt.datetime],
        on_undated: Callable[[int], None],
    ) -> None:
        """Decide what is asked.

        Args:
            report: The report.
            columns: Its columns.
            fields: The fields to request.
            entities: The ad accounts, and what is in them.
            page_size: Rows a page.
            now: Returns the real time, in UTC.
            on_undated: Counts rows that have no time.
        """
        self.fields = fields
        self._report = report
        self._level = LEVELS[report.entity_level]
        self._accounts = entities.accounts
        self._entities = entities
        self._page_size = page_size
        self._now = now
        self._on_undated = on_undated
        self.pages = PageDecoder(
            AggregateRow, entities.accounts.client.transport.secrets
        )
        self._metrics = MetricReader(columns)
        self._times: tuple[Window, Mapping[str, str]] | None = None

    def batches(self, window: Window, account: str) -> list[Batch]:
        """List the batches of an account's entities.

        Raises:
            TapError: If the entities can't be listed.
        """
        if self._level.member is None:
            return [Batch.of(window, account, 1)]
        batches = self._entities.batches(self._level.member, account)
        return [
            Batch.of(window, account, number, ids, self._level.entity_type)
            for number, ids in enumerate(batches, start=1)
        ]

    def query(self, batch: Batch) -> Query | None:
        """Make the parameters of a batch's first page.

        Returns:
            The parameters; `None` if Spotify has none of its hours any more.
        """
        span = self._span(batch.window)
        if span is None:
            return None
        is_control = batch.number == CONTROL
        kind = "AD_ACCOUNT" if is_control else self._level.entity_type
        return [
            ("entity_type", kind),
            *(("fields", f) for f in self.fields if f in SUMMED or not is_control),
            ("granularity", _GRANULARITIES[self._report.aggregate_by]),
            *span,
            *(("entity_ids", each) for each in batch.ids),
            *((("entity_ids_type", batch.ids_type),) if batch.ids else ()),
            *(
                (("include_parent_entity", "true"),)
                if has_parents(self._report) and not is_control
                else ()
            ),
            ("limit", self._page_size),
        ]

    def _span(self, window: Window) -> Sequence[tuple[str, str]] | None:
        """Make the parameters of a window's days; both ends are inclusive."""
        report = self._report
        if report.aggregate_by == "total" and report.date_range is None:
            return ()
        start, end = _midnight(window.range.start), _midnight(window.range.end)
        if report.aggregate_by == "hour":
            now = self._now()
            start = max(start, oldest_hour(now))
            end = min(end + _DAY - _HOUR, now.replace(minute=0, second=0))
            if start > end:
                return None
        return (("report_start", _text(start)), ("report_end", _text(end)))

    def why_no_data(self, error: ApiError) -> None:
        """Return nothing: without data, a page has no rows."""

    def count_no_data(self, code: str) -> None:
        """Do nothing: without data, a page has no rows."""

    def rows(self, batch: Batch, page: ReportPage) -> RowTable:
        """Read the rows of a page; those without a time are skipped, and counted.

        Raises:
            ResponseError: If a row's time is not in the window, or a field has two
                values.
        """
        rows, values = page.rows, page.values
        times: list[Sequence[str]]
        if self._report.aggregate_by == "total":
            times = [[date] * len(rows) for date in self._fixed_dates(batch.window)]
        else:
            is_timed = [bool(row.start_time) for row in rows]
            if not all(is_timed):
                self._on_undated(is_timed.count(False))
                rows, values = ([*compress(each, is_timed)] for each in (rows, values))
            known = self._times_of(batch.window)
            times = [
                [known.get(row.start_time) or _slow_time(row, known) for row in rows]
            ]
        metrics, hidden = self._metrics.read([row.stats for row in rows], values)
        currency = self._accounts.account(batch.account).get("currency_code")
        parents = [row.parent_entity or NO_PARENT for row in rows]
        columns = [
            *times,
            [batch.account] * len(rows),
            [row.entity_id for row in rows],
            [row.entity_name for row in rows],
            [row.entity_status for row in rows],
            *(
                ([each.id for each in parents], [each.name for each in parents])
                if has_parents(self._report)
                else ()
            ),
            [currency] * len(rows),
            hidden,
        ]
        return rows_of(columns, metrics)

    def _fixed_dates(self, window: Window) -> tuple[str, ...]:
        """Write the dates that all rows of a total share; a lifetime has none."""
        if self._report.date_range is None:
            return ()
        return (window.range.start.isoformat(), window.range.end.isoformat())

    def _times_of(self, window: Window) -> Mapping[str, str]:
        """List the values of the time column, by the texts of the API."""
        if self._times is None or self._times[0] != window:
            days = [piece.start for piece in window.slices]
            if self._report.aggregate_by == "hour":
                hours = [
                    _text(_midnight(d) + n * _HOUR) for d in days for n in range(24)
                ]
                times = {hour: hour for hour in hours}
            else:
                times = {_text(_midnight(day)): day.isoformat() for day in days}
            self._times = window, times
        return self._times[1]


def _slow_time(row: Any, times: Mapping[str, str]) -> str:  # noqa: ANN401 - a row
    """Read a row's time that is written in another way.

    Raises:
        ResponseError: If it is not one of the window's.
    """
    found = moment(row.start_time)
    time = times.get(_text(found)) if found else None
    if time is None:
        raise ResponseError(
            f"the row of {row.entity_id} has start_time "
            f"{excerpt(repr(row.start_time))}, which was not requested"
        )
    return time


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.timezone.utc)


def _text(time: dt.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
