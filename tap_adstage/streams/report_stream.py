"""A report as a stream: its windows in order, a bookmark and a STATE after each."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import singer_sdk.singerlib as singer
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_adstage.adstage.import_status import ReportScope
from tap_adstage.adstage.report_api import VERSIONS
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.adstage.report_query import ReportQuery, fields_to_request
from tap_adstage.adstage.report_reader import ReportReader
from tap_adstage.config.shards import Shard
from tap_adstage.date_ranges import DateRange
from tap_adstage.exceptions import ApiError, ConfigError, error_context
from tap_adstage.reports.bookmark import REPLICATION_KEY, Bookmark
from tap_adstage.reports.control_totals import Tally, control_fields, summed_fields
from tap_adstage.reports.duplicates import DuplicateFilter
from tap_adstage.reports.json_rows import JsonRows
from tap_adstage.reports.reconcile import Reconciler
from tap_adstage.reports.window_queue import WindowQueue
from tap_adstage.reports.windows import (
    DateSettings,
    advance_bookmark,
    cap_bookmark,
    plan_windows,
)
from tap_adstage.runtime.progress import Progress
from tap_adstage.streams.page_stream import PageStream, RecordPage
from tap_adstage.streams.sharded_stream import ShardedStream

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.adstage.import_status import BookmarkCap
    from tap_adstage.adstage.page import Page
    from tap_adstage.config.model import ReportConfig
    from tap_adstage.reports.control_totals import ControlTotals
    from tap_adstage.reports.rows import JsonRow, Row
    from tap_adstage.reports.windows import Window

    T = TypeVar("T")


class ReportStream(ShardedStream, PageStream):
    """One report of the setting `reports`."""

    def __init__(
        self,
        tap: Tap,
        report: ReportConfig,
        catalog: FieldCatalog,
        directory: Directory,
        holds: Callable[[], Mapping[str, BookmarkCap]],
    ) -> None:
        """Decide the report's columns.

        Args:
            tap: The tap.
            report: The report.
            catalog: The fields that there are.
            directory: The organization that is reported on.
            holds: Tells how far bookmarks of reports may go in this run, where that
                is limited, by name.

        Raises:
            ConfigError: If the report asks for fields that there aren't, or has
                another key than in the catalog.
        """
        self._report = report
        self._catalog = catalog
        self._directory = directory
        self._stats = directory.stats
        self._api = VERSIONS[report.api_version]
        entry = tap.input_catalog.get(report.name) if tap.input_catalog else None
        discovered = entry.schema.to_dict().get("properties", {}) if entry else {}
        self._columns = report_columns(report, catalog, discovered)
        if entry and entry.key_properties:
            _refuse_other_key(report.name, self._columns.keys, entry.key_properties)
        self._holds = holds
        self._shard = directory.config.shard if report.is_by_account else Shard()
        super().__init__(tap, schema=self._columns.schema, name=report.name)
        self.primary_keys = self._columns.keys
        self.replication_key = REPLICATION_KEY
        self._reconciler = Reconciler(
            report.name,
            directory.config.reconcile,
            is_rounded=report.api_version != 1 and not report.ignore_precision,
            logger=self.logger,
        )
        self._repeats = DuplicateFilter(
            report.name, self._columns, self.logger, self._stats
        )
        if tap.input_catalog and not entry:
            self.logger.warning(
                "%s: not in the catalog, so nothing of it is read; write the catalog "
                "anew with --discover",
                self.name,
            )
        if self._columns.vanished:
            self.logger.warning(
                "%s: AdStage no longer has %s; the columns stay, without values",
                self.name,
                ", ".join(self._columns.vanished),
            )

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read every window, oldest first.

        The SDK writes each record before it asks for the next one, so once this goes
        on after a window's last record, that record is on stdout, and the bookmark may
        move.

        Args:
            context: The SDK's partition; reports have none.

        Yields:
            The report's records.
        """
        del context
        yield from self._in_order(self._window_records)

    def get_record_pages(self) -> Iterator[RecordPage]:
        """Read every window, oldest first, as `get_records` does.

        Yields:
            The records of each page.
        """
        rows = JsonRows(
            self._columns,
            summed_fields(self._columns, self._requested),
            self.encode,
        )
        yield from self._in_order(lambda window: self._window_pages(window, rows))

    def _in_order(self, read: Callable[[Window], Iterator[T]]) -> Iterator[T]:
        """Read window after window, and move the bookmark past each.

        Args:
            read: Reads one window. Once this goes on after the last thing that it
                gave, that is on stdout.

        Yields:
            What is read.
        """
        self._stats.begin(self.name)
        try:
            yield from self._windows_in_order(read)
        finally:
            self._directory.prefetch.cancel()

    def _windows_in_order(self, read: Callable[[Window], Iterator[T]]) -> Iterator[T]:
        saved, windows = self._saved_bookmark, self.windows
        counts = self._stats.current
        counts.bookmark_before = counts.bookmark = saved.isoformat() if saved else None
        if not windows:
            self.logger.info(
                "%s: nothing to ask for: as of %s %s",
                self.name,
                self._report.today,
                f"all of the range is before the bookmark {saved} less the lookback"
                if plan_windows(self._span, None, self._report.today)
                else "the range is empty",
            )
        elif not self._has_accounts:
            self.logger.info(
                "%s: nothing to ask for: no account in shard %s is on %s",
                self.name,
                self._shard,
                ", ".join(self._report.networks),
            )
            self._finish_window(advance_bookmark(saved, windows[-1].bookmark))
            return
        queue, inquiry = WindowQueue(windows), self._inquiry
        inquiry.schedule(queue.upcoming(inquiry.lookahead))
        hold = self._holds().get(self.name) if windows else None
        for window in queue:
            self._progress.begin(queue.taken, queue.total, len(window.slices))
            self.logger.debug(
                "%s: window %d of %d, %s",
                self.name,
                queue.taken,
                queue.total,
                window.range,
            )
            inquiry.schedule([window, *queue.upcoming(inquiry.lookahead - 1)])
            try:
                yield from read(window)
            except ApiError as error:
                if not (error.may_be_too_large and window.can_split):
                    raise
                self.logger.warning(
                    "%s: %s is too much for one request: %s No more than %d slices "
                    "are asked for at once from now on",
                    self.name,
                    window.range,
                    error,
                    queue.halve(window),
                )
                continue
            saved = self._moved(saved, window.bookmark, hold)
            self._finish_window(saved)
            self._progress.finish()
        self._repeats.sum_up()
        self._reconciler.sum_up()
        if hold and hold.behind and saved and saved < windows[-1].bookmark:
            self.logger.warning("%s", hold.line(self.name, saved))

    def probe(self) -> tuple[DateRange, bool] | None:
        """Ask for one row of the last window, once; nothing is written or remembered.

        Returns:
            The window's days, and whether there is a row; `None` where there is
            nothing to ask for.

        Raises:
            TapError: If AdStage refuses the report, or answers with something else.
        """
        windows = plan_windows(self._span, None, self._report.today)
        if not windows or not self._has_accounts:
            return None
        window = windows[-1]
        inquiry = ReportReader(self._question(page_size=1), self._directory)
        where, page = inquiry.first_page(window)
        with error_context(where):
            rows = [*self._api.rows(page.document, window, self._columns, self._report)]
        return window.range, bool(rows)

    @cached_property
    def windows(self) -> list[Window]:
        """What the run asks for, oldest first; a tap runs once.

        Raises:
            StateError: If the bookmark is not a day.
        """
        whole = self.replication_method == REPLICATION_FULL_TABLE
        bookmark = None if whole else self._saved_bookmark
        today = self._report.today
        if bookmark and bookmark > today:
            self.logger.warning(
                "%s: starting over, as the bookmark %s is after today, %s",
                self.name,
                bookmark,
                today,
            )
            bookmark = None
        return plan_windows(self._span, bookmark, today)

    @property
    def emit_activate_version_messages(self) -> bool:
        """Whether rows of before are to be removed; those of other shards are not."""
        return super().emit_activate_version_messages and self._shard.is_whole

    @property
    def reads_imports(self) -> bool:
        """Whether the run reads what AdStage has imported; networks are read live."""
        if self._report.is_external or not self.selected:
            return False
        return bool(self.windows) and self._has_accounts

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard is the one that reads it, or one of those."""
        shard = self._directory.config.shard
        if self._report.is_external:
            return shard.has(self._report.targets[0])
        return self._report.is_by_account or shard.is_first

    @property
    def reading(self) -> ReportScope:
        """What the run reads; there are `windows`."""
        report = self._report
        return ReportScope(
            report=self.name,
            scope=self._directory.scope(
                report.networks,
                report.targets or self._accounts or (),
            ),
            days=DateRange(self.windows[0].range.start, self.windows[-1].range.end),
            today=report.today,
            time_zone=report.time_zone,
        )

    @property
    def _filters_on_metrics(self) -> bool:
        """Whether a filter looks at a metric.

        AdStage holds such a filter against an entity's sum over all days of a request.
        It says something of a row only where a request has one slice: with more, which
        rows there are would depend on where a window happens to begin.
        """
        return any(
            not str(condition["path"]).startswith("meta/")
            for condition in self._report.filters
        )

    @property
    def _span(self) -> DateSettings:
        report = self._report
        return DateSettings(
            aggregate_by=report.aggregate_by,
            date_range=report.date_range,
            start_date=report.start_date,
            end_date=report.end_date,
            timeframe_months=report.timeframe_months,
            lookback_days=report.lookback_days,
            window_days=1 if self._filters_on_metrics else report.window_days,
        )

    def _window_records(self, window: Window) -> Iterator[dict[str, Any]]:
        """The records of a window, one by one."""
        tally = self._new_tally()
        control: ControlTotals | None = None
        for where, page in self._pages(window):
            with error_context(where):
                for row in self._rows(page, window):
                    if self._repeats.accept(row):
                        tally.add(row)
                        yield from row
            control = self._completed(control, page, window)
        self._reconciler.compare(window, tally, control)

    def _window_pages(self, window: Window, read: JsonRows) -> Iterator[RecordPage]:
        """The records of a window, page by page."""
        tally = self._new_tally()
        control: ControlTotals | None = None
        for where, page in self._pages(window):
            with error_context(where):
                found = self._json_rows(page, window, read)
                rows = [row for row in found if self._repeats.accept_json(row)]
            tally.add_json(rows)
            records = [record for row in rows for record in row.records]
            yield RecordPage(records, page.received)
            control = self._completed(control, page, window)
        self._reconciler.compare(window, tally, control)

    def _json_rows(self, page: Page, window: Window, read: JsonRows) -> list[JsonRow]:
        found = None
        if self._report.api_version != 1 and self._report.aggregate_by != "total":
            found = read.of(page, window)
        if found is None:
            found = [read.encoded(row) for row in self._rows(page, window)]
        return found

    def _rows(self, page: Page, window: Window) -> Iterator[Row]:
        return self._api.rows(page.document, window, self._columns, self._report)

    def _completed(
        self,
        control: ControlTotals | None,
        page: Page,
        window: Window,
    ) -> ControlTotals | None:
        document = page.document if self._api.TOTALS_ARE_EMBEDDED else page.head
        told = self._api.control(document, window, self._report)
        return told.completed(control) if told else control

    def _new_tally(self) -> Tally:
        self._repeats.begin_window()
        return Tally(self._columns, summed_fields(self._columns, self._requested))

    def _pages(self, window: Window) -> Iterator[tuple[str, Page]]:
        """A window's pages, each with what errors call it; how far it is is said."""
        for where, page in self._inquiry.pages(window):
            self._stats.current.pages += 1
            self._progress.log(self.name, self.logger)
            yield where, page

    @cached_property
    def _inquiry(self) -> ReportReader:
        """Asks for the run's windows, once it is known what is selected."""
        question = self._question(self._directory.client.page_size)
        return ReportReader(question, self._directory)

    @cached_property
    def _progress(self) -> Progress:
        """How far the run is with its windows."""
        return Progress(self._stats, sum(len(each.slices) for each in self.windows))

    @property
    def _requested(self) -> list[str]:
        return fields_to_request(self._columns, self._selected_columns)

    def _question(self, page_size: int) -> ReportQuery:
        fields = self._requested
        compares = self._directory.config.reconcile != "off"
        return ReportQuery(
            report=self._report,
            fields=fields,
            catalog=self._catalog,
            accounts=self._accounts,
            are_targets=self._shard.is_whole or len(self._directory.organizations) <= 1,
            page_size=page_size,
            control_fields=control_fields(self._columns, fields) if compares else (),
        )

    @property
    def _selected_columns(self) -> set[str]:
        """Columns that the catalog keeps; what it drops is not even requested."""
        known = self.effective_schema.get("properties", {})
        return {
            column.name
            for column in self._columns.fields
            if column.name in known
            and (
                column.name in self._columns.keys
                or self.mask.get(("properties", column.name), True)
            )
        }

    @cached_property
    def _accounts(self) -> list[str] | None:
        """Entity ids of the accounts that are asked for; `None` for all."""
        if self._report.is_external:
            return None
        return self._directory.accounts_in(self._shard, self._report.networks)

    @property
    def _has_accounts(self) -> bool:
        """Whether there is anything to ask for; to ask for none would ask for all."""
        return self._accounts != []

    # --- the bookmark, which the SDK would keep in another way ---
    #
    # The SDK's own bookmark is the highest value of the run's records. It moves at the
    # stream's end alone, goes back where late slices have no rows, and stands still
    # where windows are empty. A report's bookmark is the last finished window's: so the
    # SDK's two steps that write to the state are no-ops here; `_finish_window` does it.

    @cached_property
    def _saved_bookmark(self) -> dt.date | None:
        """Where the last run left the bookmark.

        `stream_state` would put an empty bookmark into a state that has none.
        """
        state = self.tap_state.get("bookmarks", {}).get(self.name, {})
        bookmark = Bookmark.read(self.name, state)
        if bookmark is None:
            return None
        if not bookmark.counts(self._report.aggregate_by):
            self.logger.warning(
                "%s: starting over, as the bookmark %s is of slices of a %s and the "
                "report has those of a %s; rows of before stay in the table unless you "
                "empty it, or give the report a new name",
                self.name,
                bookmark.date,
                bookmark.aggregate_by,
                self._report.aggregate_by,
            )
            return None
        if not bookmark.shard.covers(self._shard):
            self.logger.warning(
                "%s: starting over, as the bookmark %s is of shard %s, and shard %s "
                "has accounts that it didn't",
                self.name,
                bookmark.date,
                bookmark.shard,
                self._shard,
            )
            return None
        return bookmark.date

    def _moved(
        self,
        saved: dt.date | None,
        finished: dt.date,
        hold: BookmarkCap | None,
    ) -> dt.date:
        """Where the bookmark goes once a slice is written."""
        if hold is None:
            return advance_bookmark(saved, finished)
        first = self.windows[0].slices[0].start
        aggregate_by = self._report.aggregate_by
        return advance_bookmark(
            saved, cap_bookmark(finished, aggregate_by, hold.through, first)
        )

    def _finish_window(self, day: dt.date) -> None:
        """Move the bookmark past a window whose rows are all written, and say so.

        With BATCH messages rows are written a file at a time, and the SDK writes a
        STATE after each; one from here could be ahead of the file.
        """
        bookmark = Bookmark(day, self._report.aggregate_by, self._shard)
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


def _refuse_other_key(
    stream: str,
    keys: Sequence[str],
    catalogued: Sequence[str],
) -> None:
    """Refuse a catalog that was written when the report had another key.

    The SDK would take the catalog's, with which a loader keeps one row of several.
    """
    if {*keys} != {*catalogued}:
        error = (
            f"catalog: the key of {stream} is {', '.join(catalogued)}, and the rows of "
            f"the report are told apart by {', '.join(keys)}; write the catalog anew "
            "with --discover"
        )
        raise ConfigError([error])
