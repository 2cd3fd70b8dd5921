"""The output of what the demo runs: a log file, or stderr."""

from __future__ import annotations

import os
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH, _HEIGHT = 100, 16
"""The size of the end of a log that is shown after a failure."""


@dataclass(frozen=True, slots=True)
class DemoLog:
    """Where the output of Meltano, the tap and the loader goes.

    Attributes:
        path: The log file; None for stderr.
        descriptor: The file descriptor to write to.
    """

    path: Path | None
    descriptor: int

    @property
    def name(self) -> str | None:
        """The file as the user would name it here; None for stderr."""
        if self.path is None:
            return None
        here = Path.cwd()
        is_below = self.path.is_relative_to(here)
        return str(self.path.relative_to(here) if is_below else self.path)

    def end(self) -> str:
        """Return its last lines, to be shown after a failure."""
        if self.path is None:
            return "see its output above"
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"the end of its log, {self.name}:", "", *last_lines(lines)])


@contextmanager
def open_log(project: Path, source: str, *, verbose: bool) -> Iterator[DemoLog]:
    """Open the log of a source's demo, and delete the previous demo's.

    Args:
        project: The Meltano project, whose folder of logs it is put into.
        source: The source.
        verbose: Whether to write to stderr instead of a file.

    Raises:
        ClickException: If the file can't be written.
    """
    if verbose:
        yield DemoLog(None, sys.stderr.fileno())
        return
    path = project / ".meltano" / "logs" / f"demo-{source}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    except OSError as error:
        raise click.ClickException(
            f"cannot write the demo's log {path}: {error.strerror}; make its folder "
            "writable, as Meltano installs its plugins there too"
        ) from error
    try:
        yield DemoLog(path, descriptor)
    finally:
        os.close(descriptor)


def last_lines(lines: Sequence[str]) -> list[str]:
    """Return the last lines that fit on a screen, long ones wrapped."""
    wrapped: list[str] = []
    for line in reversed(lines):
        rows = textwrap.wrap(line, _WIDTH, subsequent_indent="  ") or [""]
        if len(wrapped) + len(rows) > _HEIGHT:
            break
        wrapped = rows + wrapped
    return wrapped
