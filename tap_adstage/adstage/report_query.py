"""The parts of a report's query that both versions of the API share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.config.adstage_settings import AdStageReportConfig
    from tap_adstage.reports.columns import ReportColumns


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """What a report requests, apart from the days.

    Attributes:
        report: The report.
        fields: Fields to request, in the API's spelling.
        catalog: Spells the fields of `sort_by`, `group_by` and filters as the API does.
        accounts: Entity ids of the accounts to request, `None` for all.
        page_size: Rows a page.
        are_targets: Whether the accounts can be targets: all are the organization's.
        control_fields: Fields whose totals to request; none if nothing is compared.
    """

    report: AdStageReportConfig
    fields: Sequence[str]
    catalog: FieldCatalog
    accounts: Sequence[str] | None
    page_size: int
    are_targets: bool = True
    control_fields: Sequence[str] = ()

    @property
    def targets(self) -> list[str]:
        """The report's own targets, else the accounts; empty if it is not limited."""
        accounts = self.accounts if self.are_targets else None
        return list(self.report.targets) or list(accounts or [])

    @property
    def filters(self) -> list[dict[str, Any]]:
        """The report's filters, and one for the accounts if they can't be targets."""
        filters = [self._spelled(condition) for condition in self.report.filters]
        is_narrowed = bool(self.report.targets) or not self.are_targets
        if self.accounts is not None and is_narrowed and not self.report.is_external:
            filters.append(
                {
                    "path": "meta/account_entity_id",
                    "op": "in",
                    "value": list(self.accounts),
                },
            )
        return filters

    @property
    def sort_by(self) -> str:
        """The field that orders the pages; a dimension as the network spells it."""
        field = self.report.sort_by
        return (
            field if field in self.report.dimensions else self.catalog.spelling(field)
        )

    @property
    def group_by(self) -> str | None:
        """The meta field to group rows by, if any."""
        group = self.report.group_by
        return None if group is None else self.catalog.spelling(group)

    def _spelled(self, condition: Mapping[str, Any]) -> dict[str, Any]:
        path = str(condition["path"])
        name = path.removeprefix("meta/")
        prefix = path[: len(path) - len(name)]
        return {**condition, "path": prefix + self.catalog.spelling(name)}


def fields_to_request(
    columns: ReportColumns,
    selected: Collection[str],
) -> list[str]:
    """List the fields of the selected columns.

    Args:
        columns: The report's columns.
        selected: Names of the columns that are selected, keys among them.

    Returns:
        The API's names, in the columns' order, without fields that every row has.
    """
    return [
        column.field
        for column in columns.fields
        if column.requested and column.name in selected
    ]
