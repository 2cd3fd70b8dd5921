"""How requests fail, as networks and busy services have them fail."""

from __future__ import annotations

import random
import socket
import struct
import threading
from contextlib import suppress
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAULT_HEADER = "Sandbox-Fault"
"""A header that names the server how to break an answer; clients never see it."""

ANSWERS: Mapping[str, tuple[int, bool]] = {
    "500": (500, False),
    "502": (502, False),
    "503": (503, False),
    "503_date": (503, True),
    "429": (429, False),
    "429_date": (429, True),
    "html": (200, False),
}
"""Answers instead of the right one: the status, and whether `Retry-After` is a date."""

_AT_ONCE = ("reset", "reset_midway", "truncated", "half")
_SLOW = ("slow", "stalled")

FAULTS = (*ANSWERS, *_AT_ONCE, *_SLOW)
"""All kinds.

- `500`, `503`, `429`: an error as JSON, the last two with `Retry-After` in seconds, or
  with a date in `503_date` and `429_date`; `502`: an error as HTML
- `html`: HTML with status 200
- `half`: the first half of the right answer, with a `Content-Length` that fits it
- `truncated`: an answer that ends before its `Content-Length`
- `reset`, `reset_midway`: a reset before the answer, or in the middle of its body
- `slow`, `stalled`: a pause before the answer, or in the middle of its body
"""

SIZE_FAULTS = ("413", "504", "timeout")
"""How a report of too many days is refused; `timeout` is a 504 after a pause."""


class FaultGenerator:
    """Picks the requests that fail, and how; safe to use from several threads."""

    def __init__(self, *, seed: int, rate: float, kinds: tuple[str, ...]) -> None:
        """Start the sequence of a seed.

        Args:
            seed: Another seed makes other requests fail.
            rate: Share of requests that fail, from 0 to 1.
            kinds: The kinds of fault to choose from.
        """
        self._random = random.Random(seed)  # noqa: S311 (nothing secret)
        self._rate = rate
        self._kinds = kinds
        self._lock = threading.Lock()

    def next_fault(self) -> str | None:
        """Return the kind of fault that hits the next request, None for no fault."""
        if self._rate <= 0:
            return None
        with self._lock:
            if self._random.random() >= self._rate:
                return None
            return self._random.choice(self._kinds)


def select_faults(
    names: tuple[str, ...] | None, slow_seconds: float
) -> tuple[str, ...]:
    """Return the kinds of fault to choose from.

    Args:
        names: The kinds that are wanted; None for all.
        slow_seconds: Length of a pause; if it is 0, slow kinds are dropped.

    Raises:
        ValueError: A name is not one of `FAULTS`, or every kind was dropped.
    """
    chosen = FAULTS if names is None else names
    for name in chosen:
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}; use one of {', '.join(FAULTS)}")
    possible = tuple(name for name in chosen if slow_seconds > 0 or name not in _SLOW)
    if not possible:
        raise ValueError(f"{', '.join(chosen)}: slow failures need slow seconds")
    return possible


def retry_after(kind: str, seconds: int) -> str | None:
    """Return the `Retry-After` of an answer instead of the right one, if it has one."""
    status, is_date = ANSWERS[kind]
    if status not in {429, 503}:
        return None
    return formatdate(time() + seconds, usegmt=True) if is_date else str(seconds)


def write_answer(
    handler: Any,  # noqa: ANN401 (the server's handler, of which this knows a part)
    kind: str | None,
    write_head: Callable[[int], None],
    body: bytes,
    pause: Callable[[], None],
) -> None:
    """Write an answer, broken in the way of a fault.

    Args:
        handler: The request's handler: its `wfile`, `connection`, `close_connection`.
        kind: One of `FAULTS`, if any.
        write_head: Writes the status and the headers for a body of so many bytes.
        body: The right answer's body.
        pause: Waits for the length of a pause.
    """
    half = len(body) // 2
    if kind == "slow":
        pause()
    if kind == "reset":
        _reset(handler)
        return
    if kind == "half":
        body = body[:half]
    write_head(len(body))
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
    with suppress(OSError):  # the client of a slow answer may have left
        handler.wfile.write(body)


def _reset(handler: Any) -> None:  # noqa: ANN401 (as above)
    """Close a connection with a reset, which may lose what was already sent."""
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        handler.connection.close()
