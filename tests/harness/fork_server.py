"""Forks a process for each run of the tap, so that none pays for its imports.

A line on stdin starts a run: `arguments` of the command line, the files for its
`stdout` and `stderr`, variables of the `environment` beside those of this process, and
a `program` of Python to run before. The answer is two lines: the process id, then the
exit code.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import pendulum  # noqa: F401 - each process would import it otherwise

from tap_adstage.tap import TapAdStage

for line in sys.stdin:
    run = json.loads(line)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as before Python has started
        for stream, descriptor in (("stderr", 2), ("stdout", 1)):
            file = os.open(run[stream], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, descriptor)
        os.environ.update(run["environment"])
        exec(run["program"])  # noqa: S102 - of a test
        TapAdStage.cli(run["arguments"])
    sys.stdout.write(f"{pid}\n")
    sys.stdout.flush()
    _, status = os.waitpid(pid, 0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
    sys.stdout.flush()
