"""Prefetching: a few threads fetch the pages of a report's windows ahead, in order.

A page takes the API its time, and a window's next page is known only from the one
before. So several windows are fetched at once. How many does not change what is sent,
nor what is returned in which order.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from tap_adstage.runtime.shutdown import Shutdown

    W = TypeVar("W", bound=Hashable)

_POLL = 0.2
"""Seconds after which a wait for a page sees whether the run is to end."""

_IDLE = 5.0
"""Seconds without work after which a thread ends, and closes its connections."""


class WindowPages(Protocol):
    """The pages of one window, each of which has the way to the next."""

    @property
    def has_next(self) -> bool:
        """Whether there is a page to fetch."""

    def fetch(self, cancelled: Callable[[], bool]) -> Any:  # noqa: ANN401 - the source's
        """Fetch the next page.

        Args:
            cancelled: Tells whether nobody waits for the page any more.

        Raises:
            TapError: If it can't be fetched.
        """


@dataclass(slots=True, eq=False)
class _Chain:
    """A window whose pages are fetched one after the other.

    Attributes:
        pages: Its pages.
        ready: Pages that wait to be read.
        error: The error that ended the chain early.
        is_busy: Whether its next page is being fetched.
        is_cancelled: Whether nobody waits for it any more.
    """

    pages: WindowPages
    ready: deque[Any] = field(default_factory=deque)
    error: BaseException | None = None
    is_busy: bool = False
    is_cancelled: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether there is a page to fetch."""
        return self.error is None and self.pages.has_next

    def fetch(self) -> Any:  # noqa: ANN401 - a page of the source's
        """Fetch the next page, unless nobody waits for it."""
        return self.pages.fetch(lambda: self.is_cancelled)


class Prefetch:
    """A pool of daemon threads that fetch the next pages while others are written.

    At most `max_concurrency` pages are requested at once. With those that wait to be
    read there is one more: others would take memory and gain nothing. The current
    window takes precedence.

    Not `concurrent.futures`, which waits for its threads when the process exits.
    """

    def __init__(
        self, shutdown: Shutdown, max_concurrency: int, most_waiting: int | None = None
    ) -> None:
        """Start without windows and threads.

        Args:
            shutdown: Whether the run is to end.
            max_concurrency: Requests in flight at once, 1 or more. With 1 there are no
                threads: each page is requested once the one before is written.
            most_waiting: Pages that wait to be read, with those in flight, less one. By
                default as many as are in flight. Small pages of windows that have many
                may be more: if they were not, all but the first window would soon stop.
        """
        self._shutdown = shutdown
        self._max_concurrency = max_concurrency
        self._most_waiting = most_waiting or max_concurrency
        self._chains: dict[Hashable, _Chain] = {}
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        """Tells the reader that a page is ready, or a chain has ended."""
        self._has_work = threading.Condition(lock)
        """Tells a thread that there may be a page to fetch. To wake a thread takes as
        long as to read several rows, so no more are woken than are needed."""
        self._threads = 0

    @property
    def lookahead(self) -> int:
        """The number of windows to schedule at once, with the one that is read."""
        return 1 if self._max_concurrency == 1 else 2 * self._max_concurrency

    def schedule(
        self,
        windows: Sequence[W],
        pages_of: Callable[[W], WindowPages],
    ) -> None:
        """Fetch these windows from now on, and cancel all others.

        Args:
            windows: The windows, or whatever else has pages, in the order in which they
                will be read.
            pages_of: Makes the pages of a window; nothing is fetched by that.
        """
        with self._changed:
            for window, chain in self._chains.items():
                if window not in windows:
                    self._cancel(chain)
            self._chains = {
                window: self._chains.get(window) or _Chain(pages_of(window))
                for window in windows
            }
            self._has_work.notify()

    def cancel(self) -> None:
        """Cancel all windows, without waiting for the requests that are under way."""
        with self._changed:
            for chain in self._chains.values():
                self._cancel(chain)
            self._chains = {}

    def pages(self, window: Hashable) -> Iterator[Any]:
        """Read the pages of a window, each as soon as it is fetched.

        Args:
            window: The first of the scheduled windows.

        Yields:
            The pages, in their order.

        Raises:
            TapError: As `WindowPages.fetch` raises it.
        """
        chain = self._chains[window]
        while True:
            if self._max_concurrency > 1:
                page = self._next_ready(chain)
            else:
                page = chain.fetch() if chain.goes_on else None
            if page is None:
                return
            yield page
            del page  # before the next one is there

    def _next_ready(self, chain: _Chain) -> Any:  # noqa: ANN401 - a page or `None`
        """Wait for the chain's next page; `None` after the last one.

        Raises:
            TapError: If it could not be fetched.
        """
        while True:
            # A signal must not end the run in the middle of what a lock does.
            with self._shutdown.deferred(), self._changed:
                if chain.ready:
                    self._has_work.notify()
                    return chain.ready.popleft()
                if chain.error:
                    break
                if not (chain.goes_on or chain.is_busy):
                    return None
                self._start_threads()
                self._changed.wait(_POLL)
        raise chain.error

    def _cancel(self, chain: _Chain) -> None:
        """Cancel a chain; a thread that fetches its page ends then, and is replaced."""
        chain.is_cancelled = True
        self._threads -= chain.is_busy

    def _start_threads(self) -> None:
        """Start the threads that there is work for, up to `max_concurrency`."""
        while self._threads < min(self._max_concurrency, len(self._chains)):
            self._threads += 1
            threading.Thread(target=self._work, name="prefetch", daemon=True).start()

    def _work(self) -> None:
        """Fetch page after page, in a thread."""
        if sys.platform != "win32":  # signals are the main thread's
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while chain := self._next_job():
            page = self._fetch(chain)
            with self._changed:
                if page:
                    chain.ready.append(page)
                del page  # a thread without work keeps none in memory
                chain.is_busy = False
                self._changed.notify_all()
                if chain.is_cancelled:
                    return

    def _fetch(self, chain: _Chain) -> Any:  # noqa: ANN401 - a page or `None`
        """Fetch the chain's next page; `None` if that fails, with the error kept."""
        try:
            return chain.fetch()
        except BaseException as error:  # noqa: BLE001 - the reader raises it
            chain.error = error
            return None

    def _next_job(self) -> _Chain | None:
        """Wait for a chain to go on with; `None` after a while without any."""
        with self._changed:
            while True:
                chain = self._most_urgent()
                if chain:
                    chain.is_busy = True
                    if self._most_urgent():
                        self._has_work.notify()
                    return chain
                if not self._has_work.wait(_IDLE) and not self._most_urgent():
                    self._threads -= 1
                    return None

    def _most_urgent(self) -> _Chain | None:
        """Return the first chain whose next page may be fetched."""
        chains = self._chains.values()
        if sum(chain.is_busy for chain in chains) >= self._max_concurrency:
            return None
        waiting = sum(len(chain.ready) + chain.is_busy for chain in chains)
        for position, chain in enumerate(chains):
            is_read_next = position == 0 and not chain.ready
            has_room = is_read_next or waiting <= self._most_waiting
            if has_room and not chain.is_busy and chain.goes_on:
                return chain
        return None
