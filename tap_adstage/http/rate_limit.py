"""Rate limits that an API states, kept to by not sending too soon.

Libraries count a request when it is sent, and not when it arrives. `limits`, with a
window that is 0.3 seconds longer than the API's, had 12 of 600 requests refused; with
one that is a second longer it took 5 % more time than this.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class RateLimit:
    """At most so many requests in any stretch of so many seconds, over all threads.

    The API counts a request when it arrives, which is after it is sent and before it is
    answered. So a request makes room for another one that long after its answer.
    """

    def __init__(
        self, requests: int, seconds: float, on_wait: Callable[[float], None]
    ) -> None:
        """Start with room for all of the requests.

        Args:
            requests: How many there may be, 1 or more.
            seconds: In any stretch of this length.
            on_wait: Called before each wait, with its seconds.
        """
        self._seconds = seconds
        self._on_wait = on_wait
        self._free_at: SimpleQueue[float] = SimpleQueue()
        """From when on there is room for each request that is not under way."""
        for _ in range(requests):
            self._free_at.put(0.0)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for room, then send a request: `with limit.turn(): …`."""
        free_at = self._free_at.get()
        try:
            wait = free_at - time.monotonic()
            if wait > 0:
                self._on_wait(wait)
                time.sleep(wait)
            yield
        finally:
            self._free_at.put(time.monotonic() + self._seconds)
