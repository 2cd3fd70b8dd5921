"""The 49 metrics of reports, and how they follow from sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IMPRESSIONS, PURCHASES, REVENUE = "IMPRESSIONS", "PURCHASES", "REVENUE"

PER_MILLION: Mapping[str, tuple[int, int]] = {
    "CLICKS": (2_000, 9_000),
    "STARTS": (930_000, 990_000),
    "FIRST_QUARTILES": (860_000, 920_000),
    "MIDPOINTS": (800_000, 855_000),
    "THIRD_QUARTILES": (740_000, 795_000),
    "COMPLETES": (650_000, 735_000),
    "SKIPS": (5_000, 40_000),
    "OFF_SPOTIFY_IMPRESSIONS": (0, 30_000),
    "PAID_LISTENS": (100_000, 400_000),
    "STREAMS": (10_000, 80_000),
    "NEW_LISTENER_STREAMS": (1_000, 9_000),
    "VIDEO_VIEWS": (50_000, 500_000),
    "VIDEO_EXPANDS": (1_000, 10_000),
    "UNMUTES": (0, 5_000),
    "STREAMED_IMPRESSIONS": (940_000, 1_000_000),
    "SPEND": (4_000_000_000, 25_000_000_000),
    "PAGE_VIEWS": (2_000, 10_000),
    "LEADS": (0, 3_000),
    "ADD_TO_CART": (0, 4_000),
    "PURCHASES": (0, 2_000),
    "START_CHECKOUT": (0, 3_000),
    "PRODUCTS": (0, 4_000),
    "SIGN_UPS": (0, 2_500),
    "CUSTOM_EVENT_1": (0, 1_000),
    "CUSTOM_EVENT_2": (0, 2_000),
    "CUSTOM_EVENT_3": (0, 3_000),
    "CUSTOM_EVENT_4": (0, 4_000),
    "CUSTOM_EVENT_5": (0, 5_000),
}
"""The least and the most of each sum per million impressions; money in millionths."""

SUMS = (IMPRESSIONS, *PER_MILLION, REVENUE)
"""The metrics that add up over hours, days and entities."""

MONEY = frozenset({"SPEND", REVENUE})
"""Sums that are kept in millionths of the currency."""

DEDUPLICATED: Mapping[str, str] = {
    "REACH": IMPRESSIONS,
    "LISTENERS": "STARTS",
    "NEW_LISTENERS": "NEW_LISTENER_STREAMS",
    "PAID_LISTENS_REACH": "PAID_LISTENS",
}
"""Numbers of people, which don't add up, and the sums that they follow from."""

_AUDIENCE = 40_000
"""The people whom a campaign could reach at most."""

RATIOS: Mapping[str, tuple[str, str, int, int | None]] = {
    "COMPLETION_RATE": ("COMPLETES", "STARTS", 100, None),
    "CONVERSION_RATE": ("STREAMS", "REACH", 100, None),
    "CTR": ("CLICKS", IMPRESSIONS, 100, 4),
    "E_CPCL": ("SPEND", "COMPLETES", 1, 6),
    "FREQUENCY": (IMPRESSIONS, "REACH", 1, None),
    "INTENT_RATE": ("CLICKS", "REACH", 100, 4),
    "NEW_LISTENER_CONVERSION_RATE": ("NEW_LISTENERS", "REACH", 100, None),
    "PAID_LISTENS_FREQUENCY": ("PAID_LISTENS", "PAID_LISTENS_REACH", 1, None),
    "STREAMS_PER_NEW_LISTENER": ("NEW_LISTENER_STREAMS", "NEW_LISTENERS", 1, None),
    "STREAMS_PER_USER": ("STREAMS", "LISTENERS", 1, None),
    "VIDEO_EXPAND_RATE": ("VIDEO_EXPANDS", "VIDEO_VIEWS", 100, 4),
    "AVERAGE_ORDER_VALUE": (REVENUE, PURCHASES, 1, 6),
    "RETURN_ON_AD_SPEND": (REVENUE, "SPEND", 1, None),
    "CUSTOMER_ACQUISITION_COST": ("SPEND", PURCHASES, 1, 6),
    "COST_PER_LEAD": ("SPEND", "LEADS", 1, 6),
}
"""Numerator, denominator, factor and, if they are rounded, digits of the ratios."""

FIELDS = (*SUMS, *DEDUPLICATED, *RATIOS)

_CONVERSIONS = (
    *("PAGE_VIEWS", "LEADS", "ADD_TO_CART", PURCHASES, "START_CHECKOUT", "PRODUCTS"),
    *("SIGN_UPS", *(f"CUSTOM_EVENT_{number}" for number in range(1, 6))),
)

HIDDEN_WITH: Mapping[str, str] = {
    **{name: name for name in _CONVERSIONS},
    REVENUE: PURCHASES,
    "AVERAGE_ORDER_VALUE": PURCHASES,
    "RETURN_ON_AD_SPEND": PURCHASES,
    "CUSTOMER_ACQUISITION_COST": PURCHASES,
    "COST_PER_LEAD": "LEADS",
}
"""The conversion count that decides whether a metric is hidden."""

FEWEST_CONVERSIONS = 5
"""Fewer conversions, but for none, are hidden."""


def sums_of(fields: Iterable[str]) -> tuple[str, ...]:
    """Return the sums that some metrics, and their being hidden, follow from."""
    needed: set[str] = set()
    for field in fields:
        numerator, denominator, *_ = RATIOS.get(field, (field, field))
        names = (numerator, denominator, HIDDEN_WITH.get(field, numerator))
        needed |= {DEDUPLICATED.get(name, name) for name in names}
    return tuple(name for name in SUMS if name in needed)


def value_of(field: str, sums: Mapping[str, int]) -> float:
    """Return the true value of a metric, money in the currency; a count is an int."""
    if field in RATIOS:
        above, below, factor, digits = RATIOS[field]
        divisor = value_of(below, sums)
        value = factor * value_of(above, sums) / divisor if divisor else 0.0
        return value if digits is None else round(value, digits)
    if field in DEDUPLICATED:
        return _people(sums[DEDUPLICATED[field]])
    return sums[field] / 1_000_000 if field in MONEY else sums[field]


def is_hidden(field: str, sums: Mapping[str, int]) -> bool:
    """Return whether Spotify hides a metric because it is of so few conversions."""
    name = HIDDEN_WITH.get(field)
    return name is not None and 0 < sums[name] < FEWEST_CONVERSIONS


def _people(contacts: int) -> int:
    """Return how many people so many contacts reach, less than the parts' sum."""
    divisor = _AUDIENCE + contacts
    return (contacts * _AUDIENCE + divisor - 1) // divisor
