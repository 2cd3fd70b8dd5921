"""The audiences of campaigns and ad sets: their lifetime sums, divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.spotify_ads.world.metrics import (
    IMPRESSIONS,
    PURCHASES,
    REVENUE,
)
from tap_adstage.sandbox.spotify_ads.world.sums import split
from tap_adstage.sandbox.spotify_ads.world.world import WorldRow, lifetime
from tap_adstage.sandbox.world.prng import between, mix

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tap_adstage.sandbox.spotify_ads.world.entities import Entity

UNSET = "UNSET"
AUDIENCES = {
    "ACT_AND_SET": ("CHILL", "COMMUTE", "FOCUS", "PARTY", UNSET),
    "AGE": ("18-24", "25-29", "30-34", "35-44", "45-54", "55-64", "65+", UNSET),
    "AUDIENCE": ("Fans of jazz", "Runners", UNSET),
    "CITY": ("Chicago", "Houston", "New York", UNSET),
    "COUNTRY": ("CA", "GB", "US", UNSET),
    "FORMAT": ("AUDIO", "VIDEO", UNSET),
    "GENDER": ("FEMALE", "MALE", "NON_BINARY", UNSET),
    "GENRE": ("blues", "classical", "jazz", "pop", "rock", UNSET),
    "INTERESTS": ("Cooking", "Travel", UNSET),
    "METRO": ("Chicago IL", "New York NY", UNSET),
    "PLACEMENT": ("MUSIC", "PODCAST", UNSET),
    "PLATFORM": ("ANDROID", "DESKTOP", "IOS", UNSET),
    "PODCAST_EPISODE_TOPIC": ("automotive", "science", UNSET),
    "REGION": ("California", "Illinois", "Texas", UNSET),
    "TONE": ("Calm", "Lively", UNSET),
}
"""The values of each dimension; the API's own lists are not public."""

_SMALLEST = 60_000
"""Impressions below which there are no insights."""

_CODES = (
    "INSUFFICIENT_IMPRESSIONS",
    "INSUFFICIENT_REACH",
    "INSUFFICIENT_LISTENERS",
)
_UNAVAILABLE_SHARE = 11
_CODE, _UNAVAILABLE, _WEIGHT = 71, 72, 73


@dataclass(frozen=True)
class AudienceRow(WorldRow):
    """The lifetime metrics of a part of an entity's audience.

    Attributes:
        audience: The part, one of the dimension's values.
    """

    audience: str


def insight_obstacle(entity: Entity, today: dt.date) -> str | None:
    """Return the end of the error code for which an entity has no insights."""
    if mix(entity.key, _UNAVAILABLE) % _UNAVAILABLE_SHARE == 0:
        return "PLACEMENT_UNAVAILABLE"
    if lifetime(entity, (IMPRESSIONS,), today).value(IMPRESSIONS) >= _SMALLEST:
        return None
    return _CODES[mix(entity.key, _CODE) % len(_CODES)]


def audience_rows(
    entity: Entity, dimension: str, fields: Sequence[str], today: dt.date
) -> list[AudienceRow]:
    """Return a row for each part of an entity's audience, which add up to it."""
    whole = lifetime(entity, tuple(fields), today)
    values = AUDIENCES[dimension]
    weights = [
        between(entity.key, _WEIGHT + place, 1, 9) for place in range(len(values))
    ]
    parts = {name: split(total, weights) for name, total in whole.sums.items()}
    if whole.sums.get(PURCHASES):  # each purchase has its revenue in its part
        parts[REVENUE] = split(whole.sums.get(REVENUE, 0), parts[PURCHASES])
    return [
        AudienceRow(
            entity,
            whole.start,
            whole.end,
            {name: column[place] for name, column in parts.items()},
            audience,
        )
        for place, audience in enumerate(values)
    ]
