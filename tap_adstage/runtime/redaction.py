"""Redaction: no secrets in logs, errors, records and state."""

from __future__ import annotations

import re
from html.entities import codepoint2name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LENGTH_OF_A_SECRET = 8
"""The length in characters from which a secret is hidden everywhere.

A shorter one may be part of any word. It is hidden in the tap's own texts alone, and
only as a word of its own.
"""
_EXCERPT_LENGTH = 200

_NAME = r"(?:(?:access|refresh)(?:[_-]|%5f)?token|client(?:[_-]|%5f)?secret)"
_USER = re.compile(r"//[^/?#\s\"'<>@\\]*@")
_PARAMETER = re.compile(
    rf"({_NAME}(?:=|%3d))(?!\*\*\*)[^&\s\"'<>#\\]*",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    rf"({_NAME}(?:\\*[\"'])?\s*(?:=>|[:=])\s*)(?P<quote>\\*[\"'])"
    r".*?(?:(?<!\\)(?P=quote)|$)",
    re.IGNORECASE | re.DOTALL,
)
_BEARER = re.compile(r"\b(Bearer)\s+[\w.~+/=-]+", re.IGNORECASE)

_TOKEN_NAMES = ("access_token", "access%5ftoken")
# A URL may be a parameter of another one, and is percent-encoded then.
_TOKEN_PARAMETERS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (
        re.compile(
            rf"({start})(?:{'|'.join(_TOKEN_NAMES)}){equals}(?:(?!{end})[^&#\s\"'<>])*"
            rf"(?:{another})?",
            re.IGNORECASE,
        ),
        re.compile(rf"(?:{start})(?={end}|[&#\s\"'<>]|$)", re.IGNORECASE),
    )
    for start, equals, another, end in (
        (r"[?&#]", "=", "&", "#"),
        (r"%(?:25)*(?:3f|26|23)", "%(?:25)*3d", "%(?:25)*26", "%(?:25)*(?:26|23)"),
    )
)


class Secrets:
    """The secrets of a run, found in any escaped or encoded form."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """Hold secrets."""
        self._values: set[str] = set()
        self.add(*values)

    def add(self, *values: str) -> None:
        """Add secrets."""
        self._values |= {*values} - {""}
        # The longest first: one may begin with another.
        ordered = sorted(self._values, key=len, reverse=True)
        long = [value for value in ordered if len(value) >= _LENGTH_OF_A_SECRET]
        short = [value for value in ordered if len(value) < _LENGTH_OF_A_SECRET]
        self._hints = [_plainest_part(value) for value in long]
        self._long = _any_of(long)
        self._short = (
            re.compile(rf"(?<!\w){_any_of(short).pattern}(?!\w)") if short else None
        )

    def are_in(self, text: str) -> bool:
        """Tell whether a text has a secret of at least 8 characters."""
        hinted = any(hint in text for hint in self._hints)
        return hinted and self._long.search(text) is not None

    def hinted_in(self, content: bytes) -> bool:
        """Whether a text, UTF-8, may hold a secret of at least 8 characters."""
        return any(hint.encode() in content for hint in self._hints)

    def hide(self, text: str, *, in_data: bool = False) -> str:
        """Replace secrets by `***`.

        Args:
            text: Any text.
            in_data: Whether it is the user's data, in which secrets of less than 8
                characters stay.
        """
        if any(hint in text for hint in self._hints):
            text = self._long.sub("***", text)
        if in_data or self._short is None:
            return text
        return self._short.sub("***", text)


def redact(text: str, secrets: Secrets | None = None) -> str:
    """Hide the secrets in a text that is about to be logged or raised.

    Args:
        text: Any text: a URL, a response body, an error, a log line.
        secrets: The run's secrets.

    Returns:
        The text with `***` instead of these secrets, of any value named like a token
        or client secret, and of the user and password of a URL.
    """
    if secrets is not None:
        text = secrets.hide(text)
    text = _USER.sub("//***@", text)
    # Few log lines have these words, and to search for the patterns takes far longer.
    words = text.casefold()
    if "token" in words or "secret" in words:
        text = _PARAMETER.sub(r"\1***", text)
        text = _QUOTED.sub(r"\1\g<quote>***\g<quote>", text)
    if "bearer" in words:
        text = _BEARER.sub(r"\1 ***", text)
    return text


def excerpt(
    text: str, secrets: Secrets | None = None, length: int = _EXCERPT_LENGTH
) -> str:
    """Quote the start of an answer in an error text.

    Args:
        text: The body of a response, or a part of it.
        secrets: The run's secrets.
        length: How many characters to quote at most.

    Returns:
        The redacted start, on one line.
    """
    line = " ".join(redact(text, secrets).split())
    return line if len(line) <= length else f"{line[:length]}…"


def clean(document: Any, text: str, secrets: Secrets) -> Any:  # noqa: ANN401 - JSON
    """Remove secrets from an answer; some APIs put the caller's token into links.

    Args:
        document: The decoded document; it is not changed.
        text: The text that it was decoded from, which is quick to search: few answers
            have secrets.
        secrets: The run's secrets.

    Returns:
        The document with `***` instead of the secrets, and with URLs without the
        parameter `access_token`.
    """
    lowered = text.lower()
    if not secrets.are_in(text) and not any(name in lowered for name in _TOKEN_NAMES):
        return document
    return _changed(
        document,
        lambda part: secrets.hide(_without_token(part), in_data=True),
    )


def _changed(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """Change each text of a JSON value, keys included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _changed(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    return value


def _without_token(text: str) -> str:
    """Take `access_token` out of a URL, and of one that is part of it."""
    for parameter, dangling in _TOKEN_PARAMETERS:
        without = parameter.sub(r"\1", text)
        if without != text:
            text = dangling.sub("", without)
    return text


def _any_of(values: list[str]) -> re.Pattern[str]:
    """A pattern of any of these secrets; of none, one that matches nothing."""
    return re.compile(f"(?:{'|'.join(map(_in_any_form, values)) or '(?!)'})")


def _in_any_form(secret: str) -> str:
    """A pattern of a secret as a text, a URL, JSON or HTML would have it.

    Each of them writes some signs in a way of its own, and one may be part of another.
    """
    return "".join(
        sign
        if sign.isascii() and sign.isalnum()
        else f"(?:{'|'.join(_forms_of_a_sign(sign))})"
        for sign in secret
    )


def _forms_of_a_sign(sign: str) -> Iterator[str]:
    code = ord(sign)
    yield rf"\\{{0,9}}{re.escape(sign)}"
    yield "".join(
        rf"%(?:25){{0,9}}(?i:{byte:02x})"
        for byte in sign.encode("utf-8", "surrogatepass")
    )
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    yield "".join(
        rf"\\{{1,9}}u(?i:{units[i : i + 4]})" for i in range(0, len(units), 4)
    )
    names = [f"#0*{code}", f"#[xX]0*(?i:{code:x})", codepoint2name.get(code, "(?!)")]
    yield f"&(?:amp;){{0,9}}(?:{'|'.join(names)});"
    if sign == " ":
        yield r"\+"


def _plainest_part(secret: str) -> str:
    """The longest part of a secret that looks the same in every form."""
    parts: list[str] = re.findall(r"[A-Za-z0-9]*", secret)
    return max(parts, key=len)
