"""JSON texts, decoded to values that any loader can load unchanged."""

from __future__ import annotations

import codecs
import json
import re
from decimal import Decimal
from typing import Any, NoReturn

_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""The start of an escaped NUL, or of an escaped surrogate."""

_ESCAPE = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])"
    r"|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})",
)
"""A pair of surrogates or any short escape, in the group; else what can't be stored."""

_MOST_DIGITS = 308
"""Digits before a number's point, and zeros after it, that fit into a double: the SDK
takes a larger number for infinite, and writes null."""

_MOST_NESTED = 100
"""How deep lists and objects may be nested; those of real answers are not ten deep."""

_TOO_DEEP = f"lists and objects are nested deeper than {_MOST_NESTED}"
_SHOWN = 40
_BLOCK = 2**14
"""Bytes that are checked for UTF-8 at once. Texts of many more leave holes in the heap:
it grew to 330 MB over a report with pages of 8 MB."""


class _NumberError(ValueError):
    """A number can't be loaded: out of a double's range, NaN or Infinity."""


def text_of(content: bytes) -> str:
    """Return the text of a JSON document: UTF-8, with or without a byte order mark.

    Raises:
        ValueError: If it is not UTF-8.
    """
    return content.decode("utf-8-sig")


def check_utf8(content: bytes) -> None:
    """Require that a text is UTF-8.

    Raises:
        ValueError: If it is not, with the place.
    """
    # With one emoji in it, a text takes four times the memory of its bytes, and several
    # threads may each have a page of megabytes.
    start = 0
    while start < len(content):
        block = content[start : start + _BLOCK]
        is_last = start + len(block) == len(content)
        try:
            _, read = codecs.utf_8_decode(block, "strict", is_last)
        except UnicodeDecodeError as error:
            at = error.start + start, error.end + start
            raise UnicodeDecodeError("utf-8", content, *at, error.reason) from None
        start += read


def decode_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Decode JSON, with numbers exactly as they are written.

    NUL and lone surrogates, which JSON can escape and Postgres can't store, are
    replaced by U+FFFD in texts and names. If an object has a name twice, the last value
    counts.

    Args:
        text: A JSON document.

    Returns:
        The document; numbers with a fraction or an exponent are `Decimal`.

    Raises:
        ValueError: If the text is not JSON, or has NaN or Infinity; if a number is out
            of a double's range; if lists and objects are nested too deep.
    """
    try:
        document = json.loads(
            _storable(text),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse_number,
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
    """Describe a number that can't be loaded, with the name before it."""
    match = re.search(rf"[\[:,]\s*{re.escape(number)}\s*[\]}},]", text)
    before = text[: match.start() + 1] if match else ""
    names = re.findall(r'"([^"]*)"\s*:', before)
    shown = number if len(number) <= _SHOWN else f"{number[:_SHOWN]}…"
    return f"{': '.join([*names[-1:], shown])} can't be loaded as a number"


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
