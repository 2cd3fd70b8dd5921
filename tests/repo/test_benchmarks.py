"""The benchmark at a size that takes seconds: its table, not its times."""

from __future__ import annotations

import runpy
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from harness.paths import TESTS

if TYPE_CHECKING:
    from pathlib import Path

BENCHMARKS = TESTS / "benchmarks"
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
        [
            sys.executable,
            str(BENCHMARKS / "run.py"),
            *options,
            "--no-warm-up",
            "--no-loads",
        ],
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
    assert "8 campaigns, 4 days, 10 metrics" in ended.stdout


@pytest.mark.parametrize(
    ("check", "other"),
    [
        ("check_same_records", '"spend":5.01'),
        ("check_same_records", '"spend":null'),
        ("check_same_lines", '"spend":5'),
    ],
)
def test_the_benchmark_refuses_records_that_differ(
    tmp_path: Path,
    check: str,
    other: str,
) -> None:
    checks = runpy.run_path(str(BENCHMARKS / "outputs.py"))
    line = '{"type":"RECORD","record":{"clicks":1,%s},"time_extracted":"%s"}\n'
    one, same, different = (tmp_path / name for name in ("one", "same", "different"))
    one.write_text(line % ('"spend":5.0', "10:00"))
    same.write_text(line % ('"spend":5.0', "11:00"))
    different.write_text(line % (other, "10:00"))
    checks[check]([one, same])
    with pytest.raises(click.ClickException, match="different"):
        checks[check]([one, same, different])


def test_the_benchmark_refuses_a_run_that_wrote_too_little(tmp_path: Path) -> None:
    checks = runpy.run_path(str(BENCHMARKS / "outputs.py"))
    stdout = tmp_path / "stdout"
    stdout.write_text('{"type":"SCHEMA"}\n{"type":"RECORD","record":{}}\n')
    checks["check_count"](stdout, 1)
    with pytest.raises(click.ClickException, match="1 records and not 2"):
        checks["check_count"](stdout, 2)
