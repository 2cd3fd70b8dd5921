"""Runs the tap again and again in processes of its own, without its imports each time.

Each line on stdin asks for a run: `arguments` of the command line, and where its
`stdout` and `stderr` go. The answer is two lines: the process's id, and how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import pendulum  # noqa: F401 - the tap would import it in each process anew

from tap_adstage.tap import TapAdStage

for line in sys.stdin:
    run = json.loads(line)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as where Python is not up yet
        for stream, descriptor in (("stderr", 2), ("stdout", 1)):
            file = os.open(run[stream], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, descriptor)
        TapAdStage.cli(run["arguments"])
    sys.stdout.write(f"{pid}\n")
    sys.stdout.flush()
    _, status = os.waitpid(pid, 0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
    sys.stdout.flush()
