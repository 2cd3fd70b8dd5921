"""What a report asks of AdStage, as its bookmark remembers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tap_adstage.config.adstage import ADSTAGE, CROSS_NETWORKS
from tap_adstage.reports.history import SOURCE, Choice, Exact, Items

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_adstage.config.adstage import Statuses
    from tap_adstage.config.adstage_settings import AdStageReportConfig
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.history import Part

_NAME = "adstage"
"""The value of the setting `source`."""

_INCLUDED_IN: Mapping[Statuses, Sequence[Statuses]] = {
    "all_visible": ("all_with_deleted",),
    "all_active": ("all_visible", "all_with_deleted"),
    "all_inactive": ("all_visible", "all_with_deleted"),
    "all_with_deleted": (),
}
"""The choices of statuses that include each one (API V2: `statuses`)."""


def question(
    config: AdStageReportConfig,
    columns: ReportColumns,
    selected: Collection[str],
) -> Mapping[str, Part]:
    """List what a report asks for, apart from the days.

    Args:
        config: Its settings.
        columns: Its columns.
        selected: Names of the selected columns.

    Returns:
        The parts by the names of the keys and settings that they come from.
    """
    # A field that AdStage no longer has is not requested, so it is more once it is
    # back.
    requested = [
        column.request
        for column in columns.fields
        if column.requested and column.name in selected
    ]
    filters = sorted(map(dict, config.filters), key=_text)
    return {
        SOURCE: Exact(_NAME, default=_NAME),
        "entity_level": Exact(config.entity_level),
        "fields": Items(sorted(requested)),
        "networks": Items(sorted(config.networks), default=sorted(CROSS_NETWORKS)),
        "statuses": Choice(
            config.statuses, "all_with_deleted", _INCLUDED_IN[config.statuses]
        ),
        "targets": Items(sorted(config.targets), default=[], empty_is_all=True),
        "filters": Exact(filters, default=[]),
        "group_by": Exact(config.group_by and config.group_by.lower()),
        "dimensions": Exact(sorted(config.dimensions), default=[]),
        "provider": Exact(config.provider, default=ADSTAGE),
    }


def _text(condition: Mapping[str, object]) -> str:
    return json.dumps(condition, sort_keys=True, default=str)
