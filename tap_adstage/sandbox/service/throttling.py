"""Latency, rate limits and pauses, as networks and busy services have them."""

from __future__ import annotations

import threading
import time
from collections import deque


class Throttling:
    """Slows requests down; safe to use from several threads."""

    def __init__(
        self, *, latency: float, rate_limit: float | None, slow_seconds: float
    ) -> None:
        """Set the limits.

        Args:
            latency: Seconds before each answer.
            rate_limit: Requests that are answered within a second; None for any number.
            slow_seconds: Length of a pause in an answer that is slow.
        """
        self._latency = latency
        self._rate_limit = rate_limit
        self._slow_seconds = slow_seconds
        self._answered: deque[float] = deque()
        self._lock = threading.Lock()
        self._released = threading.Event()

    def wait_for_latency(self) -> None:
        """Wait for the latency, or until `release` is called."""
        if self._latency > 0:
            self._released.wait(self._latency)

    def pause(self) -> None:
        """Wait for a slow answer's pause, or until `release` is called."""
        self._released.wait(self._slow_seconds)

    def release(self) -> None:
        """End every wait, and let no later one begin."""
        self._released.set()

    def exceeds_rate_limit(self) -> bool:
        """Return whether one more request is above the limit, and count it if not."""
        if self._rate_limit is None:
            return False
        now = time.monotonic()
        with self._lock:
            while self._answered and now - self._answered[0] >= 1:
                self._answered.popleft()
            if len(self._answered) >= self._rate_limit:
                return True
            self._answered.append(now)
            return False
