"""The figures as a table, and the machine that they are of."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEAD = ("", "figure", "measured", "against", "ratio", "each pair", "goal", "")


@dataclass(frozen=True)
class Sample:
    """What was measured of one contestant, a value for each pair."""

    name: str
    values: Sequence[float]
    unit: str = "s"

    @property
    def median(self) -> float:
        """The value in the middle."""
        return median(self.values)

    def __str__(self) -> str:
        """Median, least and most."""
        shown = (_number(each) for each in (min(self.values), max(self.values)))
        return f"{self.name} {_number(self.median)} {self.unit} ({' to '.join(shown)})"


@dataclass(frozen=True)
class Goal:
    """The least or the most that a figure should be."""

    sign: str
    limit: float

    def is_met(self, value: float) -> bool:
        """Tell whether a value is good enough."""
        return value >= self.limit if self.sign == "≥" else value <= self.limit


@dataclass(frozen=True)
class Row:
    """One line of the table: a ratio, or where there is nothing to divide by, a value.

    Attributes:
        figure: Number of the figure.
        what: What the line is about.
        above: What is measured.
        below: What it is divided by.
        goal: What the figure should be, if there is a goal.
    """

    figure: int
    what: str
    above: Sample
    below: Sample | None = None
    goal: Goal | None = None

    @property
    def value(self) -> float:
        """The ratio of the medians, or the median."""
        return self.above.median / (self.below.median if self.below else 1)

    @property
    def cells(self) -> list[str]:
        """The line's cells."""
        ratio = spread = ""
        if self.below:
            ratios = [
                a / b for a, b in zip(self.above.values, self.below.values, strict=True)
            ]
            ratio = f"**{_number(self.value)}**"
            spread = f"{_number(min(ratios))} to {_number(max(ratios))}"
        goal = f"{self.goal.sign} {self.goal.limit:g}" if self.goal else ""
        met = "" if self.goal is None else "✓" if self.goal.is_met(self.value) else "✗"
        below = str(self.below or "")
        return [
            str(self.figure),
            self.what,
            str(self.above),
            below,
            ratio,
            spread,
            goal,
            met,
        ]


def markdown(rows: Iterable[Row]) -> str:
    """Write rows as a Markdown table."""
    lines = [[*_HEAD], ["---"] * len(_HEAD), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Say what the figures were measured on, and with."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ("singer-sdk", "msgspec", "meltano", "meltanolabs-target-postgres")
    return ", ".join(
        [
            _processor(),
            f"{os.cpu_count()} cores",
            f"{memory:.0f} GB",
            f"{platform.system()} {platform.release()}",
            f"{platform.python_implementation()} {platform.python_version()}",
            *(f"{package} {version(package)}" for package in packages),
        ],
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine()).strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
