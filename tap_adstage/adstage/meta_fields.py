"""The meta fields that AdStage documents (API: Discovering Metrics, Meta Fields).

No endpoint lists them, and they rarely change.
"""

from __future__ import annotations

import re

META_FIELDS = frozenset(
    {
        "network",
        "name",
        "account_name",
        "campaign_name",
        "ad_group_name",
        "ad_name",
        "currency_code",
        "currency_symbol",
        "remote_account_id",
        "remote_campaign_id",
        "remote_ad_group_id",
        "remote_ad_id",
        "remote_keyword_id",
        "account_group_id",
        "account_group_name",
        "folder_names",
        "folder_ids",
        "id",
        "entity_id",
        "account_entity_id",
        "campaign_entity_id",
        "ad_group_entity_id",
        "ad_entity_id",
        "keyword_entity_id",
        "status",
        "account_status",
        "campaign_status",
        "ad_group_status",
        "ad_status",
        "keyword_status",
        "bid_float",
        "bid.pretty_bid",
        "bid.title",
        "bid.subtitle",
        "bid.type",
        "bid.value",
        "budget_float",
        "budget.pretty_budget",
        "budget.title",
        "budget.subtitle",
        "budget.type",
        "budget.value",
        "objective",
        "objective.code",
        "objective.title",
        "objective.subtitle",
        "objective.unit",
        "type",
        "campaign_type",
        "ad_type",
        "keyword_match_type",
        "keyword_text",
        "quality_score_float",
        "title",
        "ad_headline",
        "description",
        "update",
        "post_text",
        "destination_url",
        "final_url",
        "final_mobile_url",
        "image_url",
        "submitted_image_url",
        "tracking_url_template",
        "tracking_params",
        "tracking_params.utm_medium",
        "tracking_params.utm_source",
        "tracking_params.utm_campaign",
        "tracking_params.utm_content",
        "tracking_params.utm_term",
    }
)
"""Every field that the documentation's tables name, in the API's spelling."""

OPEN_FIELDS = (
    "folder_ids.{user id}",
    "folder_names.{user id}",
    "tracking_params.{parameter}",
)
"""Forms of fields with a part of the user's own."""

_OPEN_FIELDS = re.compile(r"folder_(names|ids)\.\d+|tracking_params\.[\w-]+")
"""Fields with a part of the user's own: a user's id, a parameter's name."""


def meta_field(name: str) -> str | None:
    """Find a meta field.

    Args:
        name: Its name in any case.

    Returns:
        The API's spelling, or `None` if the field is not documented. A parameter's name
        is the user's own, and stays as it is.
    """
    lower = name.lower()
    if lower in META_FIELDS:
        return lower
    if _OPEN_FIELDS.fullmatch(lower):
        family, dot, own = name.partition(".")
        return f"{family.lower()}{dot}{own}"
    return None
