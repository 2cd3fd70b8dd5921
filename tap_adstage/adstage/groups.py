"""What a user should know of the fields that tell a report's rows apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.config.adstage_settings import AdStageReportConfig

_CHANGING = re.compile(
    r"(?:(?P<thing>.+)_)?(?:names?|status)(?P<user>\.\d+)?"
    r"|(?:bid|budget|quality_score)[._].+"
)
"""Names and statuses, alone or of a thing such as a campaign; amounts."""


def group_warnings(report: AdStageReportConfig, catalog: FieldCatalog) -> Iterator[str]:
    """Warn of a group, or a field in the key, that changes.

    What was written under its old value stays.
    """
    fields = [("key_fields", field) for field in report.key_fields]
    if report.group_by:
        fields.append(("group_by", report.group_by))
    for key, name in fields:
        field = catalog.spelling(name)
        changing = _CHANGING.fullmatch(field)
        if changing is None:
            continue
        steady = _steady_field(changing, report, catalog)
        advice = f"; {steady} never changes" if steady else ""
        yield (
            f"{key}: {field} can change in AdStage, and then the rows of its old value "
            f"stay in the table beside those of the new one{advice} (see Groups that "
            "change in docs/reports.md)"
        )


def _steady_field(
    changing: re.Match[str], report: AdStageReportConfig, catalog: FieldCatalog
) -> str | None:
    """Find the id of the thing whose name or status it is."""
    own = changing[0] in {"name", "status"}
    thing = report.entity_level.removesuffix("s") if own else changing["thing"]
    user = changing["user"] or ""
    candidates = (f"{thing}_entity_id", f"{thing}_id", f"{thing}_ids{user}")
    return next(filter(catalog.meta, candidates), None)
