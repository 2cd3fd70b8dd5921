"""Latency, rate limits and faults, as networks and busy services have them."""

from __future__ import annotations

import random
import threading
import time
from collections import deque


class Conditions:
    """Decides how each request fares; safe to use from several threads."""

    def __init__(
        self,
        *,
        seed: int,
        latency: float,
        rate_limit: float | None,
        fault_rate: float,
    ) -> None:
        """Set the conditions.

        Args:
            seed: Another seed makes other requests fail.
            latency: Seconds before each answer.
            rate_limit: Requests that are answered within a second; None for any.
            fault_rate: Share of requests that fail, from 0 to 1.
        """
        self._random = random.Random(seed)  # noqa: S311 (nothing secret)
        self._latency = latency
        self._rate_limit = rate_limit
        self._fault_rate = fault_rate
        self._answered: deque[float] = deque()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def delay(self) -> None:
        """Wait as long as the latency is, or until `clear` is called."""
        if self._latency > 0:
            self._stopped.wait(self._latency)

    def clear(self) -> None:
        """Let every waiting request go on, and no further one wait."""
        self._stopped.set()

    def is_too_fast(self) -> bool:
        """Tell whether one more request now is above the rate limit."""
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

    def fault(self) -> int | None:
        """Return the status of the fault that hits this request, None for most."""
        if self._fault_rate <= 0:
            return None
        with self._lock:
            if self._random.random() >= self._fault_rate:
                return None
            return self._random.choice((500, 502, 503))
