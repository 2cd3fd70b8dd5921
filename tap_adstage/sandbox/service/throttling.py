"""Latency, rate limits and faults, as networks and busy services have them."""

from __future__ import annotations

import random
import threading
import time
from collections import deque


class Conditions:
    """Decides how each request fares; safe to use from several threads."""

    def __init__(  # noqa: PLR0913
        self,
        *,
        seed: int,
        latency: float,
        rate_limit: float | None,
        fault_rate: float,
        faults: tuple[str, ...],
        slow_seconds: float,
    ) -> None:
        """Set the conditions.

        Args:
            seed: Another seed makes other requests fail.
            latency: Seconds before each answer.
            rate_limit: Requests that are answered within a second; None for any.
            fault_rate: Share of requests that fail, from 0 to 1.
            faults: The kinds of failure to choose from.
            slow_seconds: Length of a pause.
        """
        self._random = random.Random(seed)  # noqa: S311 (nothing secret)
        self._latency = latency
        self._rate_limit = rate_limit
        self._fault_rate = fault_rate
        self._faults = faults
        self._slow_seconds = slow_seconds
        self._answered: deque[float] = deque()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def delay(self) -> None:
        """Wait as long as the latency is, or until `clear` is called."""
        if self._latency > 0:
            self._stopped.wait(self._latency)

    def pause(self) -> None:
        """Wait as long as something slow takes, or until `clear` is called."""
        self._stopped.wait(self._slow_seconds)

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

    def fault(self) -> str | None:
        """Return the kind of fault that hits this request, None for most."""
        if self._fault_rate <= 0:
            return None
        with self._lock:
            if self._random.random() >= self._fault_rate:
                return None
            return self._random.choice(self._faults)
