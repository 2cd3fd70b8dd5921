"""Signals of the command: they stop it in good order, or reach its child."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    from typing_extensions import Self

EXIT_SIGNALLED = 128


class StoppedError(BaseException):
    """Raised on SIGINT or SIGTERM, so that everything started is cleaned up."""

    def __init__(self, number: int) -> None:
        """Remember the signal's number."""
        super().__init__(number)
        self.number = number


class Signals:
    """Handles SIGINT and SIGTERM: raises an exception, or forwards them to a child."""

    def __init__(self) -> None:
        """Start without a child."""
        self._child: subprocess.Popen[bytes] | None = None
        self._pending: list[int] | None = None
        self._is_stopped = False

    @contextmanager
    def handled(self) -> Iterator[Self]:
        """Handle both signals within a block."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = [(number, signal.signal(number, self._handle)) for number in numbers]
        try:
            yield self
        finally:
            for number, handler in previous:
                signal.signal(number, handler)

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: int | None = None,
    ) -> int:
        """Run a command to its end, and forward signals to it.

        Args:
            command: The command and its arguments.
            environment: All of its environment variables.
            output: File descriptor for its stdout and stderr, by default this process's
                own.

        Returns:
            Its exit code; 128 + N if signal N ended it.
        """
        # Signals wait here until there is a child to forward them to.
        self._pending = []
        try:
            self._child = subprocess.Popen(  # noqa: S603  the user's own command
                command, env=environment, stdout=output, stderr=output
            )
            for number in self._pending:
                self._handle(number, None)
            code = self._child.wait()
        finally:
            self._child = self._pending = None
        return code if code >= 0 else EXIT_SIGNALLED - code

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._child is not None:
            if not is_from_terminal(number):
                self._child.send_signal(number)
        elif self._pending is not None:
            self._pending.append(number)
        elif not self._is_stopped:
            # Only once: a second exception would interrupt the cleaning up.
            self._is_stopped = True
            raise StoppedError(number)


def is_from_terminal(number: int) -> bool:
    """Return whether the child received this signal already.

    Ctrl-C goes to every process of the terminal's foreground group. A second SIGINT
    would interrupt the child's own cleaning up.
    """
    if number != signal.SIGINT:
        return False
    try:
        with Path(os.ctermid()).open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
