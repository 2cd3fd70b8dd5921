"""How many pages of later windows wait while the first one is read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tap_adstage.reports.prefetch import Prefetch
from tap_adstage.runtime.shutdown import Shutdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_adstage.reports.prefetch import WindowPages

PAGES = 10


class Slow:
    """A window with one page, which comes once others were fetched."""

    def __init__(self, others: threading.Semaphore, wait_for: int) -> None:
        self._others = others
        self._wait_for = wait_for
        self.has_next = True
        self.were_fetched = False

    def fetch(self, cancelled: Callable[[], bool]) -> str:
        del cancelled
        self.were_fetched = all(
            self._others.acquire(timeout=0.5) for _ in range(self._wait_for)
        )
        self.has_next = False
        return "slow"


class Many:
    """A window with many pages."""

    def __init__(self, fetched: threading.Semaphore) -> None:
        self._fetched = fetched
        self._left = PAGES

    @property
    def has_next(self) -> bool:
        return self._left > 0

    def fetch(self, cancelled: Callable[[], bool]) -> str:
        del cancelled
        self._left -= 1
        self._fetched.release()
        return "page"


@pytest.mark.parametrize(
    ("most_waiting", "wait_for", "are_fetched"),
    [(100, PAGES, True), (None, PAGES, False), (None, 2, True)],
)
def test_as_many_pages_wait_as_are_allowed(
    most_waiting: int | None,
    wait_for: int,
    are_fetched: bool,  # noqa: FBT001
) -> None:
    fetched = threading.Semaphore(0)
    slow, many = Slow(fetched, wait_for), Many(fetched)
    prefetch = Prefetch(Shutdown(), max_concurrency=2, most_waiting=most_waiting)
    windows: dict[str, WindowPages] = {"first": slow, "second": many}
    prefetch.schedule(["first", "second"], windows.__getitem__)
    assert [*prefetch.pages("first")] == ["slow"]
    assert slow.were_fetched is are_fetched
    prefetch.schedule(["second"], windows.__getitem__)
    assert [*prefetch.pages("second")] == ["page"] * PAGES
