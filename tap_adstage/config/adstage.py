"""AdStage's vocabulary: the values that its settings and report keys take."""

import re
from collections.abc import Mapping
from typing import Literal, get_args

ADSTAGE = "adstage"
"""The provider of what AdStage has imported; all others are external."""

Network = Literal[
    "adwords",
    "amazon",
    "bing_ads",
    "facebook",
    "linkedin",
    "pinterest",
    "quora",
    "spotify",
    "twitter",
]
Statuses = Literal["all_visible", "all_active", "all_inactive", "all_with_deleted"]
EntityLevel = Literal["accounts", "campaigns", "ad_groups", "ads", "keywords"]
AggregateBy = Literal["day", "week", "month", "total"]
Provider = Literal["adstage", "facebook", "adwords", "gemini", "google_analytics"]
_NumberOperator = Literal["gt", "lt", "gte", "lte"]
_ListOperator = Literal["in", "iin"]
_TextOperator = Literal["match", "nomatch", "imatch", "inomatch"]

FilterOperator = Literal[_NumberOperator, _ListOperator, _TextOperator]

CROSS_NETWORKS: tuple[Network, ...] = get_args(Network)
"""Networks whose data AdStage imports, in the documentation's order."""

ENTITY_LEVEL_ALIASES = {
    "AD_ACCOUNT": "accounts",
    "CAMPAIGN": "campaigns",
    "AD_SET": "ad_groups",
    "AD": "ads",
}
"""Levels of Fivetran's Spotify Ads connector, and those that they stand for."""

AGGREGATE_BY_ALIASES = {"DAY": "day", "LIFETIME": "total"}
"""Granularities of Fivetran's Spotify Ads connector, and what they stand for."""

EXTERNAL_PROVIDERS: tuple[Provider, ...] = tuple(
    provider for provider in get_args(Provider) if provider != ADSTAGE
)
"""Networks that AdStage also reports on live, with descriptors of their own."""

FILTER_OPERATORS: Mapping[FilterOperator, str] = {
    **dict.fromkeys(get_args(_NumberOperator), "number"),
    **dict.fromkeys(get_args(_ListOperator), "array"),
    **dict.fromkeys(get_args(_TextOperator), "string"),
}
"""The operators of filters, and the JSON type of the value that each takes."""


CUSTOM_CONVERSIONS = "custom_conversions:"
CALCULATED_METRIC = "calculated_metric:"
CUSTOM_FAMILIES = (CUSTOM_CONVERSIONS, CALCULATED_METRIC)
"""What the names of an organization's own metrics begin with."""

_CUSTOM_FIELD = re.compile(
    rf"{CUSTOM_CONVERSIONS}[^\s:*]+(:[^\s:*]+)+|{CALCULATED_METRIC}[0-9]+"
)


def is_calculated(field: str) -> bool:
    """Whether a field is a calculated metric, which API version 1 lacks."""
    return field.lower().startswith(CALCULATED_METRIC)


def is_custom(field: str) -> bool:
    """Whether a field has the form of an organization's own metric.

    A user may delete such a metric in AdStage, so it may be missing and yet no mistake.
    """
    return _CUSTOM_FIELD.fullmatch(field.lower()) is not None


def family_of(field: str) -> str | None:
    """Find which custom metrics a field such as `custom_conversions:*` stands for.

    Returns:
        What their names begin with; `None` if the field is a single one.
    """
    family = field.lower().removesuffix("*")
    return family if field.endswith("*") and family in CUSTOM_FAMILIES else None
