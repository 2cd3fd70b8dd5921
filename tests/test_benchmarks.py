"""The benchmark at a size that takes seconds: its table, not its times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parent / "benchmarks" / "run.py"
SMALL = {
    "entities": "8",
    "days": "4",
    "window-days": "2",
    "page-size": "4",
    "latency": "0.01",
    "pairs": "1",
}


def test_the_benchmark_shows_each_figure_once_all_wrote_the_same_records() -> None:
    options = [f"--{name}={value}" for name, value in SMALL.items()]
    ended = subprocess.run(  # noqa: S603 - the benchmark itself
        [sys.executable, str(BENCHMARK), *options, "--no-warm-up", "--no-loads"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in ended.stdout.splitlines()
        if line.startswith("| ")
    ]
    assert [row[:2] for row in rows[2:]] == [
        ["1", "wall time"],
        ["1", "CPU time"],
        ["1", "wall time"],
        ["2", "wall time at 10 ms an answer"],
        ["2", "wall time at 10 ms an answer"],
        ["2", "wall time at 10 ms an answer"],
        ["3", "peak memory"],
        ["3", "peak memory"],
        ["4", "`--version`"],
        ["4", "`--about`"],
        ["4", "`--discover`"],
        ["6", "the tap alone"],
    ]
    assert "8 campaigns, 4 days" in ended.stdout
