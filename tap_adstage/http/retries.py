"""Retries: what is tried again, after how long, and when to give up."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_adstage.exceptions import LongWaitError, TransientError

if TYPE_CHECKING:
    import datetime as dt
    import logging
    from collections.abc import Callable, Generator

    from backoff.types import Details

    T = TypeVar("T")

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_TRIES_OF_A_SIZE = 2
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def retrying(
    call: Callable[[], T],
    *,
    max_seconds: float,
    logger: logging.Logger,
    can_split: bool = False,
    on_wait: Callable[[float], None] = lambda _: None,
) -> T:
    """Call until it works, or until waiting would take too long.

    Only `TransientError` is tried again: after the wait that the API asked for, or
    after waits that double from a second to a minute, half of each of them random. From
    the second failure on, the longer of the two counts.

    Args:
        call: What to do.
        max_seconds: Longest time in seconds from the first failure's start to the
            last try's.
        logger: Logs each wait.
        can_split: Whether the caller can ask for less. Then a call is given up early
            if it fails twice in a row in a way that smaller ones may not.
        on_wait: Called before each wait, with its seconds.

    Returns:
        What the call returned.

    Raises:
        LongWaitError: If the API asks for a wait that would pass `max_seconds`.
        TransientError: The last failure, if `max_seconds` would be passed, or the call
            is given up.
    """
    deadline = time.monotonic() + max_seconds

    def log_wait(details: Details) -> None:
        logger.warning(
            "%s Trying again in %.1f seconds.",
            details["exception"],
            details["wait"],
        )
        on_wait(details["wait"])

    def raise_long_wait(details: Details) -> None:
        error = details["exception"]
        wait = getattr(error, "retry_after", None)
        if wait is not None and time.monotonic() + wait > deadline:
            raise LongWaitError(str(error), retry_after=wait) from None

    return backoff.on_exception(
        _waits,
        TransientError,
        jitter=None,
        on_backoff=log_wait,
        on_giveup=raise_long_wait,
        logger=None,
        deadline=deadline,
        can_split=can_split,
    )(call)()


def retry_after(header: str | None, *, now: dt.datetime) -> float | None:
    """Read a `Retry-After` header (RFC 9110: seconds, or a date).

    Args:
        header: The header's value, if there is one.
        now: The current time of the server that sent it, with a time zone.

    Returns:
        Seconds to wait, 0 or more; `None` if there is no header, or it can't be read.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return max(0.0, (moment - now).total_seconds())


def server_time(header: str | None, *, now: dt.datetime) -> dt.datetime:
    """Read a `Date` header: the time by the server's own clock.

    Args:
        header: The header's value, if there is one.
        now: The time to use without a header that can be read; with a time zone.
    """
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return now
    return moment.replace(tzinfo=moment.tzinfo or now.tzinfo)


def in_words(seconds: float) -> str:
    """Write a duration in its largest unit, such as `8 hours` or `1.5 minutes`."""
    size, unit = next(
        ((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1]
    )
    amount = round(seconds / size, 2)
    return f"{amount:g} {unit}{'' if amount == 1 else 's'}"


def _waits(
    deadline: float,
    *,
    can_split: bool,
) -> Generator[float, TransientError, None]:
    """Yield the seconds before each new try; ends when the call is given up."""
    growing = _FIRST_WAIT
    for_size = 0
    error = yield 0.0
    while True:
        for_size = for_size + 1 if error.may_be_too_large else 0
        if can_split and for_size == _TRIES_OF_A_SIZE:
            return
        wait = growing / 2 + backoff.full_jitter(growing / 2)
        if error.retry_after is not None:
            # Exactly so the first time, but a server that goes on to ask for no wait
            # at all is not hammered.
            is_first = growing == _FIRST_WAIT
            wait = error.retry_after if is_first else max(error.retry_after, wait)
        growing = min(growing * 2, _LONGEST_WAIT)
        if time.monotonic() + wait > deadline:
            return
        error = yield wait
