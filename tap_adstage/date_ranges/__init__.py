"""AdStage's date range language (API: Date Ranges), resolved to calendar days.

Pure functions of text and a day: the clock is always an argument.

    >>> str(parse_date_range("last 2 months", today=dt.date(2019, 6, 15)))
    '2019-04-01..2019-05-31'
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pendulum

__all__ = [
    "DateRange",
    "DateRangeError",
    "every_form",
    "parse_date_range",
    "parse_day",
    "today",
]


class DateRangeError(ValueError):
    """Text that is not a date range, a day or a time zone.

    The message holds the whole text, the part that is wrong, and what is allowed
    instead.
    """


@dataclasses.dataclass(frozen=True, slots=True)
class DateRange:
    """Calendar days from `start` to `end`, both inclusive.

    A range may be empty, as `month to date` is on the first of a month. Its end is
    then the day before its start.

    Attributes:
        start: The first day.
        end: The last day.

    Raises:
        ValueError: If the end is more than one day before the start.
    """

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        """Refuse a reversed range."""
        if self.days < 0:
            raise ValueError(f"a range cannot end at {self.end}, before {self.start}")

    @property
    def days(self) -> int:
        """The number of days, 0 if the range is empty."""
        return self.end.toordinal() - self.start.toordinal() + 1

    @property
    def is_empty(self) -> bool:
        """Whether the range holds no day."""
        return self.days == 0

    def __str__(self) -> str:
        """Return the range in the API's form: `yyyy-mm-dd..yyyy-mm-dd`."""
        return f"{self.start.isoformat()}..{self.end.isoformat()}"


def parse_date_range(text: str, *, today: dt.date) -> DateRange:
    """Resolve a date range of the API's language (API: Date Ranges).

    Case does not matter, a unit may be singular or plural, and any run of spaces
    and underscores separates words. Weeks start on Monday.

    `previous_period` steps back by the units of the range that follows it, or by
    its length in days if it has no units (absolute ranges, `X units ago`).
    `previous_{unit}` moves both ends back one unit, clipped to shorter months.
    Prefixes may be nested; the last one applies first.

    Args:
        text: The range, such as `2016-12-25..2016-12-31` or `last_30_days`.
        today: The day that relative ranges count from; see `today()`.

    Returns:
        The days, both ends inclusive; empty if no day of the unit is over yet.

    Raises:
        DateRangeError: If the text is not a date range, or leaves the years 1 to
            9999.
    """
    phrase = " ".join(_WORD.findall(text.lower()))
    day = _pendulum_day(today)
    prefixes, part = _split_prefixes(phrase)
    try:
        steps = [(f"previous {word}", _shift(word)) for word in prefixes]
        period = _resolve(part, day)
        for name, shift in reversed(steps):
            part = name
            period = shift(period)
    except DateRangeError as error:
        raise DateRangeError(f"{text!r}: {error}") from None
    except (OverflowError, ValueError):
        raise DateRangeError(
            f"{text!r}: {part!r} is not within the years 1 to 9999"
        ) from None
    return DateRange(_plain(period.start), _plain(period.end))


def every_form() -> list[str]:
    """Return an example of each form of the language, with each unit."""
    units = [words for unit in _UNITS for words in (unit, f"2 {unit}s")]
    return [
        "2024-01-15..2024-02-14",
        "2024-01-15",
        *_SYNONYMS,
        *(f"{edge} {words}" for edge in ("this", "last") for words in units),
        *(f"{words} {edge}" for edge in ("to date", "to now") for words in units),
        *(f"2 {unit}s ago" for unit in _UNITS),
        *(f"previous_{word} last month" for word in ("period", *_UNITS)),
        "previous_year previous_period last month",
    ]


def parse_day(text: str) -> dt.date:
    """Read the day of a date or a date-time.

    Args:
        text: `yyyy-mm-dd`, or an ISO 8601 date-time such as
            `2024-01-01T00:00:00Z`. Its date is taken as written, whatever its
            offset.

    Raises:
        DateRangeError: If the text is neither, or not a day of the calendar.
    """
    day, _ = _read_moment(text)
    return day


def today(as_of: str | None, time_zone: str, *, now: dt.datetime) -> dt.date:
    """Return the current day in a time zone, or the day as of another time.

    Args:
        as_of: A day `yyyy-mm-dd`, or an ISO 8601 date-time. With an offset or `Z`
            it is converted to the zone; otherwise it is the zone's local time.
            None means `now`.
        time_zone: IANA name of the zone, such as `America/New_York`.
        now: The current time, with a time zone of its own.

    Raises:
        DateRangeError: If `as_of` is neither, or the zone is unknown.
    """
    zone = _zone(time_zone)
    if as_of is None:
        return now.astimezone(zone).date()
    day, instant = _read_moment(as_of)
    if instant is None:
        return day
    try:
        return instant.astimezone(zone).date()
    except (OverflowError, ValueError):
        raise DateRangeError(
            f"{as_of!r} is not within the years 1 to 9999 in {time_zone!r}"
        ) from None


# A zone's name is looked up as a file, so a bad name fails in many ways: unknown
# (ZoneInfoNotFoundError), malformed (ValueError), a directory (OSError).
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise DateRangeError(
            f"{name!r} is not an IANA time zone such as 'America/New_York'"
        ) from None


def _read_moment(text: str) -> tuple[dt.date, dt.datetime | None]:
    """Read the day as written, and the instant if there is an offset."""
    date, rest = text[: len("yyyy-mm-dd")], text[len("yyyy-mm-dd") :]
    try:
        day = _day(date)
    except DateRangeError as error:
        raise DateRangeError(f"{text!r}: {error}") from None
    time = _TIME.fullmatch(rest)
    if time is None:
        raise DateRangeError(
            f"{text!r}: {rest!r} is not a time such as 'T23:59:59', 'T23:59:59Z' "
            "or 'T23:59:59+02:00'"
        )
    if not time["offset"]:
        return day, None
    clock = f"{date} {time['minutes']}{time['seconds'] or ':00'}{time['offset']}"
    return day, dt.datetime.strptime(clock, "%Y-%m-%d %H:%M:%S%z")


def _day(word: str) -> dt.date:
    # Not fromisoformat: from Python 3.11 on it accepts more forms, and on older
    # versions the SDK replaces it.
    try:
        if _DAY.fullmatch(word):
            return dt.date(*map(int, word.split("-")))
    except ValueError:
        raise DateRangeError(f"{word!r} is not a day of the calendar") from None
    raise DateRangeError(f"{word!r} is not a day written yyyy-mm-dd")


def _pendulum_day(day: dt.date) -> pendulum.Date:
    """Convert a day to pendulum's type, which can move it by units."""
    import pendulum  # noqa: PLC0415 - slow to import, and not always used

    return pendulum.Date(day.year, day.month, day.day)


def _plain(day: dt.date) -> dt.date:
    return dt.date(day.year, day.month, day.day)


@dataclasses.dataclass(frozen=True, slots=True)
class _Unit:
    """A time unit: its length for pendulum, and its first and last day around a day."""

    length: Mapping[str, int]
    first: Callable[[pendulum.Date], pendulum.Date]
    last: Callable[[pendulum.Date], pendulum.Date]

    def back(self, day: pendulum.Date, count: int = 1) -> pendulum.Date:
        return day.subtract(**{name: count * n for name, n in self.length.items()})


# Weeks are counted here because pendulum's first weekday is a process-wide switch.
_UNITS: Mapping[str, _Unit] = {
    "day": _Unit({"days": 1}, lambda day: day, lambda day: day),
    "week": _Unit(
        {"weeks": 1},
        lambda day: day.subtract(days=day.weekday()),
        lambda day: day.add(days=6 - day.weekday()),
    ),
    "month": _Unit(
        {"months": 1},
        lambda day: day.first_of("month"),
        lambda day: day.last_of("month"),
    ),
    "quarter": _Unit(
        {"months": 3},
        lambda day: day.first_of("quarter"),
        lambda day: day.last_of("quarter"),
    ),
    "year": _Unit(
        {"years": 1},
        lambda day: day.first_of("year"),
        lambda day: day.last_of("year"),
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Period:
    """A range, with the units that it is made of.

    `step` is how far `previous_period` goes back; None for the length in days.
    """

    start: pendulum.Date
    end: pendulum.Date
    step: tuple[int, _Unit] | None = None


def _split_prefixes(phrase: str) -> tuple[list[str], str]:
    prefixes: list[str] = []
    begin = 0
    while match := _PREFIX.match(phrase, begin):
        prefixes.append(match["shift"])
        begin = match.end()
    return prefixes, phrase[begin:]


def _shift(word: str) -> Callable[[_Period], _Period]:
    if word == "period":
        return _previous_period
    unit = _unit(word, allowed="'period' or a time unit")
    return lambda period: _previous_unit(period, unit)


def _previous_period(period: _Period) -> _Period:
    days = DateRange(period.start, period.end).days
    count, unit = period.step or (days, _UNITS["day"])
    start, end = unit.back(period.start, count), period.start.subtract(days=1)
    return dataclasses.replace(period, start=start, end=end)


def _previous_unit(period: _Period, unit: _Unit) -> _Period:
    start = unit.back(period.start)
    # Clipping could move the two ends of an empty range onto one day.
    is_empty = period.end < period.start
    end = start.subtract(days=1) if is_empty else unit.back(period.end)
    return dataclasses.replace(period, start=start, end=end)


def _resolve(phrase: str, today: pendulum.Date) -> _Period:
    words = _SYNONYMS.get(phrase, phrase)
    for form, resolve in _FORMS:
        if match := form.fullmatch(words):
            return resolve(match, today)
    raise DateRangeError(f"{phrase!r} is not a date range; allowed are {_ALLOWED}")


def _absolute(match: re.Match[str], _: pendulum.Date) -> _Period:
    start, end = _day(match["start"]), _day(match["end"] or match["start"])
    if end < start:
        raise DateRangeError(
            f"{match[0]!r} is not a valid range: it ends before it starts"
        )
    return _Period(_pendulum_day(start), _pendulum_day(end))


def _ago(match: re.Match[str], today: pendulum.Date) -> _Period:
    unit = _unit(match["unit"])
    least = 0 if unit is _UNITS["day"] else 1
    day = unit.back(today, _count(match["count"], least))
    return _Period(day, day)


def _in_units(match: re.Match[str], today: pendulum.Date) -> _Period:
    unit = _unit(match["unit"])
    count = _count(match["count"] or "1", least=1)
    current, end = _EDGES[match["edge"]]
    start = unit.back(unit.first(today), count - current)
    return _Period(start, end(unit, today), step=(count, unit))


def _unit(word: str, allowed: str = "a time unit") -> _Unit:
    unit = _UNITS.get(word.removesuffix("s"))
    if unit is None:
        raise DateRangeError(f"{word!r} is not {allowed} ({', '.join(_UNITS)})")
    return unit


def _count(word: str, least: int) -> int:
    if not _COUNT.fullmatch(word) or int(word) < least:
        raise DateRangeError(f"{word!r} is not an integer from {least} to 9999999")
    return int(word)


# How many of a range's units are the current one (1 or 0), and the range's last day.
_EDGES: Mapping[str, tuple[int, Callable[[_Unit, pendulum.Date], pendulum.Date]]] = {
    "to date": (1, lambda _, today: today.subtract(days=1)),
    "to now": (1, lambda _, today: today),
    "this": (1, lambda unit, today: unit.last(today)),
    "last": (0, lambda unit, today: unit.first(today).subtract(days=1)),
}

_SYNONYMS: Mapping[str, str] = {"today": "this day", "yesterday": "last day"}

_FORMS: tuple[
    tuple[re.Pattern[str], Callable[[re.Match[str], pendulum.Date], _Period]], ...
] = (
    (re.compile(r"(?P<start>[0-9][^ .]*)(?:\.\.(?P<end>[^ ]+))?"), _absolute),
    (re.compile(r"(?P<count>[^ ]+) (?P<unit>[^ ]+) ago"), _ago),
    (
        re.compile(r"(?:(?P<count>[^ ]+) )?(?P<unit>[^ ]+) (?P<edge>to date|to now)"),
        _in_units,
    ),
    (
        re.compile(r"(?P<edge>this|last)(?: (?P<count>[^ ]+))? (?P<unit>[^ ]+)"),
        _in_units,
    ),
)

_ALLOWED = (
    "yyyy-mm-dd..yyyy-mm-dd, yyyy-mm-dd, today, yesterday, 'X units ago', "
    "'[X] unit to date', '[X] unit to now', 'this [X] unit', 'last [X] unit', and "
    "previous_period or previous_{unit} before any of them; "
    f"units are {', '.join(_UNITS)}"
)

_WORD = re.compile(r"[^\s_]+")
_PREFIX = re.compile(r"previous (?P<shift>[^ ]+) ")
# Seven digits can count every day of the calendar; int() refuses some thousands.
_COUNT = re.compile(r"[0-9]{1,7}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"""(?:
        [T\ ](?P<minutes>(?:[01][0-9]|2[0-3]):[0-5][0-9])
        (?:(?P<seconds>:[0-5][0-9])(?:\.[0-9]+)?)?
        (?P<offset>Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?
    )?""",
    re.VERBOSE,
)
