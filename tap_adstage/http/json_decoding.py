"""From JSON as AdStage sends it to values that can be loaded as they are."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""Starts the escape of NUL, or of half a character beyond U+FFFF."""

_ESCAPE = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])"
    r"|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})",
)
"""Both halves of a character, or any short escape; else one that nothing can hold."""

_MOST_DIGITS = 308
"""Of a number before its point, and of zeros after it, that a double can hold: the SDK
writes null for a larger one, which it takes for infinite."""

_MOST_NESTED = 100
"""How deep lists and objects may be in each other; AdStage's are not ten deep."""

_TOO_DEEP = f"lists and objects are nested deeper than {_MOST_NESTED}"
_SHOWN = 40


class _NumberError(ValueError):
    """A number can't be loaded."""


def text_of(content: bytes) -> str:
    """The text of a JSON document, which is UTF-8 and may begin with a mark of that.

    Raises:
        ValueError: If it is not UTF-8.
    """
    return content.decode("utf-8-sig")


def decode_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Decode JSON without changing a number.

    NUL and lone surrogates, which JSON can escape and Postgres can't store, are
    replaced by U+FFFD in texts and names.

    Args:
        text: A JSON document.

    Returns:
        The document; numbers with a fraction or an exponent are `Decimal`.

    Raises:
        ValueError: If the text is no JSON, which NaN and Infinity aren't either; if a
            number is out of a double's range, as it would not arrive; if a name stands
            for two values in one object; if there is no end of lists in lists.
    """
    try:
        document = json.loads(
            _storable(text),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse_number,
            object_pairs_hook=_object,
        )
    except _NumberError as error:
        (number,) = error.args
        raise ValueError(_refusal(number, text)) from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if _is_deep(document):
        raise ValueError(_TOO_DEEP)
    return document


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text) is None:
        return text
    return _ESCAPE.sub(lambda escape: escape[1] or r"\ufffd", text)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError:  # its exponent has too many digits
        raise _NumberError(text) from None
    if abs(number.adjusted()) < _MOST_DIGITS:
        return number
    raise _NumberError(text)


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise _NumberError(text)
    return int(text)


def _refuse_number(text: str) -> NoReturn:
    raise _NumberError(text)


def _refusal(number: str, text: str) -> str:
    """Say which number can't be loaded, and the name that stands before it."""
    found = re.search(rf"[\[:,]\s*{re.escape(number)}\s*[\]}},]", text)
    before = text[: found.start() + 1] if found else ""
    names = re.findall(r'"([^"]*)"\s*:', before)
    shown = number if len(number) <= _SHOWN else f"{number[:_SHOWN]}…"
    return f"{': '.join([*names[-1:], shown])} is no number that can be loaded"


def _object(members: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        for name, value in members:
            if found[name] != value:
                raise ValueError(f"{name!r} is there twice in one object")
    return found


def _is_deep(document: Any) -> bool:  # noqa: ANN401 - any JSON value
    level: list[Any] = [[document]]
    for _ in range(_MOST_NESTED + 1):
        level = [
            item
            for holder in level
            for item in (holder.values() if type(holder) is dict else holder)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return False
    return True
