"""Documents of one kind, several of which are fetched at once and read in order."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_adstage.reports.prefetch import Prefetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_adstage.runtime.shutdown import Shutdown

T = TypeVar("T")


class FetchAhead(Generic[T]):
    """Fetches documents by URL, the scheduled ones ahead."""

    def __init__(
        self,
        fetch: Callable[[str], T],
        shutdown: Shutdown,
        max_concurrency: int,
        *,
        later: Callable[[str, T], Sequence[str]] | None = None,
    ) -> None:
        """Schedule nothing yet.

        Args:
            fetch: Fetches a document; with a `max_concurrency` over 1, in a thread.
            shutdown: Whether the run is to end.
            max_concurrency: Documents that are fetched at once, 1 or more.
            later: Lists the URLs of the documents that are read right after one, given
                its URL and itself; in the same thread.
        """
        self._fetch = fetch
        self._find_later = later
        # Those that are fetched before it is known what is read before them wait.
        most_waiting = 4 * max_concurrency if later else None
        self._prefetch = Prefetch(shutdown, max_concurrency, most_waiting)
        self._scheduled: list[str] = []
        self._upcoming: list[str] = []
        self._later: dict[str, Sequence[str]] = {}

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
        urls, begun = self._scheduled, self._upcoming
        if url in begun:
            begun = begun[begun.index(url) :]
        elif url not in urls[:1]:
            begun = []
        urls = urls[urls.index(url) :] if url in urls else [url]
        following = islice(self._with_later(urls), self._prefetch.lookahead)
        upcoming = [*dict.fromkeys([*following, *begun])]
        documents = partial(_Document, self._fetch_with_later)
        self._prefetch.schedule(upcoming, documents)
        try:
            pages: list[tuple[T]] = [*self._prefetch.pages(url)]
        finally:  # a document that failed is fetched anew if it is read again
            self._scheduled = [*self._later.pop(url, ()), *urls[1:]]
            self._upcoming = upcoming[1:]
            self._prefetch.schedule(self._upcoming, documents)
        ((document,),) = pages
        return document

    def _with_later(self, urls: Iterable[str]) -> Iterator[str]:
        for url in urls:
            yield url
            yield from self._later.get(url, ())

    def _fetch_with_later(self, url: str) -> T:
        document = self._fetch(url)
        if self._find_later:
            self._later[url] = self._find_later(url, document)
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
