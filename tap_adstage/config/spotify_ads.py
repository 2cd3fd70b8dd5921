"""Spotify Ads' vocabulary: the values that its settings and report keys take."""

from collections.abc import Mapping
from dataclasses import dataclass

SPOTIFY_ADS = "spotify_ads"

E_CPM = "E_CPM"
"""A field that Spotify no longer has: 1000 * SPEND / IMPRESSIONS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level of Spotify's entities.

    Attributes:
        entity_type: The API's `entity_type`.
        member: Last part of the path of the list of an ad account's entities, and the
            member of its answers that holds them; `None` for ad accounts.
        parent: The level of the parents that report rows name; `None` without.
    """

    entity_type: str
    member: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportField:
    """A field of Spotify's reports.

    Attributes:
        in_audiences: Whether an audience report may have it.
        is_additive: Whether its values of several days or entities can be added up.
        is_conversion: Whether Spotify hides values of 1 to 4 conversions, as -5.
    """

    in_audiences: bool = True
    is_additive: bool = True
    is_conversion: bool = False


_COUNT = ReportField()
_RATIO = ReportField(is_additive=False)
_PEOPLE = ReportField(is_additive=False)
_CONVERSIONS = ReportField(is_conversion=True)
_CONVERSION_RATIO = ReportField(is_additive=False, is_conversion=True)
_BARRED_COUNT = ReportField(in_audiences=False)
_BARRED_RATIO = ReportField(in_audiences=False, is_additive=False)

FIELDS: Mapping[str, ReportField] = {
    "IMPRESSIONS": _COUNT,
    "STREAMED_IMPRESSIONS": _COUNT,
    "OFF_SPOTIFY_IMPRESSIONS": _BARRED_COUNT,
    "CLICKS": _COUNT,
    "CTR": _RATIO,
    "SPEND": _BARRED_COUNT,
    E_CPM: _BARRED_RATIO,
    "E_CPCL": _BARRED_RATIO,
    "REACH": _PEOPLE,
    "FREQUENCY": _BARRED_RATIO,
    "STARTS": _BARRED_COUNT,
    "FIRST_QUARTILES": _COUNT,
    "MIDPOINTS": _COUNT,
    "THIRD_QUARTILES": _COUNT,
    "COMPLETES": _COUNT,
    "COMPLETION_RATE": _RATIO,
    "SKIPS": _BARRED_COUNT,
    "UNMUTES": _BARRED_COUNT,
    "VIDEO_VIEWS": _COUNT,
    "VIDEO_EXPANDS": _COUNT,
    "VIDEO_EXPAND_RATE": _RATIO,
    "PAID_LISTENS": _COUNT,
    "PAID_LISTENS_FREQUENCY": _BARRED_RATIO,
    "PAID_LISTENS_REACH": _PEOPLE,
    "LISTENERS": _PEOPLE,
    "NEW_LISTENERS": _PEOPLE,
    "STREAMS": _COUNT,
    "STREAMS_PER_USER": _RATIO,
    "NEW_LISTENER_STREAMS": _COUNT,
    "STREAMS_PER_NEW_LISTENER": _RATIO,
    "INTENT_RATE": _RATIO,
    "CONVERSION_RATE": _RATIO,
    "NEW_LISTENER_CONVERSION_RATE": _RATIO,
    "PAGE_VIEWS": _CONVERSIONS,
    "LEADS": _CONVERSIONS,
    "ADD_TO_CART": _CONVERSIONS,
    "START_CHECKOUT": _CONVERSIONS,
    "PURCHASES": _CONVERSIONS,
    "PRODUCTS": _CONVERSIONS,
    "SIGN_UPS": _CONVERSIONS,
    "CUSTOM_EVENT_1": _CONVERSIONS,
    "CUSTOM_EVENT_2": _CONVERSIONS,
    "CUSTOM_EVENT_3": _CONVERSIONS,
    "CUSTOM_EVENT_4": _CONVERSIONS,
    "CUSTOM_EVENT_5": _CONVERSIONS,
    "REVENUE": _CONVERSIONS,
    "AVERAGE_ORDER_VALUE": _CONVERSION_RATIO,
    "RETURN_ON_AD_SPEND": _CONVERSION_RATIO,
    "CUSTOMER_ACQUISITION_COST": _CONVERSION_RATIO,
    "COST_PER_LEAD": _CONVERSION_RATIO,
}
"""The fields of reports, in upper case as the API writes them."""

LEVELS: Mapping[str, Level] = {
    "ad_accounts": Level(entity_type="AD_ACCOUNT"),
    "campaigns": Level(entity_type="CAMPAIGN", member="campaigns"),
    "ad_sets": Level(entity_type="AD_SET", member="ad_sets", parent="campaigns"),
    "ads": Level(entity_type="AD", member="ads", parent="ad_sets"),
}
"""The tap's levels."""

AUDIENCES = (
    "ACT_AND_SET",
    "AGE",
    "AUDIENCE",
    "CITY",
    "COUNTRY",
    "FORMAT",
    "GENDER",
    "GENRE",
    "INTERESTS",
    "METRO",
    "PLACEMENT",
    "PLATFORM",
    "PODCAST_EPISODE_TOPIC",
    "REGION",
    "TONE",
)
"""What an audience report breaks an entity's whole life down by."""

ENTITY_LEVEL_ALIASES = {level.entity_type: name for name, level in LEVELS.items()}
"""The API's names of levels, and the tap's."""

AGGREGATE_BY_ALIASES = {"DAY": "day", "HOUR": "hour", "LIFETIME": "total"}
"""The API's names of granularities, and the tap's."""

LONGEST_DATED_TOTAL = 90
"""Days that a total with dates may have, both ends included."""
