"""The Singer messages of a run: whole lines on stdout, and a STATE at the end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import singer_sdk.singerlib as singer
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter

from tap_adstage.runtime.shutdown import Shutdown, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_adstage.runtime.statistics import RunStats

_ATOMIC_BYTES = 4096
"""Bytes that a pipe takes whole or not at all."""

_UNINTERRUPTED_BYTES = 65_536
"""Bytes of records that are written before a signal may end the run."""

_BROKEN_PIPE = 128 + 13
"""A shell's exit code for a process that wrote to a closed pipe (SIGPIPE)."""


class MessageWriter(SimpleSingerWriter):
    """Writes each message as a line that no signal tears.

    A line is written in one piece. A pipe takes up to 4,096 bytes whole or not at all,
    even if the process is killed, and few records are longer. Many lines are written in
    pieces of that size.

    Attributes:
        shutdown: Ends the run at a signal, with a STATE as the last line.
    """

    def __init__(self, stats: RunStats) -> None:
        """Start with nothing written.

        Args:
            stats: Counts records.
        """
        super().__init__()
        self._stats = stats
        self.shutdown = Shutdown(self._write_last_state)
        self._state_line = self.format_message(singer.StateMessage({"bookmarks": {}}))
        self._ends_with_state = True

    def write_message(self, message: singer.Message) -> None:
        """Write a message.

        Args:
            message: The message.

        Raises:
            Stopped: If stdout can't be written any more, or a signal came meanwhile.
        """
        line = self.format_message(message)
        with self.shutdown.deferred():
            _write(line)
            self._ends_with_state = isinstance(message, singer.StateMessage)
            if self._ends_with_state:
                self._state_line = line
            elif isinstance(message, singer.RecordMessage):
                self._stats.current.rows += 1

    def write_records(self, message: singer.RecordMessage, lines: bytes) -> None:
        """Write a RECORD message for each of many records.

        Args:
            message: The message of all of them, with an empty record.
            lines: The records' JSON texts, each a line.

        Raises:
            Stopped: If stdout can't be written any more, or a signal came meanwhile.
        """
        before, after = f"{self.format_message(message)}\n".encode().split(b"{}", 1)
        for records in whole_lines(lines, _UNINTERRUPTED_BYTES):
            messages = before + records[:-1].replace(b"\n", after + before) + after
            with self.shutdown.deferred():
                for piece in whole_lines(messages, _ATOMIC_BYTES):
                    _write(piece[:-1].decode())
                self._ends_with_state = False
                self._stats.current.rows += records.count(b"\n")

    def _write_last_state(self) -> None:
        """Write the last STATE once more if other messages followed it.

        Its rows were written before it, so it still holds at the end.
        """
        if not self._ends_with_state:
            _write(self._state_line)


def whole_lines(lines: bytes, size: int) -> Iterator[bytes]:
    """Cut lines into pieces of whole lines.

    Args:
        lines: Lines, each with its line break.
        size: Bytes in a piece at most, unless a line is longer.

    Yields:
        The pieces, in order.
    """
    start = 0
    while start < len(lines):
        end = lines.rfind(b"\n", start, start + size) + 1
        end = end or lines.find(b"\n", start + size) + 1
        yield lines[start:end]
        start = end


def _write(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError as error:
        discard_stdout()
        if isinstance(error, BrokenPipeError):
            raise Stopped("nobody reads stdout any more", _BROKEN_PIPE) from None
        raise Stopped(f"stdout can't be written: {error.strerror}", 1) from None


def discard_stdout() -> None:
    """Write the rest of stdout nowhere; it would raise its error again at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
