"""How a run ends before its time.

It may be told to stop at any moment, in a wait or in the middle of an answer, and stops
there: an exception unwinds it. Some steps have to be whole, though: a line on stdout; a
refresh token that AdStage has just given and that is not on disk yet.
"""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_STEP = 1.0
"""Seconds after a signal in which a step may end by itself."""

_LONGEST_END = 5.0
"""Seconds in which the run may come to its end; then it is told again."""


class Stopped(SystemExit):
    """The run ends here, with an exit code other than 0.

    It is no `Exception`, so that nothing takes it for an error to handle.

    Attributes:
        reason: Why, for the user.
    """

    def __init__(self, reason: str, code: int) -> None:
        """Say why.

        Args:
            reason: Why, for the user.
            code: Exit code of the process.
        """
        super().__init__(code)
        self.reason = reason


@dataclass(slots=True)
class Shutdown:
    """Ends the run after a signal: where a step ends, or else out of what it waits for.

    An exception that a signal handler raises can fall between taking a lock and noting
    that it was taken (in a pool of connections, say); what unwinds then waits for ever.
    So a handler only remembers the signal. The exception comes at the end of a step,
    and an alarm raises it where none ends within a second, as the run waits then: for
    an answer, or to try again.

    Python calls signal handlers in the main thread alone, where the steps are too, so
    there is nothing to lock. Other threads end with the process.

    Attributes:
        last_step: What is done before the run ends.
    """

    last_step: Callable[[], None] = lambda: None
    _signum: int | None = None
    _steps: int = 0

    def receive(self, signum: int) -> None:
        """Take a signal, as a signal handler.

        Args:
            signum: The signal's number.

        Raises:
            Stopped: On a system without alarms, if no step is under way.
        """
        self._signum = signum
        if not self._set_alarm(_LONGEST_STEP):
            self.check()

    def whole(self) -> Shutdown:
        """Let a step be whole: `with termination.whole(): …`.

        Raises:
            Stopped: Before the step or at its end, if a signal came.
        """
        return self

    def __enter__(self) -> None:
        """Begin a step."""
        self.check()
        self._steps += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End a step, and the run if it is to end."""
        self._steps -= 1
        if kind is None:
            self.check()

    def _set_alarm(self, seconds: float) -> bool:
        if sys.platform == "win32":
            return False
        signal.signal(signal.SIGALRM, lambda *_: self.check())
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        return True

    def check(self) -> None:
        """End the run if it is to end; for between two steps.

        Raises:
            Stopped: If a signal came, and no step is under way.
        """
        if self._signum is None or self._steps:
            return
        if threading.current_thread() is not threading.main_thread():
            return
        self._set_alarm(_LONGEST_END)
        self._steps += 1
        try:
            self.last_step()
        finally:
            self._steps -= 1
        raise Stopped(signal.Signals(self._signum).name, 128 + self._signum)
