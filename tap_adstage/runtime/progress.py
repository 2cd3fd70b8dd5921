"""How far a report is: a line for people, fields for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

    from tap_adstage.runtime.statistics import RunStats

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Step:
    """A moment in the reading of a report.

    Attributes:
        window: Number of the window that is read, from 1 on.
        windows: How many windows there are, as far as is known now.
        rows: Records that are written.
        retries: Requests that had to be sent again.
        seconds: Seconds since the report's first request.
        seconds_left: Seconds to its end; `None` where nothing tells.
    """

    window: int
    windows: int
    rows: int
    retries: int
    seconds: float
    seconds_left: float | None

    @property
    def rows_per_second(self) -> float:
        """Rows a second, from the start on."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def line(self) -> str:
        """The step as a person reads it."""
        parts = [
            f"window {self.window} of {self.windows}",
            f"{self.rows} rows",
            f"{self.rows_per_second:.0f} rows/s",
        ]
        if self.retries:
            parts.append(f"retries: {self.retries}")
        if self.seconds_left is not None:
            parts.append(f"about {duration(self.seconds_left)} left")
        return ", ".join(parts)

    @property
    def fields(self) -> dict[str, Any]:
        """The step as a program reads it; numbers as in `line`."""
        left = self.seconds_left
        return {
            "window": self.window,
            "windows": self.windows,
            "rows": self.rows,
            "rows_per_second": round(self.rows_per_second, 1),
            "retries": self.retries,
            "seconds": round(self.seconds, 1),
            "seconds_left": None if left is None else round(left, 1),
        }


class Progress:
    """Knows how far one report is.

    Its work is measured in slices (days, weeks, months): windows get smaller on the way
    where AdStage finds them too large.
    """

    def __init__(self, stats: RunStats, slices: int) -> None:
        """Begin.

        Args:
            stats: Has the report's counts.
            slices: Slices of all its windows.
        """
        self._stats = stats
        self._slices = slices
        self._window = self._windows = self._now = self._done = 0
        self._seconds_of_done = 0.0

    def begin(self, window: int, windows: int, slices: int) -> None:
        """Take note of the window that is read from now on.

        Args:
            window: Its number.
            windows: How many there are.
            slices: Its slices.
        """
        self._window, self._windows, self._now = window, windows, slices

    def finish(self) -> None:
        """Take note that it is written."""
        self._stats.current.windows += 1
        self._done += self._now
        self._seconds_of_done = self._stats.seconds

    def log(self, report: str, logger: logging.Logger) -> None:
        """Say how far the report is, if the last time was long enough ago.

        Args:
            report: Its name.
            logger: Where to.
        """
        if self._stats.is_progress_due():
            step = self.step
            extra = {"stream_name": report, "progress": step.fields}
            logger.info("%s: %s", report, step.line, extra=extra)

    @property
    def step(self) -> Step:
        """How far the report is now."""
        seconds = self._stats.seconds
        counts = self._stats.current
        return Step(
            self._window,
            self._windows,
            counts.rows,
            counts.retries,
            seconds,
            seconds_left(
                done=self._done,
                seconds_of_done=self._seconds_of_done,
                now=self._now,
                seconds_of_now=seconds - self._seconds_of_done,
                later=self._slices - self._done - self._now,
            ),
        )


def seconds_left(
    *,
    done: int,
    seconds_of_done: float,
    now: int,
    seconds_of_now: float,
    later: int,
) -> float | None:
    """Tell how long the rest takes, if it goes on as it did.

    Args:
        done: Slices of the windows that are done.
        seconds_of_done: Seconds that they took.
        now: Slices of the window that is read.
        seconds_of_now: Seconds that it has taken so far.
        later: Slices of the windows after it.

    Returns:
        Seconds, at least those of the windows to come; `None` where no window is done,
        or nothing is left but one that takes longer than those before.
    """
    if not done:
        return None
    each = seconds_of_done / done
    rest_of_now = each * now - seconds_of_now
    if rest_of_now <= 0 and not later:
        return None
    return each * later + max(0.0, rest_of_now)


def duration(seconds: float) -> str:
    """A time that nobody wants to know to the second, such as `45 s` or `2 h 5 min`."""
    rounded = max(1, round(seconds))
    if rounded < _MINUTE:
        return f"{rounded} s"
    hours, minutes = divmod(round(rounded / _MINUTE), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
