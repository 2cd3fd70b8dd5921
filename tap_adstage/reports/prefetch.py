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
from typing import TYPE_CHECKING

from tap_adstage.adstage.pagination import Paginator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_adstage.adstage.client import AdStageClient
    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.pagination import ApiRequest
    from tap_adstage.reports.windows import Window

_POLL = 0.2
"""Seconds after which a wait for a page sees whether the run is to end."""

_IDLE = 5.0
"""Seconds without work after which a thread ends, and closes its connections."""


@dataclass(slots=True, eq=False)
class _Chain:
    """The pages of one window, each of which has the way to the next.

    Attributes:
        request: The next page's request; `None` after the last page, or an error.
        can_split: Whether less can be asked for.
        ready: Pages that wait to be read.
        error: The error that ended the chain early.
        is_busy: Whether its next page is being fetched.
        is_cancelled: Whether nobody waits for it any more.
    """

    request: ApiRequest | None
    can_split: bool
    ready: deque[Page] = field(default_factory=deque)
    error: BaseException | None = None
    is_busy: bool = False
    is_cancelled: bool = False
    _paginator: Paginator = field(default_factory=Paginator)

    def step(self, client: AdStageClient, request: ApiRequest) -> Page:
        """Fetch the next page, and find the request of the one after it."""
        sent, page = client.page(
            request,
            can_split=self.can_split,
            cancelled=lambda: self.is_cancelled,
        )
        self.request = self._paginator.following(sent, page.head)
        return page


class Prefetch:
    """A pool of daemon threads that fetch the next pages while others are written.

    At most `max_concurrency` pages are requested at once, and as many wait to be read;
    more would take memory and gain nothing. The window that is read now goes first.

    Not `concurrent.futures`, which waits for its threads when the process exits.
    """

    def __init__(self, client: AdStageClient, max_concurrency: int) -> None:
        """Start without windows and threads.

        Args:
            client: Fetches the pages.
            max_concurrency: Requests in flight at once, 1 or more. With 1 there are no
                threads: each page is requested once the one before is written.
        """
        self._client = client
        self._max_concurrency = max_concurrency
        self._chains: dict[Window, _Chain] = {}
        self._changed = threading.Condition()
        self._threads = 0

    @property
    def lookahead(self) -> int:
        """The number of windows to schedule at once, with the one that is read."""
        return 1 if self._max_concurrency == 1 else 2 * self._max_concurrency

    def schedule(
        self,
        windows: Sequence[Window],
        first: Callable[[Window], ApiRequest],
    ) -> None:
        """Fetch these windows from now on, and cancel all others.

        Args:
            windows: The windows, in the order in which they will be read.
            first: Makes the request of a window's first page.
        """
        with self._changed:
            for window, chain in self._chains.items():
                if window not in windows:
                    self._cancel(chain)
            self._chains = {
                window: self._chains.get(window)
                or _Chain(first(window), window.can_split)
                for window in windows
            }
            self._changed.notify_all()

    def cancel(self) -> None:
        """Cancel all windows, without waiting for the requests that are under way."""
        with self._changed:
            for chain in self._chains.values():
                self._cancel(chain)
            self._chains = {}

    def pages(self, window: Window) -> Iterator[Page]:
        """Read the pages of a window, each as soon as it is fetched.

        Args:
            window: The first of the scheduled windows.

        Yields:
            The pages, in their order.

        Raises:
            TapError: As `AdStageClient.page` and `Paginator.following` raise it.
        """
        chain = self._chains[window]
        while True:
            if self._max_concurrency > 1:
                page = self._next_ready(chain)
            else:
                request = chain.request
                page = chain.step(self._client, request) if request else None
            if page is None:
                return
            yield page

    def _next_ready(self, chain: _Chain) -> Page | None:
        """Wait for the chain's next page; `None` after the last one.

        Raises:
            TapError: If it could not be fetched.
        """
        while True:
            # A signal must not end the run in the middle of what a lock does.
            with self._client.transport.shutdown.deferred(), self._changed:
                if chain.ready:
                    self._changed.notify_all()
                    return chain.ready.popleft()
                if chain.error:
                    break
                if not (chain.request or chain.is_busy):
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
        while job := self._next_job():
            chain, request = job
            page = self._fetch(chain, request)
            with self._changed:
                if page:
                    chain.ready.append(page)
                chain.is_busy = False
                self._changed.notify_all()
                if chain.is_cancelled:
                    return

    def _fetch(self, chain: _Chain, request: ApiRequest) -> Page | None:
        """Fetch the chain's next page; `None` if that fails, with the error kept."""
        try:
            return chain.step(self._client, request)
        except BaseException as error:  # noqa: BLE001 - raised where it is read
            chain.error, chain.request = error, None
            return None

    def _next_job(self) -> tuple[_Chain, ApiRequest] | None:
        """Wait for a page to fetch; `None` after a while without any."""
        with self._changed:
            while True:
                job = self._most_urgent()
                if job:
                    job[0].is_busy = True
                    return job
                if not self._changed.wait(_IDLE) and not self._most_urgent():
                    self._threads -= 1
                    return None

    def _most_urgent(self) -> tuple[_Chain, ApiRequest] | None:
        """Return the first chain whose next page may be fetched, and its request."""
        chains = self._chains.values()
        if sum(chain.is_busy for chain in chains) >= self._max_concurrency:
            return None
        waiting = sum(len(chain.ready) for chain in chains)
        for position, chain in enumerate(chains):
            is_read_next = position == 0 and not chain.ready
            has_room = is_read_next or waiting < self._max_concurrency
            if chain.request and has_room and not chain.is_busy:
                return chain, chain.request
        return None
