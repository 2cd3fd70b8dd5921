"""Limits of requests in any span of some seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Excess(NamedTuple):
    """A request above a limit, and the seconds until there is room again."""

    limit: int
    seconds: float


class RateLimits:
    """Counts admitted requests of each class; safe to use from several threads."""

    def __init__(self, limits: Mapping[str, int], window: float) -> None:
        """Set the most requests of each class in any `window` seconds."""
        self._limits = limits
        self._window = window
        self._admitted: dict[str, deque[float]] = {name: deque() for name in limits}
        self._lock = threading.Lock()

    def admit(self, name: str) -> Excess | None:
        """Count a request of a class, or return by how much it comes too early."""
        now = time.monotonic()
        with self._lock:
            admitted = self._admitted[name]
            while admitted and now - admitted[0] >= self._window:
                admitted.popleft()
            if len(admitted) >= self._limits[name]:
                return Excess(self._limits[name], self._window - (now - admitted[0]))
            admitted.append(now)
            return None
