from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_adstage.date_ranges import (
    DateRange,
    DateRangeError,
    parse_date_range,
    parse_day,
    today,
)

BLUEPRINT_TODAY = dt.date(2019, 6, 15)
NOON = dt.datetime(2019, 6, 15, 12, tzinfo=dt.timezone.utc)
DAY = dt.timedelta(days=1)
BIG = "9" * 5000


def resolve(text: str, as_of: str) -> str:
    return str(parse_date_range(text, today=dt.date.fromisoformat(as_of)))


def bad_part(call: pytest.ExceptionInfo[DateRangeError]) -> str:
    """Return the quoted words that an error does not allow."""
    match = re.search(r"(?:^|: )'([^']*)' is not ", str(call.value))
    assert match, f"names no bad part: {call.value}"
    return match[1]


# The API's worked examples


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("today", "2019-06-15..2019-06-15"),
        ("yesterday", "2019-06-14..2019-06-14"),
        ("month to date", "2019-06-01..2019-06-14"),
        ("2 months to date", "2019-05-01..2019-06-14"),
        ("quarter to now", "2019-04-01..2019-06-15"),
        ("2 quarters to now", "2019-01-01..2019-06-15"),
        ("this month", "2019-06-01..2019-06-30"),
        ("this 2 months", "2019-05-01..2019-06-30"),
        ("last month", "2019-05-01..2019-05-31"),
        ("last 2 months", "2019-04-01..2019-05-31"),
        ("previous_period 2019-06-10..2019-06-14", "2019-06-05..2019-06-09"),
        ("previous_period this month", "2019-05-01..2019-05-31"),
        ("previous_month 2019-05-11..2019-05-31", "2019-04-11..2019-04-30"),
        ("2018-02-12", "2018-02-12..2018-02-12"),
        ("2 weeks ago", "2019-06-01..2019-06-01"),
        ("2016-12-25..2016-12-31", "2016-12-25..2016-12-31"),
        ("last 30 days", "2019-05-16..2019-06-14"),
    ],
)
def test_the_documented_examples_resolve_as_documented(text: str, days: str) -> None:
    assert resolve(text, "2019-06-15") == days


# Every form with every unit, on a Saturday in the middle of a quarter


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("day to date", "2019-06-15..2019-06-14"),
        ("week to date", "2019-06-10..2019-06-14"),
        ("quarter to date", "2019-04-01..2019-06-14"),
        ("year to date", "2019-01-01..2019-06-14"),
        ("3 days to date", "2019-06-13..2019-06-14"),
        ("2 weeks to date", "2019-06-03..2019-06-14"),
        ("3 quarters to date", "2018-10-01..2019-06-14"),
        ("2 years to date", "2018-01-01..2019-06-14"),
        ("day to now", "2019-06-15..2019-06-15"),
        ("week to now", "2019-06-10..2019-06-15"),
        ("month to now", "2019-06-01..2019-06-15"),
        ("year to now", "2019-01-01..2019-06-15"),
        ("7 days to now", "2019-06-09..2019-06-15"),
        ("2 weeks to now", "2019-06-03..2019-06-15"),
        ("6 months to now", "2019-01-01..2019-06-15"),
        ("2 years to now", "2018-01-01..2019-06-15"),
        ("this day", "2019-06-15..2019-06-15"),
        ("this week", "2019-06-10..2019-06-16"),
        ("this quarter", "2019-04-01..2019-06-30"),
        ("this year", "2019-01-01..2019-12-31"),
        ("this 7 days", "2019-06-09..2019-06-15"),
        ("this 2 weeks", "2019-06-03..2019-06-16"),
        ("this 2 quarters", "2019-01-01..2019-06-30"),
        ("this 2 years", "2018-01-01..2019-12-31"),
        ("last day", "2019-06-14..2019-06-14"),
        ("last week", "2019-06-03..2019-06-09"),
        ("last quarter", "2019-01-01..2019-03-31"),
        ("last year", "2018-01-01..2018-12-31"),
        ("last 7 days", "2019-06-08..2019-06-14"),
        ("last 2 weeks", "2019-05-27..2019-06-09"),
        ("last 2 quarters", "2018-10-01..2019-03-31"),
        ("last 2 years", "2017-01-01..2018-12-31"),
        ("0 days ago", "2019-06-15..2019-06-15"),
        ("1 day ago", "2019-06-14..2019-06-14"),
        ("2 months ago", "2019-04-15..2019-04-15"),
        ("1 quarter ago", "2019-03-15..2019-03-15"),
        ("3 years ago", "2016-06-15..2016-06-15"),
    ],
)
def test_every_form_takes_every_unit(text: str, days: str) -> None:
    assert resolve(text, "2019-06-15") == days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("previous_period today", "2019-06-14..2019-06-14"),
        ("previous_period yesterday", "2019-06-13..2019-06-13"),
        ("previous_period 2018-02-12", "2018-02-11..2018-02-11"),
        ("previous_period 2 weeks ago", "2019-05-31..2019-05-31"),
        ("previous_period 1 month ago", "2019-05-14..2019-05-14"),
        ("previous_period last 7 days", "2019-06-01..2019-06-07"),
        ("previous_period month to date", "2019-05-01..2019-05-31"),
        ("previous_period 2 months to date", "2019-03-01..2019-04-30"),
        ("previous_period quarter to now", "2019-01-01..2019-03-31"),
        ("previous_period last 2 months", "2019-02-01..2019-03-31"),
        ("previous_period this 2 years", "2016-01-01..2017-12-31"),
        ("previous_period day to date", "2019-06-14..2019-06-14"),
    ],
)
def test_previous_period_steps_back_by_units_or_else_by_days(
    text: str, days: str
) -> None:
    assert resolve(text, "2019-06-15") == days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("previous_day today", "2019-06-14..2019-06-14"),
        ("previous_week last 7 days", "2019-06-01..2019-06-07"),
        ("previous_month this month", "2019-05-01..2019-05-30"),
        ("previous_month month to date", "2019-05-01..2019-05-14"),
        ("previous_quarter 2019-05-31", "2019-02-28..2019-02-28"),
        ("previous_year last week", "2018-06-03..2018-06-09"),
        ("previous_year 2 weeks ago", "2018-06-01..2018-06-01"),
        ("previous_year 2024-02-29", "2023-02-28..2023-02-28"),
        ("previous_year 2025-02-01..2025-02-28", "2024-02-01..2024-02-28"),
        ("previous_month 2024-03-29..2024-03-31", "2024-02-29..2024-02-29"),
    ],
)
def test_previous_unit_moves_both_ends_and_clips_to_shorter_months(
    text: str, days: str
) -> None:
    assert resolve(text, "2019-06-15") == days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("previous_period previous_period this month", "2019-04-01..2019-04-30"),
        ("previous_month previous_year this month", "2018-05-01..2018-05-30"),
        # The units of a range outlive a shift, so the period is a whole month.
        ("previous_period previous_month this month", "2019-04-01..2019-04-30"),
        # Innermost first: May's 31 days, moved back a month.
        ("previous_month previous_period this month", "2019-04-01..2019-04-30"),
        # An absolute range is as long as the shift has left it.
        (
            "previous_period_previous_month 2019-05-11..2019-05-31",
            "2019-03-22..2019-04-10",
        ),
        (
            "previous_day previous_period 2019-06-10..2019-06-14",
            "2019-06-04..2019-06-08",
        ),
    ],
)
def test_prefixes_nest_and_apply_from_the_innermost(text: str, days: str) -> None:
    assert resolve(text, "2019-06-15") == days


# Edges of the calendar


@pytest.mark.parametrize(
    ("text", "as_of", "days"),
    [
        # leap days and month ends
        ("last month", "2024-03-31", "2024-02-01..2024-02-29"),
        ("last month", "2023-03-31", "2023-02-01..2023-02-28"),
        ("this month", "1900-02-10", "1900-02-01..1900-02-28"),
        ("this month", "2000-02-10", "2000-02-01..2000-02-29"),
        ("1 month ago", "2024-03-31", "2024-02-29..2024-02-29"),
        ("1 quarter ago", "2019-05-31", "2019-02-28..2019-02-28"),
        ("1 year ago", "2024-02-29", "2023-02-28..2023-02-28"),
        ("4 years ago", "2024-02-29", "2020-02-29..2020-02-29"),
        ("yesterday", "2024-03-01", "2024-02-29..2024-02-29"),
        # year ends
        ("yesterday", "2020-01-01", "2019-12-31..2019-12-31"),
        ("last month", "2020-01-31", "2019-12-01..2019-12-31"),
        ("this year", "2020-12-31", "2020-01-01..2020-12-31"),
        ("13 months ago", "2020-01-31", "2018-12-31..2018-12-31"),
        ("this year", "9999-12-31", "9999-01-01..9999-12-31"),
        ("this quarter", "9999-12-31", "9999-10-01..9999-12-31"),
        ("this month", "9999-12-31", "9999-12-01..9999-12-31"),
        # quarter starts and ends
        ("this quarter", "2019-01-01", "2019-01-01..2019-03-31"),
        ("this quarter", "2019-04-01", "2019-04-01..2019-06-30"),
        ("this quarter", "2019-09-30", "2019-07-01..2019-09-30"),
        ("this quarter", "2019-10-01", "2019-10-01..2019-12-31"),
        ("last quarter", "2019-01-01", "2018-10-01..2018-12-31"),
        # weeks over the ends of years with 52 and 53 of them
        ("this week", "2021-01-03", "2020-12-28..2021-01-03"),
        ("this week", "2021-01-04", "2021-01-04..2021-01-10"),
        ("last week", "2021-01-04", "2020-12-28..2021-01-03"),
        ("week to date", "2020-01-01", "2019-12-30..2019-12-31"),
        ("previous_year this week", "2021-01-03", "2019-12-28..2020-01-03"),
    ],
)
def test_calendar_edges(text: str, as_of: str, days: str) -> None:
    assert resolve(text, as_of) == days


@pytest.mark.parametrize(
    ("text", "as_of", "days"),
    [
        ("day to date", "2019-06-15", "2019-06-15..2019-06-14"),
        ("week to date", "2019-06-10", "2019-06-10..2019-06-09"),
        ("month to date", "2019-06-01", "2019-06-01..2019-05-31"),
        ("quarter to date", "2019-07-01", "2019-07-01..2019-06-30"),
        ("year to date", "2020-01-01", "2020-01-01..2019-12-31"),
        ("previous_year month to date", "2024-03-01", "2023-03-01..2023-02-28"),
        # Both ends clip to 30 November: the range must stay empty all the same.
        ("previous_month day to date", "2024-12-31", "2024-11-30..2024-11-29"),
    ],
)
def test_nothing_to_date_on_a_units_first_day_is_an_empty_range(
    text: str, as_of: str, days: str
) -> None:
    period = parse_date_range(text, today=dt.date.fromisoformat(as_of))
    assert str(period) == days
    assert period.is_empty
    assert period.days == 0


# Spelling


@pytest.mark.parametrize(
    "text",
    [
        "last 2 months",
        "last_2_months",
        "LAST 2 MONTHS",
        "Last_2 Months",
        "last 2 month",
        "  last   2\tmonths ",
        "_last__2 _ months_",
        "last 02 months",
    ],
)
def test_spelling_does_not_matter(text: str) -> None:
    assert resolve(text, "2019-06-15") == "2019-04-01..2019-05-31"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("previous_period_last_7_days", "2019-06-01..2019-06-07"),
        ("Previous Period LAST_7 day", "2019-06-01..2019-06-07"),
        ("months_to_date", "2019-06-01..2019-06-14"),
        ("this weeks", "2019-06-10..2019-06-16"),
        ("previous years 2019-06-15", "2018-06-15..2018-06-15"),
        ("1 days_ago", "2019-06-14..2019-06-14"),
    ],
)
def test_units_are_singular_or_plural_in_every_form(text: str, days: str) -> None:
    assert resolve(text, "2019-06-15") == days


# What is refused


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", ""),
        (" _ ", ""),
        ("banana", "banana"),
        ("month", "month"),
        ("last", "last"),
        ("to date", "to date"),
        ("last month please", "please"),
        ("last 2 fortnights", "fortnights"),
        ("this hour", "hour"),
        ("3 decades ago", "decades"),
        ("moon to date", "moon"),
        ("2 moons to now", "moons"),
        ("last 0 days", "0"),
        ("this 0 weeks", "0"),
        ("0 months to date", "0"),
        ("0 weeks ago", "0"),
        ("last -1 days", "-1"),
        ("-1 days ago", "-1"),
        ("last 1.5 months", "1.5"),
        ("last two months", "two"),
        ("last ٣ days", "٣"),
        ("this month to date", "this"),
        ("last 10000000 days", "10000000"),
        pytest.param(f"last {BIG} days", BIG, id="more digits than int() takes"),
        ("9999999 years ago", "9999999 years ago"),
        ("last 2019 years", "last 2019 years"),
        ("2019-02-30", "2019-02-30"),
        ("2019-06-01..2019-06-31", "2019-06-31"),
        ("2019-13-01..2019-06-30", "2019-13-01"),
        ("0000-01-01", "0000-01-01"),
        ("2019-6-1", "2019-6-1"),
        ("20190601", "20190601"),
        ("2019-W23-1", "2019-w23-1"),
        ("2019-06-01T00:00:00Z", "2019-06-01t00:00:00z"),
        ("2019-06-01...2019-06-02", ".2019-06-02"),
        ("2019-06-01..", "2019-06-01.."),
        ("2019-06-02..2019-06-01", "2019-06-02..2019-06-01"),
        ("previous_period", "previous period"),
        ("previous_month", "previous month"),
        ("previous_moon today", "moon"),
        ("previous 2 months", "2"),
        ("previous_period banana", "banana"),
        ("previous_period last 0 days", "0"),
        ("previous_year 0001-05-01", "previous year"),
        ("previous_month previous_period 0001-01-01", "previous period"),
        ("previous_period 9999 years ago", "9999 years ago"),
    ],
)
def test_an_error_names_the_text_and_its_bad_part(text: str, part: str) -> None:
    with pytest.raises(DateRangeError) as call:
        parse_date_range(text, today=BLUEPRINT_TODAY)
    assert bad_part(call) == part
    assert repr(text) in str(call.value)
    assert "\n" not in str(call.value)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("last 2 moons", "day, week, month, quarter, year"),
        ("last 0 days", "1 to 9999999"),
        ("-1 days ago", "0 to 9999999"),
        ("2019-6-1", "yyyy-mm-dd"),
        ("2019-02-30", "calendar"),
        ("9999 years ago", "1 to 9999"),
        ("previous_moon today", "'period'"),
        ("banana", "yyyy-mm-dd..yyyy-mm-dd"),
        ("banana", "'X units ago'"),
        ("banana", "previous_period"),
    ],
)
def test_an_error_names_what_is_allowed(text: str, allowed: str) -> None:
    with pytest.raises(DateRangeError) as call:
        parse_date_range(text, today=BLUEPRINT_TODAY)
    assert allowed in str(call.value).split(" is not ")[1]


@pytest.mark.parametrize(
    ("text", "as_of"),
    [
        ("yesterday", "0001-01-01"),
        ("month to date", "0001-01-01"),
        ("last week", "0001-01-01"),
        ("this week", "9999-12-31"),
    ],
)
def test_a_range_that_leaves_the_calendar_is_an_error(text: str, as_of: str) -> None:
    with pytest.raises(DateRangeError, match=f"'{text}' is not within the years"):
        resolve(text, as_of)


def test_prefixes_nest_deeper_than_the_stack() -> None:
    deep = "previous_day " * 20_000 + "today"
    period = parse_date_range(deep, today=BLUEPRINT_TODAY)
    assert period.start == BLUEPRINT_TODAY - 20_000 * DAY


# DateRange


def test_a_range_counts_both_of_its_ends() -> None:
    period = DateRange(dt.date(2019, 6, 1), dt.date(2019, 6, 30))
    assert period.days == 30
    assert not period.is_empty
    assert str(period) == "2019-06-01..2019-06-30"


def test_a_range_of_one_day_is_not_empty() -> None:
    period = DateRange(BLUEPRINT_TODAY, BLUEPRINT_TODAY)
    assert period.days == 1
    assert not period.is_empty


def test_a_range_cannot_be_reversed() -> None:
    with pytest.raises(ValueError, match="2019-06-13, before 2019-06-15"):
        DateRange(BLUEPRINT_TODAY, dt.date(2019, 6, 13))


def test_years_are_written_with_four_digits() -> None:
    assert str(parse_date_range("0099-01-02", today=BLUEPRINT_TODAY)) == (
        "0099-01-02..0099-01-02"
    )


def test_a_range_is_an_immutable_value() -> None:
    period = parse_date_range("today", today=BLUEPRINT_TODAY)
    assert period == DateRange(BLUEPRINT_TODAY, BLUEPRINT_TODAY)
    assert len({period, DateRange(BLUEPRINT_TODAY, BLUEPRINT_TODAY)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        period.start = dt.date(2000, 1, 1)  # type: ignore[misc]
    assert not hasattr(period, "__dict__")


@pytest.mark.parametrize("text", ["today", "this week", "2018-02-12", "1 year ago"])
def test_ends_are_plain_dates(text: str) -> None:
    period = parse_date_range(text, today=BLUEPRINT_TODAY)
    assert type(period.start) is dt.date
    assert type(period.end) is dt.date


# The current day


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.timezone.utc)


ZONES_AND_DAYS = [
    ("UTC", "2019-06-15T00:00:00", "2019-06-15"),
    ("UTC", "2019-06-15T23:59:59", "2019-06-15"),
    # 10 March 2024 has 23 hours in New York, 3 November 25
    ("America/New_York", "2024-03-10T04:59:59", "2024-03-09"),
    ("America/New_York", "2024-03-10T05:00:00", "2024-03-10"),
    ("America/New_York", "2024-03-11T03:59:59", "2024-03-10"),
    ("America/New_York", "2024-03-11T04:00:00", "2024-03-11"),
    ("America/New_York", "2024-11-03T03:59:59", "2024-11-02"),
    ("America/New_York", "2024-11-03T04:00:00", "2024-11-03"),
    ("America/New_York", "2024-11-04T04:59:59", "2024-11-03"),
    ("America/New_York", "2024-11-04T05:00:00", "2024-11-04"),
    # 7 April 2024 has 25 hours in Sydney, 6 October 23
    ("Australia/Sydney", "2024-04-06T12:59:59", "2024-04-06"),
    ("Australia/Sydney", "2024-04-06T13:00:00", "2024-04-07"),
    ("Australia/Sydney", "2024-04-07T13:59:59", "2024-04-07"),
    ("Australia/Sydney", "2024-04-07T14:00:00", "2024-04-08"),
    ("Australia/Sydney", "2024-10-06T12:59:59", "2024-10-06"),
    ("Australia/Sydney", "2024-10-06T13:00:00", "2024-10-07"),
    # UTC+05:45
    ("Asia/Kathmandu", "2024-12-31T18:14:59", "2024-12-31"),
    ("Asia/Kathmandu", "2024-12-31T18:15:00", "2025-01-01"),
    # UTC-00:44:30
    ("Africa/Monrovia", "1970-01-02T00:44:29", "1970-01-01"),
    ("Africa/Monrovia", "1970-01-02T00:44:30", "1970-01-02"),
    # Samoa had no 30 December 2011
    ("Pacific/Apia", "2011-12-30T09:59:59", "2011-12-29"),
    ("Pacific/Apia", "2011-12-30T10:00:00", "2011-12-31"),
]


@pytest.mark.parametrize(("zone", "instant", "day"), ZONES_AND_DAYS)
def test_today_is_the_day_in_the_zone(zone: str, instant: str, day: str) -> None:
    assert today(None, zone, now=utc(instant)) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(("zone", "instant", "day"), ZONES_AND_DAYS)
def test_as_of_with_an_offset_is_converted_to_the_zone(
    zone: str, instant: str, day: str
) -> None:
    assert today(f"{instant}Z", zone, now=NOON) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        ("2024-03-10", "2024-03-10"),
        ("2024-03-10T23:59:59", "2024-03-10"),
        ("2024-03-10 00:00", "2024-03-10"),
        ("2024-03-10T02:30:00", "2024-03-10"),
        ("2024-03-11T03:59:59.999999999Z", "2024-03-10"),
        ("2024-03-11T04:00Z", "2024-03-11"),
        ("2024-03-10T23:59-04:00", "2024-03-10"),
        ("2024-03-11T09:44:59+05:45", "2024-03-10"),
        ("2024-03-11T09:45:00+0545", "2024-03-11"),
    ],
)
def test_as_of_is_a_day_a_local_time_or_an_instant(as_of: str, day: str) -> None:
    resolved = today(as_of, "America/New_York", now=NOON)
    assert resolved == dt.date.fromisoformat(day)
    assert type(resolved) is dt.date


def test_now_may_have_any_zone() -> None:
    here = dt.timezone(dt.timedelta(hours=9))
    now = dt.datetime(2024, 1, 1, 8, tzinfo=here)
    assert today(None, "UTC", now=now) == dt.date(2023, 12, 31)


@pytest.mark.parametrize(
    ("as_of", "part"),
    [
        ("", ""),
        ("now", "now"),
        ("2023-02-29", "2023-02-29"),
        ("2024-1-1", "2024-1-1"),
        ("20240101", "20240101"),
        ("2024-W01-1", "2024-W01-1"),
        ("2024-01-01T", "T"),
        ("2024-01-01T24:00:00", "T24:00:00"),
        ("2024-01-01T23:60:00", "T23:60:00"),
        ("2024-01-01T23:59:60", "T23:59:60"),
        ("2024-01-01T10", "T10"),
        ("2024-01-01T10:00:00+25:00", "T10:00:00+25:00"),
        ("2024-01-01Z", "Z"),
        ("2024-01-01T10:00:00Z ", "T10:00:00Z "),
        ("2024-01-01T10:00:00Z\n", "T10:00:00Z\\n"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_an_impossible_as_of_is_an_error_that_names_it(as_of: str, part: str) -> None:
    with pytest.raises(DateRangeError) as call:
        today(as_of, "UTC", now=NOON)
    assert bad_part(call) == part
    assert repr(as_of) in str(call.value)


@pytest.mark.parametrize(
    "zone",
    [
        "",
        " UTC",
        "UTC ",
        ".",
        "../etc",
        "/etc/localtime",
        "America",
        "America/",
        "Mars/Base",
        "zone.tab",
        "new\nline",
        "nul\0",
        "\udc80",
        pytest.param("x" * 5000, id="too long for a file name"),
    ],
)
@pytest.mark.parametrize("as_of", [None, "2024-01-01"])
def test_an_unknown_zone_is_an_error_that_names_it(
    zone: str, as_of: str | None
) -> None:
    with pytest.raises(DateRangeError) as call:
        today(as_of, zone, now=NOON)
    assert str(call.value).startswith(f"{zone!r} is not an IANA time zone")


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-29",
        "2024-02-29T00:00:00Z",
        "2024-02-29T23:59:59.123-11:00",
        "2024-02-29 08:30+0545",
        "2024-02-29T08:30",
    ],
)
def test_a_day_is_taken_as_it_is_written(text: str) -> None:
    day = parse_day(text)
    assert day == dt.date(2024, 2, 29)
    assert type(day) is dt.date


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("2023-02-29", "2023-02-29"),
        ("2023-02-29T00:00:00Z", "2023-02-29"),
        ("2024-02-29T25:00:00Z", "T25:00:00Z"),
        ("2024-02-29T00:00:00 or so", "T00:00:00 or so"),
        ("2024-02-291", "1"),
        ("20240229", "20240229"),
        ("٢٠٢٤-02-29", "٢٠٢٤-02-29"),
        ("today", "today"),
        ("", ""),
    ],
)
def test_an_impossible_day_is_an_error_that_names_it(text: str, part: str) -> None:
    with pytest.raises(DateRangeError) as call:
        parse_day(text)
    assert bad_part(call) == part
    assert repr(text) in str(call.value)


# Laws that hold for every range

quickly = settings(deadline=None)

UNITS = ["day", "week", "month", "quarter", "year"]
SHORTEST = {"day": 1, "week": 7, "month": 28, "quarter": 89, "year": 365}

days = st.dates(dt.date(1000, 1, 1), dt.date(9000, 1, 1))
units = st.sampled_from(UNITS)
counts = st.integers(1, 40)
absolute = st.builds(
    lambda start, length: f"{start}..{start + length * DAY}",
    days,
    st.integers(0, 800),
)
in_units = st.one_of(
    st.sampled_from(["today", "yesterday"]),
    st.builds("{} {}".format, st.sampled_from(["this", "last"]), units),
    st.builds("{} {} {}s".format, st.sampled_from(["this", "last"]), counts, units),
    st.builds("{} to {}".format, units, st.sampled_from(["date", "now"])),
    st.builds("{} {}s to {}".format, counts, units, st.sampled_from(["date", "now"])),
)
unprefixed = st.one_of(
    in_units, absolute, days.map(str), st.builds("{} {}s ago".format, counts, units)
)
prefixes = st.sampled_from(["period", *UNITS]).map("previous_{} ".format)
phrases = st.builds(
    lambda before, text: "".join(before) + text,
    st.lists(prefixes, max_size=3),
    unprefixed,
)


@quickly
@given(text=phrases, day=days)
def test_a_range_never_ends_before_it_starts_unless_empty(
    text: str, day: dt.date
) -> None:
    period = parse_date_range(text, today=day)
    assert period.start <= period.end or period.is_empty
    assert period.days == len(
        range(period.start.toordinal(), period.end.toordinal() + 1)
    )
    if "to date" not in text:
        assert not period.is_empty


@quickly
@given(text=phrases, day=days)
def test_a_previous_period_ends_where_its_range_starts(text: str, day: dt.date) -> None:
    period = parse_date_range(text, today=day)
    before = parse_date_range(f"previous_period {text}", today=day)
    assert before.end == period.start - DAY
    assert before.start <= before.end


@quickly
@given(
    text=st.one_of(absolute, st.builds("{} {}s ago".format, counts, units)), day=days
)
def test_the_previous_period_of_days_is_as_long(text: str, day: dt.date) -> None:
    period = parse_date_range(text, today=day)
    assert parse_date_range(f"previous_period {text}", today=day).days == period.days


@quickly
@given(count=counts, unit=units, day=days)
def test_the_last_units_lead_up_to_this_one(
    count: int, unit: str, day: dt.date
) -> None:
    last = parse_date_range(f"last {count} {unit}s", today=day)
    this = parse_date_range(f"this {unit}", today=day)
    both = parse_date_range(f"this {count + 1} {unit}s", today=day)
    assert last.end == this.start - DAY
    assert this.start <= day <= this.end
    assert both == DateRange(last.start, this.end)


@quickly
@given(count=counts, unit=units, day=days)
def test_to_date_and_to_now_start_with_this_and_end_about_today(
    count: int, unit: str, day: dt.date
) -> None:
    this = parse_date_range(f"this {count} {unit}", today=day)
    to_now = parse_date_range(f"{count} {unit} to now", today=day)
    to_date = parse_date_range(f"{count} {unit} to date", today=day)
    assert to_now == DateRange(this.start, day)
    assert to_date == DateRange(this.start, day - DAY)


@quickly
@given(count=counts, unit=units, day=days)
def test_the_previous_period_of_the_last_units_is_the_units_before(
    count: int, unit: str, day: dt.date
) -> None:
    last = parse_date_range(f"last {count} {unit}", today=day)
    before = parse_date_range(f"previous_period last {count} {unit}", today=day)
    assert DateRange(before.start, last.end) == parse_date_range(
        f"last {2 * count} {unit}", today=day
    )


@quickly
@given(edge=st.sampled_from(["this", "last"]), unit=units, day=days)
def test_a_count_of_one_changes_nothing(edge: str, unit: str, day: dt.date) -> None:
    for one, many in [
        (f"{edge} {unit}", f"{edge} 1 {unit}"),
        (f"{unit} to date", f"1 {unit} to date"),
        (f"{unit} to now", f"1 {unit} to now"),
    ]:
        assert parse_date_range(one, today=day) == parse_date_range(many, today=day)


@quickly
@given(
    unit_and_length=units.flatmap(
        lambda unit: st.tuples(st.just(unit), st.integers(1, SHORTEST[unit]))
    ),
    start=days,
)
@example(unit_and_length=("quarter", 89), start=dt.date(2019, 3, 1))
@example(unit_and_length=("month", 28), start=dt.date(2019, 3, 1))
def test_a_previous_unit_does_not_overlap_a_range_no_longer_than_it(
    unit_and_length: tuple[str, int], start: dt.date
) -> None:
    unit, length = unit_and_length
    text = f"{start}..{start + (length - 1) * DAY}"
    before = parse_date_range(f"previous_{unit} {text}", today=start)
    assert before.start <= before.end < start


@quickly
@given(text=phrases, unit=units, day=days)
def test_a_previous_unit_starts_earlier_and_leaves_empty_ranges_empty(
    text: str, unit: str, day: dt.date
) -> None:
    period = parse_date_range(text, today=day)
    before = parse_date_range(f"previous_{unit} {text}", today=day)
    assert before.start < period.start
    assert before.end < period.end
    assert before.is_empty == period.is_empty


@quickly
@given(text=phrases, day=days, data=st.data())
def test_case_and_separators_change_nothing(
    text: str, day: dt.date, data: st.DataObject
) -> None:
    separators = st.text(" _", min_size=1, max_size=3)
    spelled = "".join(
        data.draw(separators)
        if letter in " _"
        else data.draw(st.sampled_from([letter.lower(), letter.upper()]))
        for letter in text
    )
    assert parse_date_range(spelled, today=day) == parse_date_range(text, today=day)


words = st.sampled_from(
    [
        *UNITS,
        *["days", "previous", "period", "this", "last", "to", "date", "now", "ago"],
        *["today", "0", "1", "99999999", ".."],
        *["2019-02-29", "0001-01-01", "2019-01-01..2018-01-01", "9999-12-31"],
    ]
)


@quickly
@given(
    text=st.one_of(
        st.text(),
        st.lists(st.one_of(words, st.text(max_size=4))).map(" ".join),
        st.lists(words, max_size=6).map("_".join),
    ),
    day=st.dates(),
)
@example(text="last 9999999 quarters", day=dt.date.min)
@example(text="this week", day=dt.date.max)
@example(text="day to date", day=dt.date(2000, 1, 1))
def test_any_text_either_parses_or_is_a_date_range_error(
    text: str, day: dt.date
) -> None:
    try:
        period = parse_date_range(text, today=day)
    except DateRangeError as error:
        assert repr(text) in str(error)  # noqa: PT017
    else:
        assert period.is_empty or parse_date_range(str(period), today=day) == period


@quickly
@given(
    text=st.one_of(
        st.text(),
        st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-9:.]{0,9}[Z+-]?[0-9:]*)?"),
    ),
    zone=st.one_of(st.sampled_from(["UTC", "Pacific/Apia"]), st.text()),
)
@example(text="9999-12-31T23:00:00Z", zone="Pacific/Apia")
def test_any_as_of_and_zone_either_give_a_day_or_a_date_range_error(
    text: str, zone: str
) -> None:
    try:
        day = today(text, zone, now=NOON)
    except DateRangeError as error:
        assert repr(text) in str(error) or repr(zone) in str(error)  # noqa: PT017
    else:
        assert abs(day - parse_day(text)) <= 2 * DAY
