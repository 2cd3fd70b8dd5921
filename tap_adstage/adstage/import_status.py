"""How far AdStage has imported the accounts that reports read (API: Import Status).

Reports hold what AdStage has imported from the ad networks, so a day is whole only once
an import that began after it has finished. Everything here is a decision about what
AdStage says of its imports: pure functions of plain values.
"""

from __future__ import annotations

import datetime as dt
import reprlib
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_adstage.exceptions import error_context
from tap_adstage.http.json_values import conform, moment
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from tap_adstage.config.entity_ids import EntityId
    from tap_adstage.date_ranges import DateRange

_IMPORTING = "currently_importing"
_NEEDS_RELINKING = "permanent_authentication_error"
_DAY = dt.timedelta(days=1)

_TEXT = {"type": ["string", "null"]}
_YES_OR_NO = {"type": ["boolean", "null"]}
_TIME = {"type": ["string", "null"], "format": "date-time"}
_ACCOUNT = {
    "type": "object",
    "properties": {
        "network": {"type": ["string"]},
        "name": _TEXT,
        "import_status": {
            "type": "object",
            "properties": {
                "code": _TEXT,
                "is_importing": _YES_OR_NO,
                "importable": _YES_OR_NO,
                "last_import_started": _TIME,
                "last_import_finished": _TIME,
            },
        },
    },
    "required": ["network", "import_status"],
}
"""What is read of an account of `sync_information`."""

AccountKey = tuple[str, "str | None"]
"""Network and name: AdStage's import status has no ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountImport:
    """What AdStage says of its imports of one account.

    Attributes:
        network: The account's network.
        name: The account's name, which another one may share.
        code: AdStage's word for the account's state, if it has one.
        is_importing: Whether an import is running.
        importable: Whether the account can be imported: not where it has to be linked
            again.
        started: When the newest import began, the running one where there is one; in
            UTC.
        finished: When the newest finished import ended, in UTC; while one is running,
            that is the one before it.
    """

    network: str
    name: str | None
    code: str | None
    is_importing: bool
    importable: bool
    started: dt.datetime | None
    finished: dt.datetime | None

    def __str__(self) -> str:
        """The account as a log line names it."""
        return f"{self.network} account {self.name!r}"

    @classmethod
    def parse(cls, account: dict[str, Any]) -> AccountImport:
        """Read an account of `sync_information`.

        The attributes that AdStage documents leave out `importable`: where it isn't
        given, the code decides. A null counts as not given.

        Args:
            account: The account as AdStage gives it.

        Returns:
            What it says.

        Raises:
            ResponseError: If a value is not of the documented type, with the account
                and the field.
        """
        with error_context(f"account {excerpt(reprlib.repr(account.get('name')))}"):
            given = conform(account, _ACCOUNT, "")
        status = given["import_status"]
        code = status.get("code")
        return cls(
            network=given["network"],
            name=given.get("name"),
            code=code,
            is_importing=status.get("is_importing") is True or code == _IMPORTING,
            importable=status.get("importable") is not False
            and code != _NEEDS_RELINKING,
            started=moment(status.get("last_import_started") or ""),
            finished=moment(status.get("last_import_finished") or ""),
        )

    @property
    def key(self) -> AccountKey:
        """What tells the account apart, as far as AdStage does here."""
        return (self.network, self.name)

    def imported_through(self, time_zone: str) -> dt.date | None:
        """Find the last day that is completely imported.

        An import holds what there was when it began: the whole days before it. While
        one is running, nothing but the end is known of the one before it.

        Args:
            time_zone: IANA name of the zone in which days are counted.

        Returns:
            The day, or `None` where no import has ever finished.
        """
        if self.finished is None:
            return None
        moment = min(self.started or self.finished, self.finished)
        return moment.astimezone(zoneinfo.ZoneInfo(time_zone)).date() - _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountScope:
    """The accounts that a report reads.

    Attributes:
        networks: The networks that it reads at all.
        whole: Those of which it may read any account.
        accounts: Single accounts that it reads of the others.
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
        scope: The accounts that it reads.
        days: First and last day that it asks for, inclusive, counted in `time_zone`.
        today: The day that it is in `time_zone`.
        time_zone: IANA name of the zone in which days are counted.
    """

    report: str
    scope: AccountScope
    days: DateRange
    today: dt.date
    time_zone: str

    def lacks_from(self, account: AccountImport) -> dt.date | None:
        """Find the first day asked for that an account has not completely imported.

        Today is lacking in every account, as it isn't over: that alone is no lack.

        Args:
            account: An account in scope.

        Returns:
            The day, or `None` where nothing is lacking.
        """
        through = account.imported_through(self.time_zone)
        if through is None:
            return self.days.start
        if through >= min(self.days.end, self.today - _DAY):
            return None
        return max(self.days.start, through + _DAY)


@dataclass(frozen=True, slots=True)
class BookmarkCap:
    """How far a report's bookmark may go.

    Attributes:
        through: The last day that every account which can be imported has finished
            importing; `None` where one of them never finished an import.
        behind: What lacks days that the report asks for, furthest behind first: each
            account with the last day that it has imported.
    """

    through: dt.date | None
    behind: tuple[str, ...]

    def line(self, report: str, bookmark: dt.date) -> str:
        """Say that a bookmark was held, and what held it.

        Args:
            report: Name of the report.
            bookmark: Where the bookmark stands.

        Returns:
            One line.
        """
        return (
            f"{report}: held at {bookmark}, as AdStage has not finished importing "
            f"{shorten(self.behind)}; the next run fetches what comes late"
        )


def scope(
    networks: Iterable[str],
    targets: Sequence[EntityId],
    members: Callable[[EntityId], Collection[AccountKey] | None],
) -> AccountScope:
    """Decide which accounts a report reads: rather one too many than one too few.

    Args:
        networks: The report's networks.
        targets: What the report is limited to; nothing is no limit.
        members: Tells the accounts of a target that is an account or an account group,
            or `None` where it can't.

    Returns:
        The accounts.
    """
    every = frozenset(networks)
    whole: set[str] = set() if targets else set(every)
    accounts: set[AccountKey] = set()
    for target in targets:
        found = (
            members(target) if target.level in {"account", "account_group"} else None
        )
        if found is not None:
            accounts.update(found)
        elif target.network in every:
            whole.add(target.network)
        elif target.network == "adstage":
            whole |= every
    return AccountScope(
        networks=every,
        whole=frozenset(whole),
        accounts=frozenset(accounts),
    )


def warnings(
    accounts: Iterable[AccountImport],
    readings: Sequence[ReportScope],
) -> list[str]:
    """Say which accounts are not as far as the reports that read them.

    Args:
        accounts: All accounts.
        readings: What the reports of the run read.

    Returns:
        One line for each account that can't be imported, is importing or lacks days,
        however many reports read it.
    """
    lines = []
    for account in accounts:
        concerned = [reading for reading in readings if account in reading.scope]
        if concerned and (faults := [*_state(account), *_lack(account, concerned)]):
            lines.append(f"{account}: {'; '.join(faults)}")
    return lines


def hold(accounts: Iterable[AccountImport], reading: ReportScope) -> BookmarkCap | None:
    """Decide how far a report's bookmark may go.

    Args:
        accounts: All accounts.
        reading: What the report reads.

    Returns:
        The hold; `None` where no account in scope can be imported, so that there is
        nothing to wait for.
    """
    awaited = [each for each in accounts if each.importable and each in reading.scope]
    if not awaited:
        return None
    imported = [(each, each.imported_through(reading.time_zone)) for each in awaited]
    imported.sort(key=lambda pair: pair[1] or dt.date.min)
    return BookmarkCap(
        imported[0][1],
        tuple(
            f"{account} (imported up to {day})" if day else f"{account} (never)"
            for account, day in imported
            if reading.lacks_from(account)
        ),
    )


def _state(account: AccountImport) -> list[str]:
    faults = []
    if account.code == _NEEDS_RELINKING:
        faults.append(
            f"AdStage can't sign in to it any more ({_NEEDS_RELINKING}): link it "
            "again in AdStage",
        )
    elif not account.importable:
        faults.append(f"AdStage can't import it (its code is {account.code!r})")
    if account.is_importing:
        faults.append("an import is running")
    return faults


def _lack(account: AccountImport, readings: Iterable[ReportScope]) -> list[str]:
    lacking = {
        reading.report: day
        for reading in readings
        if (day := reading.lacks_from(account)) is not None
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
    ended = _written(account.finished)
    if account.started is None or account.started > account.finished:
        return f"its last finished import ended {ended}"
    return f"its last import ran from {_written(account.started)} to {ended}"


def _written(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
