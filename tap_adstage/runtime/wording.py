"""The words of error texts: values, lists of names, and suggestions."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

TYPES = {
    "string": "a text that is not empty",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
"""What a value of each JSON type is called."""

LIST_FIELDS = "tap-adstage --fields lists all fields"
"""Advice for a field that nobody knows."""

_MOST_NAMES = 3


def json_text(value: object) -> str:
    """Return a value as an error text shows it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def shorten(names: Sequence[str]) -> str:
    """List the first three names, and how many more there are."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def did_you_mean(name: str, names: Collection[str]) -> str:
    """Suggest the closest valid names, or list them all."""
    return suggest(name, names) or f"there are {', '.join(names)}"


def suggest(name: str, names: Collection[str]) -> str | None:
    """Suggest the closest valid names, if any are close."""
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else None


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, such as `1,234 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
