"""How a run ends early.

A signal may come at any moment, in a wait or in the middle of an answer, and an
exception unwinds the run there. Some steps must not be torn, though: to write a line on
stdout, or to save a refresh token that was just granted.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_STEP = 1.0
"""Seconds after a signal in which a step may end by itself."""

_LONGEST_CRITICAL = 3.0
"""Seconds for which the end of the run waits for the lock `critical`."""

_LONGEST_END = 5.0
"""Seconds in which the run may unwind; then it is stopped again."""


class Stopped(SystemExit):
    """The early end of the run, with an exit code other than 0.

    Not an `Exception`, so that nothing takes it for an error to handle.

    Attributes:
        reason: Why, for the user.
    """

    def __init__(self, reason: str, code: int) -> None:
        """Take the reason, and the exit code of the process."""
        super().__init__(code)
        self.reason = reason


@dataclass(slots=True)
class Shutdown:
    """The end of the run after a signal: when a step ends, or else out of a wait.

    An exception that a signal handler raises can fall between taking a lock and noting
    that it was taken (in a pool of connections, say); what unwinds then waits for ever.
    So a handler only remembers the signal. The exception comes at the end of a step. If
    no step ends within a second, the run is waiting, for an answer or to try again, and
    an alarm raises the exception there.

    Python calls signal handlers in the main thread alone, where the steps are too, so
    the steps need no lock. Other threads end with the process, so what they must not
    leave half done, they do with the lock `critical`.

    Attributes:
        last_step: What is done before the run ends.
        critical: The lock of whoever spends a refresh token, from before it is sent
            until the next one is on disk. The run does not end before it is free, for
            at most three seconds, and nobody gets it from then on.
    """

    last_step: Callable[[], None] = lambda: None
    critical: threading.Lock = field(default_factory=threading.Lock)
    _signum: int | None = None
    _steps: int = 0
    _is_closed: bool = False
    _last_moment: float = 0.0

    def request(self, signum: int) -> None:
        """End the run soon; for a signal handler.

        Args:
            signum: The signal's number.

        Raises:
            Stopped: On a system without alarms, if no step is under way.
        """
        if self._signum is None:
            self._last_moment = time.monotonic() + _LONGEST_CRITICAL
        self._signum = signum
        if not self._set_alarm(_LONGEST_STEP):
            self.check()

    def deferred(self) -> Shutdown:
        """Defer signals until a step ends: `with shutdown.deferred(): …`.

        Raises:
            Stopped: Before the step or at its end, if a signal came.
        """
        return self

    def __enter__(self) -> None:
        """Begin a step."""
        self.check()
        if _is_in_main_thread():
            self._steps += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End a step, and the run if a signal came."""
        if _is_in_main_thread():
            self._steps -= 1
        if kind is None:
            self.check()

    def check(self) -> None:
        """End the run if a signal came; for between two steps.

        Raises:
            Stopped: If a signal came and no step is under way, in the main thread.
        """
        if self._signum is None or self._steps or not _is_in_main_thread():
            return
        if not self._close(0) and time.monotonic() < self._last_moment:
            return  # the next alarm comes here again
        self._set_alarm(_LONGEST_END)
        self._steps += 1
        try:
            self.last_step()
        finally:
            self._steps -= 1
        raise Stopped(signal.Signals(self._signum).name, 128 + self._signum)

    def close(self) -> None:
        """Wait until no thread is in `critical`, and let none in: the process ends."""
        self._close(_LONGEST_CRITICAL)

    def _close(self, seconds: float) -> bool:
        if not self._is_closed:
            self._is_closed = self.critical.acquire(timeout=seconds)
        return self._is_closed

    def _set_alarm(self, seconds: float) -> bool:
        if sys.platform == "win32":
            return False
        signal.signal(signal.SIGALRM, lambda *_: self.check())
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        return True


def _is_in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
