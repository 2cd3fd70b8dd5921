"""Keep tokens out of everything that is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUERY_SECRET = re.compile(
    r"([?&]?)\b(access_token|refresh_token|client_secret)=[^&\s\"'<>#]*",
    re.IGNORECASE,
)
_TOKEN_PARAMETER = re.compile(r"([?&#])access_token=[^&#\s]*&?", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    r"([\"']?(?:access_token|refresh_token|client_secret)[\"']?\s*:\s*)[\"'][^\"']*[\"']",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer)\s+[\w.~+/=-]+", re.IGNORECASE)
_EXCERPT_LENGTH = 200


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Hide the secrets in a text that is about to be logged or raised.

    Args:
        text: Any text: a URL, a response body, an error.
        secrets: Values that are hidden wherever they stand.

    Returns:
        The text with tokens and client secrets replaced by `***`.
    """
    text = _QUERY_SECRET.sub(r"\1\2=***", hide(text, secrets))
    text = _NAMED_SECRET.sub(r'\1"***"', text)
    return _BEARER.sub(r"\1 ***", text)


def hide(text: str, secrets: Iterable[str]) -> str:
    """Hide known secrets in a text of the tap's own, whose quotes are redacted.

    Args:
        text: Any text.
        secrets: Values that are hidden wherever they stand.

    Returns:
        The text with `***` in their place.
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def excerpt(text: str, secrets: Iterable[str] = ()) -> str:
    """Quote the start of a response body, for an error text.

    Args:
        text: The body.
        secrets: Values that are hidden wherever they stand.

    Returns:
        At most 200 redacted characters on one line.
    """
    line = " ".join(redact(text, secrets).split())
    return line if len(line) <= _EXCERPT_LENGTH else f"{line[:_EXCERPT_LENGTH]}…"


def without_token(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Take `access_token` out of every URL inside a JSON value.

    AdStage puts the caller's token into some links (the folders list's own `self`).

    Args:
        value: Any decoded JSON value; it is not changed.

    Returns:
        The same value, with URLs that carry no token.
    """
    if isinstance(value, str):
        return _without_token_parameter(value)
    if isinstance(value, dict):
        return {key: without_token(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_token(item) for item in value]
    return value


def _without_token_parameter(url: str) -> str:
    without = _TOKEN_PARAMETER.sub(r"\1", url)
    return url if without == url else re.sub(r"[?&#](?=#|\s|$)", "", without)
