"""A report as a stream: its columns, its windows, its bookmark."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import singer_sdk.singerlib as singer
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_adstage.date_ranges import DateRange
from tap_adstage.exceptions import ConfigError, error_context
from tap_adstage.reports.bookmark import REPLICATION_KEY, Bookmark
from tap_adstage.reports.reconcile import Reconciler
from tap_adstage.reports.report_run import ReportRun
from tap_adstage.reports.rows import records_of
from tap_adstage.reports.windows import (
    DateSettings,
    advance_bookmark,
    cap_bookmark,
    plan_windows,
    why_unread,
)
from tap_adstage.streams.page_stream import PageStream, RecordPage
from tap_adstage.streams.record_encoder import RecordEncoder

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.reports.report_run import EncodedRows
    from tap_adstage.reports.windows import Window
    from tap_adstage.runtime.statistics import RunStats
    from tap_adstage.source import Report, Source


class ReportStream(PageStream):
    """One report of the setting `reports`."""

    def __init__(
        self,
        tap: Tap,
        report: Report,
        source: Source,
        stats: RunStats,
        bookmark_caps: Callable[[], Mapping[str, BookmarkCap]],
    ) -> None:
        """Make the stream.

        Args:
            tap: The tap.
            report: The report.
            source: The source of the report.
            stats: Counts its rows.
            bookmark_caps: Finds how far bookmarks of reports may go in this run, by
                name.

        Raises:
            ConfigError: If the catalog has another key for the report.
        """
        self._report = report
        self._source = source
        self._stats = stats
        self._bookmark_caps = bookmark_caps
        columns, config = report.columns, report.config
        super().__init__(tap, schema=columns.schema, name=config.name)
        self.primary_keys = columns.keys
        self.replication_key = REPLICATION_KEY
        entry = tap.input_catalog.get(config.name) if tap.input_catalog else None
        if entry and entry.key_properties:
            _refuse_other_key(config.name, columns.keys, entry.key_properties)
        if tap.input_catalog and not entry:
            self.logger.warning(
                "%s: not in the catalog, so it is skipped; write the catalog anew with "
                "--discover",
                self.name,
            )
        for line in columns.warnings:
            self.logger.warning("%s: %s", self.name, line)

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read every window, oldest first.

        The SDK writes each record before it takes the next one. So once this resumes
        after a window's last record, that record is on stdout, and the bookmark may
        move.

        Args:
            context: The SDK's partition; reports have none.

        Yields:
            The report's records.
        """
        del context
        for page in self._reading(self._pages()):
            for row, _ in page.rows:
                yield from records_of(row, page.slices, self._report.columns)

    def get_record_pages(self) -> Iterator[RecordPage]:
        """Read every window, oldest first, as `get_records` does.

        Yields:
            The records of each page.
        """
        yield from map(_record_page, self._reading(self._pages()))

    def probe(self) -> tuple[DateRange, bool] | None:
        """Request one row of the last window, once; nothing is written or remembered.

        Returns:
            The window's days, and whether there is a row; `None` if there is nothing to
            request.

        Raises:
            TapError: If the source refuses the report, or its answer is not as
                documented.
        """
        windows = self._plan(None)
        if not windows or not self._has_accounts:
            return None
        window = windows[-1]
        reader = self._report.reader(self._selected_columns, page_size=1)
        place, page = reader.first_page(window)
        with error_context(place):
            row_page, _ = reader.read(page, window)
        return window.range, bool(row_page.rows)

    @property
    def named_fields(self) -> Mapping[str, str]:
        """The field of each column that the user can name."""
        columns = self._report.columns
        return {
            column.name: column.field
            for column in columns.fields
            if column.name not in columns.keys
        }

    @property
    def emit_activate_version_messages(self) -> bool:
        """Whether stale rows are to be removed; those of other shards are not."""
        return super().emit_activate_version_messages and self._report.shard.is_whole

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard reads it."""
        return self._report.runs_in_this_shard

    @property
    def days(self) -> DateRange | None:
        """First and last day that the run requests, inclusive; `None` without any.

        Raises:
            StateError: If the bookmark is not a day.
        """
        if not self._windows or not self._has_accounts:
            return None
        return DateRange(self._windows[0].range.start, self._windows[-1].range.end)

    def _pages(self) -> Iterator[EncodedRows]:
        """Read window after window, and move the bookmark past each.

        A page is written once this resumes after it.
        """
        saved = self._saved_bookmark
        text = saved.isoformat() if saved else None
        self._stats.current.bookmark_before = self._stats.current.bookmark = text
        windows = self._windows
        if not self.days:
            self._log_nothing_to_read()
            self._lacks_rows = True  # of days that were not even requested
            if windows:
                self._finish_window(advance_bookmark(saved, windows[-1].bookmark))
            return
        run = ReportRun(
            self.name,
            self._report.reader(self._selected_columns),
            windows,
            reconciler=Reconciler(
                self.name,
                self._source.name,
                self._source.config.reconcile,
                is_rounded=self._report.is_rounded,
                logger=self.logger,
                stats=self._stats,
            ),
            stats=self._stats,
            logger=self.logger,
        )
        try:
            cap = self._bookmark_caps().get(self.name)
        except BaseException:
            run.cancel()  # else the next report would take these pages for its own
            raise

        def finish(window: Window) -> None:
            nonlocal saved
            saved = self._next_bookmark(saved, window.bookmark, cap)
            self._finish_window(saved)

        known = self.effective_schema.get("properties", {})
        encoder = RecordEncoder(self._report.columns, self.mask, known)
        yield from run.pages(encoder.encode, finish)
        if cap and cap.reason and saved and saved < windows[-1].bookmark:
            self.logger.warning("%s", cap.warning(self.name, saved))

    def _log_nothing_to_read(self) -> None:
        config = self._report.config
        if self._windows:
            self.logger.info(
                "%s: nothing to request: no account in shard %s is on %s",
                self.name,
                self._report.shard,
                ", ".join(config.networks),
            )
            return
        self.logger.info(
            "%s: nothing to request: as of %s %s",
            self.name,
            config.today,
            f"all of the range is before the bookmark {self._saved_bookmark} less the "
            "lookback"
            if self._plan(None)
            else "the range is empty",
        )

    @cached_property
    def _windows(self) -> list[Window]:
        """The windows of the run, oldest first; a tap runs once.

        Raises:
            StateError: If the bookmark is not a day.
        """
        full_table = self.replication_method == REPLICATION_FULL_TABLE
        bookmark = None if full_table else self._saved_bookmark
        today = self._report.config.today
        if bookmark and bookmark > today:
            self.logger.warning(
                "%s: starting over, as the bookmark %s is after today, %s",
                self.name,
                bookmark,
                today,
            )
            bookmark = None
        return self._plan(bookmark)

    @property
    def why_unread(self) -> str | None:
        """Which setting leaves nothing to request, if one does."""
        return why_unread(self._date_settings, self._report.config.today)

    def _plan(self, bookmark: dt.date | None) -> list[Window]:
        return plan_windows(self._date_settings, bookmark, self._report.config.today)

    @property
    def _date_settings(self) -> DateSettings:
        config = self._report.config
        return DateSettings(
            aggregate_by=config.aggregate_by,
            date_range=config.date_range,
            start_date=config.start_date,
            end_date=config.end_date,
            timeframe_months=config.timeframe_months,
            lookback_days=config.lookback_days,
            window_days=self._report.window_days,
        )

    @property
    def _selected_columns(self) -> set[str]:
        """Columns that the catalog selects; the others are not even requested."""
        known = self.effective_schema.get("properties", {})
        columns = self._report.columns
        return {
            column.name
            for column in columns.fields
            if column.name in known
            and (column.name in columns.keys or self.mask["properties", column.name])
        }

    @property
    def _has_accounts(self) -> bool:
        """Whether the report has an account to read; an empty list would mean all."""
        accounts = self._report.accounts
        return accounts is None or bool(accounts)

    # --- the bookmark: not the SDK's ---
    #
    # The SDK's own bookmark is the highest value of the run's records. It moves only at
    # the stream's end, goes back if late slices have no rows, and stays if windows are
    # empty. A report's bookmark is the last finished window's. So `_finish_window`
    # writes it, and the SDK's two methods that write to the state do nothing.

    @cached_property
    def _saved_bookmark(self) -> dt.date | None:
        """The bookmark that the last run left.

        `stream_state` would put an empty bookmark into a state that has none.
        """
        state = self.tap_state.get("bookmarks", {}).get(self.name, {})
        bookmark = Bookmark.read(self.name, state)
        if bookmark is None:
            return None
        stale = bookmark.why_stale(self._report.config.aggregate_by, self._report.shard)
        if stale:
            self.logger.warning(
                "%s: starting over, as the bookmark %s is of %s",
                self.name,
                bookmark.date,
                stale,
            )
            return None
        return bookmark.date

    def _next_bookmark(
        self,
        saved: dt.date | None,
        finished: dt.date,
        cap: BookmarkCap | None,
    ) -> dt.date:
        """Find the new bookmark once a slice is written."""
        if cap is not None:
            first = self._windows[0].slices[0].start
            aggregate_by = self._report.config.aggregate_by
            finished = cap_bookmark(finished, aggregate_by, cap.through, first)
        return advance_bookmark(saved, finished)

    def _finish_window(self, day: dt.date) -> None:
        """Move the bookmark past a window whose rows are all written; write a STATE.

        With BATCH messages, rows are written a file at a time and the SDK writes a
        STATE after each file. A STATE from here could be ahead of the file.
        """
        bookmark = Bookmark(day, self._report.config.aggregate_by, self._report.shard)
        bookmark.write(self.stream_state)
        self._stats.current.bookmark = day.isoformat()
        if self.get_batch_config(self.config) is None:
            self._tap.write_message(singer.StateMessage(value=self.tap_state))

    def _increment_stream_state(
        self,
        latest_record: Mapping[str, Any],
        *,
        context: Context | None = None,
    ) -> None:
        """Leave the bookmark alone while a window is being written."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Leave the state as it was until the first window is written."""


def _record_page(page: EncodedRows) -> RecordPage:
    return RecordPage(
        lines=b"".join([lines for _, lines in page.rows]),
        count=len(page.rows) * len(page.slices),
        received=page.received,
    )


def _refuse_other_key(
    stream: str,
    keys: Sequence[str],
    catalogued: Sequence[str],
) -> None:
    """Refuse a catalog that was written when the report had another key.

    The SDK would use the catalog's key, and a loader would overwrite rows.
    """
    if {*keys} != {*catalogued}:
        error = (
            f"catalog: the key of {stream} is {', '.join(catalogued)}, but the "
            f"report's is {', '.join(keys)}; write the catalog anew with --discover"
        )
        raise ConfigError([error])
