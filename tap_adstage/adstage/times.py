"""The days that parts of a report's page are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.date_ranges import parse_day
from tap_adstage.exceptions import ResponseError
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    import datetime as dt


def day_of(timestamp: Any) -> dt.date | None:  # noqa: ANN401 - any JSON value
    """Read the day of a timestamp as it is written; `None` if it has none."""
    try:
        return parse_day(timestamp) if isinstance(timestamp, str) else None
    except ValueError:
        return None


def period(found: Any, where: str) -> tuple[dt.date, dt.date]:  # noqa: ANN401
    """Read the first and last day that a part of a page is about.

    Args:
        found: An object with `start` and `end`, any JSON value.
        where: Its place in the page, for an error.

    Returns:
        The days, both inclusive.

    Raises:
        ResponseError: If it is something else, with the place.
    """
    if not isinstance(found, dict):
        raise ResponseError(f"{where} is not an object")
    start, end = day_of(found.get("start")), day_of(found.get("end"))
    if start is None or end is None:
        raise ResponseError(f"{where} has no start and end: {excerpt(repr(found))}")
    return start, end
