"""Reads and checks the values of a report request's body."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any, NoReturn

from tap_adstage.sandbox.adstage import page_tokens
from tap_adstage.sandbox.adstage.hal import MAX_LIMIT
from tap_adstage.sandbox.adstage.refusals import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def refuse(message: str) -> NoReturn:
    """Refuse the request.

    Raises:
        RefusedRequest: Always, with that message.
    """
    raise RefusedRequest(message)


def check_keys(
    value: Mapping[str, Any],
    where: str,
    required: Sequence[str],
    optional: Sequence[str],
) -> None:
    """Refuse an object with a missing or unknown key."""
    for key in required:
        if value.get(key) is None:
            refuse(f"{where}: {key} is missing")
    for key in value:
        if key not in required and key not in optional:
            allowed = ", ".join(sorted((*required, *optional)))
            refuse(f"{where}: unknown key {key!r}; use one of {allowed}")


def text(body: Mapping[str, Any], key: str) -> str:
    """Return a value that must be a string."""
    value = body[key]
    if not isinstance(value, str):
        refuse(f"{key} must be a string, not {value!r}")
    return value


def one_of(body: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
    """Return a value that must be one of those allowed."""
    value = body[key]
    if value not in allowed:
        refuse(f"{key} must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def optional_one_of(
    body: Mapping[str, Any], key: str, allowed: Sequence[str]
) -> str | None:
    """Return the value of `one_of`, None if it is null or omitted."""
    return None if body.get(key) is None else one_of(body, key, allowed)


def boolean(body: Mapping[str, Any], key: str) -> bool:
    """Return a value that must be true or false, false by default."""
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        refuse(f"{key} must be true or false, not {value!r}")
    return bool(value)


def strings(value: object, where: str) -> list[str]:
    """Return a value that must be an array of strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        refuse(f"{where} must be an array of strings, not {value!r}")
    return value


def page(body: Mapping[str, Any], default_limit: int) -> tuple[int, int]:
    """Return limit and offset; a page token takes precedence."""
    token = body.get("page_token")
    if token is not None:
        if not isinstance(token, str):
            refuse(f"page_token must be a string, not {token!r}")
        try:
            limit, offset = page_tokens.decode(token)
        except (ValueError, binascii.Error):
            refuse(f"page_token: {token!r} is not a token of this API")
        where = "page_token: "
    else:
        limit = default_limit if body.get("limit") is None else body["limit"]
        offset = 0 if body.get("offset") is None else body["offset"]
        where = ""
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        refuse(f"{where}limit must be from 1 to {MAX_LIMIT}, not {limit!r}")
    if type(offset) is not int or offset < 0:
        refuse(f"{where}offset must be 0 or more, not {offset!r}")
    return limit, offset
