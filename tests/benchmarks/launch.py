"""Run a command, and note what it took.

    python launch.py REPORT STDOUT COMMAND [ARGUMENT …]

A process of its own, and a small one: a process counts as at least as large as the one
that it was started from. What the command writes goes through a pipe and `cat` to the
file STDOUT.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main(report: str, stdout: str, *command: str) -> None:
    with (
        Path(stdout).open("wb") as file,
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file) as drain,  # noqa: S607
    ):
        assert drain.stdin is not None
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=drain.stdin)  # noqa: S603
        drain.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    taken = {
        "code": process.returncode,
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
    }
    Path(report).write_text(json.dumps(taken))


if __name__ == "__main__":
    main(*sys.argv[1:])
