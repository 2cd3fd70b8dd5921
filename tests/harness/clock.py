"""Time in tests: it passes as a test says, or until something has happened."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SOON = 10
"""Seconds that a container's runtime leaves a process between SIGTERM and SIGKILL."""
PATIENCE = 60
"""Seconds after which what a test waits for won't happen on a busy machine either."""


@dataclass
class Clock:
    """Seconds that pass only if a test says so."""

    now: float


def wait_until(happened: Callable[[], object]) -> None:
    """Wait for something that happens beside this thread.

    Raises:
        AssertionError: It did not happen.
    """
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "what is waited for does not happen"
        time.sleep(0.01)
