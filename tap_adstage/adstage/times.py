"""Days in a report's page: timestamps and timeframes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.date_ranges import parse_day
from tap_adstage.exceptions import ResponseError
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    import datetime as dt


def day_of(timestamp: Any) -> dt.date | None:  # noqa: ANN401 - any JSON value
    """Read the day of a timestamp, in its own zone; `None` if it is not a timestamp."""
    try:
        return parse_day(timestamp) if isinstance(timestamp, str) else None
    except ValueError:
        return None


def period(timeframe: Any, where: str) -> tuple[dt.date, dt.date]:  # noqa: ANN401
    """Read the first and last day of a timeframe.

    Args:
        timeframe: Any JSON value; it should be an object with `start` and `end`.
        where: Its place in the page, for an error.

    Returns:
        The days, both inclusive.

    Raises:
        ResponseError: If it is not a timeframe, with the place.
    """
    if not isinstance(timeframe, dict):
        raise ResponseError(f"{where} is not an object")
    start, end = day_of(timeframe.get("start")), day_of(timeframe.get("end"))
    if start is None or end is None:
        raise ResponseError(f"{where} has no start and end: {excerpt(repr(timeframe))}")
    return start, end
