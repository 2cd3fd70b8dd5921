"""How the windows of a report are read: an account and a batch after the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from tap_adstage.exceptions import ApiError, TapError, error_context
from tap_adstage.reports.control_totals import ControlTotals
from tap_adstage.reports.rows import RowPage, with_floats
from tap_adstage.reports.windows import Slice
from tap_adstage.spotify_ads.batches import (
    CONTROL,
    Batch,
    BatchPage,
    BatchPages,
    path_of,
)
from tap_adstage.spotify_ads.entities import name_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.prefetch import Prefetch
    from tap_adstage.reports.windows import Window
    from tap_adstage.spotify_ads.accounts import AdAccounts
    from tap_adstage.spotify_ads.api_warnings import ApiWarnings
    from tap_adstage.spotify_ads.batches import ReportRequests
    from tap_adstage.spotify_ads.report_page import ReportPage


class _ReadPage(NamedTuple):
    """A page that has been read: when it came, in UTC, its rows and its totals."""

    received: dt.datetime
    rows: RowPage
    totals: ControlTotals


class SpotifyAdsReportReader:
    """Reads the windows of a report, several batches at once.

    An account that fails is skipped from then on, and the others are read.
    """

    source = "Spotify"

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        columns: ReportColumns,
        requests: ReportRequests,
        accounts: AdAccounts,
        prefetch: Prefetch,
        *,
        ids: Sequence[str],
        failed: dict[str, TapError],
        summed: Mapping[str, int],
        warnings: ApiWarnings,
    ) -> None:
        """Send nothing yet.

        Args:
            name: Name of the report.
            columns: Its columns.
            requests: Makes its requests, and reads its rows.
            accounts: Has the accounts' names, and the client that sends them.
            prefetch: Fetches pages ahead.
            ids: Ids of the accounts to read.
            failed: The accounts that have failed in this run; others are added.
            summed: Fields of each account to compare with its own totals, with their
                fewest decimals; none if nothing is compared.
            warnings: Counts what Spotify warns of.
        """
        self.columns = columns
        self.failed = failed
        self.summed = summed
        self._name = name
        self._requests = requests
        self._client = accounts.client
        self._accounts = accounts
        self._prefetch = prefetch
        self._ids = ids
        self._windows: Sequence[Window] = ()
        self._unlisted: dict[str, TapError] = {}
        self._uncompared: dict[str, TapError | None] = {}
        self._warnings = warnings

    @property
    def has_totals(self) -> bool:
        """Whether there is anything to compare the rows with."""
        return bool(self.summed)

    @property
    def lookahead(self) -> int:
        """How many windows to schedule at most, with the one that is read."""
        return self._prefetch.lookahead

    def schedule(self, windows: Sequence[Window]) -> None:
        """Set which windows are read next, so that they are requested beforehand.

        Args:
            windows: The windows, in the order in which they will be read.
        """
        self._windows = windows
        batches = chain.from_iterable(map(self._batches, windows))
        self._fetch_ahead([*islice(batches, self.lookahead)])

    def cancel(self) -> None:
        """Schedule nothing more."""
        self._prefetch.cancel()

    def pages(self, window: Window) -> Iterator[tuple[str, _ReadPage]]:
        """Read a window's pages.

        Args:
            window: The first window that is scheduled.

        Yields:
            The page's place, for an error, and the page.

        Raises:
            TapError: If nothing else can be read, all accounts have failed, or the
                window may be too large.
        """
        if self._ids and self.failed.keys() >= {*self._ids}:
            raise ApiError("all of its ad accounts failed")
        later = [each for each in self._windows if each != window]
        batches = self._unfailed(
            chain.from_iterable(map(self._batches, [window, *later]))
        )
        upcoming: list[Batch] = []
        while True:
            upcoming = [*self._unfailed(upcoming)]
            upcoming += islice(batches, self.lookahead - len(upcoming))
            if not upcoming or upcoming[0].window != window:
                self._warn_uncompared()
                return
            self._fetch_ahead(upcoming)
            yield from self._pages_of(upcoming.pop(0))

    def first_page(self, window: Window) -> tuple[str, _ReadPage]:
        """Read the first page of a window's first batch alone.

        Args:
            window: Any window.

        Returns:
            The page's place, for an error, and the page; an empty one if no account has
            an entity to ask for.

        Raises:
            TapError: If it can't be read.
        """
        for account in self._ids:
            for batch in self._requests.batches(window, account):
                place = self._place(batch, 1)
                with error_context(place):
                    pages = BatchPages(self._client, self._requests, batch)
                    return place, self._read(pages.fetch(lambda: False))
        nothing = Batch.of(window, "", CONTROL)
        return self._name, self._read(BatchPage(nothing))

    def read(self, page: _ReadPage, window: Window) -> tuple[RowPage, ControlTotals]:
        """Return a page's rows; if they are of the account itself, they are its totals.

        Args:
            page: A page of `pages`.
            window: Its window.
        """
        del window  # each of its pages was read when it came, as its account may fail
        return page.rows, page.totals

    def _read(self, page: BatchPage) -> _ReadPage:
        """Read a page.

        Raises:
            ResponseError: If the page is not as documented.
        """
        batch = page.batch
        with error_context(f"GET {path_of(batch, self._requests)}"):
            pages = [self._requests.pages.decode(answer) for answer in page.answers]
        for part in pages:
            self._warnings.add(part.warnings)
        if page.no_data:
            self._requests.count_no_data(page.no_data)
        slices = [Slice(batch.range.start, batch.range.end)]
        if batch.number == CONTROL:
            rows = RowPage(slices, [], batch.account)
            return _ReadPage(page.received, rows, self._totals(pages))
        rows = RowPage(slices, [], batch.account, batch.number)
        for part in pages:  # one, or none without data
            table = self._requests.rows(batch, part)
            if part.is_plain:
                rows = replace(rows, rows=table.rows, columns=table.columns)
            else:
                rows = replace(rows, rows=with_floats(table.rows))
        return _ReadPage(page.received, rows, ControlTotals())

    def _totals(self, pages: Iterable[ReportPage]) -> ControlTotals:
        """Read an account's own totals."""
        totals = [
            dict(zip((stat.field_type for stat in row.stats), values, strict=True))
            for page in pages
            for row, values in zip(page.rows, page.values, strict=True)
            if row.start_time  # the others are of no day of the window
        ]
        return ControlTotals.of(self.summed, (), totals)

    def _unfailed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Skip the batches of accounts that have failed until they are taken.

        Totals that failed are skipped too: each may take as long as all retries.
        """
        return (
            each
            for each in batches
            if each.account not in self.failed
            and not (each.number == CONTROL and each.account in self._uncompared)
        )

    def _batches(self, window: Window) -> Iterator[Batch]:
        """List a window's batches, an account after the other."""
        for account in self._ids:
            if account in self.failed:
                continue
            if account not in self._unlisted:
                try:
                    self._accounts.account(account)  # rows have its currency
                    batches = self._requests.batches(window, account)
                except TapError as error:
                    if isinstance(error, ApiError):  # no list is of fewer days
                        error.may_be_too_large = False
                    self._unlisted[account] = error
            if account in self._unlisted:
                yield Batch.of(window, account, 1, error=self._unlisted[account])
                continue
            if self.summed:
                yield Batch.of(window, account, CONTROL)
            yield from batches

    def _fetch_ahead(self, batches: Sequence[Batch]) -> None:
        self._prefetch.schedule(
            batches,
            lambda batch: BatchPages(self._client, self._requests, batch),
        )

    def _pages_of(self, batch: Batch) -> Iterator[tuple[str, _ReadPage]]:
        """Read the pages of a batch, until its account fails."""
        pages = self._prefetch.pages(batch)
        number = 0
        while True:
            number += 1
            place = self._place(batch, number)
            try:
                with error_context(place):
                    page = next(pages, None)
                    read = page and self._read(page)
            except TapError as error:
                self._fail(batch, error)
                return
            if read is None:
                return
            yield place, read
            del page, read  # before the next one is there

    def _fail(self, batch: Batch, error: TapError) -> None:
        """Skip the batch's account from now on; raise its error if it is the last one.

        Without an account's own totals its rows can be read all the same.

        Raises:
            TapError: Also if it ends the run, or less can be requested.
        """
        is_optional = self._accounts.config.reconcile == "warn"
        if batch.number == CONTROL and is_optional and not error.ends_run:
            self._uncompared[batch.account] = error
            return
        may_be_too_large = isinstance(error, ApiError) and error.may_be_too_large
        if error.ends_run or (may_be_too_large and batch.window.can_split):
            raise error
        self.failed[batch.account] = error
        if self.failed.keys() >= {*self._ids}:
            raise error

    def _warn_uncompared(self) -> None:
        """Warn once of each account whose totals failed, unless all of it failed."""
        for account, error in self._uncompared.items():
            if error and account not in self.failed:
                self._client.transport.logger.warning(
                    "%s; so the rows of the account are not compared with Spotify's "
                    "own totals, from this window on",
                    str(error).removesuffix("."),
                )
            self._uncompared[account] = None

    def _place(self, batch: Batch, number: int) -> str:
        account = account_name(self._accounts, batch.account)
        if batch.error:
            return f"{self._name}, {batch.window.range}, {account}"
        part = "totals" if batch.number == CONTROL else f"batch {batch.number}"
        return f"{self._name}, {batch.window.range}, {account}, {part}, page {number}"


def account_name(accounts: AdAccounts, account_id: str) -> str:
    """Name an account for a message; by its id alone if it can't be read.

    Raises:
        TapError: If nothing else can be read either.
    """
    try:
        return name_of(accounts.account(account_id))
    except TapError as error:
        if error.ends_run:
            raise
        return f"ad account {account_id}"
