"""AdStage's vocabulary: the values that its settings and report keys take."""

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


def is_calculated(field: str) -> bool:
    """Whether a field is a calculated metric, which API version 1 lacks."""
    return field.lower().startswith("calculated_metric:")
