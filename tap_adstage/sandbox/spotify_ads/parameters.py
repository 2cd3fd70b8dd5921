"""The parameters of a request, read as strictly as the OpenAPI file allows."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from tap_adstage.sandbox.spotify_ads.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MAX_LIMIT = 50

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Parameters:
    """The parameters in a URL; a list is given by repeated names."""

    def __init__(
        self, pairs: Sequence[tuple[str, str]], known: Collection[str]
    ) -> None:
        """Take the names and values in their order.

        Raises:
            Refusal: A name is not known.
        """
        for name, _ in pairs:
            if name not in known:
                raise Refusal(f"{name}: unknown parameter")
        self._pairs = pairs

    @property
    def names(self) -> set[str]:
        """The names that are given."""
        return {name for name, _ in self._pairs}

    def values(self, name: str) -> list[str]:
        """Return all values of a list."""
        values = [value for given, value in self._pairs if given == name]
        for value in values:
            if "," in value:
                raise Refusal(f"{name}: give a list by repeated names, not {value!r}")
        return values

    def one(self, name: str) -> str | None:
        """Return a value that can be given once."""
        values = [value for given, value in self._pairs if given == name]
        if len(values) > 1:
            raise Refusal(f"{name}: given {len(values)} times")
        return values[0] if values else None

    def choice(
        self, name: str, allowed: Collection[str], default: str | None = None
    ) -> str | None:
        """Return a value that is one of some."""
        value = self.one(name)
        if value is None:
            return default
        return _check(name, value, allowed)

    def choices(
        self, name: str, allowed: Collection[str], *, unique: bool = False
    ) -> list[str]:
        """Return a list of some allowed values."""
        values = [_check(name, value, allowed) for value in self.values(name)]
        if unique and len(set(values)) < len(values):
            raise Refusal(f"{name}: a value is given twice")
        return values

    def uuids(self, name: str, *, unique: bool = False) -> list[str]:
        """Return a list of ids."""
        values = [check_uuid(name, value) for value in self.values(name)]
        if unique and len(set(values)) < len(values):
            raise Refusal(f"{name}: an id is given twice")
        return values

    def integer(self, name: str, default: int, low: int, high: int | None) -> int:
        """Return an integer within its bounds, both inclusive."""
        text = self.one(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,9}", text):
            raise Refusal(f"{name}: {text!r} is not an integer")
        number = int(text)
        if number < low or (high is not None and number > high):
            bounds = f"{low} or more" if high is None else f"from {low} to {high}"
            raise Refusal(f"{name}: {number} is not {bounds}")
        return number

    def boolean(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self.choice(name, ("true", "false"), "false") == "true"

    def moment(self, name: str) -> dt.datetime | None:
        """Return a time in UTC."""
        text = self.one(name)
        if text is None:
            return None
        try:
            moment = dt.datetime.strptime(f"{text}+0000", f"{_MOMENT}%z")
        except ValueError as error:
            raise Refusal(f"{name}: no time like 2024-03-20T00:00:00Z") from error
        if format_moment(moment) != text:
            raise Refusal(f"{name}: {text!r} is not like 2024-03-20T00:00:00Z")
        return moment


def check_uuid(name: str, value: str) -> str:
    """Return an id in lower case.

    Raises:
        Refusal: It is not a UUID.
    """
    if not _UUID.fullmatch(value):
        raise Refusal(f"{name}: {value!r} is not a UUID")
    return value.lower()


def format_moment(moment: dt.datetime) -> str:
    """Return a time in UTC as the API writes it."""
    return moment.strftime(_MOMENT)


def _check(name: str, value: str, allowed: Collection[str]) -> str:
    if value not in allowed:
        raise Refusal(f"{name}: {value!r} is not one of {', '.join(sorted(allowed))}")
    return value
