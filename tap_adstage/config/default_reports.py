"""The reports of a config without `reports`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_IDENTIFYING_FIELDS = {
    "accounts": ("account_name", "remote_account_id"),
    "campaigns": ("campaign_name", "remote_campaign_id"),
    "ad_groups": ("ad_group_name", "remote_ad_group_id"),
    "ads": ("ad_name", "remote_ad_id"),
    "keywords": ("keyword_text", "remote_keyword_id"),
}
_WITH_PARENTS: Mapping[str, Sequence[str]] = {
    "accounts": ("accounts",),
    "campaigns": ("accounts", "campaigns"),
    "ad_groups": ("accounts", "campaigns", "ad_groups"),
    "ads": ("accounts", "campaigns", "ad_groups", "ads"),
    "keywords": ("accounts", "campaigns", "ad_groups", "keywords"),
}
"""Each entity level with its parents, the account first."""

_METRICS = ("clicks", "impressions", "spend", "conversions")


def default_reports() -> list[dict[str, Any]]:
    """Make a daily report for each entity level, with the fields that identify it."""
    return [
        {
            "name": f"{level.removesuffix('s')}_performance",
            "entity_level": level,
            "fields": [*_METRICS, *identifying_fields(level)],
        }
        for level in _WITH_PARENTS
    ]


def identifying_fields(entity_level: str) -> list[str]:
    """List names and remote ids of a level and its parents, the account's first."""
    return [
        field
        for level in _WITH_PARENTS[entity_level]
        for field in _IDENTIFYING_FIELDS[level]
    ]
