"""Page tokens: Base64 of an Erlang term with limit and offset.

The term is the map `#{limit => L, offset => O, t => <<"offset">>}` in the external
term format: atoms under tag 100, small integers under 97, larger ones under 98.
"""

from __future__ import annotations

import base64
import re

_SMALL = 255

_TERM = re.compile(
    rb"\x83t\x00\x00\x00\x03"
    rb"d\x00\x05limit(a.|b.{4})"
    rb"d\x00\x06offset(a.|b.{4})"
    rb"d\x00\x01tm\x00\x00\x00\x06offset",
    re.DOTALL,
)


def encode(limit: int, offset: int) -> str:
    """Return the token of a page."""
    term = (
        b"\x83t\x00\x00\x00\x03"
        b"d\x00\x05limit" + _integer(limit) + b"d\x00\x06offset" + _integer(offset)
    )
    return base64.b64encode(term + b"d\x00\x01tm\x00\x00\x00\x06offset").decode()


def decode(token: str) -> tuple[int, int]:
    """Return limit and offset of a token.

    Raises:
        ValueError: It is not the token of a page.
    """
    match = _TERM.fullmatch(base64.b64decode(token, validate=True))
    if match is None:
        message = "not a term with limit and offset"
        raise ValueError(message)
    limit, offset = (
        int.from_bytes(number[1:], "big", signed=number[:1] == b"b")
        for number in match.groups()
    )
    return limit, offset


def _integer(number: int) -> bytes:
    if number <= _SMALL:
        return b"a" + number.to_bytes(1, "big")
    return b"b" + number.to_bytes(4, "big", signed=True)
