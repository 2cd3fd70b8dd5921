"""Runs of the command line in processes that are forked, without its imports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path


@dataclass
class Ended:
    """A run of the command line: its exit code and its output."""

    code: int
    stdout: str
    stderr: str


@dataclass
class ForkedTap:
    """The command line, forked for each run."""

    process: subprocess.Popen[str]

    def start(
        self,
        arguments: list[str],
        stdout: Path,
        stderr: Path,
        *,
        environment: Mapping[str, str] | None = None,
        program: str = "",
    ) -> int:
        """Start a run, with more variables and after a program; its process id."""
        run = {
            "arguments": arguments,
            "stdout": str(stdout),
            "stderr": str(stderr),
            "environment": environment or {},
            "program": program,
        }
        assert self.process.stdin
        print(json.dumps(run), file=self.process.stdin, flush=True)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end of the run, and return its exit code."""
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def run(
        self,
        folder: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        program: str = "",
    ) -> Ended:
        """Run to the end, as `start` does; its output goes to a folder."""
        stdout, stderr = folder / "stdout", folder / "stderr"
        self.start(
            [*arguments], stdout, stderr, environment=environment, program=program
        )
        return Ended(self.wait(), stdout.read_text(), stderr.read_text())
