"""What a report asks for in one run, and the accounts that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from tap_adstage.config.shards import Shard
    from tap_adstage.reports.history import Part
    from tap_adstage.reports.windows import DateSettings


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
