"""Which totals are requested, and which of them a report's rows add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_adstage.reports.columns import ReportColumns

SUMMED = {"clicks": 0, "impressions": 0, "spend": 2}
"""Metrics whose sum over rows is AdStage's total, with their fewest decimals: a total
of money is rounded to cents even if every number in it is whole."""

_OVERLAPPING_GROUPS = (
    "folder_names",
    "folder_ids",
    "account_group_id",
    "account_group_name",
)
"""An entity may be in several of these groups, and is once in the total."""


def summed_fields(
    columns: ReportColumns,
    requested: Collection[str],
) -> dict[str, int]:
    """Choose the fields whose sum over a report's rows is AdStage's total.

    Args:
        columns: The report's columns.
        requested: Fields that are requested.

    Returns:
        The requested ones of `SUMMED` with their decimals; none if an entity may be in
        several rows.
    """
    groups = {column.field for column in columns.fields if column.name == columns.group}
    if any(group.startswith(_OVERLAPPING_GROUPS) for group in groups):
        return {}
    return {
        column.field: SUMMED[column.field]
        for column in columns.metrics
        if column.field in SUMMED and column.field in requested
    }


def control_fields(columns: ReportColumns, requested: Sequence[str]) -> list[str]:
    """Choose the fields whose totals to request.

    Args:
        columns: The report's columns.
        requested: Fields that are requested; AdStage has totals only of these.

    Returns:
        The ones to sum up; if there are none, a single other one, as AdStage counts
        rows only if it sums something up.
    """
    metrics = [column.field for column in columns.metrics]
    others = [name for name in requested if name in metrics] or [*requested]
    return [*summed_fields(columns, requested)] or others[:1]
