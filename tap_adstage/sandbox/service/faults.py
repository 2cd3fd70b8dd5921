"""How requests fail, as networks and busy services have them fail."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ANSWERS: Mapping[str, tuple[int, bool]] = {
    "500": (500, False),
    "502": (502, False),
    "503": (503, False),
    "503_date": (503, True),
    "429": (429, False),
    "429_date": (429, True),
    "html": (200, False),
}
"""Answers in place of the right one: their status, and whether they name a date."""

_AT_ONCE = ("reset", "reset_midway", "truncated", "half")
_SLOW = ("slow", "stalled")

FAULTS = (*ANSWERS, *_AT_ONCE, *_SLOW)
"""All kinds.

- `500`, `503`, `429`: an error as JSON, the last two with `Retry-After` in seconds, or
  with a date in `503_date` and `429_date`; `502`: an error as HTML
- `html`: HTML with status 200
- `half`: the first half of the right answer, as if it were whole
- `truncated`: an answer that ends before its `Content-Length`
- `reset`, `reset_midway`: a reset before the answer, or in the middle of its body
- `slow`, `stalled`: a pause before the answer, or in the middle of its body
"""

SIZE_FAULTS = ("413", "504", "timeout")
"""How a report of too many days is refused; `timeout` pauses before it is."""


def kinds(names: tuple[str, ...] | None, slow_seconds: float) -> tuple[str, ...]:
    """Return the kinds to choose from.

    Args:
        names: The kinds that are wanted; None for all.
        slow_seconds: Length of a pause; without one there is nothing slow.

    Raises:
        ValueError: A name is none of `FAULTS`, or nothing is left to choose from.
    """
    chosen = FAULTS if names is None else names
    for name in chosen:
        if name not in FAULTS:
            raise ValueError(f"{name!r} is none of {', '.join(FAULTS)}")
    left = tuple(name for name in chosen if slow_seconds > 0 or name not in _SLOW)
    if not left:
        raise ValueError(f"{', '.join(chosen)}: slow failures need slow seconds")
    return left


def retry_after(kind: str, seconds: int) -> str | None:
    """Return what an answer in place of the right one says in `Retry-After`."""
    status, is_date = ANSWERS[kind]
    if status not in {429, 503}:
        return None
    return formatdate(time() + seconds, usegmt=True) if is_date else str(seconds)


def write_answer(
    handler: Any,  # noqa: ANN401 (the server's handler, of which this knows a part)
    kind: str | None,
    head: Callable[[int], None],
    body: bytes,
    pause: Callable[[], None],
) -> None:
    """Write an answer, in the way that a fault has it.

    Args:
        handler: Of the request: its `wfile`, `connection` and `close_connection`.
        kind: One of `FAULTS`, if any.
        head: Writes the status and the headers for a body of so many bytes.
        body: The right answer's body.
        pause: Waits as long as something slow takes.
    """
    half = len(body) // 2
    if kind == "slow":
        pause()
    if kind == "reset":
        _reset(handler)
        return
    if kind == "half":
        body = body[:half]
    head(len(body))
    if kind in {"truncated", "reset_midway", "stalled"}:
        handler.wfile.write(body[:half])
        handler.wfile.flush()
        if kind == "reset_midway":
            _reset(handler)
            return
        if kind == "truncated":
            handler.close_connection = True
            return
        pause()
        body = body[half:]
    with suppress(OSError):  # the client of a slow answer may be gone
        handler.wfile.write(body)


def _reset(handler: Any) -> None:  # noqa: ANN401 (as above)
    """Close a connection as one that broke: what was sent may get lost on the way."""
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        handler.connection.close()
