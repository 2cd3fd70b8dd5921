"""The fields that reports may have, as someone looks them up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedField:
    """A field that reports may have.

    Attributes:
        id: How reports name it; a part in braces is the user's own.
        name: Its name in words; empty if it has none.
        format: The kind of its values, as the source calls it.
        networks: The networks that have it.
        where: The reports that may have it, if not all may.
        lacking: The networks that lack it, if those of all its kind are known.
    """

    id: str
    name: str
    format: str
    networks: tuple[str, ...]
    where: str = ""
    lacking: tuple[str, ...] | None = None

    @property
    def networks_text(self) -> str:
        """The networks that have it, in few words."""
        if self.lacking is None or len(self.lacking) > len(self.networks):
            return ", ".join(self.networks)
        return f"all but {', '.join(self.lacking)}" if self.lacking else "all"


def matching(fields: Sequence[ListedField], text: str) -> list[ListedField]:
    """Find the fields that have a text, or all of its words, in their ids or names."""
    lower = text.lower()
    words = _words(text)
    found = []
    for field in fields:
        spellings = f"{field.id}\n{field.name}".lower()
        if lower in spellings or (words and all(word in spellings for word in words)):
            found.append(field)
    return found


def why_none(fields: Sequence[ListedField], text: str) -> str:
    """Explain that no field matches a text, and suggest the nearest ones."""
    spellings = {field.id.lower(): field.id for field in reversed(fields)}
    spellings |= {field.name.lower(): field.id for field in fields if field.name}
    near = get_close_matches(text.lower(), spellings, n=3, cutoff=0.6)
    ids = [spellings[name] for name in near] or _ids_by_word(fields, text)
    shown = list(dict.fromkeys(ids))[:3]
    advice = (
        f"did you mean {' or '.join(shown)}?" if shown else "omit it to list them all"
    )
    return f"no field has {text!r} in its id or name; {advice}"


def _ids_by_word(fields: Sequence[ListedField], text: str) -> list[str]:
    """The ids of fields that have a word of a text, or one spelt much like it."""
    owners: dict[str, list[str]] = {}
    for field in fields:
        for word in _words(f"{field.id} {field.name}"):
            owners.setdefault(word, []).append(field.id)
    return [
        owner
        for word in _words(text)
        for near in get_close_matches(word, owners, n=1, cutoff=0.75)
        for owner in owners[near]
    ]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
