"""How AdStage is asked for a report's windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.adstage.pagination import ApiRequest
from tap_adstage.adstage.report_api import VERSIONS
from tap_adstage.exceptions import error_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.report_query import ReportQuery
    from tap_adstage.reports.windows import Window


class ReportReader:
    """A report's question, put for one window after the other."""

    def __init__(self, question: ReportQuery, directory: Directory) -> None:
        """Ask nothing yet.

        Args:
            question: What to ask for, apart from the days.
            directory: The organization that is reported on.
        """
        self._question = question
        self._client = directory.client
        self._prefetch = directory.prefetch
        self._api = VERSIONS[question.report.api_version]
        self._url = directory.client.url(
            self._api.PATH,
            organization_id=directory.organization_id,
        )

    @property
    def lookahead(self) -> int:
        """How many windows it makes sense to expect, with the one that is read."""
        return self._prefetch.lookahead

    def schedule(self, windows: Sequence[Window]) -> None:
        """Say which windows are read next, so that they are asked for beforehand.

        Args:
            windows: The windows, in the order in which they are going to be read.
        """
        self._prefetch.schedule(windows, self._first_page)

    def pages(self, window: Window) -> Iterator[tuple[str, Page]]:
        """Read a window's pages.

        Args:
            window: The first window that is expected.

        Yields:
            What errors call a page, and the page.

        Raises:
            TapError: As `Prefetch.pages` raises it.
        """
        pages = self._prefetch.pages(window)
        number = 0
        while True:
            number += 1
            where = self._place(window, number)
            with error_context(where):
                page = next(pages, None)
            if page is None:
                return
            yield f"{where}: POST {self._url}", page

    def first_page(self, window: Window) -> tuple[str, Page]:
        """Read a window's first page alone, as `pages` does.

        Args:
            window: Any window.

        Returns:
            What errors call the page, and the page.

        Raises:
            TapError: As `AdStageClient.page` raises it.
        """
        request, where = self._first_page(window), self._place(window, 1)
        with error_context(where):
            _, page = self._client.page(request)
        return f"{where}: {request}", page

    def _first_page(self, window: Window) -> ApiRequest:
        return ApiRequest(self._url, self._api.body(self._question, window))

    def _place(self, window: Window, number: int) -> str:
        return f"{self._question.report.name}, {window.range}, page {number}"
