"""The Singer messages of a run: whole lines on stdout, and a STATE at the end."""

from __future__ import annotations

import os
import sys

import singer_sdk.singerlib as singer
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter

from tap_adstage.termination import Stopped, Termination

_BROKEN_PIPE = 128 + 13
"""How a shell tells that a process wrote to a pipe that nobody reads any more."""


class MessageWriter(SimpleSingerWriter):
    """Writes each message as a line that no signal tears.

    A line goes out in one piece. Up to 4,096 bytes, which is more than a record has, a
    pipe takes it whole or not at all, even where the process is killed.

    Attributes:
        termination: Ends the run at a signal; a STATE is its last line then.
    """

    def __init__(self) -> None:
        """Start with nothing written."""
        super().__init__()
        self.termination = Termination(self._write_last_state)
        self._state_line = self.format_message(singer.StateMessage({"bookmarks": {}}))
        self._ends_with_state = True

    def write_message(self, message: singer.Message) -> None:
        """Write a message.

        Args:
            message: The message.

        Raises:
            Stopped: If nobody reads stdout any more, or a signal came meanwhile.
        """
        line = self.format_message(message)
        with self.termination.whole():
            _write(line)
            self._ends_with_state = isinstance(message, singer.StateMessage)
            if self._ends_with_state:
                self._state_line = line

    def _write_last_state(self) -> None:
        """Write the last STATE once more where other messages came after it.

        What it stands for was written before it, so it is as true at the end.
        """
        if not self._ends_with_state:
            _write(self._state_line)


def _write(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would be an error again at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Stopped("nobody reads stdout any more", _BROKEN_PIPE) from None
