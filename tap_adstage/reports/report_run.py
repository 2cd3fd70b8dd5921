"""One run of a report: its windows in order, each row once, compared with totals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from tap_adstage.exceptions import (
    ApiError,
    InconsistentError,
    ServerError,
    error_context,
)
from tap_adstage.reports.control_totals import ControlTotals, Tally
from tap_adstage.reports.duplicates import DuplicateFilter
from tap_adstage.reports.window_queue import WindowQueue
from tap_adstage.runtime.progress import Progress

if TYPE_CHECKING:
    import datetime as dt
    import logging
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_adstage.exceptions import TapError
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.reconcile import Reconciler
    from tap_adstage.reports.rows import Row, RowPage
    from tap_adstage.reports.windows import Slice, Window
    from tap_adstage.runtime.statistics import RunStats


_RECORDS_AT_ONCE = 3000
"""Records that are encoded before they are written."""

_MOST_REREADS = 3
"""How often a window is read again if its pages contradict each other."""


class ReportReader(Protocol):
    """Reads the windows of a report, the next ones ahead."""

    @property
    def source(self) -> str:
        """Name of the source, for a message."""

    @property
    def columns(self) -> ReportColumns:
        """The report's columns."""

    @property
    def summed(self) -> Mapping[str, int]:
        """Fields whose sum over rows is the source's total, with fewest decimals."""

    @property
    def has_totals(self) -> bool:
        """Whether the source has totals to compare its rows with."""

    @property
    def failed(self) -> Mapping[str, TapError]:
        """The accounts that could not be read, and are skipped from then on."""

    @property
    def lookahead(self) -> int:
        """How many windows to schedule at most, with the one that is read."""

    def schedule(self, windows: Sequence[Window]) -> None:
        """Set which windows are read next, in their order; others are cancelled."""

    def cancel(self) -> None:
        """Schedule nothing more."""

    def pages(self, window: Window) -> Iterator[tuple[str, Any]]:
        """Read the pages of the first scheduled window, each with its place."""

    def first_page(self, window: Window) -> tuple[str, Any]:
        """Read a window's first page alone, with its place."""

    def read(
        self,
        page: Any,  # noqa: ANN401 - one of the reader's own pages
        window: Window,
    ) -> tuple[RowPage, ControlTotals]:
        """Read a page's rows, and the source's totals of the window, if it has any."""


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows of a page that are to be written.

    Attributes:
        rows: Each row with the lines of its records.
        slices: The slices of each row.
        received: When the page came, in UTC.
    """

    rows: Sequence[tuple[Row, bytes]]
    slices: Sequence[Slice]
    received: dt.datetime


class ReportRun:
    """Reads the windows of one report, oldest first."""

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        reader: ReportReader,
        windows: Sequence[Window],
        *,
        reconciler: Reconciler,
        stats: RunStats,
        logger: logging.Logger,
    ) -> None:
        """Start fetching.

        Args:
            name: Name of the report.
            reader: Reads its windows.
            windows: The windows, in ascending order.
            reconciler: Compares each window with the source's totals.
            stats: Counts pages and windows.
            logger: For progress and warnings.
        """
        self._name = name
        self._reader = reader
        self._queue = WindowQueue(windows)
        self._reconciler = reconciler
        self._stats = stats
        self._logger = logger
        self._sums: dict[str | None, tuple[Tally, ControlTotals]] = {}
        self._duplicates = DuplicateFilter(name, reader.columns, logger, stats)
        self._progress = Progress(stats, sum(len(w.slices) for w in windows))
        self._rereads = 0
        reader.schedule(self._queue.upcoming(reader.lookahead))

    def cancel(self) -> None:
        """Fetch nothing more."""
        self._reader.cancel()

    def pages(
        self,
        encode: Callable[[RowPage], Iterable[tuple[Row, bytes]]],
        on_window_finished: Callable[[Window], None],
    ) -> Iterator[EncodedRows]:
        """Read window after window.

        One that is too large is split. One whose pages contradict each other is read
        again: all of its rows are yielded once more, so that the last reading counts.

        Args:
            encode: Encodes a page's rows.
            on_window_finished: Called when the caller takes the page after a window's
                last one: by then the window is written.

        Yields:
            The pages.

        Raises:
            TapError: If a window can't be read.
        """
        try:
            for window in self._queue:
                self._begin(window)
                try:
                    yield from self._window_pages(window, encode)
                except ApiError as error:
                    self._split(window, error)
                    continue
                except InconsistentError as error:
                    self._reread(window, error)
                    continue
                self._rereads = 0
                on_window_finished(window)
                self._progress.finish()
            self._duplicates.log_summary()
            self._reconciler.log_summary()
        finally:
            self._reader.cancel()

    def _begin(self, window: Window) -> None:
        queue = self._queue
        self._progress.begin(queue.taken, queue.total, len(window.slices))
        self._logger.debug(
            "%s: window %d of %d, %s",
            self._name,
            queue.taken,
            queue.total,
            window.range,
        )
        self._reader.schedule([window, *queue.upcoming(self._reader.lookahead - 1)])
        self._duplicates.begin_window()

    def _split(self, window: Window, error: ApiError) -> None:
        """Put a window back in halves, or raise its error again."""
        if not (error.may_be_too_large and window.can_split):
            raise error
        self._rereads = 0
        is_certain = not isinstance(error, ServerError)
        self._logger.warning(
            "%s: %s %s too large for one request: %s From now on, at most %d slices "
            "are requested at once",
            self._name,
            window.range,
            "is" if is_certain else "may be",
            error,
            self._queue.halve(window),
        )

    def _reread(self, window: Window, error: InconsistentError) -> None:
        """Put a window back as it is, or raise its error again."""
        if self._rereads == _MOST_REREADS:
            text = f"{error}, also in {_MOST_REREADS} more readings of the window"
            error.args = (f"{text}; run again later",)
            raise error
        self._rereads += 1
        self._logger.warning(
            "%s; the window is read again (%d of %d times), and its last reading "
            "counts",
            error,
            self._rereads,
            _MOST_REREADS,
        )
        self._queue.put_back(window)
        # without the window, so that its pages are fetched anew and not the next ones
        self._reader.schedule(self._queue.upcoming(self._reader.lookahead)[1:])

    def _window_pages(
        self,
        window: Window,
        encode: Callable[[RowPage], Iterable[tuple[Row, bytes]]],
    ) -> Iterator[EncodedRows]:
        reader = self._reader
        self._sums = {}
        for place, page in reader.pages(window):
            self._stats.current.pages += 1
            self._progress.log(self._name, self._logger)
            yield from self._encode_page(place, page, window, encode)
            del page  # before the next one is there
        for account in reader.failed:
            self._sums.pop(account, None)
        self._reconciler.compare(window, self._sums)

    def _encode_page(
        self,
        place: str,
        page: Any,  # noqa: ANN401 - one of the reader's own pages
        window: Window,
        encode: Callable[[RowPage], Iterable[tuple[Row, bytes]]],
    ) -> Iterator[EncodedRows]:
        """Encode a page, some rows at once: the lines of all take as much memory."""
        reader = self._reader
        with error_context(place):
            row_page, totals = reader.read(page, window)
        tally, earlier = self._sums.get(row_page.account) or (
            Tally(reader.source, reader.columns, reader.summed),
            ControlTotals(),
        )
        self._sums[row_page.account] = tally, totals.completed(earlier)
        self._duplicates.begin_page(row_page)
        at_once = max(1, _RECORDS_AT_ONCE // len(row_page.slices))
        encoded = iter(encode(row_page))
        while some := [*islice(encoded, at_once)]:
            with error_context(place):
                rows = [pair for pair in some if self._duplicates.accept(*pair)]
            tally.add([row for row, _ in rows])
            yield EncodedRows(rows, row_page.slices, page.received)
