"""How a run ends before its time.

It may be told to stop at any moment, in a wait or in the middle of an answer, and stops
there: an exception unwinds it. Some steps have to be whole, though: a line on stdout; a
refresh token that AdStage has just given and that is not on disk yet.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
class Termination:
    """Ends the run at a signal, but not within a step that has to be whole.

    Python calls signal handlers in the main thread alone, so there is nothing to lock.

    Attributes:
        last_step: What is done before the run ends.
    """

    last_step: Callable[[], None]
    _signum: int | None = None
    _steps: int = 0

    def receive(self, signum: int) -> None:
        """Take a signal, as a signal handler.

        Args:
            signum: The signal's number.

        Raises:
            Stopped: If no step is under way; else it is raised at the step's end.
        """
        self._signum = signum
        self._stop()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Let a step be whole.

        Raises:
            Stopped: At the step's end, if a signal came meanwhile, or came before and
                was lost: Python drops what is raised within a finalizer.
        """
        self._steps += 1
        try:
            yield
        finally:
            self._steps -= 1
        self._stop()

    def _stop(self) -> None:
        if self._signum is None or self._steps:
            return
        self._steps += 1  # no signal comes between this and the end
        self.last_step()
        raise Stopped(signal.Signals(self._signum).name, 128 + self._signum)
