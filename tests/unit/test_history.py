"""What a bookmark stands for, and what a run makes of that."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from harness.reports import report_config
from hypothesis import given
from hypothesis import strategies as st

from tap_adstage.adstage.fields import FieldCatalog
from tap_adstage.adstage.question import question
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.config.shards import Shard
from tap_adstage.exceptions import StateError
from tap_adstage.reports.bookmark import KEYS, Bookmark
from tap_adstage.reports.history import (
    CatchUp,
    Exact,
    History,
    additions,
    digest,
    joined_digests,
    split_digests,
    values_to_keep,
)
from tap_adstage.reports.run_plan import plan_run
from tap_adstage.reports.run_question import ReportAccounts, RunQuestion
from tap_adstage.reports.windows import DateSettings, first_day, slice_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_adstage.reports.history import Part
    from tap_adstage.reports.windows import Window

DESCRIPTORS = [{"id": name} for name in ("clicks", "spend", "conversions")]
REPORT: dict[str, Any] = {
    "entity_level": "campaigns",
    "fields": ["clicks", "spend"],
    "networks": ["adwords", "quora"],
    "statuses": "all_visible",
    "targets": ["/network/adwords/account/1", "/network/quora/account/2"],
}
FILTER = {"path": "clicks", "op": "gt", "value": 5}
OTHER_FILTER = {"path": "meta/name", "op": "in", "value": ["a", "b"]}


def parts_of(**keys: object) -> Mapping[str, Part]:
    """The question of a report, all columns selected."""
    given_keys = {key: value for key, value in (REPORT | keys).items() if value}
    config = report_config(**given_keys)
    external = config.provider != "adstage"
    catalog = FieldCatalog.of(DESCRIPTORS, is_external=external)
    columns = report_columns(config, catalog)
    return question(config, columns, {column.name for column in columns.fields})


# --- a question that asks for more ---


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"fields": ["clicks", "spend", "conversions"]}, "fields: conversions"),
        ({"networks": ["adwords", "quora", "twitter"]}, "networks: twitter"),
        ({"networks": None}, "networks: amazon, bing_ads, facebook and 4 more"),
        ({"statuses": "all_with_deleted"}, "statuses: all_with_deleted, not all_vis"),
        ({"targets": None}, "targets: all"),
        (
            {"targets": ["/network/adwords/account/1", "/network/quora/account/3"]},
            "targets: /network/quora/account/3",
        ),
        ({"filters": [FILTER]}, "filters: "),
        ({"entity_level": "ads"}, "entity_level: ads, not campaigns"),
        ({"group_by": "network"}, "group_by: network, not none"),
    ],
)
def test_more_is_told_by_the_setting_that_asks_for_it(
    change: dict[str, Any], part: str
) -> None:
    before = values_to_keep(parts_of())
    (more,) = additions(parts_of(**change), before)
    assert more.startswith(part)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"fields": ["SPEND"]},
        {"fields": ["Spend", "clicks"]},
        {"networks": ["quora"]},
        {"statuses": "all_active"},
        {"statuses": "all_inactive"},
        {"targets": ["/network/quora/account/2"]},
        {"order": "desc", "sort_by": "clicks"},
        {"window_days": 3, "lookback_days": 1, "ignore_precision": True},
    ],
)
def test_fewer_is_not_more(change: dict[str, Any]) -> None:
    before = values_to_keep(parts_of())
    assert additions(parts_of(**change), before) == []


@pytest.mark.parametrize(
    ("before", "now", "is_more"),
    [
        ("all_active", "all_inactive", True),
        ("all_inactive", "all_visible", True),
        ("all_with_deleted", "all_visible", False),
        ("all_visible", "all_inactive", False),
    ],
)
def test_statuses_include_each_other(before: str, now: str, is_more: bool) -> None:  # noqa: FBT001
    kept = values_to_keep(parts_of(statuses=before))
    assert bool(additions(parts_of(statuses=now), kept)) is is_more


def test_no_targets_are_all_targets() -> None:
    kept = values_to_keep(parts_of(targets=None))
    assert additions(parts_of(), kept) == []
    assert additions(parts_of(targets=None), kept) == []


def test_the_order_of_filters_is_no_change_but_a_value_is() -> None:
    kept = values_to_keep(parts_of(filters=[FILTER, OTHER_FILTER]))
    assert additions(parts_of(filters=[OTHER_FILTER, FILTER]), kept) == []
    assert additions(parts_of(filters=[OTHER_FILTER]), kept)
    assert additions(parts_of(filters=None), kept)
    assert additions(parts_of(filters=[OTHER_FILTER, {**FILTER, "value": 6}]), kept)


def test_what_a_deselected_column_asks_for_is_more_once_it_is_selected() -> None:
    config = report_config(entity_level="campaigns", fields=["clicks", "spend"])
    columns = report_columns(config, FieldCatalog.of(DESCRIPTORS))
    kept = values_to_keep(question(config, columns, {"entity_id", "clicks"}))
    (more,) = additions(question(config, columns, {"entity_id", "spend"}), kept)
    assert more == "fields: spend"


def test_another_column_of_a_field_is_more() -> None:
    named = {"field": "clicks", "column": "taps"}
    kept = values_to_keep(parts_of())
    (more,) = additions(parts_of(fields=[named, "spend"]), kept)
    assert more == "fields: clicks as taps"
    kept = values_to_keep(parts_of(fields=[named, "spend"]))
    assert additions(parts_of(fields=[named]), kept) == []
    assert additions(parts_of(fields=["clicks", "spend"]), kept) == ["fields: clicks"]


def test_a_metric_that_comes_back_is_more() -> None:
    custom = "custom_conversions:14:conversions"
    config = report_config(entity_level="campaigns", fields=["clicks", custom])

    def parts(*descriptors: dict[str, str]) -> Mapping[str, Part]:
        columns = report_columns(config, FieldCatalog.of([*DESCRIPTORS, *descriptors]))
        return question(config, columns, {column.name for column in columns.fields})

    before, without, again = parts({"id": custom}), parts(), parts({"id": custom})
    assert additions(without, values_to_keep(before)) == []
    assert additions(again, values_to_keep(without)) == [f"fields: {custom}"]


def test_a_default_question_keeps_little() -> None:
    kept = values_to_keep(
        parts_of(networks=None, statuses="all_with_deleted", targets=None)
    )
    assert {*kept} == {"entity_level", "fields"}


CHANGES: dict[str, list[Any]] = {
    "fields": [["clicks"], ["spend"], ["clicks", "spend"]],
    "networks": [None, ["quora"], ["adwords", "quora"]],
    "statuses": ["all_visible", "all_active", "all_with_deleted"],
    "targets": [None, ["/network/quora/account/2"]],
}


@given(st.data())
def test_who_asks_for_no_more_twice_asks_for_no_more_in_all(
    data: st.DataObject,
) -> None:
    first, second, third = (
        parts_of(**{key: data.draw(st.sampled_from(CHANGES[key])) for key in CHANGES})
        for _ in range(3)
    )
    assert additions(first, values_to_keep(first)) == []
    if not additions(second, values_to_keep(first)) and not additions(
        third, values_to_keep(second)
    ):
        assert additions(third, values_to_keep(first)) == []


# --- the first day ---


def dates(**changes: object) -> DateSettings:
    defaults: dict[str, Any] = {
        "aggregate_by": "day",
        "date_range": None,
        "start_date": None,
        "end_date": None,
        "timeframe_months": "SIX",
        "lookback_days": 7,
        "window_days": 10,
    }
    return DateSettings(**defaults | changes)


TODAY = dt.date(2024, 3, 20)


@given(
    st.sampled_from(
        [
            {"date_range": "last 30 days"},
            {"date_range": "month to date"},
            {"date_range": "previous_month month to date"},
            {"date_range": "last 2 quarters"},
            {"date_range": "2024-01-15..2024-12-31"},
            {"start_date": dt.date(2024, 1, 17)},
            {},
            {"timeframe_months": "TWENTY_FOUR"},
            {"end_date": dt.date(2024, 2, 1)},
        ]
    ),
    st.sampled_from(["day", "week", "month"]),
    st.integers(0, 500),
    st.integers(0, 40),
)
def test_a_range_that_moves_on_never_begins_earlier(
    keys: dict[str, Any], aggregate_by: str, first: int, later: int
) -> None:
    """Neither as of a past day, nor with a time zone further west."""
    settings = dates(aggregate_by=aggregate_by, **keys)
    day = dt.date(2024, 2, 1) + dt.timedelta(days=first)
    begun = first_day(settings, None, day)
    bookmark = day - dt.timedelta(days=1)
    for today in (day + dt.timedelta(days=later), day - dt.timedelta(days=later)):
        again = first_day(settings, bookmark, today)
        assert begun is None or again is None or again >= begun


def test_an_end_for_once_is_no_earlier_beginning() -> None:
    limited = dates(end_date=dt.date(2024, 2, 1))
    assert first_day(limited, None, TODAY) == first_day(dates(), None, TODAY)


# --- the state ---


def test_a_bookmark_is_read_as_it_was_written() -> None:
    history = History(
        {"entity_level": "ads", "fields": ["clicks"], "filters": [FILTER]},
        frozenset(map(digest, "abc")),
        (CatchUp(frozenset({digest("d")}), dt.date(2024, 2, 1)),),
    )
    bookmark = Bookmark(TODAY, "day", Shard(2, 3), history)
    state: dict[str, Any] = {}
    bookmark.write(state)
    assert {*state} == {*KEYS}
    assert Bookmark.read("r", state) == bookmark
    Bookmark(TODAY, "day", Shard()).write(state)
    assert {*state} == {"replication_key", "replication_key_value", "aggregate_by"}


def test_a_bookmark_by_the_hour_is_the_last_hour_of_its_day() -> None:
    state: dict[str, Any] = {}
    bookmark = Bookmark(dt.date(2024, 3, 19), "hour", Shard())
    bookmark.write(state)
    assert state == {
        "replication_key": "start_time",
        "replication_key_value": "2024-03-19T23:00:00Z",
        "aggregate_by": "hour",
    }
    assert Bookmark.read("r", state) == bookmark


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("question", "clicks"),
        ("question", [["fields", 3]]),
        ("accounts", "abc"),
        ("accounts", ["abcdef"]),
        ("catch_up", [["soon", "abcdef"]]),
        ("catch_up", {"2024-01-01": "abcdef"}),
    ],
)
def test_a_history_that_the_tap_does_not_write_is_an_error(
    key: str, value: object
) -> None:
    state = {"replication_key_value": "2024-03-19", key: value}
    with pytest.raises(StateError, match=rf"bookmarks\.r\.{key} is "):
        Bookmark.read("r", state)


@given(st.sets(st.text(min_size=1), max_size=50))
def test_digests_come_back(accounts: set[str]) -> None:
    digests = frozenset(map(digest, accounts))
    assert split_digests(joined_digests(digests)) == digests


# --- runs ---


def asked(**changes: object) -> RunQuestion:
    defaults: dict[str, Any] = {
        "parts": {"entity_level": Exact("ads")},
        "dates": dates(start_date=dt.date(2024, 1, 1)),
        "shard": Shard(),
        "today": TODAY,
        "real_today": TODAY,
        "is_full_table": False,
        "has_known_accounts": True,
        "shares_rows": False,
        "backfill": True,
    }
    return RunQuestion(**defaults | changes)


def accounts(*ids: str, importing: Sequence[str] = ()) -> ReportAccounts:
    return ReportAccounts(
        names={each: each.upper() for each in (*ids, *importing)},
        joined=frozenset(ids),
    )


@dataclass
class Table:
    """A table that runs of a report load, and the state between them.

    Attributes:
        bookmark: The last bookmark that was written.
        rows: The day and account of each row, with the question that it answers.
    """

    bookmark: Bookmark | None = None
    rows: dict[tuple[dt.date, str], object] = field(default_factory=dict)
    read: list[tuple[dt.date, str]] = field(default_factory=list)

    def run(
        self,
        question: RunQuestion,
        found: ReportAccounts | None,
        linked: Sequence[str],
        windows: int | None = None,
    ) -> None:
        """Run, and be killed after some windows."""
        plan = plan_run(question, self.bookmark, lambda *_: found)
        current, left = (
            plan.bookmark,
            itertools.count() if windows is None else iter(range(windows)),
        )
        value = question.parts["entity_level"].value
        self.read = []
        for catch_up in plan.catch_ups:
            for window in catch_up.windows:
                if next(left, None) is None:
                    return
                self._write(window, catch_up.accounts, value)
                assert current
                current = self.bookmark = plan.after_catch_up(current, catch_up, window)
        for window in plan.windows:
            if next(left, None) is None:
                return
            self._write(window, linked, value)
            current = self.bookmark = plan.after_window(current, window)

    def _write(self, window: Window, ids: Sequence[str], value: object) -> None:
        for piece in window.slices:
            for account in ids:
                self.rows[piece.start, account] = value
                self.read.append((piece.start, account))


RUNS = st.lists(
    st.tuples(
        st.sets(st.sampled_from("ABCD"), min_size=1),  # linked
        st.sets(st.sampled_from("ABCD")),  # whose import is not finished
        st.booleans(),  # whether the list of accounts can be read
        st.sampled_from(["ads", "ads", "ads", "campaigns"]),
        st.integers(0, 3),  # days until the run
        st.integers(0, 9),  # days of lookback
        st.one_of(st.none(), st.integers(0, 12)),  # windows until it is killed
    ),
    max_size=12,
)


@given(RUNS)
def test_whatever_happens_between_runs_nothing_lacks_its_history(
    runs: list[tuple[set[str], set[str], bool, str, int, int, int | None]],
) -> None:
    """Kills anywhere, accounts that come and go, imports, other questions."""
    table, today = Table(), TODAY
    level, linked, seen = "ads", {"A"}, False
    for there, importing, readable, level, days, lookback, windows in runs:
        # A first run that knows no accounts is as one of an earlier version.
        known = readable or not seen
        present = there if known else linked
        today += dt.timedelta(days=days)
        question = asked(
            parts={"entity_level": Exact(level)},
            today=today,
            real_today=today,
            dates=dates(start_date=dt.date(2024, 1, 1), lookback_days=lookback),
        )
        found = accounts(*(present - importing), importing=[*(present & importing)])
        table.run(question, found if known else None, sorted(present), windows)
        assert len(table.read) == len({*table.read}), "a row twice in one run"
        if windows == 0:  # killed before a STATE, so the next run knows nothing of it
            continue
        linked, seen = present, True
        if known:  # who left must get everything again on coming back
            for key in [key for key in table.rows if key[1] not in linked]:
                del table.rows[key]
    last = asked(
        parts={"entity_level": Exact(level)},
        today=today,
        real_today=today,
        dates=dates(start_date=dt.date(2024, 1, 1), lookback_days=0),
    )
    table.run(last, accounts(*linked), sorted(linked))
    wanted = dt.date(2024, 1, 1)
    while wanted < today:
        for account in linked:
            assert table.rows.get((wanted, account)) == level, (wanted, account)
        wanted += dt.timedelta(days=1)
    assert table.bookmark is not None
    assert table.bookmark.history.accounts == frozenset(map(digest, linked))
    assert not table.bookmark.history.catch_ups


SLICED_RUNS = st.lists(
    st.tuples(
        st.sets(st.sampled_from("ABC"), min_size=1),  # linked
        st.booleans(),  # whether complete slices alone are asked for
        st.integers(0, 25),  # days until the run
        st.integers(0, 40),  # days of lookback
        st.one_of(st.none(), st.integers(0, 4)),  # windows until it is killed
    ),
    max_size=10,
)
SLICED = [
    ("week", "2024-01-03", "2024-01-01", "2024-01-08"),
    ("month", "2023-11-02", "2023-11-01", "2023-12-01"),
    ("day", "2024-03-01", "2024-03-01", "2024-03-01"),
]


@given(SLICED_RUNS, st.sampled_from(SLICED), st.booleans())
def test_whenever_slices_are_left_out_no_complete_one_is_lost(
    runs: list[tuple[set[str], bool, int, int, int | None]],
    sliced: tuple[str, str, str, str],
    complete_at_last: bool,  # noqa: FBT001
) -> None:
    """Asking for complete slices alone comes and goes, and so do accounts."""
    aggregate_by, start, first_of_all, first_complete = sliced
    table, today, linked = Table(), TODAY, {"A"}
    last = (None, complete_at_last, 0, 0, None)
    for there, complete, pause, lookback, windows in [*runs, last]:
        linked = there or linked
        today += dt.timedelta(days=pause)
        question = asked(
            today=today,
            real_today=today,
            dates=dates(
                aggregate_by=aggregate_by,
                start_date=dt.date.fromisoformat(start),
                date_range=None if complete else f"{start}..{today}",
                lookback_days=lookback,
                complete_slices=complete,
            ),
        )
        table.run(question, accounts(*linked), sorted(linked), windows)
        if complete:
            for day, _ in table.read:
                assert day >= dt.date.fromisoformat(first_complete)
                assert slice_of(day, aggregate_by).end < today
        if table.read:  # else no STATE has who left; they get everything again
            for key in [key for key in table.rows if key[1] not in linked]:
                del table.rows[key]
    wanted = dt.date.fromisoformat(first_complete if complete_at_last else first_of_all)
    while (piece := slice_of(wanted, aggregate_by)).start <= today:
        if not complete_at_last or piece.end < today:
            for account in linked:
                assert (piece.start, account) in table.rows
        wanted = piece.end + dt.timedelta(days=1)


def test_a_range_too_short_for_a_month_still_brings_each_month_once_it_is_over() -> (
    None
):
    table = Table(bookmark=Bookmark(dt.date(2023, 12, 1), "month", Shard()))
    for today in (TODAY, dt.date(2024, 4, 10)):
        short = dates(
            aggregate_by="month",
            date_range="last 10 days",
            lookback_days=0,
            complete_slices=True,
        )
        question = asked(dates=short, today=today, real_today=today)
        table.run(question, accounts("A"), ["A"])
    assert sorted(table.rows) == [
        (dt.date(2023, 12, 1), "A"),
        (dt.date(2024, 1, 1), "A"),
        (dt.date(2024, 2, 1), "A"),
        (dt.date(2024, 3, 1), "A"),
    ]
    assert table.bookmark is not None
    assert table.bookmark.date == dt.date(2024, 3, 1)


def test_asking_for_all_slices_again_names_the_day_from_which_it_starts_over() -> None:
    table = Table()
    start = {"aggregate_by": "month", "start_date": dt.date(2024, 1, 10)}
    complete = asked(dates=dates(**start, complete_slices=True))
    table.run(complete, accounts("A"), ["A"])
    assert [day.isoformat() for day, _ in table.rows] == ["2024-02-01"]
    plan = plan_run(
        asked(dates=dates(**start)), table.bookmark, lambda *_: accounts("A")
    )
    ((_, note),) = plan.notes
    assert "first_day: 2024-01-01, not 2024-02-01" in note
    assert plan.windows[0].range.start == dt.date(2024, 1, 1)


@pytest.mark.parametrize("day", ["2222-06-04", "2024-03-21"])
def test_a_bookmark_in_the_future_comes_back_with_the_first_window(day: str) -> None:
    table = Table(Bookmark(dt.date.fromisoformat(day), "day", Shard()))
    table.run(asked(), accounts("A"), ["A"], windows=1)
    assert table.bookmark is not None
    assert table.bookmark.date == dt.date(2024, 1, 10)
    table.run(asked(), accounts("A"), ["A"])
    assert table.bookmark.date == dt.date(2024, 3, 19)
    table.run(asked(), accounts("A"), ["A"])
    assert min(table.read)[0] == dt.date(2024, 3, 12)


def test_a_past_day_that_is_run_again_leaves_all_as_it_was() -> None:
    table = Table()
    table.run(asked(), accounts("A"), ["A"])
    saved = table.bookmark
    past = asked(today=dt.date(2024, 2, 1), parts={"entity_level": Exact("campaigns")})
    table.run(past, accounts("A", "B"), ["A", "B"])
    assert min(table.read)[0] == dt.date(2024, 1, 1)
    assert table.bookmark == saved


def test_a_grouped_report_starts_over_if_an_account_joins() -> None:
    """Its rows are of several accounts: those of one alone would replace them."""
    table = Table()
    table.run(asked(shares_rows=True), accounts("A"), ["A"])
    plan = plan_run(
        asked(shares_rows=True), table.bookmark, lambda *_: accounts("A", "B")
    )
    assert plan.bookmark is None
    assert not plan.catch_ups
    ((_, note),) = plan.notes
    assert "accounts: B" in note


def test_without_backfill_what_is_new_is_told_once_and_learned() -> None:
    table = Table()
    table.run(asked(), accounts("A"), ["A"])
    question = asked(parts={"entity_level": Exact("campaigns")}, backfill=False)
    found = accounts("A", "B")
    plan = plan_run(question, table.bookmark, lambda *_: found)
    assert [note.partition(",")[0] for _, note in plan.notes] == [
        "it asks for more than before (entity_level: campaigns",
        "B joined",
    ]
    assert not plan.catch_ups
    table.run(question, found, ["A", "B"])
    assert min(table.read)[0] == dt.date(2024, 3, 12)
    assert not plan_run(question, table.bookmark, lambda *_: found).notes


def test_without_backfill_who_joined_a_grouped_report_is_told_once() -> None:
    table = Table()
    table.run(asked(shares_rows=True), accounts("A"), ["A"])
    question = asked(shares_rows=True, backfill=False)
    plan = plan_run(question, table.bookmark, lambda *_: accounts("A", "B"))
    ((_, note),) = plan.notes
    assert note.startswith("it asks for more than before (accounts: B), but")


@pytest.mark.parametrize(
    ("changes", "first", "is_missing"),
    [
        ({}, accounts("A"), True),
        ({}, None, False),  # none of those that are found later will have joined
        ({"backfill": False}, accounts("A"), False),
        ({"has_known_accounts": False}, accounts("A"), False),
        ({"is_full_table": True}, accounts("A"), False),
    ],
)
def test_earlier_days_are_missing_if_a_later_run_will_read_them(
    changes: dict[str, Any],
    first: ReportAccounts | None,
    is_missing: bool,  # noqa: FBT001
) -> None:
    question = asked(**changes)
    table = Table()
    table.run(question, first, ["A"])
    plan = plan_run(question, table.bookmark, lambda *_: None)
    assert bool(plan.missing) is is_missing


@pytest.mark.parametrize("changes", [{}, {"has_known_accounts": False}])
def test_without_backfill_accounts_that_were_never_listed_stay_unknown(
    changes: dict[str, Any],
) -> None:
    """A list that can't be read is not an empty one, whose accounts would all join."""
    table = Table(bookmark=Bookmark(dt.date(2024, 3, 19), "day", Shard()))
    table.run(asked(backfill=False, **changes), None, ["A"])
    assert table.bookmark
    assert table.bookmark.history.accounts is None
    plan = plan_run(asked(), table.bookmark, lambda *_: accounts("A"))
    assert not plan.catch_ups
    assert not plan.notes
