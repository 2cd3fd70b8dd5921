"""Resolves a report's date range, and cuts it into slices."""

from __future__ import annotations

import calendar
import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tap_adstage.date_ranges import DateRangeError, parse_date_range
from tap_adstage.sandbox.adstage.refusals import RefusedRequest
from tap_adstage.sandbox.world.measures import Slice


def resolve_date_range(
    text: str,
    *,
    now: dt.datetime,
    relative_to_datetime: object = None,
    relative_to_time_zone: object = None,
) -> Slice:
    """Return the days of a date range string.

    Args:
        text: An AdStage date range.
        now: The current moment, with a time zone.
        relative_to_datetime: The request's own moment instead of `now`. Without an
            offset it is local time in the request's zone.
        relative_to_time_zone: The zone in which days are counted, UTC by default.

    Raises:
        RefusedRequest: One of them is invalid.
    """
    zone = _zone(relative_to_time_zone)
    moment = now if relative_to_datetime is None else _moment(relative_to_datetime)
    try:
        today = (moment.astimezone(zone) if moment.tzinfo else moment).date()
        days = parse_date_range(text, today=today)
    except (DateRangeError, OverflowError) as error:
        raise RefusedRequest(f"date_range: {error}") from error
    if days.end < days.start:
        raise RefusedRequest(f"date_range: {text!r} has no days as of {today}")
    return Slice(days.start, days.end)


def slices_of(days: Slice, aggregate_by: str | None) -> tuple[tuple[Slice, Slice], ...]:
    """Return the slices of a range, each with those of its days that are in the range.

    A week is from Monday to Sunday. Without `aggregate_by` there is one slice.
    """
    if aggregate_by is None:
        return ((days, days),)
    slices = []
    day = days.start
    while day <= days.end:
        whole = _slice_of(day, aggregate_by)
        part = Slice(max(whole.start, days.start), min(whole.end, days.end))
        slices.append((whole, part))
        if whole.end == dt.date.max:
            break
        day = whole.end + dt.timedelta(days=1)
    return tuple(slices)


def timestamps(days: Slice) -> dict[str, str]:
    """Return start and end in the format of reports."""
    return {"end": f"{days.end}T23:59:59Z", "start": f"{days.start}T00:00:00Z"}


def _slice_of(day: dt.date, aggregate_by: str) -> Slice:
    if aggregate_by == "day":
        return Slice(day, day)
    if aggregate_by == "week":
        monday = day.toordinal() - day.weekday()
        sunday = min(monday + 6, dt.date.max.toordinal())
        return Slice(dt.date.fromordinal(monday), dt.date.fromordinal(sunday))
    last = calendar.monthrange(day.year, day.month)[1]
    return Slice(day.replace(day=1), day.replace(day=last))


def _zone(name: object) -> dt.tzinfo:
    if name is None:
        return dt.timezone.utc
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RefusedRequest(
            f"relative_to_time_zone: unknown time zone {name!r}"
        ) from error


def _moment(text: object) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError as error:
        raise RefusedRequest(
            "relative_to_datetime must be a date or date-time such as 2020-03-14 or"
            f" 2020-03-14T09:30:00-07:00, not {text!r}"
        ) from error
