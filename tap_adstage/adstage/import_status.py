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
"""JSON schema of an account in `sync_information`, as far as the tap reads it."""

AccountKey = tuple[str, "str | None"]
"""Network and name, as AdStage's import status has no ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountImport:
    """The status of AdStage's imports of one account.

    Attributes:
        network: The account's network.
        name: The account's name, which another one may share.
        code: AdStage's word for the account's state, if it has one.
        is_importing: Whether an import is running.
        importable: Whether the account can be imported; it can't if it has to be linked
            again.
        started: When the newest import began, in UTC; it may still be running.
        finished: When the newest finished import ended, in UTC. While one is running,
            that is the previous one.
    """

    network: str
    name: str | None
    code: str | None
    is_importing: bool
    importable: bool
    started: dt.datetime | None
    finished: dt.datetime | None

    def __str__(self) -> str:
        """Name the account, for a log line."""
        return f"{self.network} account {self.name!r}"

    @classmethod
    def parse(cls, account: dict[str, Any]) -> AccountImport:
        """Read an account of `sync_information`.

        AdStage doesn't document `importable` as an attribute. If it is omitted or null,
        the code decides.

        Args:
            account: The account as AdStage gives it.

        Raises:
            ResponseError: If a value is not of the documented type, with the account
                and the field.
        """
        with error_context(f"account {excerpt(reprlib.repr(account.get('name')))}"):
            values = conform(account, _ACCOUNT, "")
        status = values["import_status"]
        code = status.get("code")
        return cls(
            network=values["network"],
            name=values.get("name"),
            code=code,
            is_importing=status.get("is_importing") is True or code == _IMPORTING,
            importable=status.get("importable") is not False
            and code != NEEDS_RELINKING,
            started=moment(status.get("last_import_started") or ""),
            finished=moment(status.get("last_import_finished") or ""),
        )

    @property
    def key(self) -> AccountKey:
        """Network and name; two accounts may share both."""
        return (self.network, self.name)

    def imported_through(self, time_zone: str) -> dt.date | None:
        """Find the last day that is completely imported.

        An import has the data of the moment when it began, so the days before it are
        complete. While one is running, only the previous one's end is known.

        Args:
            time_zone: IANA name of the zone in which days are counted.

        Returns:
            The day, or `None` if no import has ever finished.
        """
        if self.finished is None:
            return None
        moment = min(self.started or self.finished, self.finished)
        return moment.astimezone(zoneinfo.ZoneInfo(time_zone)).date() - _DAY
