"""What follows from how far AdStage has imported the accounts that reports read.

Reports have what AdStage imported from the ad networks, so a day is complete only once
an import that began after it has finished. Everything here is a decision: pure
functions of plain values.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage.import_status import NEEDS_RELINKING
from tap_adstage.reports.bookmark import BookmarkCap
from tap_adstage.runtime.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from tap_adstage.adstage.import_status import AccountImport, AccountKey
    from tap_adstage.config.entity_ids import EntityId
    from tap_adstage.date_ranges import DateRange

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountScope:
    """The accounts that a report reads.

    Attributes:
        networks: All networks that it reads.
        whole: Networks of which it may read any account.
        accounts: Single accounts of the other networks.
    """

    networks: frozenset[str]
    whole: frozenset[str]
    accounts: frozenset[AccountKey]

    def __contains__(self, account: AccountImport) -> bool:
        """Whether the report reads the account."""
        return account.network in self.networks and (
            account.network in self.whole or account.key in self.accounts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportScope:
    """What a report reads in one run.

    Attributes:
        report: Name of the report.
        accounts: The accounts that it reads.
        days: First and last requested day, inclusive, in `time_zone`.
        today: The current day in `time_zone`.
        time_zone: IANA name of the zone in which days are counted.
    """

    report: str
    accounts: AccountScope
    days: DateRange
    today: dt.date
    time_zone: str

    def first_missing_day(self, account: AccountImport) -> dt.date | None:
        """Find the first requested day that an account has not completely imported.

        Today does not count: it isn't over, so no account has imported all of it.

        Args:
            account: An account in scope.

        Returns:
            The day, or `None` if no day is missing.
        """
        through = account.imported_through(self.time_zone)
        if through is None:
            return self.days.start
        if through >= min(self.days.end, self.today - _DAY):
            return None
        return max(self.days.start, through + _DAY)


def account_scope(
    networks: Iterable[str],
    targets: Sequence[EntityId],
    members: Callable[[EntityId], Collection[AccountKey] | None],
) -> AccountScope:
    """Decide which accounts a report reads: rather one too many than one too few.

    Args:
        networks: The report's networks.
        targets: What the report is limited to; without any, it is not limited.
        members: Finds the accounts of an account or an account group, or `None` if it
            can't.

    Returns:
        The accounts.
    """
    all_networks = frozenset(networks)
    whole: set[str] = set() if targets else set(all_networks)
    accounts: set[AccountKey] = set()
    for target in targets:
        keys = members(target) if target.level in {"account", "account_group"} else None
        if keys is not None:
            accounts.update(keys)
        elif target.network in all_networks:
            whole.add(target.network)
        elif target.network == "adstage":
            whole |= all_networks
    return AccountScope(
        networks=all_networks,
        whole=frozenset(whole),
        accounts=frozenset(accounts),
    )


def imported_accounts(
    accounts: Iterable[Mapping[str, Any]],
    imports: Iterable[AccountImport],
    *,
    held_through: dt.date,
    through: dt.date,
    time_zone: str,
) -> list[str]:
    """Find the accounts of which AdStage has all data up to a day.

    An account that the import status lacks has not been imported yet. If accounts share
    network and name, all of them must have been.

    Args:
        accounts: Accounts as AdStage lists them, with entity ids.
        imports: The import status of all accounts.
        held_through: The day, for accounts that hold the bookmark.
        through: The day for those that AdStage can't import, which never hold it.
        time_zone: IANA name of the zone in which days are counted.

    Returns:
        Their entity ids.
    """
    imported: dict[AccountKey, bool] = {}
    for status in imports:
        day = status.imported_through(time_zone) or dt.date.min
        is_imported = day >= (held_through if status.importable else through)
        imported[status.key] = is_imported and imported.get(status.key, True)
    return [
        account["entity_id"]
        for account in accounts
        if imported.get((account["network"], account["name"]))
    ]


def import_warnings(
    accounts: Iterable[AccountImport],
    scopes: Sequence[ReportScope],
) -> list[str]:
    """Write a warning for each account that is behind the reports that read it.

    Args:
        accounts: All accounts.
        scopes: What the reports of the run read.

    Returns:
        One line for each account that can't be imported, is importing or lacks days,
        however many reports read it.
    """
    lines = []
    for account in accounts:
        readers = [scope for scope in scopes if account in scope.accounts]
        if readers and (faults := [*_state(account), *_lack(account, readers)]):
            lines.append(f"{account}: {'; '.join(faults)}")
    return lines


def bookmark_cap(
    accounts: Iterable[AccountImport], scope: ReportScope
) -> BookmarkCap | None:
    """Decide how far a report's bookmark may go.

    Args:
        accounts: All accounts.
        scope: What the report reads.

    Returns:
        The cap; `None` if no account in scope can be imported, as then no import is
        awaited.
    """
    awaited = [
        account
        for account in accounts
        if account.importable and account in scope.accounts
    ]
    if not awaited:
        return None
    imported = [
        (account, account.imported_through(scope.time_zone)) for account in awaited
    ]
    imported.sort(key=lambda pair: pair[1] or dt.date.min)
    behind = [
        f"{account} (imported up to {day})" if day else f"{account} (never)"
        for account, day in imported
        if scope.first_missing_day(account)
    ]
    reason = f"AdStage has not finished importing {shorten(behind)}" if behind else None
    return BookmarkCap(imported[0][1], reason)


def _state(account: AccountImport) -> list[str]:
    faults = []
    if account.code == NEEDS_RELINKING:
        faults.append(
            f"AdStage can't sign in to it any more ({NEEDS_RELINKING}): link it "
            "again in AdStage",
        )
    elif not account.importable:
        faults.append(f"AdStage can't import it (its code is {account.code!r})")
    if account.is_importing:
        faults.append("an import is running")
    return faults


def _lack(account: AccountImport, scopes: Iterable[ReportScope]) -> list[str]:
    lacking = {
        scope.report: day
        for scope in scopes
        if (day := scope.first_missing_day(account)) is not None
    }
    if not lacking:
        return []
    return [
        _last_import(account),
        f"rows from {min(lacking.values())} on may lack data in {shorten([*lacking])}",
    ]


def _last_import(account: AccountImport) -> str:
    if account.finished is None:
        return "no import of it has ever finished"
    ended = _timestamp(account.finished)
    if account.started is None or account.started > account.finished:
        return f"its last finished import ended {ended}"
    return f"its last import ran from {_timestamp(account.started)} to {ended}"


def _timestamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
