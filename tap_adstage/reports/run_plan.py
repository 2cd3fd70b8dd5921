"""What one run of a report reads, and what its bookmark stands for meanwhile.

Everything here is a decision: pure functions of plain values.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tap_adstage.reports.bookmark import (
    HOUR,
    Bookmark,
    advance_bookmark,
    cap_bookmark,
)
from tap_adstage.reports.catch_up import (
    account_names,
    days_text,
    joined_accounts,
    plan_catch_ups,
    still_known,
    still_pending,
    unlisted,
    who_joined,
    without_accounts,
    without_places,
)
from tap_adstage.reports.history import (
    SOURCE,
    CatchUp,
    FirstDay,
    History,
    additions,
    values_to_keep,
)
from tap_adstage.reports.windows import (
    days_lost,
    first_day,
    plan_windows,
    settled_day,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_adstage.config.shards import Shard
    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.reports.catch_up import PlannedCatchUp
    from tap_adstage.reports.history import Part
    from tap_adstage.reports.run_question import ReportAccounts, RunQuestion
    from tap_adstage.reports.windows import Window

TOTAL = "total"
_WHO_JOINED = "could not find out which accounts joined; a later run reads their past"
_DAY = dt.timedelta(days=1)


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
        missing: Those of days that should have been read, and are not.
    """

    windows: Sequence[Window] = ()
    catch_ups: Sequence[PlannedCatchUp] = ()
    bookmark: Bookmark | None
    learned: History
    aggregate_by: str
    shard: Shard
    notes: Sequence[tuple[int, str]] = ()
    missing: Sequence[str] = ()

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
        others = without_accounts(bookmark.history.catch_ups, catch_up.digests)
        place = CatchUp(catch_up.digests, window.bookmark)
        history = replace(bookmark.history, catch_ups=(*others, place))
        return replace(bookmark, history=history)

    def _with_joined(self, history: History) -> History:
        if self.learned.accounts is None:
            return self.learned
        finished = [c.finished(history) for c in self.catch_ups]
        pending = history.catch_ups
        for digests in finished:
            pending = without_accounts(pending, digests)
        known = (history.accounts or frozenset()).union(*finished)
        return History(self.learned.question, known, pending)


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
        (f"{who}{lost} can't be read by the hour any more, or not all of it", through)
        for who, through in places
        if (lost := days_lost(asked.dates, through, asked.today))
    ]
    # A first run begins with what there is; a later one leaves a gap, even if it starts
    # over: the table has the days before.
    before = saved.date if saved and not _why_unusable(asked, saved) else None
    gaps = [
        note
        for note, through in notes
        if (last := through or before) and days_lost(asked.dates, last, asked.today)
    ]
    return replace(
        plan,
        notes=[*plan.notes, *((logging.WARNING, note) for note, _ in notes)],
        missing=[*plan.missing, *gaps],
    )


def _plan(
    asked: RunQuestion,
    saved: Bookmark | None,
    find_accounts: Callable[[dt.date, dt.date], ReportAccounts | None],
) -> RunPlan:
    """Decide what a run reads, but for days that the source no longer has."""
    whole = plan_windows(asked.dates, None, asked.today)
    aggregate_by = asked.dates.aggregate_by
    unusable = _why_unusable(asked, saved) if saved else None
    if not whole and saved and not unusable:
        # a relative range may be too short for a complete slice, but not with the days
        # that it has left behind
        whole = plan_windows(asked.dates, saved.date, asked.today)
    if not whole:
        history = saved.history if saved else History()
        return RunPlan(
            bookmark=saved,
            learned=history,
            aggregate_by=aggregate_by,
            shard=asked.shard,
        )
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
        left_out = unlisted(asked, without_places(saved), accounts, again)
        return replace(plan, learned=replace(plan.learned, catch_ups=left_out))
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
    known = joined_accounts(accounts)
    if known is None and saved and asked.has_known_accounts:
        known = saved.history.accounts
    note = f"starting over, as {why}; reading {days_text(whole)}"
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
    catch_ups = plan_catch_ups(asked, saved, accounts, whole, whole)
    known = still_known(asked, saved, accounts)
    pending = (
        *still_pending(asked, saved, accounts),
        *unlisted(asked, saved, accounts, whole),
    )
    meanwhile = History(saved.history.question, known, pending)
    notes = []
    if saved.date > asked.today:
        note = (
            f"reading all up to {asked.today} again: {days_text(whole)}; the bookmark "
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
    catch_ups = plan_catch_ups(asked, saved, accounts, whole, windows)
    known = still_known(asked, saved, accounts)
    pending = (
        *still_pending(asked, saved, accounts),
        *unlisted(asked, saved, accounts, windows),
    )
    warnings = []
    may_lack = asked.backfill and known is not None and accounts is None
    if not asked.backfill:
        kept = [each for each in catch_ups if each.is_resumed and asked.can_fail_alone]
        new = [each for each in catch_ups if each not in kept]
        news = []
        if not asked.shares_rows:  # else `more` has who joined
            news = [f"{each.names} joined" for each in new if each.windows]
        if more:
            news.insert(0, f"it asks for more than before ({more})")
        warnings = [
            f"{text}, but backfill is off: earlier days stay as are" for text in news
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
        notes=[*((logging.WARNING, text) for text in warnings), *notes],
        missing=[*warnings, *([_WHO_JOINED] if may_lack else [])],
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
    if asked.shares_rows and (joined := who_joined(saved, accounts)):
        more.append(f"accounts: {account_names(accounts, joined)}")
    return "; ".join(more) or None


def _parts(asked: RunQuestion, bookmark: dt.date | None) -> dict[str, Part]:
    """List the parts of the question; a total reads its whole range every time."""
    if asked.dates.aggregate_by == TOTAL:
        return {}
    day = first_day(asked.dates, bookmark, asked.today)
    return {**asked.parts, "first_day": FirstDay(day.isoformat() if day else None)}


def _question(asked: RunQuestion, bookmark: dt.date | None) -> dict[str, Any] | None:
    return values_to_keep(_parts(asked, bookmark)) or None
