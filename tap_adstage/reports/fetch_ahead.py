"""Documents of one kind, several of which are fetched at once and read in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_adstage.reports.prefetch import Prefetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_adstage.runtime.shutdown import Shutdown

T = TypeVar("T")


class FetchAhead(Generic[T]):
    """Fetches documents by URL, the scheduled ones ahead."""

    def __init__(
        self,
        fetch: Callable[[str], T],
        shutdown: Shutdown,
        max_concurrency: int,
    ) -> None:
        """Schedule nothing yet.

        Args:
            fetch: Fetches a document; with a `max_concurrency` over 1, in a thread.
            shutdown: Whether the run is to end.
            max_concurrency: Documents that are fetched at once, 1 or more.
        """
        self._fetch = fetch
        self._prefetch = Prefetch(shutdown, max_concurrency)
        self._scheduled: list[str] = []

    def schedule(self, urls: Iterable[str]) -> None:
        """Set which documents are read next; they are fetched once one is read.

        Args:
            urls: Their URLs, in the order in which they will be read.
        """
        self._scheduled = [*dict.fromkeys(urls)]

    def read(self, url: str) -> T:
        """Read a document, which need not be scheduled.

        Args:
            url: Its URL.

        Raises:
            TapError: As `fetch` raises it for this document.
        """
        urls = self._scheduled
        urls = urls[urls.index(url) :] if url in urls else [url]
        upcoming = urls[: self._prefetch.lookahead]
        documents = partial(_Document, self._fetch)
        self._prefetch.schedule(upcoming, documents)
        try:
            pages: list[tuple[T]] = [*self._prefetch.pages(url)]
        finally:  # a document that failed is fetched anew if it is read again
            self._scheduled = urls[1:]
            self._prefetch.schedule(upcoming[1:], documents)
        ((document,),) = pages
        return document


class _Document(Generic[T]):
    """A document as the only page of itself."""

    def __init__(self, fetch: Callable[[str], T], url: str) -> None:
        self._fetch = fetch
        self._url = url
        self.has_next = True

    def fetch(self, cancelled: Callable[[], bool]) -> tuple[T]:
        """Fetch it, and wrap it, as an empty one would count as the end."""
        del cancelled
        self.has_next = False
        return (self._fetch(self._url),)
