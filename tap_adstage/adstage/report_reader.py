"""How the windows of a report are requested from AdStage."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage.lookups import naming_settings
from tap_adstage.adstage.pagination import ApiRequest
from tap_adstage.adstage.summed_fields import summed_fields
from tap_adstage.adstage.v1 import ReportV1
from tap_adstage.adstage.v2 import ReportV2
from tap_adstage.adstage.window_pages import AdStageWindowPages
from tap_adstage.exceptions import error_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.report_query import ReportQuery
    from tap_adstage.exceptions import TapError
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.control_totals import ControlTotals
    from tap_adstage.reports.prefetch import Prefetch
    from tap_adstage.reports.rows import RowPage
    from tap_adstage.reports.windows import Window


class AdStageReportReader:
    """Sends a report's query for one window after the other."""

    source = "AdStage"
    has_totals = True
    """AdStage counts and sums up what it answers."""
    failed: Mapping[str, TapError] = MappingProxyType({})
    """AdStage answers for all accounts at once, so none fails alone."""

    def __init__(
        self,
        query: ReportQuery,
        columns: ReportColumns,
        directory: Directory,
        prefetch: Prefetch,
    ) -> None:
        """Send nothing yet.

        Args:
            query: What to request, apart from the days.
            columns: The report's columns.
            directory: The organization that is reported on.
            prefetch: Fetches pages ahead.
        """
        version = ReportV1 if query.report.api_version == 1 else ReportV2
        self._api = version(query, columns)
        self._query = query
        self._client = directory.client
        self._prefetch = prefetch
        self._url = directory.client.url(
            self._api.path,
            organization_id=directory.organization_id,
        )
        self.columns = columns
        self.summed = summed_fields(columns, query.fields)

    @property
    def lookahead(self) -> int:
        """How many windows to schedule at most, with the one that is read."""
        return self._prefetch.lookahead

    def schedule(self, windows: Sequence[Window]) -> None:
        """Set which windows are read next, so that they are requested beforehand.

        Args:
            windows: The windows, in the order in which they will be read.
        """
        self._prefetch.schedule(windows, self._pages_of)

    def cancel(self) -> None:
        """Schedule nothing more."""
        self._prefetch.cancel()

    def pages(self, window: Window) -> Iterator[tuple[str, Page]]:
        """Read a window's pages.

        Args:
            window: The first window that is scheduled.

        Yields:
            The page's place, for an error, and the page.

        Raises:
            TapError: As `Prefetch.pages` raises it.
        """
        pages = self._prefetch.pages(window)
        number = 0
        while True:
            number += 1
            place = self._place(window, number)
            with error_context(place), naming_settings(self._query.report):
                page = next(pages, None)
            if page is None:
                return
            yield f"{place}: POST {self._url}", page
            del page  # before the next one is there

    def first_page(self, window: Window) -> tuple[str, Page]:
        """Read a window's first page alone, as `pages` does.

        Args:
            window: Any window.

        Returns:
            The page's place, for an error, and the page.

        Raises:
            TapError: As `AdStageClient.page` raises it.
        """
        request, place = self._first_request(window), self._place(window, 1)
        with error_context(place), naming_settings(self._query.report):
            _, page = self._client.page(request)
        return f"{place}: {request}", page

    def read(self, page: Any, window: Window) -> tuple[RowPage, ControlTotals]:  # noqa: ANN401 - see `pages`
        """Read a page's rows, and AdStage's totals if it has any.

        Args:
            page: A page of `pages`.
            window: Its window.

        Raises:
            ResponseError: If the page is not as documented.
        """
        return self._api.read(page, window)

    def _pages_of(self, window: Window) -> AdStageWindowPages:
        request = self._first_request(window)
        return AdStageWindowPages(self._client, request, can_split=window.can_split)

    def _first_request(self, window: Window) -> ApiRequest:
        return ApiRequest(self._url, self._api.body(window))

    def _place(self, window: Window, number: int) -> str:
        return f"{self._query.report.name}, {window.range}, page {number}"
