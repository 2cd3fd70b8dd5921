"""Part of the accounts that a run reads, if several runs share them out."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_PATTERN = re.compile(r"(0|[1-9][0-9]*)/(0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts that have every account once.

    The part of an account depends on its entity id alone, so it stays there, whatever
    other accounts come and go.

    Attributes:
        number: Which part, from 1 up to `count`.
        count: How many parts there are; with 1, the part is the whole.
    """

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        """The part as the setting has it, such as `3/8`."""
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read a part such as `3/8`.

        Raises:
            ValueError: If the text is not a part, with the reason.
        """
        match = _PATTERN.fullmatch(text)
        if not match:
            raise ValueError(
                "a part is two numbers with / between them, without spaces and leading "
                "zeros"
            )
        number, count = map(int, match.groups())
        if not count:
            raise ValueError("there is at least one part")
        if not number:
            raise ValueError(f"the first of {count} parts is 1/{count}")
        if number > count:
            raise ValueError(f"{number} is more than {count}")
        return cls(number, count)

    @property
    def is_whole(self) -> bool:
        """Whether it has every account."""
        return self.count == 1

    @property
    def is_first(self) -> bool:
        """Whether it has what can't be shared out."""
        return self.number == 1

    def has(self, entity_id: str) -> bool:
        """Whether it has an account.

        Args:
            entity_id: The account's entity id.
        """
        digest = hashlib.sha256(entity_id.encode()).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1

    def covers(self, other: Shard) -> bool:
        """Whether it has every account that another one can have.

        Args:
            other: Another part, of as many or of another number of parts.
        """
        return (
            other.count % self.count == 0
            and (other.number - self.number) % self.count == 0
        )
