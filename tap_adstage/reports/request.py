"""The question of a report (API V2: Building Reports)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_adstage.config import ReportConfig
    from tap_adstage.reports.columns import FieldCatalog, ReportColumns
    from tap_adstage.windows import Window

PATH = "/v2/organizations/{organization_id}/report"


def body(  # noqa: PLR0913 - the parts of the question
    report: ReportConfig,
    window: Window,
    *,
    fields: Sequence[str],
    catalog: FieldCatalog,
    accounts: Sequence[str] | None,
    page_size: int,
) -> dict[str, Any]:
    """The body of a report's first page; further pages add a `page_token`.

    Args:
        report: The report.
        window: The days to ask for; they go out as an absolute date range.
        fields: Fields to ask for, in the API's spelling.
        catalog: Knows the API's spelling of what the report sorts and filters by.
        accounts: Entity ids of the chosen accounts, `None` for all.
        page_size: Rows a page.

    Returns:
        The body.
    """
    targets = list(report.targets) or list(accounts or [])
    filters = [_spelled(condition, catalog) for condition in report.filters]
    if report.targets and accounts is not None:
        filters.append(
            {
                "path": "meta/account_entity_id",
                "op": "in",
                "value": list(accounts),
            },
        )
    metrics: dict[str, Any] = {
        "networks": list(report.networks),
        "entity_level": report.entity_level,
    }
    if targets:
        metrics["targets"] = targets
    question: dict[str, Any] = {
        "version": "2",
        "date_range": str(window.range),
        "output_format": "row",
        "sources": {"metrics": metrics},
        "fields": list(fields),
        "sort_by": _api_spelling(report.sort_by, catalog),
        "order": report.order,
        "limit": page_size,
        "statuses": report.statuses,
        "ignore_precision": report.ignore_precision,
        "relative_to_time_zone": report.time_zone,
    }
    if report.aggregate_by != "total":
        question |= {"output_format": "series", "aggregate_by": report.aggregate_by}
    if filters:
        question["filters"] = filters
    if report.group_by:
        question["group_by"] = report.group_by.lower()
    return question


def fields_to_request(
    columns: ReportColumns,
    selected: Collection[str],
) -> list[str]:
    """The fields of the columns that are wanted.

    Args:
        columns: The report's columns.
        selected: Names of the columns that are selected, keys among them.

    Returns:
        The API's names, in the columns' order.
    """
    return [column.field for column in columns.fields if column.name in selected]


def _api_spelling(field: str, catalog: FieldCatalog) -> str:
    return catalog.metric(field) or field.lower()


def _spelled(condition: Mapping[str, Any], catalog: FieldCatalog) -> dict[str, Any]:
    path = str(condition["path"])
    spelled = path.lower() if path.startswith("meta/") else _api_spelling(path, catalog)
    return {**condition, "path": spelled}
