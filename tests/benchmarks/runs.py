"""Running contestants side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

HERE = Path(__file__).parent
_OTHERS = ("TAP_", "TARGET_", "MELTANO_", "SINGER_", "PYTHONDONTWRITEBYTECODE")
"""Environment variables that would change what is measured."""


@dataclass(frozen=True)
class Run:
    """What one run of a command took.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: Seconds of user and system time of the process, and of those that it
            waited for.
        memory: Its largest resident size, in MB.
        stdout: What it wrote; there until the next run.
    """

    wall: float
    cpu: float
    memory: float
    stdout: Path


class Contestant(Protocol):
    """Something that can be run, again and again, in the same way."""

    def __call__(self) -> Run:
        """Run it once, and check what came of it."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of contestants: ours, without anyone's settings."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(_OTHERS)}
    return {**own, "PYTHONPATH": str(HERE), **(extra or {})}


def run(
    command: Sequence[str],
    folder: Path,
    *,
    extra: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Run:
    """Run a command to its end.

    Args:
        command: The command.
        folder: Where its output goes.
        extra: Environment variables.
        cwd: Where to run it.

    Raises:
        click.ClickException: If it fails.
    """
    report, stdout, stderr = (folder / name for name in ("report", "stdout", "stderr"))
    launch = [sys.executable, "-I", "-S", str(HERE / "launch.py")]
    with stderr.open("wb") as log:
        subprocess.run(  # noqa: S603 - the benchmark's own commands
            [*launch, str(report), str(stdout), *command],
            stdin=subprocess.DEVNULL,
            stderr=log,
            env=environment(extra),
            cwd=cwd,
            check=True,
        )
    taken = json.loads(report.read_text())
    if taken.pop("code"):
        log_end = stderr.read_text(errors="replace")[-3000:]
        raise click.ClickException(f"{' '.join(command)} failed:\n{log_end}")
    return Run(**taken, stdout=stdout)


def side_by_side(
    contestants: Mapping[str, Contestant],
    pairs: int,
    *,
    warm_up: Collection[str],
) -> dict[str, list[Run]]:
    """Run all in turn, every other time backwards.

    Args:
        contestants: What to run, by name.
        pairs: How often.
        warm_up: Names of those that run once before that, which doesn't count.

    Returns:
        The runs of each, in their order.
    """
    names = [*contestants]
    for name in warm_up:
        _logged(name, "warm-up", contestants[name])
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for pair in range(pairs):
        for name in names if pair % 2 == 0 else reversed(names):
            runs[name].append(
                _logged(name, f"{pair + 1} of {pairs}", contestants[name]),
            )
    return runs


def _logged(name: str, which: str, contestant: Contestant) -> Run:
    ended = contestant()
    click.echo(
        f"  {name}, {which}: {ended.wall:.2f} s, CPU {ended.cpu:.2f} s, "
        f"{ended.memory:.0f} MB",
        err=True,
    )
    return ended
