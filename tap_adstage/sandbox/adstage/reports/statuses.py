"""The `statuses` of report requests."""

from __future__ import annotations

from tap_adstage.sandbox.world.entities import VISIBLE

STATUS_FILTERS = {
    "all_visible": VISIBLE,
    "all_active": frozenset({"ACTIVE"}),
    "all_inactive": frozenset({"PAUSED", "COMPLETED"}),
    "all_with_deleted": VISIBLE | {"ARCHIVED", "DELETED"},
}
"""The entity statuses that each value of a report's `statuses` stands for."""

STATUS_WORDS = {
    "active": "ACTIVE",
    "ad_group_inactive": "PAUSED",
    "archived": "ARCHIVED",
    "campaign_inactive": "PAUSED",
    "completed": "COMPLETED",
    "deleted": "DELETED",
    "empty": None,
    "inactive": "PAUSED",
    "not_empty": None,
}
"""The words that V1's links write for `statuses`; None for words without effect."""
