"""What one run of a report reads, and what its bookmark stands for meanwhile.

Everything here is a decision: pure functions of plain values.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tap_adstage.date_ranges import DateRange
from tap_adstage.reports.bookmark import (
    HOUR,
    Bookmark,
    advance_bookmark,
    cap_bookmark,
)
from tap_adstage.reports.history import (
    SOURCE,
    CatchUp,
    FirstDay,
    History,
    additions,
    digest,
    values_to_keep,
)
from tap_adstage.reports.windows import (
    days_lost,
    earlier_windows,
    first_day,
    plan_windows,
    settled_day,
)
from tap_adstage.runtime.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from tap_adstage.config.shards import Shard
    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.reports.history import Part
    from tap_adstage.reports.windows import DateSettings, Window

TOTAL = "total"
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAccounts:
    """The accounts that a report reads in a run.

    Attributes:
        names: The name of each for a log line, by id.
        joined: Ids of those whose earlier days the source has.
        is_complete: Whether all others have left; else a part of them could not be
            listed.
    """

    names: Mapping[str, str]
    joined: frozenset[str]
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuestion:
    """What a report asks for in one run.

    Attributes:
        parts: The parts of its question but for the days, by name.
        dates: The settings of its days.
        shard: The part of the accounts that it reads.
        today: The day that it is for the run.
        real_today: The day that it really is.
        is_full_table: Whether it reads its whole range, whatever the bookmark.
        has_known_accounts: Whether it is known which accounts it reads.
        shares_rows: Whether a row may be of several accounts, so that one account can't
            be read alone.
        backfill: Whether to read the earlier days of what is new.
        can_fail_alone: Whether an account may fail while others are read; its place is
            resumed from even without `backfill`.
    """

    parts: Mapping[str, Part]
    dates: DateSettings
    shard: Shard
    today: dt.date
    real_today: dt.date
    is_full_table: bool
    has_known_accounts: bool
    shares_rows: bool
    backfill: bool
    can_fail_alone: bool = False


@dataclass(frozen=True, slots=True)
class PlannedCatchUp:
    """Accounts whose earlier days the run reads alone.

    Attributes:
        accounts: Their ids.
        digests: Their digests.
        names: Their names, for a log line.
        windows: The windows, in ascending order; none if nothing is left to read.
        is_resumed: Whether an earlier run read some of them.
    """

    accounts: Sequence[str]
    digests: frozenset[str]
    names: str
    windows: Sequence[Window]
    is_resumed: bool

    @property
    def note(self) -> str:
        """What is read, for a log line."""
        if self.is_resumed:
            return f"resuming the earlier days of {self.names}: {_days(self.windows)}"
        return f"{self.names} joined; reading their earlier days: {_days(self.windows)}"

    def finished(self, history: History) -> frozenset[str]:
        """Find the accounts of which all windows are written.

        Args:
            history: What is written, with the place of each account.

        Returns:
            Their digests.
        """
        if not self.windows:
            return self.digests
        last = self.windows[-1].bookmark
        written = (c.accounts for c in history.catch_ups if c.through >= last)
        return self.digests & frozenset[str]().union(*written)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run reads, and how its bookmark moves meanwhile.

    Attributes:
        windows: The windows of all accounts, in ascending order.
        catch_ups: What is read before them.
        bookmark: The bookmark that the run resumes from, with what it stands for from
            now on; `None` if the run reads from the beginning.
        learned: What the bookmark stands for once the windows have passed it, but for
            accounts that catch up.
        aggregate_by: Length of a slice.
        shard: The part of the accounts that is read.
        notes: Levels and texts to log before the first window.
    """

    windows: Sequence[Window] = ()
    catch_ups: Sequence[PlannedCatchUp] = ()
    bookmark: Bookmark | None
    learned: History
    aggregate_by: str
    shard: Shard
    notes: Sequence[tuple[int, str]] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not (self.windows or any(each.windows for each in self.catch_ups))

    def after_window(
        self, bookmark: Bookmark | None, window: Window, cap: BookmarkCap | None = None
    ) -> Bookmark:
        """Move the bookmark past a window of all accounts.

        Accounts that caught up join once the windows have passed the bookmark that the
        run began with: then they are written as far as the others.

        Args:
            bookmark: The bookmark so far, if there is one.
            window: The window that is written.
            cap: How far the bookmark may go, if it is limited.

        Returns:
            The new bookmark.
        """
        finished = window.bookmark
        if cap is not None:
            first = self.windows[0].slices[0].start
            finished = cap_bookmark(finished, self.aggregate_by, cap.through, first)
        date = advance_bookmark(bookmark.date if bookmark else None, finished)
        history = bookmark.history if bookmark else self.learned
        if self.bookmark is not None and window.bookmark >= self.bookmark.date:
            history = self._with_joined(history)
        return Bookmark(date, self.aggregate_by, self.shard, history)

    def after_catch_up(
        self, bookmark: Bookmark, catch_up: PlannedCatchUp, window: Window
    ) -> Bookmark:
        """Move the place of a catch-up past a window of its accounts.

        Args:
            bookmark: The bookmark so far.
            catch_up: The catch-up.
            window: The window that is written.

        Returns:
            The new bookmark, of the same day.
        """
        others = _without(bookmark.history.catch_ups, catch_up.digests)
        place = CatchUp(catch_up.digests, window.bookmark)
        history = replace(bookmark.history, catch_ups=(*others, place))
        return replace(bookmark, history=history)

    def _with_joined(self, history: History) -> History:
        if self.learned.accounts is None:
            return self.learned
        finished = [c.finished(history) for c in self.catch_ups]
        pending = history.catch_ups
        for digests in finished:
            pending = _without(pending, digests)
        known = (history.accounts or frozenset()).union(*finished)
        return History(self.learned.question, known, pending)


def without_failed(bookmark: Bookmark, failed: Mapping[str, dt.date]) -> Bookmark:
    """Give each account that could not be read a place of its own.

    The bookmark doesn't stand for such an account any more. So a later run reads what
    it lacks, as for one that joined, and the others go on.

    Args:
        bookmark: The bookmark as if all accounts had been read.
        failed: The last day before the first window that failed, by the account's id.

    Returns:
        The bookmark, of the same day.
    """
    history = bookmark.history
    known, pending = history.accounts or frozenset(), history.catch_ups
    places: dict[dt.date, frozenset[str]] = {}
    for account, through in failed.items():
        code = frozenset({digest(account)})
        is_ahead = any(c.through > through and c.accounts & code for c in pending)
        if code <= known or is_ahead:
            places[through] = places.get(through, frozenset()) | code
    moved = frozenset[str]().union(*places.values())
    if not moved:
        return bookmark
    catch_ups = [CatchUp(places[through], through) for through in sorted(places)]
    history = replace(
        history,
        accounts=known - moved,
        catch_ups=(*_without(pending, moved), *catch_ups),
    )
    return replace(bookmark, history=history)


def plan_run(
    asked: RunQuestion,
    saved: Bookmark | None,
    find_accounts: Callable[[dt.date, dt.date], ReportAccounts | None],
) -> RunPlan:
    """Decide what a run reads.

    Args:
        asked: What the report asks for.
        saved: The bookmark that earlier runs left, if any.
        find_accounts: Finds the accounts that it reads, `None` if they can't be read.
            Those have joined whose data the source has up to a day: the first one given
            if accounts that lack data hold the bookmark, else the second one.

    Returns:
        The plan.

    Raises:
        DateRangeError: If the report's range is not a date range on this day.
    """
    plan = _plan(asked, saved, find_accounts)
    resumed = plan.bookmark.date if plan.bookmark else None
    places = [("", resumed)]
    if plan.bookmark:
        pending = plan.bookmark.history.catch_ups
        places += [
            (f"{each.names}: ", place.through)
            for each in plan.catch_ups
            for place in pending
            if each.is_resumed and place.accounts >= each.digests
        ]
    notes = [
        f"{who}{lost} is no longer available by the hour, or not all of it"
        for who, through in places
        if (lost := days_lost(asked.dates, through, asked.today))
    ]
    return replace(plan, notes=[*plan.notes, *((logging.WARNING, n) for n in notes)])


def _plan(
    asked: RunQuestion,
    saved: Bookmark | None,
    find_accounts: Callable[[dt.date, dt.date], ReportAccounts | None],
) -> RunPlan:
    """Decide what a run reads, but for days that the source no longer has."""
    whole = plan_windows(asked.dates, None, asked.today)
    aggregate_by = asked.dates.aggregate_by
    if not whole:
        history = saved.history if saved else History()
        return RunPlan(
            bookmark=saved,
            learned=history,
            aggregate_by=aggregate_by,
            shard=asked.shard,
        )
    unusable = _why_unusable(asked, saved) if saved else None
    begins_at = whole[0].slices[0].start if saved is None or unusable else saved.date
    accounts = None
    if asked.has_known_accounts:
        accounts = find_accounts(
            settled_day(asked.dates, begins_at),
            settled_day(asked.dates, whole[-1].bookmark),
        )
    if saved is None or unusable:
        return _from_the_beginning(asked, saved, accounts, whole, unusable)
    if asked.is_full_table or saved.date > asked.today:
        return _whole_again(asked, saved, accounts, whole)
    more = _what_is_more(asked, saved, accounts)
    if more and asked.backfill:
        why = f"it asks for more than before ({more})"
        again = _from_bookmark(asked, saved) or whole
        plan = _from_the_beginning(asked, saved, accounts, again, why)
        # also those with a place lack the days that start over
        unlisted = _unlisted(asked, _without_places(saved), accounts, again)
        return replace(plan, learned=replace(plan.learned, catch_ups=unlisted))
    return _going_on(asked, saved, accounts, whole, more)


def _from_bookmark(asked: RunQuestion, saved: Bookmark) -> Sequence[Window]:
    """Plan the whole range, and what a relative one has left behind in a pause.

    So a run that starts over reads no fewer days than one that resumes: also those
    after the bookmark, and after the place of each account that failed.

    Args:
        asked: What the report asks for.
        saved: The bookmark that earlier runs left.

    Returns:
        Windows in ascending order.
    """
    places = saved.history.catch_ups if asked.can_fail_alone else ()
    day = min([saved.date, *(place.through + _DAY for place in places)])
    dates = replace(asked.dates, lookback_days=(day - dt.date.min).days)
    return plan_windows(dates, day, asked.today)


def _from_the_beginning(
    asked: RunQuestion,
    saved: Bookmark | None,
    accounts: ReportAccounts | None,
    whole: Sequence[Window],
    why: str | None,
) -> RunPlan:
    known = _joined(accounts)
    if known is None and saved and asked.has_known_accounts:
        known = saved.history.accounts
    note = f"starting over, as {why}; reading {_days(whole)}"
    return RunPlan(
        windows=whole,
        bookmark=None,
        learned=History(_question(asked, None), known),
        aggregate_by=asked.dates.aggregate_by,
        shard=asked.shard,
        notes=[(logging.WARNING, note)] if why else [],
    )


def _whole_again(
    asked: RunQuestion,
    saved: Bookmark,
    accounts: ReportAccounts | None,
    whole: Sequence[Window],
) -> RunPlan:
    """Plan a run that reads its whole range, and leaves a later bookmark as it is."""
    catch_ups = _catch_ups(asked, saved, accounts, whole, whole)
    known = _still_known(asked, saved, accounts)
    pending = (
        *_still_pending(asked, saved, accounts),
        *_unlisted(asked, saved, accounts, whole),
    )
    meanwhile = History(saved.history.question, known, pending)
    notes = []
    if saved.date > asked.today:
        note = (
            f"reading all up to {asked.today} again: {_days(whole)}; the bookmark "
            f"stays at {saved.date}"
        )
        notes.append((logging.INFO, note))
    return RunPlan(
        windows=whole,
        catch_ups=catch_ups,
        bookmark=Bookmark(saved.date, asked.dates.aggregate_by, asked.shard, meanwhile),
        learned=History(_question(asked, saved.date), known),
        aggregate_by=asked.dates.aggregate_by,
        shard=asked.shard,
        notes=notes,
    )


def _going_on(
    asked: RunQuestion,
    saved: Bookmark,
    accounts: ReportAccounts | None,
    whole: Sequence[Window],
    more: str | None,
) -> RunPlan:
    """Plan a run that resumes from the bookmark, after accounts that joined."""
    windows = plan_windows(asked.dates, saved.date, asked.today)
    catch_ups = _catch_ups(asked, saved, accounts, whole, windows)
    known = _still_known(asked, saved, accounts)
    pending = (
        *_still_pending(asked, saved, accounts),
        *_unlisted(asked, saved, accounts, windows),
    )
    warnings = []
    if not asked.backfill:
        kept = [each for each in catch_ups if each.is_resumed and asked.can_fail_alone]
        new = [each for each in catch_ups if each not in kept]
        news = []
        if not asked.shares_rows:  # else `more` has who joined
            news = [f"{each.names} joined" for each in new if each.windows]
        if more:
            news.insert(0, f"it asks for more than before ({more})")
        warnings = [
            (logging.WARNING, f"{text}, but backfill is off: earlier days stay as are")
            for text in news
        ]
        if known is not None:  # else all that are linked later would seem to join
            known = known.union(*(each.digests for each in new))
        catch_ups, pending = kept, pending if asked.can_fail_alone else ()
    notes = [(logging.INFO, each.note) for each in catch_ups if each.windows]
    history = History(_question(asked, saved.date), known, pending)
    return RunPlan(
        windows=windows,
        catch_ups=catch_ups,
        bookmark=Bookmark(saved.date, asked.dates.aggregate_by, asked.shard, history),
        learned=history,
        aggregate_by=asked.dates.aggregate_by,
        shard=asked.shard,
        notes=[*warnings, *notes],
    )


def _why_unusable(asked: RunQuestion, saved: Bookmark) -> str | None:
    """Decide why a bookmark is of no use, for a log line."""
    stale = saved.why_stale(asked.dates.aggregate_by, asked.shard)
    if stale:
        return f"the bookmark {saved.date} is of {stale}"
    if source := _other_source(asked, saved):
        return f"the bookmark {saved.date} is of another source ({source})"
    if saved.date > max(asked.today, asked.real_today):
        return f"the bookmark {saved.date} is after today, {asked.today}"
    return None


def _other_source(asked: RunQuestion, saved: Bookmark) -> str | None:
    """Compare the report's source with the bookmark's, for a log line.

    Two sources may have a report of one name, and one state. A total's bookmark has no
    question, and it reads its whole range anyway.
    """
    source = asked.parts.get(SOURCE)
    if source is None or asked.dates.aggregate_by == TOTAL:
        return None
    before = saved.history.question
    if before is None and saved.aggregate_by == HOUR:
        return None  # written by hand, as only a later source has hours
    return source.more_than((before or {}).get(SOURCE, source.default))


def _what_is_more(
    asked: RunQuestion, saved: Bookmark, accounts: ReportAccounts | None
) -> str | None:
    """List what the report asks for that its bookmark doesn't stand for."""
    before = saved.history.question
    parts = _parts(asked, saved.date)
    more = [] if before is None else additions(parts, before)
    if asked.shares_rows and (joined := _who_joined(saved, accounts)):
        more.append(f"accounts: {_names(accounts, joined)}")
    return "; ".join(more) or None


def _parts(asked: RunQuestion, bookmark: dt.date | None) -> dict[str, Part]:
    """List the parts of the question; a total reads its whole range every time."""
    if asked.dates.aggregate_by == TOTAL:
        return {}
    day = first_day(asked.dates, bookmark, asked.today)
    return {**asked.parts, "first_day": FirstDay(day.isoformat() if day else None)}


def _question(asked: RunQuestion, bookmark: dt.date | None) -> dict[str, Any] | None:
    return values_to_keep(_parts(asked, bookmark)) or None


def _catch_ups(
    asked: RunQuestion,
    saved: Bookmark,
    accounts: ReportAccounts | None,
    whole: Sequence[Window],
    windows: Sequence[Window],
) -> list[PlannedCatchUp]:
    """Plan what is read alone: those that are under way, then all that joined."""
    if accounts is None:
        return []
    ids = {digest(account): account for account in accounts.names}
    before = windows[0].slices[0].start if windows else None
    joined = _who_joined(saved, accounts)
    pending = _still_pending(asked, saved, accounts)
    waiting = joined.difference(*(catch_up.accounts for catch_up in pending))
    groups: list[tuple[frozenset[str], dt.date | None]] = [
        (listed, catch_up.through)
        for catch_up in pending
        if (listed := catch_up.accounts & ids.keys())
    ]
    if waiting:
        groups.append((waiting, None))
    return [
        PlannedCatchUp(
            sorted(ids[digest] for digest in digests),
            digests,
            _names(accounts, digests),
            earlier_windows(
                _after(asked, through) or whole,
                after=through,
                before=before,
                window_days=asked.dates.window_days,
            ),
            is_resumed=through is not None,
        )
        for digests, through in groups
    ]


def _after(asked: RunQuestion, through: dt.date | None) -> Sequence[Window]:
    """Plan all days after the place of an account that failed.

    Those are among them that a relative range has left behind meanwhile: the others
    have them.

    Args:
        asked: What the report asks for.
        through: The place, if the account has one.

    Returns:
        Windows in ascending order; none if the account just lacks days of the range.
    """
    if through is None or not asked.can_fail_alone:
        return ()
    dates = replace(asked.dates, lookback_days=0)
    return plan_windows(dates, through, asked.today)


def _joined(accounts: ReportAccounts | None) -> frozenset[str] | None:
    """Digest the accounts whose earlier days the source has; `None` if unknown."""
    return None if accounts is None else frozenset(map(digest, accounts.joined))


def _who_joined(saved: Bookmark, accounts: ReportAccounts | None) -> frozenset[str]:
    """Find the accounts that the bookmark doesn't stand for; none if it is old."""
    known, joined = saved.history.accounts, _joined(accounts)
    if known is None or joined is None:
        return frozenset()
    return joined - known


def _still_known(
    asked: RunQuestion, saved: Bookmark, accounts: ReportAccounts | None
) -> frozenset[str] | None:
    """Find the accounts that the bookmark stands for, without those that left."""
    if not asked.has_known_accounts:
        return None
    known = saved.history.accounts
    if accounts is None:
        return known
    return _joined(accounts) if known is None else known & _present(accounts)


def _still_pending(
    asked: RunQuestion, saved: Bookmark, accounts: ReportAccounts | None
) -> tuple[CatchUp, ...]:
    """Find the catch-ups that are under way, without accounts that left or joined."""
    if not asked.has_known_accounts:
        return ()
    if accounts is None:
        return saved.history.catch_ups
    current = frozenset[str]().union(*(c.accounts for c in saved.history.catch_ups))
    if accounts.is_complete:
        current &= _present(accounts)
    current -= saved.history.accounts or frozenset()
    pending = (
        replace(catch_up, accounts=catch_up.accounts & current)
        for catch_up in saved.history.catch_ups
    )
    return tuple(catch_up for catch_up in pending if catch_up.accounts)


def _without_places(saved: Bookmark) -> Bookmark:
    """Let a bookmark stand for accounts with a place of their own as for the others."""
    history = saved.history
    pending = (each.accounts for each in history.catch_ups)
    known = (history.accounts or frozenset()).union(*pending)
    return replace(saved, history=replace(history, accounts=known, catch_ups=()))


def _unlisted(
    asked: RunQuestion,
    saved: Bookmark,
    accounts: ReportAccounts | None,
    windows: Sequence[Window],
) -> tuple[CatchUp, ...]:
    """Give accounts that could not be listed a place of their own.

    It is the day before the run's first window, as they can't be read.
    """
    if not asked.has_known_accounts or accounts is None or accounts.is_complete:
        return ()
    absent = (saved.history.accounts or frozenset()) - _present(accounts)
    through = windows[0].slices[0].start - _DAY if windows else saved.date
    return (CatchUp(absent, through),) if absent else ()


def _present(accounts: ReportAccounts) -> frozenset[str]:
    return frozenset(map(digest, accounts.names))


def _without(
    catch_ups: Sequence[CatchUp], digests: frozenset[str]
) -> tuple[CatchUp, ...]:
    rest = (replace(each, accounts=each.accounts - digests) for each in catch_ups)
    return tuple(each for each in rest if each.accounts)


def _names(accounts: ReportAccounts | None, digests: Collection[str]) -> str:
    names = accounts.names if accounts else {}
    return shorten(sorted(names[each] for each in names if digest(each) in digests))


def _days(windows: Sequence[Window]) -> str:
    """Describe windows, for a log line."""
    days = DateRange(windows[0].range.start, windows[-1].range.end)
    return f"{days} in {len(windows)} window{'s' if len(windows) > 1 else ''}"
