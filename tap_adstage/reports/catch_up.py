"""Who joined, left or failed since the last run, and what is read for them alone.

Everything here is a decision: pure functions of plain values.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_adstage.date_ranges import DateRange
from tap_adstage.reports.history import CatchUp, digest
from tap_adstage.reports.windows import earlier_windows, plan_windows
from tap_adstage.runtime.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_adstage.reports.bookmark import Bookmark
    from tap_adstage.reports.history import History
    from tap_adstage.reports.run_question import ReportAccounts, RunQuestion
    from tap_adstage.reports.windows import Window

_DAY = dt.timedelta(days=1)


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
        days = days_text(self.windows)
        if self.is_resumed:
            return f"resuming the earlier days of {self.names}: {days}"
        return f"{self.names} joined; reading their earlier days: {days}"

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


def plan_catch_ups(
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
    joined = who_joined(saved, accounts)
    pending = still_pending(asked, saved, accounts)
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
            account_names(accounts, digests),
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
        catch_ups=(*without_accounts(pending, moved), *catch_ups),
    )
    return replace(bookmark, history=history)


def joined_accounts(accounts: ReportAccounts | None) -> frozenset[str] | None:
    """Digest the accounts whose earlier days the source has; `None` if unknown."""
    return None if accounts is None else frozenset(map(digest, accounts.joined))


def who_joined(saved: Bookmark, accounts: ReportAccounts | None) -> frozenset[str]:
    """Find the accounts that the bookmark doesn't stand for; none if it is old."""
    known, joined = saved.history.accounts, joined_accounts(accounts)
    if known is None or joined is None:
        return frozenset()
    return joined - known


def still_known(
    asked: RunQuestion, saved: Bookmark, accounts: ReportAccounts | None
) -> frozenset[str] | None:
    """Find the accounts that the bookmark stands for, without those that left."""
    if not asked.has_known_accounts:
        return None
    known = saved.history.accounts
    if accounts is None:
        return known
    return joined_accounts(accounts) if known is None else known & _present(accounts)


def still_pending(
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


def without_places(saved: Bookmark) -> Bookmark:
    """Let a bookmark stand for accounts with a place of their own as for the others."""
    history = saved.history
    pending = (each.accounts for each in history.catch_ups)
    known = (history.accounts or frozenset()).union(*pending)
    return replace(saved, history=replace(history, accounts=known, catch_ups=()))


def unlisted(
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


def without_accounts(
    catch_ups: Sequence[CatchUp], digests: frozenset[str]
) -> tuple[CatchUp, ...]:
    """Take accounts out of catch-ups; those without any go."""
    rest = (replace(each, accounts=each.accounts - digests) for each in catch_ups)
    return tuple(each for each in rest if each.accounts)


def account_names(accounts: ReportAccounts | None, digests: Collection[str]) -> str:
    """Write the names of accounts, for a log line."""
    names = accounts.names if accounts else {}
    return shorten(sorted(names[each] for each in names if digest(each) in digests))


def days_text(windows: Sequence[Window]) -> str:
    """Describe windows, for a log line."""
    days = DateRange(windows[0].range.start, windows[-1].range.end)
    return f"{days} in {len(windows)} window{'s' if len(windows) > 1 else ''}"
