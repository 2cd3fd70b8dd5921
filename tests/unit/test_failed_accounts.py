"""Accounts that fail alone: their own places in the bookmark, and their return."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tap_adstage.config.shards import Shard
from tap_adstage.reports.bookmark import Bookmark
from tap_adstage.reports.catch_up import without_failed
from tap_adstage.reports.history import CatchUp, History, digest
from tap_adstage.reports.run_plan import plan_run
from unit.test_history import TODAY, accounts, asked, dates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_adstage.reports.windows import Window

DAY = dt.timedelta(days=1)
START = dt.date(2024, 1, 1)
A, B, C = (frozenset({digest(each)}) for each in "ABC")


def bookmark(known: frozenset[str], *catch_ups: CatchUp) -> Bookmark:
    history = History(None, known, catch_ups)
    return Bookmark(dt.date(2024, 3, 19), "day", Shard(), history)


def test_a_known_account_that_fails_gets_a_place_of_its_own() -> None:
    after = without_failed(bookmark(A | B | C), {"B": dt.date(2024, 3, 9)})
    assert after == bookmark(A | C, CatchUp(B, dt.date(2024, 3, 9)))


def test_accounts_that_fail_in_one_window_share_a_place() -> None:
    day, later = dt.date(2024, 3, 9), dt.date(2024, 3, 12)
    after = without_failed(bookmark(A | B | C), {"C": later, "B": day, "A": day})
    assert after == bookmark(frozenset(), CatchUp(A | B, day), CatchUp(C, later))


def test_an_account_that_fails_while_it_catches_up_is_taken_out_of_its_group() -> None:
    before = bookmark(A, CatchUp(B | C, dt.date(2024, 2, 20)))
    after = without_failed(before, {"B": dt.date(2024, 2, 10)})
    assert after == bookmark(
        A, CatchUp(C, dt.date(2024, 2, 20)), CatchUp(B, dt.date(2024, 2, 10))
    )


def test_an_account_that_has_not_caught_up_keeps_its_place() -> None:
    before = bookmark(A, CatchUp(B, dt.date(2024, 2, 1)))
    assert without_failed(before, {"B": dt.date(2024, 3, 9)}) == before
    assert without_failed(before, {"C": dt.date(2024, 3, 9)}) == before


def test_without_backfill_who_failed_is_caught_up_and_who_joined_is_not() -> None:
    place = CatchUp(B, dt.date(2024, 2, 10))
    plan = plan_run(
        asked(backfill=False, can_fail_alone=True),
        bookmark(A, place),
        lambda *_: accounts("A", "B", "C"),
    )
    (catch_up,) = plan.catch_ups
    assert catch_up.accounts == ["B"]
    assert catch_up.windows[0].range.start == dt.date(2024, 2, 11)
    assert plan.bookmark
    assert plan.bookmark.history.catch_ups == (place,)
    assert plan.bookmark.history.accounts == A | C
    assert [note.partition(",")[0].partition(":")[0] for _, note in plan.notes] == [
        "C joined",
        "resuming the earlier days of B",
    ]


@dataclass
class Table:
    """A table that runs of a report load, as a stream does, and the state between them.

    Attributes:
        bookmark: The last bookmark that was written.
        rows: The day and account of each row.
    """

    bookmark: Bookmark | None = None
    rows: set[tuple[dt.date, str]] = field(default_factory=set)
    _failed: dict[str, dt.date] = field(default_factory=dict)

    def run(
        self,
        today: dt.date,
        lookback: int,
        linked: Sequence[str],
        failing: Mapping[str, int],
        windows: int | None = None,
    ) -> None:
        """Run, and be killed after some windows.

        Args:
            today: The day.
            lookback: Days of lookback.
            linked: The accounts that there are.
            failing: The number of windows after which accounts fail.
            windows: The number of windows after which the run is killed.
        """
        question = asked(
            today=today,
            real_today=today,
            dates=dates(start_date=START, lookback_days=lookback),
        )
        plan = plan_run(question, self.bookmark, lambda *_: accounts(*linked))
        self.bookmark = plan.bookmark or self.bookmark
        current = plan.bookmark
        self._failed, failed = {}, set[str]()
        number = itertools.count()

        def read(window: Window, ids: Sequence[str]) -> bool:
            """Read a window; whether an account is left."""
            now = next(number)
            new = {e for e in ids if failing.get(e, 99) <= now} - failed
            failed.update(new)
            alive = [each for each in ids if each not in failed]
            days = [piece.start for piece in window.slices]
            self.rows |= {(day, each) for day in days for each in alive}
            if alive:
                self._failed |= dict.fromkeys(new, days[0] - DAY)
            return bool(alive)

        def go_on(ids: Sequence[str], todo: Sequence[Window], move: Move) -> bool:
            """Read windows; whether the run is still alive."""
            nonlocal current
            for window in todo:
                if windows is not None and next(copy, None) is None:
                    return False
                if not read(window, ids):
                    break
                current = without_failed(move(current, window), self._failed)
                self.bookmark = current
            return True

        copy = iter(range(windows or 0))
        for catch_up in plan.catch_ups:

            def move(saved: Bookmark | None, window: Window) -> Bookmark:
                assert saved
                return plan.after_catch_up(saved, catch_up, window)  # noqa: B023

            if not go_on(catch_up.accounts, catch_up.windows, move):
                return
        go_on(linked, plan.windows, plan.after_window)


if TYPE_CHECKING:
    Move = Callable[[Bookmark | None, Window], Bookmark]

ACCOUNTS = st.sets(st.sampled_from("ABCD"), min_size=1)
RUNS = st.lists(
    st.tuples(
        ACCOUNTS,  # linked
        st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 12), max_size=3),
        st.integers(0, 3),  # days until the run
        st.integers(0, 9),  # days of lookback
        st.one_of(st.none(), st.integers(1, 12)),  # windows until it is killed
    ),
    max_size=10,
)


@settings(deadline=None)
@given(RUNS)
def test_whoever_fails_in_whichever_run_is_caught_up_later(
    runs: list[tuple[set[str], dict[str, int], int, int, int | None]],
) -> None:
    """Failures in any window, kills anywhere, accounts that come and go."""
    table, today = Table(), TODAY
    for linked, failing, days, lookback, windows in runs:
        today += days * DAY
        table.run(today, lookback, sorted(linked), failing, windows)
        # who left must get everything again on coming back
        table.rows = {row for row in table.rows if row[1] in linked}
    last = sorted("ABCD")
    table.run(today, 0, last, {})
    wanted = {
        (START + number * DAY, account)
        for number in range((today - START).days)
        for account in last
    }
    assert wanted <= table.rows
    assert table.bookmark is not None
    assert table.bookmark.history.accounts == frozenset(map(digest, last))
    assert not table.bookmark.history.catch_ups
