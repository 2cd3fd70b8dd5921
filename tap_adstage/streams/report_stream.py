"""A report as a stream: its columns, its windows, its bookmark."""

from __future__ import annotations

import datetime as dt
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

import singer_sdk.singerlib as singer
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_adstage import date_ranges
from tap_adstage.date_ranges import DateRange
from tap_adstage.exceptions import ConfigError, TapError, error_context
from tap_adstage.reports.bookmark import Bookmark
from tap_adstage.reports.catch_up import without_failed
from tap_adstage.reports.reconcile import Reconciler
from tap_adstage.reports.report_run import ReportRun
from tap_adstage.reports.rows import records_of
from tap_adstage.reports.run_plan import plan_run
from tap_adstage.reports.run_question import RunQuestion
from tap_adstage.reports.windows import (
    lacks_complete_slice,
    plan_windows,
    why_unread,
)
from tap_adstage.runtime.wording import shorten
from tap_adstage.streams.page_stream import PageStream, RecordPage
from tap_adstage.streams.record_encoder import RecordEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.reports.catch_up import PlannedCatchUp
    from tap_adstage.reports.report_run import EncodedRows
    from tap_adstage.reports.run_plan import RunPlan
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
        self._bookmark: Bookmark | None = None
        self._failed: set[str] = set()
        self._failed_after: dict[str, dt.date] = {}
        columns, config = report.columns, report.config
        super().__init__(tap, schema=columns.schema, name=config.name)
        self.primary_keys = columns.keys
        self.replication_key = columns.replication_key
        entry = tap.input_catalog.get(config.name) if tap.input_catalog else None
        if entry and entry.key_properties:
            _refuse_other_key(config.name, columns.keys, entry.key_properties)
        if tap.input_catalog and not entry:
            stats.skip(self.name, "not in the catalog")
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

    def probe(self) -> tuple[DateRange, bool] | str:
        """Request one row of the last window, once; nothing is written or remembered.

        Returns:
            The window's days, and whether there is a row; or why there is nothing to
            request.

        Raises:
            TapError: If the source refuses the report, or its answer is not as
                documented.
        """
        settings, today = self._report.dates, self._report.config.today
        windows = plan_windows(settings, None, today)
        if not windows:
            return self.why_unread or f"no days are left as of {today}"
        if not self._has_accounts:
            return self._report.empty_shard
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
        """First and last day that the run requests of all accounts, inclusive.

        `None` if it requests none.

        Raises:
            TapError: If the bookmark is not a day, or AdStage does not accept the
                credentials.
        """
        windows = self._plan.windows
        if not windows or not self._has_accounts:
            return None
        return DateRange(windows[0].range.start, windows[-1].range.end)

    def _pages(self) -> Iterator[EncodedRows]:
        """Read the earlier days of accounts that joined, then window after window.

        A page is written once this resumes after it. If earlier days can't be read, the
        other windows are read all the same.
        """
        plan, saved, stats = self._plan, self._saved_bookmark, self._stats.current
        text = saved.value if saved else None
        stats.bookmark_before = stats.bookmark = text
        stats.missing += plan.missing
        if self.fields_not_in_catalog:
            fields = shorten(self.fields_not_in_catalog)
            stats.missing.append(f"the catalog lacks {fields}")
        self._bookmark = plan.bookmark
        if plan.is_empty or not self._has_accounts:
            self._log_nothing_to_read()
            self._lacks_rows = True  # of days that were not even requested
            if plan.windows:
                self._save(plan.after_window(self._bookmark, plan.windows[-1]))
            return
        cap = self._bookmark_caps().get(self.name)
        for level, note in plan.notes:
            self.logger.log(level, "%s: %s", self.name, note)
        for catch_up in plan.catch_ups:
            yield from self._earlier_pages(catch_up)
        try:
            yield from self._current_pages(cap)
        finally:
            for note in self._report.notes():
                self.logger.info("%s: %s", self.name, note)
            for gap in self._report.gaps():
                self.logger.warning("%s: %s", self.name, gap)
                stats.missing.append(gap)

    def _earlier_pages(self, catch_up: PlannedCatchUp) -> Iterator[EncodedRows]:
        """Read the windows of accounts that joined; go on if that fails."""

        def finish(window: Window) -> None:
            assert self._bookmark  # noqa: S101 - nobody joins before there is one
            self._save(self._plan.after_catch_up(self._bookmark, catch_up, window))

        try:
            with error_context(f"the earlier days of {catch_up.names}"):
                yield from self._read(catch_up.windows, finish, catch_up.accounts)
        except TapError as error:
            if error.ends_run:
                raise
            self._fail(error)

    def _current_pages(self, cap: BookmarkCap | None) -> Iterator[EncodedRows]:
        """Read the windows of all accounts, and move the bookmark past each."""
        plan = self._plan

        def finish(window: Window) -> None:
            self._save(plan.after_window(self._bookmark, window, cap))

        yield from self._read(plan.windows, finish)
        bookmark = self._bookmark
        if (
            cap
            and cap.reason
            and bookmark
            and bookmark.date < plan.windows[-1].bookmark
        ):
            text = cap.warning(bookmark.date)
            self._stats.current.missing.append(text)
            self.logger.warning("%s: %s", self.name, text)

    def _read(
        self,
        windows: Sequence[Window],
        finish: Callable[[Window], None],
        accounts: Sequence[str] | None = None,
    ) -> Iterator[EncodedRows]:
        """Read window after window, of all accounts or of some.

        Args:
            windows: The windows, oldest first.
            finish: Called once a window is written.
            accounts: Ids of the accounts to read alone.
        """
        if not windows:
            return
        report = self._report
        reader = report.reader(self._selected_columns, accounts=accounts)
        run = ReportRun(
            self.name,
            reader,
            windows,
            reconciler=Reconciler(
                self.name,
                self._source.name,
                self._source.config.reconcile if reader.has_totals else "off",
                is_rounded=report.is_rounded,
                logger=self.logger,
                stats=self._stats,
            ),
            stats=self._stats,
            logger=self.logger,
        )
        known = self.effective_schema.get("properties", {})
        encoder = RecordEncoder(report.columns, self.mask, known)

        def finish_without_failed(window: Window) -> None:
            before = window.slices[0].start - dt.timedelta(days=1)
            for account in self._log_failed(reader.failed):
                self._failed_after[account] = before
            finish(window)

        try:
            yield from run.pages(encoder.encode, finish_without_failed)
        except TapError as error:
            others = {key: e for key, e in reader.failed.items() if e is not error}
            self._log_failed(others)
            self._failed |= reader.failed.keys()
            raise

    def _log_failed(self, failed: Mapping[str, TapError]) -> list[str]:
        """Log and count each account that could not be read, once.

        Args:
            failed: The errors of all accounts that failed so far, by id.

        Returns:
            Ids of those that were not logged before.
        """
        new = [account for account in failed if account not in self._failed]
        for account in new:
            self._log_error(failed[account])
        self._failed.update(new)
        return new

    def _log_nothing_to_read(self) -> None:
        report, plan, run = self._report, self._plan, self._source.config
        today = report.config.today
        if plan.windows:
            why, level = f"nothing to request: {report.empty_shard}", logging.INFO
            # Of chosen accounts on other networks, the set-up has warned.
            if run.shard.is_whole and run.accounts is None:
                self._stats.current.missing.append(why)
                level = logging.WARNING
            self.logger.log(level, "%s: %s", self.name, why)
            return
        bookmark = plan.bookmark.date if plan.bookmark else None
        if lacks_complete_slice(report.dates, bookmark, today):
            why = (
                f"no {report.dates.aggregate_by} of the range is complete "
                "(complete_slices)"
            )
        elif bookmark and plan_windows(report.dates, None, today):
            why = (
                f"all of the range is before the bookmark {bookmark} less the lookback"
            )
        else:
            why = "the range is empty"
        self.logger.info("%s: nothing to request: as of %s %s", self.name, today, why)

    @cached_property
    def _plan(self) -> RunPlan:
        """What the run reads, decided once: a tap runs once."""
        report, config = self._report, self._report.config
        asked = RunQuestion(
            parts=report.question(self._selected_columns),
            dates=report.dates,
            shard=report.shard,
            today=config.today,
            real_today=date_ranges.today(None, config.time_zone, now=config.now),
            is_full_table=self.replication_method == REPLICATION_FULL_TABLE,
            has_known_accounts=report.has_known_accounts,
            shares_rows=report.columns.group is not None,
            backfill=self._source.config.backfill == "auto",
            can_fail_alone=report.can_fail_alone,
        )
        return plan_run(asked, self._saved_bookmark, report.find_accounts)

    @property
    def fields_not_in_catalog(self) -> list[str]:
        """Fields that the settings name, and that a catalog lacks."""
        known = self.effective_schema.get("properties", {})
        return [
            column.field
            for column in self._report.columns.fields
            if column.requested and column.name not in known
        ]

    @property
    def why_unread(self) -> str | None:
        """Which setting leaves nothing to request, if one does."""
        return why_unread(self._report.dates, self._report.config.today)

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
    # empty. A report's bookmark is the last finished window's. So `_save` writes it,
    # and the SDK's two methods that write to the state do nothing.

    @cached_property
    def _saved_bookmark(self) -> Bookmark | None:
        """The bookmark that the last run left.

        `stream_state` would put an empty bookmark into a state that has none.
        """
        if self.replication_key is None:
            return None
        state = self.tap_state.get("bookmarks", {}).get(self.name, {})
        return Bookmark.read(self.name, state)

    def _save(self, bookmark: Bookmark) -> None:
        """Move the bookmark past a window whose rows are all written; write a STATE.

        With BATCH messages, rows are written a file at a time and the SDK writes a
        STATE after each file. A STATE from here could be ahead of the file.
        """
        if self.replication_key is None:
            return
        bookmark = without_failed(bookmark, self._failed_after)
        self._bookmark = bookmark
        starts_over = self._plan.bookmark is None
        bookmark.write(self.stream_state, starts_over=starts_over)
        self._stats.current.bookmark = bookmark.value
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
