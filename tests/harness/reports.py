"""Reports without a server: their settings, their columns, pages read for them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec

from tap_adstage.adstage.fields import FieldCatalog
from tap_adstage.adstage.page import Page
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.adstage.report_query import ReportQuery
from tap_adstage.adstage.v1 import ReportV1
from tap_adstage.adstage.v2 import ReportV2
from tap_adstage.config.adstage_settings import AdStageReportConfig
from tap_adstage.config.parsing import parse
from tap_adstage.reports.rows import records_of
from tap_adstage.runtime.redaction import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_adstage.reports.control_totals import ControlTotals
    from tap_adstage.reports.windows import Window

TODAY = dt.date(2024, 3, 20)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def report_config(today: dt.date = TODAY, **keys: Any) -> AdStageReportConfig:  # noqa: ANN401
    """Type a report's settings, as of noon of a day."""
    config = parse(
        {"sandbox": True, "reports": [{"name": "r", **keys}]},
        now=dt.datetime(today.year, today.month, today.day, 12, tzinfo=dt.timezone.utc),
        stream_names=[],
    )
    (report,) = config.reports
    assert isinstance(report, AdStageReportConfig)
    return report


def page_of(document: Mapping[str, Any]) -> Page:
    """Make a page of its document; decimals are numbers."""
    return Page.read(_ENCODER.encode(document), Secrets())


def report_of(
    config: AdStageReportConfig,
    descriptors: Iterable[Mapping[str, Any]],
) -> ReportV1 | ReportV2:
    """Make what reads a report's pages."""
    catalog = FieldCatalog.of(descriptors, is_external=config.is_external)
    columns = report_columns(config, catalog)
    fields = [column.field for column in columns.fields if column.requested]
    query = ReportQuery(
        report=config,
        fields=fields,
        catalog=catalog,
        accounts=None,
        page_size=1000,
    )
    return (ReportV1 if config.api_version == 1 else ReportV2)(query, columns)


def read_records(
    document: Mapping[str, Any],
    window: Window,
    config: AdStageReportConfig,
    descriptors: Iterable[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Read the records of a page."""
    report = report_of(config, descriptors)
    row_page, _ = report.read(page_of(document), window)
    return [
        record
        for row in row_page.rows
        for record in records_of(row, row_page.slices, report.columns)
    ]


def read_totals(
    document: Mapping[str, Any],
    window: Window,
    config: AdStageReportConfig,
    descriptors: Iterable[Mapping[str, Any]],
) -> ControlTotals:
    """Read the control totals of a page."""
    _, totals = report_of(config, descriptors).read(page_of(document), window)
    return totals
