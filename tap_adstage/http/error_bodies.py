"""Error bodies: an API's own words, under any usual name."""

from __future__ import annotations

from typing import Any

ERROR_NAMES = ("error_description", "error", "errors")
"""Members that only an error body has."""

ALL_NAMES = ("message", *ERROR_NAMES)
"""All members that may hold its words, the plainest first."""


def error_words(
    document: Any,  # noqa: ANN401 - any JSON value
    names: tuple[str, ...] = ALL_NAMES,
) -> str | None:
    """Find the words of an error body.

    Args:
        document: The body, decoded.
        names: The members to look at.

    Returns:
        The words of the first member that has any, on one line; `None` without any.
    """
    if not isinstance(document, dict):
        return None
    return next(filter(None, (_words(document.get(name)) for name in names)), None)


def error_texts(document: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """Find the words of an error body, as a list of at most one text.

    Args:
        document: The body, decoded.
    """
    words = error_words(document)
    return [words] if words else []


def _words(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """Write an error as a text: one, a list of them, or one for each field."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "; ".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        by_field = {name: _words(error) for name, error in value.items()}
        return error_words(value) or "; ".join(
            f"{name}: {words}" for name, words in by_field.items() if words
        )
    return None
