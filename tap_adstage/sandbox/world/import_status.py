"""The status of AdStage's import of each account."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from tap_adstage.sandbox.world.prng import between, mix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_adstage.sandbox.world.entities import Entity

    Overrides: TypeAlias = Mapping[str, Mapping[str, object]]
    """Changes to import statuses, by the account's entity id."""

_IMPORT = 41
_IMPORTING = "currently_importing"
_AUTHENTICATION_ERROR = "permanent_authentication_error"
_KEYS = (
    "code",
    "is_importing",
    "last_import_started",
    "last_import_finished",
    "last_import_failed",
    "importable",
)


class ImportStatuses:
    """The import status of each account: generated, with overrides."""

    def __init__(self, accounts: Iterable[Entity], overrides: Overrides) -> None:
        """Start with some overrides, which are checked as the property checks them."""
        self._accounts = frozenset(account.entity_id for account in accounts)
        self.overrides = overrides

    @property
    def overrides(self) -> Overrides:
        """Changes to the generated statuses, to be set as a whole.

        Raises:
            ValueError: An account or a key is unknown.
        """
        return self._overrides

    @overrides.setter
    def overrides(self, overrides: Overrides) -> None:
        for entity_id, changes in overrides.items():
            if entity_id not in self._accounts:
                raise ValueError(f"imports: unknown account {entity_id!r}")
            for key in changes:
                if key not in _KEYS:
                    raise ValueError(
                        f"imports: unknown key {key!r}; use one of {', '.join(_KEYS)}"
                    )
        self._overrides = MappingProxyType(
            {entity_id: dict(changes) for entity_id, changes in overrides.items()}
        )

    def status(self, account: Entity, today: dt.date) -> dict[str, object]:
        """Return the status of an account's last import, by default of that morning."""
        generated = _status(account, today)
        return {**generated, **self._overrides.get(account.entity_id, {})}

    def worst_code(self, accounts: Iterable[Entity]) -> str:
        """Return the worst code of the accounts, `unimportable` without accounts."""
        codes = {self._code(account) for account in accounts}
        for code in (_AUTHENTICATION_ERROR, _IMPORTING, "good"):
            if code in codes:
                return code
        return "unimportable"

    def _code(self, account: Entity) -> object:
        changes = self._overrides.get(account.entity_id, {})
        return changes.get("code", _code(account))


def _code(account: Entity) -> str:
    codes = {3: _IMPORTING, 7: _AUTHENTICATION_ERROR, 12: _IMPORTING}
    return codes.get(account.position, "good")


def _status(account: Entity, today: dt.date) -> dict[str, object]:
    code = _code(account)
    is_broken, is_importing = code == _AUTHENTICATION_ERROR, code == _IMPORTING
    day = dt.datetime.combine(today, dt.time(), dt.timezone.utc)
    day -= dt.timedelta(days=21 if is_broken else 0)
    started = day + dt.timedelta(minutes=between(account.key, _IMPORT, 60, 540))
    finished = started + dt.timedelta(minutes=5 + mix(account.key, _IMPORT) % 200)
    if is_importing:
        finished -= dt.timedelta(days=1)  # of the previous import
    return {
        "code": code,
        "is_importing": is_importing,
        "last_import_started": _timestamp(started),
        "last_import_finished": _timestamp(finished),
        "last_import_failed": _timestamp(finished) if is_broken else None,
        "importable": not is_broken,
    }


def _timestamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
