"""The windows of a run, in portions that the source can answer."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from tap_adstage.reports.windows import split_window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_adstage.reports.windows import Window


class WindowQueue:
    """The windows of a run, in their order; smaller ones once one was too large."""

    def __init__(self, windows: Sequence[Window]) -> None:
        """Start with the first window, whatever its size.

        Args:
            windows: Windows in ascending order.
        """
        self._pending = deque(windows)
        self._taken = 0
        self._most = max((len(window.slices) for window in windows), default=1)

    def __iter__(self) -> Iterator[Window]:
        """Take window after window, each with no more slices than may be requested."""
        while self._pending:
            first, *rest = self._portions(self._pending.popleft())
            self._pending.extendleft(reversed(rest))
            self._taken += 1
            yield first

    @property
    def taken(self) -> int:
        """The number of the window that was taken last."""
        return self._taken

    @property
    def total(self) -> int:
        """How many windows there are; more once one is split."""
        return self._taken + len(self._pending)

    def upcoming(self, most: int) -> list[Window]:
        """List the windows that are taken next, unless one has to be split.

        Args:
            most: How many of them at most.
        """
        portions = (
            portion for window in self._pending for portion in self._portions(window)
        )
        return [*islice(portions, most)]

    def put_back(self, window: Window) -> None:
        """Put back the window that was taken last, to take it once more.

        Args:
            window: That window.
        """
        self._pending.appendleft(window)
        self._taken -= 1

    def halve(self, window: Window) -> int:
        """Put back the window that was taken last, and take it in halves.

        Later windows are no larger than its halves.

        Args:
            window: That window; it has more slices than one.

        Returns:
            The slices that a window has at most from now on.
        """
        self.put_back(window)
        self._most = (len(window.slices) + 1) // 2
        return self._most

    def _portions(self, window: Window) -> list[Window]:
        return split_window(window, self._most)
