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

_HEAD = ("", "what", "result", "measured", "compared with", "single pairs", "goal", "")


@dataclass(frozen=True)
class Sample:
    """Measurements of one contestant, a value for each pair."""

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
    """A limit that a result should keep to.

    Attributes:
        limit: The limit.
        is_least: Whether it is the least that the result should be, not the most.
    """

    limit: float
    is_least: bool

    def is_met(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.limit if self.is_least else value <= self.limit

    def __str__(self) -> str:
        """The limit in words."""
        return f"at {'least' if self.is_least else 'most'} {self.limit:g}"


def at_least(limit: float) -> Goal:
    """The goal that a result is not below a limit."""
    return Goal(limit, is_least=True)


def at_most(limit: float) -> Goal:
    """The goal that a result is not above a limit."""
    return Goal(limit, is_least=False)


@dataclass(frozen=True)
class Row:
    """One line of the table: a ratio, or a value if there is nothing to divide by.

    Attributes:
        figure: Number of the figure.
        what: What the line is about.
        result: The result in words, with `{}` for its number.
        above: What is measured.
        below: What it is divided by.
        goal: What the number should be, if there is a goal.
    """

    figure: int
    what: str
    result: str
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
        spread = ""
        if self.below:
            ratios = [
                a / b for a, b in zip(self.above.values, self.below.values, strict=True)
            ]
            spread = f"{_number(min(ratios))} to {_number(max(ratios))}"
        met = "" if self.goal is None else "✓" if self.goal.is_met(self.value) else "✗"
        return [
            str(self.figure),
            self.what,
            self.result.format(f"**{_number(self.value)}**"),
            str(self.above),
            str(self.below or ""),
            spread,
            str(self.goal or ""),
            met,
        ]


def markdown(rows: Iterable[Row]) -> str:
    """Write rows as a Markdown table."""
    lines = [[*_HEAD], ["---"] * len(_HEAD), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """What the figures were measured on, and with."""
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
