"""The progress of a report: a line for people, fields for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

    from tap_adstage.runtime.statistics import RunStats

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The progress of a report at one moment.

    Attributes:
        window: Number of the current window, from 1 on.
        windows: How many windows there are; more if one has to be split.
        rows: Records that are written.
        retries: Waits before a request was sent again.
        seconds: Seconds since the report's first request.
        seconds_left: Estimated seconds to its end, `None` if unknown.
    """

    window: int
    windows: int
    rows: int
    retries: int
    seconds: float
    seconds_left: float | None

    @property
    def rows_per_second(self) -> float:
        """Rows a second, on average since the start."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def progress_line(self) -> str:
        """The progress as a person reads it."""
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
    def progress_fields(self) -> dict[str, Any]:
        """The progress as a program reads it."""
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
    """The progress of one report through its windows.

    It is measured in slices (days, weeks, months), as windows that are too large for
    the API are split on the way.
    """

    def __init__(self, stats: RunStats, slices: int) -> None:
        """Start with the first window.

        Args:
            stats: The report's counts.
            slices: How many slices all windows have together.
        """
        self._stats = stats
        self._slices = slices
        self._window = self._windows = self._current = self._done = 0
        self._seconds_of_done = 0.0

    def begin(self, window: int, windows: int, slices: int) -> None:
        """Begin a window.

        Args:
            window: Its number.
            windows: How many there are.
            slices: How many slices it has.
        """
        self._window, self._windows, self._current = window, windows, slices

    def finish(self) -> None:
        """Finish the current window: it is written."""
        self._stats.current.windows += 1
        self._done += self._current
        self._seconds_of_done = self._stats.seconds

    def log(self, report: str, logger: logging.Logger) -> None:
        """Log the report's progress, at most every five seconds."""
        if self._stats.is_progress_due():
            snapshot = self.snapshot
            extra = {"stream_name": report, "progress": snapshot.progress_fields}
            logger.info("%s: %s", report, snapshot.progress_line, extra=extra)

    @property
    def snapshot(self) -> Snapshot:
        """The report's current progress."""
        seconds = self._stats.seconds
        counts = self._stats.current
        return Snapshot(
            self._window,
            self._windows,
            counts.rows,
            counts.retries,
            seconds,
            seconds_left(
                done=self._done,
                seconds_of_done=self._seconds_of_done,
                current=self._current,
                seconds_of_current=seconds - self._seconds_of_done,
                later=self._slices - self._done - self._current,
            ),
        )


def seconds_left(
    *,
    done: int,
    seconds_of_done: float,
    current: int,
    seconds_of_current: float,
    later: int,
) -> float | None:
    """Estimate how long the rest takes, at the pace so far.

    Args:
        done: Slices of the windows that are done.
        seconds_of_done: Seconds that they took.
        current: Slices of the current window.
        seconds_of_current: Seconds that it has taken so far.
        later: Slices of the windows after it.

    Returns:
        Seconds, at least those of the later windows; `None` if no window is done yet,
        or the last one takes longer than those before it.
    """
    if not done:
        return None
    pace = seconds_of_done / done
    rest_of_current = pace * current - seconds_of_current
    if rest_of_current <= 0 and not later:
        return None
    return pace * later + max(0.0, rest_of_current)


def duration(seconds: float) -> str:
    """Format a rounded duration, such as `45 s` or `2 h 5 min`."""
    rounded = max(1, round(seconds))
    if rounded < _MINUTE:
        return f"{rounded} s"
    hours, minutes = divmod(round(rounded / _MINUTE), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
