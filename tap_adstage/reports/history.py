"""What a bookmark stands for: the question that was asked, and of which accounts.

Everything here is plain values and decisions; a source makes the parts of its reports'
questions of the kinds below.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tap_adstage.runtime.wording import json_text, shorten

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping, Sequence

SOURCE = "source"
"""The part of a question that has its source; it is part of every question."""

_DIGITS = 6
_DIGESTS = re.compile(f"(?:[A-Za-z0-9_-]{{{_DIGITS}}})*")


class Part(Protocol):
    """One part of a report's question, such as its fields."""

    @property
    def value(self) -> Any:  # noqa: ANN401 - any JSON value
        """Its value, as the state keeps it."""

    @property
    def default(self) -> Any:  # noqa: ANN401 - any JSON value
        """The value that the state doesn't keep."""

    def more_than(self, before: Any) -> str | None:  # noqa: ANN401 - any JSON value
        """Decide whether it asks for more than before.

        Args:
            before: The value that an earlier run kept, or the default.

        Returns:
            What is more, for a log line; `None` if nothing is.
        """


@dataclass(frozen=True, slots=True)
class Exact:
    """A part of which any change asks for other rows, such as the entity level."""

    value: Any
    default: Any = None

    def more_than(self, before: Any) -> str | None:  # noqa: ANN401 - any JSON value
        """Decide whether it changed."""
        if self.value == before:
            return None
        return f"{_shown(self.value)}, not {_shown(before)}"


@dataclass(frozen=True, slots=True)
class Items:
    """A set that may lose items without asking for more, such as the fields.

    Attributes:
        value: The items, sorted.
        default: The items that the state doesn't keep.
        empty_is_all: Whether no items stand for all there are.
    """

    value: Sequence[str]
    default: Sequence[str] = ()
    empty_is_all: bool = False

    def more_than(self, before: Any) -> str | None:  # noqa: ANN401 - any JSON value
        """Decide whether an item joined."""
        if self.empty_is_all and not before:
            return None
        if self.empty_is_all and not self.value:
            return "all"
        added = [item for item in self.value if item not in before]
        return shorten(added) if added else None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values, of which some include others.

    Attributes:
        value: The value.
        default: The value that the state doesn't keep.
        included_in: The other values that include the value.
    """

    value: str
    default: str
    included_in: Collection[str]

    def more_than(self, before: Any) -> str | None:  # noqa: ANN401 - any JSON value
        """Decide whether it was not included in what it was before."""
        if before == self.value or before in self.included_in:
            return None
        return f"{self.value}, not {before}"


@dataclass(frozen=True, slots=True)
class FirstDay:
    """The first day of a report's range, `None` if the range is empty.

    Attributes:
        value: The day as `yyyy-mm-dd`, so that texts compare as days do.
    """

    value: str | None
    default: None = None

    def more_than(self, before: Any) -> str | None:  # noqa: ANN401 - any JSON value
        """Decide whether the range begins earlier."""
        if self.value is None or before is None or self.value >= str(before):
            return None
        return f"{self.value}, not {before}"


def additions(parts: Mapping[str, Part], before: Mapping[str, Any]) -> list[str]:
    """List the parts of a question that ask for more than an earlier one.

    Args:
        parts: The parts of the current question, by name.
        before: The values that `values_to_keep` gave for the earlier one.

    Returns:
        Each part with what is more, for a log line.
    """
    more = {
        name: part.more_than(before.get(name, part.default))
        for name, part in parts.items()
    }
    return [f"{name}: {text}" for name, text in more.items() if text]


def values_to_keep(parts: Mapping[str, Part]) -> dict[str, Any]:
    """Collect what the state keeps of a question: all that is not a default."""
    return {
        name: part.value for name, part in parts.items() if part.value != part.default
    }


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Accounts whose earlier days are being read alone.

    Attributes:
        accounts: Their digests.
        through: First day of the last slice that is written.
    """

    accounts: frozenset[str]
    through: dt.date


@dataclass(frozen=True, slots=True)
class History:
    """What a report has completely written up to its bookmark.

    Attributes:
        question: The values of the question's parts; `None` if unknown.
        accounts: Digests of the accounts; `None` if unknown.
        catch_ups: Accounts that are not among them yet, with their own places.
    """

    question: Mapping[str, Any] | None = None
    accounts: frozenset[str] | None = None
    catch_ups: tuple[CatchUp, ...] = ()


def digest(account: str) -> str:
    """Shorten an account's id for the state.

    With 2,000 accounts, one that joins has the digest of another one in three of a
    hundred million cases. It would then go without its earlier days.
    """
    code = hashlib.sha256(account.encode()).digest()
    return base64.urlsafe_b64encode(code)[:_DIGITS].decode()


def joined_digests(digests: Iterable[str]) -> str:
    """Write digests as one text, which takes less room than a list."""
    return "".join(sorted(digests))


def split_digests(text: str) -> frozenset[str]:
    """Read what `joined_digests` wrote.

    Raises:
        ValueError: If the text is something else.
    """
    if not _DIGESTS.fullmatch(text):
        raise ValueError("not a text of digests")
    cuts = range(0, len(text), _DIGITS)
    return frozenset(text[cut : cut + _DIGITS] for cut in cuts)


def _shown(value: object) -> str:
    if value is None or value == []:
        return "none"
    return value if isinstance(value, str) else json_text(value)
