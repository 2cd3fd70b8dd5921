from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_adstage.reports.bookmark import advance_bookmark, cap_bookmark
from tap_adstage.reports.window_queue import WindowQueue
from tap_adstage.reports.windows import (
    DateSettings,
    Slice,
    days_lost,
    first_day,
    lacks_complete_slice,
    plan_windows,
    slice_of,
    split_window,
    why_unread,
)

TODAY = dt.date(2024, 3, 20)  # a Wednesday
SPAN = DateSettings(
    aggregate_by="day",
    date_range=None,
    start_date=None,
    end_date=None,
    timeframe_months="SIX",
    lookback_days=30,
    window_days=10,
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def asked(
    span: DateSettings, bookmark: str | None = None, today: dt.date = TODAY
) -> list[str]:
    windows = plan_windows(span, day(bookmark) if bookmark else None, today)
    return [str(window.range) for window in windows]


def covered(span: DateSettings, bookmark: str | None = None) -> str:
    """First and last day of all windows."""
    ranges = asked(span, bookmark)
    return f"{ranges[0].partition('..')[0]}..{ranges[-1].partition('..')[2]}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "2023-09-20..2024-03-19"),
        ({"timeframe_months": "THREE"}, "2023-12-20..2024-03-19"),
        ({"timeframe_months": "TWENTY_FOUR"}, "2022-03-20..2024-03-19"),
        ({"timeframe_months": "ALL_TIME"}, "2012-01-01..2024-03-19"),
        ({"start_date": day("2024-01-05")}, "2024-01-05..2024-03-19"),
        ({"end_date": day("2024-02-29")}, "2023-08-29..2024-02-29"),
        ({"date_range": "last 7 days"}, "2024-03-13..2024-03-19"),
        ({"date_range": "7 days to now"}, "2024-03-14..2024-03-20"),
        (
            {"date_range": "last 7 days", "start_date": day("2024-03-15")},
            "2024-03-15..2024-03-19",
        ),
        (
            {"date_range": "last 7 days", "end_date": day("2024-03-15")},
            "2024-03-13..2024-03-15",
        ),
    ],
)
def test_first_sync_covers_the_range_that_the_settings_name(
    changes: dict[str, object],
    expected: str,
) -> None:
    assert covered(replace(SPAN, **changes)) == expected  # type: ignore[arg-type]


def test_timeframe_is_clipped_to_a_shorter_month() -> None:
    first = asked(replace(SPAN, timeframe_months="THREE"), today=day("2024-05-31"))[0]
    assert first.startswith("2024-02-29")


@pytest.mark.parametrize(
    "changes",
    [
        {"date_range": "this month"},
        {"date_range": "2024-03-01..2030-12-31"},
        {"start_date": day("2024-03-01"), "end_date": day("2030-12-31")},
    ],
)
def test_no_window_reaches_past_today(changes: dict[str, object]) -> None:
    span = replace(SPAN, **changes)  # type: ignore[arg-type]
    assert covered(span) == "2024-03-01..2024-03-20"


@pytest.mark.parametrize(
    ("changes", "bookmark", "first_day"),
    [
        # lookback, from a bookmark that yesterday's run left
        ({}, "2024-03-18", "2024-02-17"),
        ({"lookback_days": 0}, "2024-03-18", "2024-03-18"),
        # a relative range is not fetched beyond its start
        ({"date_range": "last 7 days"}, "2024-03-18", "2024-03-13"),
        # after a pause longer than the range, the gap is closed
        ({"date_range": "last 7 days"}, "2024-02-28", "2024-02-28"),
        # ... and no more than the lookback fetches again
        ({"date_range": "last 90 days"}, "2024-03-18", "2024-02-17"),
        # never before start_date
        ({"start_date": day("2024-03-01")}, "2024-03-18", "2024-03-01"),
        # ... and no gap is older than AdStage
        ({"date_range": "last 7 days"}, "0001-01-01", "2012-01-01"),
        ({"start_date": day("2010-01-01")}, "0001-01-01", "2010-01-01"),
        # a start_date that was moved on after the bookmark was made
        ({"start_date": day("2024-03-19")}, "2024-03-18", "2024-03-19"),
    ],
)
def test_a_bookmark_decides_where_to_go_on(
    changes: dict[str, object],
    bookmark: str,
    first_day: str,
) -> None:
    span = replace(SPAN, **changes)  # type: ignore[arg-type]
    assert asked(span, bookmark)[0].startswith(first_day)


@pytest.mark.parametrize(
    ("aggregate_by", "expected"),
    [
        ("week", ["2024-02-26..2024-03-03", "2024-03-04..2024-03-10"]),
        ("month", ["2024-02-01..2024-02-29", "2024-03-01..2024-03-20"]),
    ],
)
def test_windows_begin_and_end_on_whole_slices_or_today(
    aggregate_by: str,
    expected: list[str],
) -> None:
    ranges = asked(
        replace(SPAN, aggregate_by=aggregate_by, start_date=day("2024-02-28")),
    )
    assert ranges[:2] == expected
    assert ranges[-1].endswith("2024-03-20")


def test_a_window_holds_as_many_whole_slices_as_fit_into_its_days() -> None:
    span = replace(
        SPAN, aggregate_by="week", window_days=15, start_date=day("2024-01-01")
    )
    assert asked(span)[0] == "2024-01-01..2024-01-14"
    month = replace(span, aggregate_by="month", window_days=60)
    assert asked(month)[0] == "2024-01-01..2024-02-29"
    assert asked(replace(month, window_days=59))[0] == "2024-01-01..2024-01-31"


def test_a_window_is_never_less_than_one_slice() -> None:
    span = replace(
        SPAN, aggregate_by="month", window_days=1, start_date=day("2024-01-31")
    )
    assert asked(span) == [
        "2024-01-01..2024-01-31",
        "2024-02-01..2024-02-29",
        "2024-03-01..2024-03-20",
    ]


def test_a_whole_slice_in_the_past_is_asked_for_whole() -> None:
    span = replace(SPAN, aggregate_by="month", date_range="2023-12-20..2024-01-10")
    assert covered(span) == "2023-12-01..2024-01-31"


@pytest.mark.parametrize(
    ("changes", "today"),
    [
        ({"date_range": "month to date"}, day("2024-03-01")),
        ({"start_date": day("2024-03-20")}, TODAY),
        ({"start_date": day("2030-01-01")}, TODAY),
        ({"date_range": "2024-01-01..2024-01-31", "start_date": TODAY}, TODAY),
        ({"aggregate_by": "total", "date_range": "month to date"}, day("2024-03-01")),
        ({"aggregate_by": "month", "date_range": "month to date"}, day("2024-03-01")),
    ],
)
def test_an_empty_range_has_no_windows(
    changes: dict[str, object],
    today: dt.date,
) -> None:
    span = replace(SPAN, **changes)  # type: ignore[arg-type]
    assert plan_windows(span, None, today) == []
    assert plan_windows(span, day("2024-02-20"), today) == []


def test_a_bookmark_past_the_range_leaves_nothing_to_ask_for() -> None:
    assert plan_windows(replace(SPAN, lookback_days=0), day("2024-03-21"), TODAY) == []


@pytest.mark.parametrize("bookmark", [None, day("2024-03-18")])
def test_a_total_report_asks_for_its_whole_range_in_one_window(
    bookmark: dt.date | None,
) -> None:
    span = replace(SPAN, aggregate_by="total", date_range="last 90 days")
    (window,) = plan_windows(span, bookmark, TODAY)
    assert str(window.range) == "2023-12-21..2024-03-19"
    assert [(s.start, s.end) for s in window.slices] == [
        (day("2023-12-21"), day("2024-03-19")),
    ]


@pytest.mark.parametrize(
    ("aggregate_by", "bookmark"),
    [("day", "2024-03-19"), ("week", "2024-03-18"), ("month", "2024-03-01")],
)
def test_the_bookmark_is_the_first_day_of_the_last_slice(
    aggregate_by: str,
    bookmark: str,
) -> None:
    windows = plan_windows(replace(SPAN, aggregate_by=aggregate_by), None, TODAY)
    assert windows[-1].bookmark == day(bookmark)


def test_a_bookmark_never_goes_back() -> None:
    assert advance_bookmark(day("2024-03-18"), day("2024-02-27")) == day("2024-03-18")
    assert advance_bookmark(day("2024-03-18"), day("2024-03-19")) == day("2024-03-19")
    assert advance_bookmark(None, day("2024-02-27")) == day("2024-02-27")


def test_lookback_before_the_calendar_begins_is_no_error() -> None:
    span = replace(SPAN, lookback_days=10_000_000, start_date=day("2024-03-01"))
    assert covered(span, "2024-03-18") == "2024-03-01..2024-03-19"


@pytest.mark.parametrize(
    ("text", "aggregate_by", "expected"),
    [
        ("2024-02-29", "day", ("2024-02-29", "2024-02-29")),
        ("2024-03-03", "week", ("2024-02-26", "2024-03-03")),
        ("2024-03-04", "week", ("2024-03-04", "2024-03-10")),
        ("2024-12-31", "week", ("2024-12-30", "2025-01-05")),
        ("2023-02-10", "month", ("2023-02-01", "2023-02-28")),
        ("2024-02-29", "month", ("2024-02-01", "2024-02-29")),
        ("2024-12-31", "month", ("2024-12-01", "2024-12-31")),
    ],
)
def test_weeks_start_on_monday_and_months_are_the_calendar_s(
    text: str,
    aggregate_by: str,
    expected: tuple[str, str],
) -> None:
    piece = slice_of(day(text), aggregate_by)
    assert (piece.start, piece.end) == (day(expected[0]), day(expected[1]))


days = st.dates(dt.date(2015, 1, 1), dt.date(2030, 12, 31))
spans = st.builds(
    DateSettings,
    aggregate_by=st.sampled_from(["day", "week", "month"]),
    date_range=st.one_of(
        st.none(),
        st.sampled_from(["last 7 days", "month to date", "this week", "last 2 months"]),
    ),
    start_date=st.one_of(st.none(), days),
    end_date=st.none(),
    timeframe_months=st.sampled_from(["THREE", "SIX"]),
    lookback_days=st.integers(0, 90),
    window_days=st.integers(1, 70),
)


@given(spans, st.one_of(st.none(), days), days)
def test_windows_meet_and_hold_each_slice_once(
    span: DateSettings,
    bookmark: dt.date | None,
    today: dt.date,
) -> None:
    windows = plan_windows(span, bookmark, today)
    slices = [piece for window in windows for piece in window.slices]
    assert slices == [slice_of(piece.start, span.aggregate_by) for piece in slices]
    for earlier, following in pairwise(slices):
        assert following.start == earlier.end + dt.timedelta(days=1)
    for window in windows:
        assert window.range.start == window.slices[0].start
        assert window.range.end == min(window.slices[-1].end, today)
        assert len(window.slices) == 1 or window.range.days <= span.window_days


@given(spans, st.integers(0, 400), days)
def test_a_pause_of_any_length_leaves_no_day_out(
    span: DateSettings,
    pause: int,
    today: dt.date,
) -> None:
    before = plan_windows(span, None, today)
    if not before:
        return
    bookmark = before[-1].bookmark
    after = plan_windows(span, bookmark, today + dt.timedelta(days=pause))
    if after:
        end = before[-1].range.end
        assert after[0].range.start <= end + dt.timedelta(days=1)


@given(spans, days)
def test_a_second_run_on_the_same_day_fetches_no_more_than_the_lookback(
    span: DateSettings,
    today: dt.date,
) -> None:
    first = plan_windows(span, None, today)
    if not first:
        return
    bookmark = first[-1].bookmark
    oldest = slice_of(
        bookmark - dt.timedelta(days=span.lookback_days),
        span.aggregate_by,
    )
    for window in plan_windows(span, bookmark, today):
        assert window.range.start >= oldest.start


@pytest.mark.parametrize(
    ("finished", "aggregate_by", "through", "expected"),
    [
        ("2024-03-14", "day", "2024-03-16", "2024-03-14"),
        ("2024-03-16", "day", "2024-03-16", "2024-03-16"),
        ("2024-03-19", "day", "2024-03-16", "2024-03-16"),
        # the next run goes back to where this one started, and no further
        ("2024-03-19", "day", "2023-12-31", "2024-02-01"),
        ("2024-03-18", "week", "2023-12-31", "2024-02-01"),
        ("2024-03-01", "total", "2023-12-31", "2024-02-01"),
        # the slice that isn't whole yet is the one to go on from
        ("2024-03-18", "week", "2024-03-19", "2024-03-18"),
        ("2024-03-18", "week", "2024-03-18", "2024-03-18"),
        ("2024-03-18", "week", "2024-03-17", "2024-03-11"),
        ("2024-03-04", "week", "2024-03-17", "2024-03-04"),
        ("2024-03-01", "month", "2024-03-01", "2024-03-01"),
        ("2024-03-01", "month", "2024-02-29", "2024-02-01"),
        # a total asks for all of it again, whatever the bookmark is
        ("2024-03-01", "total", "2024-03-16", "2024-03-01"),
        ("2024-03-01", "total", "2024-02-10", "2024-02-10"),
        # some account has imported nothing at all
        ("2024-03-19", "day", None, "2024-02-01"),
        ("2024-03-18", "week", None, "2024-02-01"),
        ("2024-02-01", "total", None, "2024-02-01"),
    ],
)
def test_a_held_bookmark_passes_no_slice_that_may_change(
    finished: str,
    aggregate_by: str,
    through: str | None,
    expected: str,
) -> None:
    limit = cap_bookmark(
        day(finished),
        aggregate_by,
        day(through) if through else None,
        first=day("2024-02-01"),
    )
    assert limit == day(expected)


@pytest.mark.parametrize(
    ("aggregate_by", "most", "expected"),
    [
        ("day", 10, ["2024-03-11..2024-03-20"]),
        ("day", 5, ["2024-03-11..2024-03-15", "2024-03-16..2024-03-20"]),
        (
            "day",
            4,
            [
                "2024-03-11..2024-03-14",
                "2024-03-15..2024-03-18",
                "2024-03-19..2024-03-20",
            ],
        ),
        ("week", 1, ["2024-03-11..2024-03-17", "2024-03-18..2024-03-20"]),
    ],
)
def test_portions_of_a_window_meet_between_slices(
    aggregate_by: str,
    most: int,
    expected: list[str],
) -> None:
    span = replace(
        SPAN,
        aggregate_by=aggregate_by,
        start_date=day("2024-03-11"),
        end_date=TODAY,
        window_days=14,
    )
    (window,) = plan_windows(span, None, TODAY)
    found = split_window(window, most)
    assert [str(portion.range) for portion in found] == expected
    assert [piece for portion in found for piece in portion.slices] == [*window.slices]


def test_a_window_that_was_too_much_comes_back_in_halves() -> None:
    span = replace(SPAN, start_date=day("2024-03-01"), end_date=day("2024-03-20"))
    queue = WindowQueue(plan_windows(span, None, TODAY))
    taken = []
    for window in queue:
        taken.append((f"{queue.taken} of {queue.total}", str(window.range)))
        if len(window.slices) > 5:
            assert queue.halve(window) == 5
    assert taken == [
        ("1 of 2", "2024-03-01..2024-03-10"),
        ("1 of 3", "2024-03-01..2024-03-05"),
        ("2 of 3", "2024-03-06..2024-03-10"),
        ("3 of 4", "2024-03-11..2024-03-15"),
        ("4 of 4", "2024-03-16..2024-03-20"),
    ]


# --- hours, of which a source keeps some days ---

HOURS = replace(
    SPAN, aggregate_by="hour", date_range="last 10 days", oldest=day("2024-03-06")
)


def test_windows_by_the_hour_are_of_days() -> None:
    hourly = replace(HOURS, window_days=4)
    days = replace(hourly, aggregate_by="day", oldest=None)
    assert plan_windows(hourly, None, TODAY) == plan_windows(days, None, TODAY)


@pytest.mark.parametrize(
    ("changes", "bookmark", "covers", "lost"),
    [
        ({}, None, "2024-03-10..2024-03-19", None),
        # The lookback is cut.
        ({"date_range": None}, "2024-03-18", "2024-03-06..2024-03-19", None),
        ({}, "2024-03-06", "2024-03-06..2024-03-19", None),
        # Of the first day some hours are gone.
        ({}, "2024-03-05", "2024-03-06..2024-03-19", "2024-03-06..2024-03-06"),
        ({}, "2024-03-02", "2024-03-06..2024-03-19", "2024-03-03..2024-03-06"),
        (
            {"date_range": None},
            None,
            "2024-03-06..2024-03-19",
            "2023-09-20..2024-03-06",
        ),
        (
            {"date_range": None, "start_date": day("2024-03-06")},
            None,
            "2024-03-06..2024-03-19",
            "2024-03-06..2024-03-06",
        ),
    ],
)
def test_hours_begin_where_the_source_still_has_them(
    changes: dict[str, object], bookmark: str | None, covers: str, lost: str | None
) -> None:
    span = replace(HOURS, **changes)  # type: ignore[arg-type]
    assert covered(span, bookmark) == covers
    days = days_lost(span, day(bookmark) if bookmark else None, TODAY)
    assert lost == (str(days) if days else None)


def test_a_range_that_no_source_has_any_more_is_unread_and_told() -> None:
    span = replace(HOURS, date_range="2024-02-01..2024-02-10")
    assert plan_windows(span, None, TODAY) == []
    why = why_unread(span, TODAY)
    assert why == "days before 2024-03-06 can't be read by the hour any more"
    assert why_unread(HOURS, TODAY) is None


def test_a_beginning_that_moves_on_with_the_source_is_no_earlier_one() -> None:
    span = replace(HOURS, date_range=None)
    later = replace(span, oldest=day("2024-03-07"))
    assert first_day(span, None, TODAY) == day("2024-03-06")
    assert first_day(later, None, TODAY) == day("2024-03-07")


# --- complete slices alone ---

COMPLETE = replace(SPAN, complete_slices=True)


@pytest.mark.parametrize(
    ("changes", "bookmark", "expected"),
    [
        # it is Wednesday: the week is not over, and the range begins on a Wednesday
        ({"aggregate_by": "week"}, None, "2023-09-25..2024-03-17"),
        ({"aggregate_by": "month"}, None, "2023-10-01..2024-02-29"),
        # the first days and the last ones are whole slices
        (
            {"aggregate_by": "month", "date_range": "2024-01-01..2024-02-29"},
            None,
            "2024-01-01..2024-02-29",
        ),
        # ... and are not
        (
            {"aggregate_by": "month", "date_range": "2023-11-02..2024-02-28"},
            None,
            "2023-12-01..2024-01-31",
        ),
        ({"aggregate_by": "month", "start_date": day("2024-01-02")}, None, "2024-02-"),
        # today is not over
        ({"date_range": "3 days to now"}, None, "2024-03-18..2024-03-19"),
        ({"date_range": "last 3 days"}, None, "2024-03-17..2024-03-19"),
        # the lookback counts as before
        ({"aggregate_by": "week"}, "2024-03-11", "2024-02-05..2024-03-17"),
        (
            {"aggregate_by": "week", "lookback_days": 0},
            "2024-03-11",
            "2024-03-11..2024-",
        ),
        # ... within the range
        (
            {"aggregate_by": "month", "date_range": "last 60 days"},
            "2024-02-01",
            "2024-02-01..2024-02-29",
        ),
        # a pause is caught up, though no month fits into the range
        (
            {"aggregate_by": "month", "date_range": "last 10 days"},
            "2023-12-01",
            "2023-12-01..2024-02-29",
        ),
        # a start_date that was moved on after the bookmark was made
        (
            {"aggregate_by": "month", "start_date": day("2024-01-02")},
            "2023-12-01",
            "2024-02-01..2024-02-29",
        ),
        # of the oldest day some hours are gone
        (
            {"aggregate_by": "hour", "oldest": day("2024-03-06")},
            None,
            "2024-03-07..2024",
        ),
    ],
)
def test_only_slices_that_are_over_and_covered_whole_are_read(
    changes: dict[str, object], bookmark: str | None, expected: str
) -> None:
    span = replace(COMPLETE, **changes)  # type: ignore[arg-type]
    assert covered(span, bookmark).startswith(expected)


@pytest.mark.parametrize(
    ("changes", "bookmark"),
    [
        ({"aggregate_by": "month", "date_range": "month to date"}, None),
        ({"aggregate_by": "month", "date_range": "last 30 days"}, None),
        ({"aggregate_by": "day", "date_range": "today"}, None),
        # the bookmark of a run that read the month so far
        ({"aggregate_by": "month", "lookback_days": 0}, "2024-03-01"),
    ],
)
def test_without_a_complete_slice_there_is_nothing_to_read(
    changes: dict[str, object], bookmark: str | None
) -> None:
    span = replace(COMPLETE, **changes)  # type: ignore[arg-type]
    assert asked(span, bookmark) == []
    at = day(bookmark) if bookmark else None
    assert lacks_complete_slice(span, at, TODAY)
    assert not lacks_complete_slice(replace(span, complete_slices=False), at, TODAY)


def test_a_total_has_no_slices_to_leave_out() -> None:
    span = replace(COMPLETE, aggregate_by="total", date_range="this month")
    assert asked(span) == ["2024-03-01..2024-03-20"]


complete_spans = st.builds(
    replace,
    spans,
    aggregate_by=st.sampled_from(["day", "week", "month"]),
    date_range=st.sampled_from(
        [
            None,
            "last 7 days",
            "last 40 days",
            "month to date",
            "this week",
            "last 2 months",
            "90 days to now",
            "2024-01-10..2024-12-20",
        ]
    ),
    start_date=st.one_of(st.none(), st.dates(day("2024-01-01"), day("2024-12-31"))),
    end_date=st.one_of(st.none(), st.dates(day("2024-06-01"), day("2025-06-30"))),
    lookback_days=st.integers(0, 60),
)
first_days = st.dates(day("2024-03-01"), day("2024-12-31"))
pauses = st.lists(st.integers(0, 45), max_size=8)


def made_by_runs(
    span: DateSettings, first: dt.date, pauses: list[int]
) -> list[tuple[dt.date, dt.date | None, list[Slice]]]:
    """Each run's day, the bookmark that it begins with, and the slices it reads."""
    today, bookmark = first, None
    made: list[tuple[dt.date, dt.date | None, list[Slice]]] = []
    for pause in [0, *pauses]:
        today += dt.timedelta(days=pause)
        windows = plan_windows(span, bookmark, today)
        made.append((today, bookmark, [s for w in windows for s in w.slices]))
        for window in windows:
            bookmark = advance_bookmark(bookmark, window.bookmark)
    return made


@given(complete_spans, first_days, pauses)
def test_complete_slices_are_those_of_all_that_are_complete(
    span: DateSettings, first: dt.date, pauses: list[int]
) -> None:
    for today, bookmark, read in made_by_runs(
        replace(span, complete_slices=True), first, pauses
    ):
        days = plan_windows(replace(span, aggregate_by="day"), None, today)
        covered = {d.start for w in days for d in w.slices}
        # what a relative range has left behind since the bookmark
        begins = bookmark and max(bookmark, span.start_date or bookmark)
        if days and begins:
            gap = (days[-1].range.end - begins).days
            covered |= {begins + dt.timedelta(days=n) for n in range(gap + 1)}
        every = plan_windows(span, bookmark, today)
        assert read == [
            piece
            for window in every
            for piece in window.slices
            if {piece.start, piece.end} <= covered and piece.end < today
        ]


@given(complete_spans, first_days, pauses)
def test_from_the_first_complete_slice_on_each_comes_once_it_is_over(
    span: DateSettings, first: dt.date, pauses: list[int]
) -> None:
    made = made_by_runs(replace(span, complete_slices=True), first, pauses)
    read = sorted({piece.start for _, _, slices in made for piece in slices})
    for earlier, following in pairwise(read):
        end = slice_of(earlier, span.aggregate_by).end
        assert following == end + dt.timedelta(days=1)
    today = made[-1][0]
    if read and span.date_range is None and span.end_date is None:
        coming = slice_of(read[-1], span.aggregate_by).end + dt.timedelta(days=1)
        assert slice_of(coming, span.aggregate_by).end >= today


@given(complete_spans, first_days, pauses)
def test_who_asks_for_all_slices_again_lacks_none(
    span: DateSettings, first: dt.date, pauses: list[int]
) -> None:
    if span.end_date and not (span.start_date or span.date_range):
        return  # `first_day` takes no notice of an end that moves its beginning
    *_, (today, _, _) = made = made_by_runs(
        replace(span, complete_slices=True), first, pauses
    )
    read = {piece.start for _, _, slices in made for piece in slices}
    if not read:
        return
    bookmark = max(read)
    again = replace(span, complete_slices=False)
    before = first_day(replace(span, complete_slices=True), bookmark, today)
    begins = first_day(again, bookmark, today)
    resumed = plan_windows(again, bookmark, today)
    every = plan_windows(again, None, today)
    lacking = {
        piece.start
        for window in every
        for piece in window.slices
        if piece.start not in read | {s.start for w in resumed for s in w.slices}
    }
    # ... or it begins earlier than before, and so starts over
    assert not lacking or (before and begins and begins < before)
