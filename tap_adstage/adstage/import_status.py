"""How far AdStage has imported each account (API: Import Status)."""

from __future__ import annotations

import datetime as dt
import reprlib
import zoneinfo
from dataclasses import dataclass
from typing import Any

from tap_adstage.exceptions import error_context
from tap_adstage.http.json_values import conform, moment
from tap_adstage.runtime.redaction import excerpt

_IMPORTING = "currently_importing"
NEEDS_RELINKING = "permanent_authentication_error"
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
            and code != NEEDS_RELINKING,
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
