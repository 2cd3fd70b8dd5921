"""Pages of a report's windows, fetched ahead by a few threads, handed out in order.

AdStage takes its time for each page, and a window's next page is known only from the
one before: so windows are fetched beside each other. What is asked, and what comes out
in which order, does not depend on how many are.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tap_adstage.adstage.pagination import Paginator
from tap_adstage.exceptions import AuthenticationError
from tap_adstage.http.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_adstage.adstage.client import AdStageClient
    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.pagination import ApiRequest
    from tap_adstage.reports.windows import Window

_LOOK_UP = 0.2
"""Seconds after which whoever waits for a page sees whether the run is to end."""

_IDLE = 5.0
"""Seconds without work after which a thread ends, and its connections with it."""


@dataclass(slots=True, eq=False)
class _Chain:
    """The pages of one window, each of which says where the next one is.

    Attributes:
        request: The next page's; `None` after the last one, or an error.
        can_split: Whether less can be asked for.
        ready: Pages that wait for their turn.
        error: What ended the chain before its end.
        is_busy: Whether a thread is at it.
        is_held_up: Whether the next page needs a new access token.
        is_forgotten: Whether nobody waits for it any more.
    """

    request: ApiRequest | None
    can_split: bool
    ready: deque[Page] = field(default_factory=deque)
    error: BaseException | None = None
    is_busy: bool = False
    is_held_up: bool = False
    is_forgotten: bool = False
    _paginator: Paginator = field(default_factory=Paginator)

    def step(self, client: AdStageClient, request: ApiRequest) -> Page:
        """Fetch the next page, and find out where the one after it is."""
        asked, page = client.page(request, can_split=self.can_split)
        self.request = self._paginator.following(asked, page.head)
        return page


class _ForgottenError(Exception):
    """Nobody waits for the page any more."""


class _Wanted(Credentials):
    """Credentials for each try of a request, as long as somebody waits for it."""

    def __init__(self, credentials: Credentials, chain: _Chain) -> None:
        self._credentials = credentials
        self._chain = chain
        self.settings = credentials.settings

    def token(self) -> str:
        if self._chain.is_forgotten:
            raise _ForgottenError
        return self._credentials.token()

    def without_refresh(self) -> Credentials:
        return self


class Prefetch:
    """Fetches what will be read next, while something else is written.

    At most so many pages are asked for at once, and as many wait: with few pages in
    memory nothing is gained by more. The window that is read now goes first.

    Only the main thread renews access tokens: a refresh token that is spent by a thread
    which then dies with the process would be lost. A page that needs a new one is left
    to it.
    """

    def __init__(self, client: AdStageClient, max_concurrency: int) -> None:
        """Expect nothing yet.

        Args:
            client: Reads the pages.
            max_concurrency: Requests in flight at once, 1 or more. With 1 there are no
                threads: each page is asked for once the one before is done with.
        """
        self._client = client
        self._max_concurrency = max_concurrency
        self._chains: dict[Window, _Chain] = {}
        self._changed = threading.Condition()
        self._threads = 0

    @property
    def reach(self) -> int:
        """How many windows it makes sense to expect, with the one that is read."""
        return 1 if self._max_concurrency == 1 else 2 * self._max_concurrency

    def expect(
        self,
        windows: Sequence[Window],
        first: Callable[[Window], ApiRequest],
    ) -> None:
        """Say which windows are read next; others are forgotten.

        Args:
            windows: The windows, in the order in which they are going to be read.
            first: Makes the request of a window's first page.
        """
        with self._changed:
            for window, chain in self._chains.items():
                if window not in windows:
                    self._forget(chain)
            self._chains = {
                window: self._chains.get(window)
                or _Chain(first(window), window.can_split)
                for window in windows
            }
            self._changed.notify_all()

    def forget(self) -> None:
        """Expect nothing more; what is under way is not waited for."""
        with self._changed:
            for chain in self._chains.values():
                self._forget(chain)
            self._chains = {}

    def pages(self, window: Window) -> Iterator[Page]:
        """The pages of a window, each once it is there.

        Args:
            window: The first window that is expected.

        Yields:
            The pages, in their order.

        Raises:
            AdStageError: As `AdStageClient.page` and `Paginator.following` raise it.
        """
        chain = self._chains[window]
        while True:
            page = self._taken(chain)
            if page is None:
                if chain.request is None:
                    return
                page = self._fetched_here(chain, chain.request)
            yield page

    def _fetched_here(self, chain: _Chain, request: ApiRequest) -> Page:
        with self._changed:
            chain.is_busy = True
        try:
            return chain.step(self._client, request)
        finally:
            with self._changed:
                chain.is_busy = chain.is_held_up = False
                self._changed.notify_all()

    def _taken(self, chain: _Chain) -> Page | None:
        """The chain's next page; `None` where there is none, or it has to be asked for.

        Raises:
            AdStageError: If it could not be fetched.
        """
        while True:
            # A signal must not end the run in the middle of what a lock does.
            with self._client.transport.termination.whole(), self._changed:
                if chain.ready:
                    self._changed.notify_all()
                    return chain.ready.popleft()
                if chain.error:
                    break
                is_own = self._max_concurrency == 1 or chain.is_held_up
                if (is_own and self._is_free) or not (chain.request or chain.is_busy):
                    return None
                self._start_threads()
                self._changed.wait(_LOOK_UP)
        raise chain.error

    def _forget(self, chain: _Chain) -> None:
        """Leave a chain; a thread that is at it ends by itself, and is replaced."""
        chain.is_forgotten = True
        self._threads -= chain.is_busy

    def _start_threads(self) -> None:
        """Have as many threads as there is work for, and are allowed."""
        while self._threads < min(self._max_concurrency, len(self._chains)):
            self._threads += 1
            threading.Thread(target=self._work, name="prefetch", daemon=True).start()

    def _work(self) -> None:
        """Fetch page after page, as a thread."""
        if sys.platform != "win32":  # signals are the main thread's
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while due := self._due():
            chain, request = due
            page = self._fetched(chain, request)
            with self._changed:
                if page:
                    chain.ready.append(page)
                chain.is_busy = False
                self._changed.notify_all()
                if chain.is_forgotten:
                    return

    def _fetched(self, chain: _Chain, request: ApiRequest) -> Page | None:
        """The chain's next page; `None` where it says why there is none."""
        client = self._client.without_refresh()
        try:
            if client:
                wanted = _Wanted(client.credentials, chain)
                return chain.step(replace(client, credentials=wanted), request)
        except AuthenticationError as error:
            if client is self._client:
                chain.error = error
        except BaseException as error:  # noqa: BLE001 - raised where it is read
            chain.error = error
        if chain.error:
            chain.request = None
        else:
            chain.is_held_up = True
        return None

    def _due(self) -> tuple[_Chain, ApiRequest] | None:
        """What to fetch, once there is something; `None` after a while without."""
        with self._changed:
            while True:
                due = self._most_urgent()
                if due:
                    due[0].is_busy = True
                    return due
                if not self._changed.wait(_IDLE) and not self._most_urgent():
                    self._threads -= 1
                    return None

    @property
    def _is_free(self) -> bool:
        """Whether one more request may be sent."""
        busy = sum(chain.is_busy for chain in self._chains.values())
        return busy < self._max_concurrency

    def _most_urgent(self) -> tuple[_Chain, ApiRequest] | None:
        """The first chain that can be gone on with and whose page there is room for."""
        if not self._is_free:
            return None
        waiting = sum(len(chain.ready) for chain in self._chains.values())
        for position, chain in enumerate(self._chains.values()):
            is_wanted_now = position == 0 and not chain.ready
            has_room = is_wanted_now or waiting < self._max_concurrency
            if chain.request and has_room and not chain.is_busy | chain.is_held_up:
                return chain, chain.request
        return None
