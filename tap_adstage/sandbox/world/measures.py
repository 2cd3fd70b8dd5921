"""Turns daily amounts into the numbers of reports."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from tap_adstage.sandbox.world.entities import Entity
    from tap_adstage.sandbox.world.metrics import Metric


class Slice(NamedTuple):
    """The days from start to end, both inclusive."""

    start: dt.date
    end: dt.date


class DailyAmounts(Protocol):
    """The daily amounts of entities, or a part of them."""

    def amount(self, entity: Entity, name: str, day: int, age: int | None) -> int:
        """Return an amount of an entity on a day; see `Amounts.amount`."""


Parts: TypeAlias = "tuple[int, int] | None"
"""Sums of a metric's numerators and denominators; None if nothing is known."""


def parts_by_slice(
    amounts: DailyAmounts,
    entity: Entity,
    metric: Metric,
    slices: Sequence[Slice],
    *,
    today: dt.date | None,
) -> list[Parts]:
    """Return a metric's parts for each slice."""
    if not metric.is_on(entity.network, entity.kind):
        return [None] * len(slices)
    now = None if today is None else today.toordinal()
    return [_parts(amounts, entity, metric, days, now) for days in slices]


def _parts(
    amounts: DailyAmounts, entity: Entity, metric: Metric, days: Slice, now: int | None
) -> Parts:
    start, end = days.start.toordinal(), days.end.toordinal()
    if now is not None:
        end = min(end, now)
    if end < start:
        return None
    above = below = 0
    amount = amounts.amount
    for day in range(start, end + 1):
        age = None if now is None else now - day
        for name in metric.above:
            above += amount(entity, name, day, age)
        if metric.below is not None:
            below += amount(entity, metric.below, day, age)
    return above, below


def total_of(parts: Iterable[Parts]) -> Parts:
    """Return the sum of all known parts, None if no part is known."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return sum(part[0] for part in known), sum(part[1] for part in known)


def sum_by_slice(columns: Sequence[Sequence[Parts]]) -> list[Parts]:
    """Return the sums of several entities' parts, slice by slice."""
    return [total_of(slices) for slices in zip(*columns, strict=True)]


def measure(metric: Metric, parts: Parts) -> Decimal | int | None:
    """Return the metric's value, rounded to its precision, exactly."""
    fraction = _fraction(metric, parts)
    if fraction is None:
        return None
    precision = metric.precision
    if precision is None:
        return fraction[0] // fraction[1]
    return Decimal(_scaled(fraction, precision)).scaleb(-precision)


def json_number(
    metric: Metric, parts: Parts, *, ignore_precision: bool
) -> float | int | None:
    """Return the metric's value as a report writes it.

    With `ignore_precision` ratios keep ten decimals, and money passes through a single
    precision float: 339.46 becomes 339.460006713867.
    """
    fraction = _fraction(metric, parts)
    if fraction is None:
        return None
    if metric.precision is None:
        return fraction[0] // fraction[1]
    if not ignore_precision:
        return float(_scaled(fraction, metric.precision) / 10**metric.precision)
    if metric.format == "CURRENCY":
        return _single_precision(fraction[0] / fraction[1])
    return round(fraction[0] / fraction[1], 10)


def _fraction(metric: Metric, parts: Parts) -> tuple[int, int] | None:
    """Return numerator and denominator, None without a value."""
    if parts is None:
        return None
    above, below = parts
    denominator = metric.divisor * (1 if metric.below is None else below)
    return None if denominator == 0 else (above * metric.multiplier, denominator)


def _scaled(fraction: tuple[int, int], precision: int) -> int:
    """Return the fraction in units of its last decimal, halves rounded up."""
    above, below = fraction
    unit: int = 10**precision
    return (2 * above * unit + below) // (2 * below)


def _single_precision(value: float) -> float:
    (single,) = struct.unpack("<f", struct.pack("<f", value))
    return float(f"{single:.15g}")
