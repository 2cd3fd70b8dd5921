"""What each version of AdStage's report API has to offer to a report's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_adstage.adstage import v1, v2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_adstage.adstage.report_columns import ReportColumns
    from tap_adstage.adstage.report_query import ReportQuery
    from tap_adstage.config.reports import ReportConfig
    from tap_adstage.reports.control_totals import ControlTotals
    from tap_adstage.reports.rows import Row
    from tap_adstage.reports.windows import Window


class ReportApi(Protocol):
    """A version of the API: how it is asked, and how its answers are read."""

    PATH: str
    """Template below the API's root, with `organization_id`."""

    TOTALS_ARE_EMBEDDED: bool
    """Whether a page has its totals where its rows are."""

    def body(self, question: ReportQuery, window: Window) -> dict[str, Any]:
        """The body of a report's first page."""

    def rows(
        self,
        page: Mapping[str, Any],
        window: Window,
        columns: ReportColumns,
        report: ReportConfig,
    ) -> Iterator[Row]:
        """Read a page's rows."""

    def control(
        self,
        page: Mapping[str, Any],
        window: Window,
        report: ReportConfig,
    ) -> ControlTotals | None:
        """Read AdStage's own count and totals of all of a report's pages."""


VERSIONS: Mapping[int, ReportApi] = {1: v1, 2: v2}
