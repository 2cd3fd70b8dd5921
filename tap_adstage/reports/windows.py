"""Which days a report requests, in which portions, and from which day it resumes.

Everything here is a decision about days: pure functions of plain values, with today as
an argument. Days are calendar days in the report's time zone and all ends are
inclusive.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_adstage.config.report_defaults import ALL_TIME, TIMEFRAME_MONTHS
from tap_adstage.date_ranges import DateRange, parse_date_range

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pendulum

    from tap_adstage.config.reports import ReportConfig

ALL_TIME_START = dt.date(2012, 1, 1)
"""First day of a first sync with `timeframe_months` `ALL_TIME`: AdStage's first."""

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slice:
    """The days of one record: a day, a calendar week or month, or a whole range.

    Attributes:
        start: First day; weeks start on Monday.
        end: Last day, inclusive; it may be in the future.
    """

    start: dt.date
    end: dt.date


@dataclass(frozen=True, slots=True)
class Window:
    """The days of one report request.

    Attributes:
        range: First and last requested day, inclusive.
        slices: The slices of the answer's rows, in ascending order.
    """

    range: DateRange
    slices: tuple[Slice, ...]

    @property
    def bookmark(self) -> dt.date:
        """The bookmark once the window is written: first day of its last slice."""
        return self.slices[-1].start

    @property
    def can_split(self) -> bool:
        """Whether less can be requested: a request has at least one whole slice."""
        return len(self.slices) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSettings:
    """The settings that decide a report's days.

    Attributes:
        aggregate_by: `hour`, `day`, `week`, `month` or `total`; windows by the hour
            have slices of days.
        date_range: An AdStage date range, if the report has one.
        start_date: First day that may be requested, if set.
        end_date: Last day that may be requested, if set.
        timeframe_months: A key of `TIMEFRAME_MONTHS`, or `ALL_TIME`.
        lookback_days: Days before the bookmark to fetch again.
        window_days: Days in one request; a window is never less than one slice.
        oldest: The first day of which the source still has hours, if it forgets.
        complete_slices: Whether to leave out slices that the range doesn't cover whole
            or that aren't over; a `total` has a single slice, and ignores it.
    """

    aggregate_by: str
    date_range: str | None
    start_date: dt.date | None
    end_date: dt.date | None
    timeframe_months: str
    lookback_days: int
    window_days: int
    oldest: dt.date | None = None
    complete_slices: bool = False

    @classmethod
    def of(cls, config: ReportConfig) -> DateSettings:
        """Take them from a report's settings."""
        return cls(
            aggregate_by=config.aggregate_by,
            date_range=config.date_range,
            start_date=config.start_date,
            end_date=config.end_date,
            timeframe_months=config.timeframe_months,
            lookback_days=config.lookback_days,
            window_days=config.window_days,
            complete_slices=config.complete_slices,
        )


def plan_windows(
    settings: DateSettings, bookmark: dt.date | None, today: dt.date
) -> list[Window]:
    """Decide the windows of one run.

    Args:
        settings: The report's settings.
        bookmark: First day of the last slice that an earlier run finished, if any. A
            `total` report ignores it. No run resumes before `ALL_TIME_START`.
        today: The current day.

    Returns:
        Windows in ascending order; none if there is nothing to request.

    Raises:
        DateRangeError: If `date_range` is not a date range on this day.
    """
    days = _requested(settings, today)
    if days.is_empty:
        return []
    if settings.aggregate_by == "total":
        return [Window(days, (Slice(days.start, days.end),))]
    start = first = days.start
    if bookmark is not None:
        resumed = slice_of(bookmark, settings.aggregate_by).start
        first = max(
            min(start, max(resumed, ALL_TIME_START)),
            settings.start_date or dt.date.min,
            settings.oldest or dt.date.min,
        )
        start = max(first, _minus(bookmark, settings.lookback_days))
    if start > days.end:
        return []
    slices = list(_slices(start, days.end, settings.aggregate_by))
    if settings.complete_slices:
        first = _first_covered(settings, first)
        last = min(days.end, today - _DAY)
        slices = [each for each in slices if first <= each.start and each.end <= last]
    return list(_windows(slices, settings.window_days, today)) if slices else []


def earlier_windows(
    windows: Sequence[Window],
    *,
    after: dt.date | None,
    before: dt.date | None,
    window_days: int,
) -> list[Window]:
    """Decide the windows of those days of a range that come before a run's others.

    Args:
        windows: The windows of the whole range, in ascending order.
        after: First day of the last slice that is finished, if any is.
        before: First day of the first slice that is left to others; `None` if none is.
        window_days: Days in one request; a window is never less than one slice.

    Returns:
        Windows in ascending order.
    """
    slices = [
        piece
        for window in windows
        for piece in window.slices
        if (after is None or piece.start > after)
        and (before is None or piece.start < before)
    ]
    last = windows[-1].range.end
    return list(_windows(slices, window_days, last)) if slices else []


def settled_day(settings: DateSettings, bookmark: dt.date) -> dt.date:
    """Find the last day that a run with a bookmark doesn't read again.

    Args:
        settings: The report's settings.
        bookmark: First day of the last slice that is finished.
    """
    return _minus(bookmark, settings.lookback_days + 1)


def first_day(
    settings: DateSettings, bookmark: dt.date | None, today: dt.date
) -> dt.date | None:
    """Find the first day of a report's range, to compare it with an earlier run's.

    The range is taken as of the day after the bookmark, if that is later than today. So
    it doesn't begin earlier because the time zone moves west, or because a run repeats
    a past day, unless the bookmark is behind that day. `end_date` doesn't count: it
    limits where a range ends, and would move the beginning of `timeframe_months`.

    Args:
        settings: The report's settings.
        bookmark: First day of the last slice that an earlier run finished, if any.
        today: The current day.

    Returns:
        The first day of its slice; `None` if the range is empty.
    """
    if bookmark is not None:
        slice_end = slice_of(bookmark, settings.aggregate_by).end
        today = max(today, slice_end + _DAY)
    days = _requested(replace(settings, end_date=None), today)
    if days.is_empty:
        return None
    if settings.complete_slices:
        return _first_covered(settings, days.start)
    return slice_of(days.start, settings.aggregate_by).start


def lacks_complete_slice(
    settings: DateSettings, bookmark: dt.date | None, today: dt.date
) -> bool:
    """Decide whether a run reads nothing only because no slice is complete.

    Args:
        settings: The report's settings.
        bookmark: First day of the last slice that an earlier run finished, if any.
        today: The current day.
    """
    every_slice = replace(settings, complete_slices=False)
    return bool(plan_windows(every_slice, bookmark, today)) and not plan_windows(
        settings, bookmark, today
    )


def why_unread(settings: DateSettings, today: dt.date) -> str | None:
    """Explain which setting leaves nothing of a report's days.

    Args:
        settings: The report's settings.
        today: The current day.

    Returns:
        The cause; `None` if some days are left, or the range is empty by itself, as a
        month to date is on the first of a month.
    """
    if days_lost(settings, None, today) and _requested(settings, today).is_empty:
        return f"days before {settings.oldest} can't be read by the hour any more"
    start, end = settings.start_date, settings.end_date
    if start and start > today:
        return f"start_date {start} is after today, {today}"
    if settings.date_range is None:
        return None
    days = parse_date_range(settings.date_range, today=today)
    if days.is_empty:
        return None
    causes = (
        (days.start > today, f"begins after today, {today}"),
        (start and days.end < start, f"ends before start_date {start}"),
        (end and days.start > end, f"begins after end_date {end}"),
    )
    cause = next((text for applies, text in causes if applies), None)
    return cause and f"its date_range, {days}, {cause}"


def days_lost(
    settings: DateSettings, bookmark: dt.date | None, today: dt.date
) -> DateRange | None:
    """Find the days that a run asks for and of which the source no longer has all.

    Of the oldest day some hours are already gone. Days that are only fetched again, for
    the lookback, don't count.

    Args:
        settings: The report's settings.
        bookmark: First day of the last slice that an earlier run finished, if any.
        today: The current day.

    Returns:
        First and last of them, inclusive; `None` if there are none.
    """
    if settings.oldest is None:
        return None
    days = _wanted(settings, today)
    start = days.start if bookmark is None else bookmark + _DAY
    end = min(days.end, settings.oldest)
    return DateRange(start, end) if start <= end else None


def split_window(window: Window, most: int) -> list[Window]:
    """Cut a window between its slices.

    Args:
        window: A window.
        most: The slices that a portion has at most, 1 or more.

    Returns:
        Windows in ascending order; together they request the same days, each once.
    """
    cuts = range(0, len(window.slices), most)
    return [_window(window.slices[cut : cut + most], window.range.end) for cut in cuts]


def slice_of(day: dt.date, aggregate_by: str) -> Slice:
    """Find the slice that a day lies in.

    Args:
        day: Any day.
        aggregate_by: `hour`, `day`, `week` or `month`.

    Returns:
        The whole slice; the day, if it is `hour`.
    """
    if aggregate_by in ("hour", "day"):
        return Slice(day, day)
    if aggregate_by == "week":
        monday = day - day.weekday() * _DAY
        return Slice(monday, monday + 6 * _DAY)
    moment = _pendulum_day(day)
    return Slice(
        _plain(moment.first_of("month")),
        _plain(moment.last_of("month")),
    )


def _requested(settings: DateSettings, today: dt.date) -> DateRange:
    """Find the days of a run without a bookmark, not yet extended to whole slices."""
    days = _wanted(settings, today)
    start = max(days.start, settings.oldest or days.start)
    return DateRange(start, max(days.end, start - _DAY))


def _wanted(settings: DateSettings, today: dt.date) -> DateRange:
    """Find the days that the settings ask for, whether the source has them or not."""
    if settings.date_range is not None:
        days = parse_date_range(settings.date_range, today=today)
        start, end = days.start, days.end
    else:
        last = min(settings.end_date or today, today)
        start = settings.start_date or _timeframe_start(settings.timeframe_months, last)
        end = settings.end_date or today - _DAY
    start = max(start, settings.start_date or start)
    end = min(end, settings.end_date or end, today)
    return DateRange(start, max(end, start - _DAY))


def _timeframe_start(timeframe_months: str, last: dt.date) -> dt.date:
    if timeframe_months == ALL_TIME:
        return ALL_TIME_START
    months = TIMEFRAME_MONTHS[timeframe_months]
    return _plain(_pendulum_day(last).subtract(months=months))


def _first_covered(settings: DateSettings, start: dt.date) -> dt.date:
    """Find the first day of the first slice that a range has from its first day on.

    Args:
        settings: The report's settings.
        start: First day of the range. If the source forgets, it lacks a part of its
            oldest day.
    """
    if start == settings.oldest:
        return start + _DAY
    piece = slice_of(start, settings.aggregate_by)
    return start if piece.start == start else piece.end + _DAY


def _slices(start: dt.date, end: dt.date, aggregate_by: str) -> Iterator[Slice]:
    day = start
    while day <= end:
        piece = slice_of(day, aggregate_by)
        yield piece
        day = piece.end + _DAY


def _windows(slices: list[Slice], days: int, today: dt.date) -> Iterator[Window]:
    """Put as many whole slices into each window as fit into its days, at least one."""
    pending: list[Slice] = []
    for piece in slices:
        if pending and (piece.end - pending[0].start).days >= days:
            yield _window(pending, today)
            pending = []
        pending.append(piece)
    yield _window(pending, today)


def _window(slices: Sequence[Slice], last: dt.date) -> Window:
    return Window(
        DateRange(slices[0].start, min(slices[-1].end, last)),
        tuple(slices),
    )


def _minus(day: dt.date, days: int) -> dt.date:
    return day - dt.timedelta(days=min(days, (day - dt.date.min).days))


def _pendulum_day(day: dt.date) -> pendulum.Date:
    """Convert a day to pendulum's, which can move by months."""
    import pendulum  # noqa: PLC0415 - slow to import, and not always used

    return pendulum.Date(day.year, day.month, day.day)


def _plain(day: dt.date) -> dt.date:
    return dt.date(day.year, day.month, day.day)
