"""The day on which an API believes itself to be."""

from __future__ import annotations

import datetime as dt


class Clock:
    """A clock that runs with the real one, or stands still on a day.

    Attributes:
        fixed: The day on which it stands still; None for the real time.
    """

    def __init__(self, fixed: dt.date | None) -> None:
        """Start on that day, today if it is None."""
        self.fixed = fixed

    @property
    def now(self) -> dt.datetime:
        """The moment in UTC, noon if the day is fixed."""
        if self.fixed is None:
            return dt.datetime.now(dt.timezone.utc)
        return dt.datetime.combine(self.fixed, dt.time(12), dt.timezone.utc)

    @property
    def today(self) -> dt.date:
        """The day in UTC."""
        return self.now.date()
