"""The Spotify Ads API as the tap's streams use it: documents, lists, reports."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import requests

from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    ShortListError,
    UnauthorizedError,
    error_context,
)
from tap_adstage.http.json_decoding import decode_json, text_of
from tap_adstage.http.json_values import conform
from tap_adstage.runtime.redaction import clean, excerpt
from tap_adstage.source import Resource
from tap_adstage.spotify_ads.conventions import refusal_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_adstage.http.credentials import Credentials
    from tap_adstage.http.transport import Transport

    T = TypeVar("T")
    Query = Sequence[tuple[str, str | int]]

_TERMS = (
    "; if Spotify refuses all requests, accept the terms of its API in Ads Manager for "
    "this application, and wait up to an hour"
)
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_COUNT = {"type": ["integer", "null"]}
_OLDEST_FIRST = (("sort_field", "CREATED_AT"), ("sort_direction", "ASC"))
"""The order of a list to which entities are added at its end."""


@dataclass(slots=True)
class SpotifyAdsClient:
    """Reads from the API.

    Attributes:
        api_url: Root of the API, without a slash at its end.
        transport: Sends the requests.
        credentials: Authorize them.
        page_size: Entities or rows a page.
    """

    api_url: str
    transport: Transport
    credentials: Credentials
    page_size: int

    def url(self, path: str, query: Query = ()) -> str:
        """Make an absolute URL of the API.

        Args:
            path: Path below the API's root.
            query: Parameters; a list is a parameter that is repeated.
        """
        return self.api_url + path + ("?" + urlencode(query) if query else "")

    def page(
        self,
        path: str,
        query: Query,
        decode: Callable[[bytes], T],
        *,
        can_split: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> T:
        """Send a GET request, with retries, and decode the answer.

        Args:
            path: Path below the API's root.
            query: Parameters; a list is a parameter that is repeated.
            decode: Reads the answer's body; a `ValueError` counts as a failure that may
                pass.
            can_split: Whether the caller can request less; see `retrying`.
            cancelled: Whether nobody waits for the answer any more.

        Raises:
            ApiError: If Spotify refuses the request.
            AuthenticationError: If it does not accept the credentials.
            CancelledError: If the request is cancelled.
            TransientError: If it still failed after all retries.
        """
        try:
            return self.transport.send(
                requests.Request("GET", self.url(path, query), auth=self.credentials),
                decode,
                can_split=can_split,
                cancelled=cancelled,
            )
        except UnauthorizedError as error:
            raise AuthenticationError(
                f"{error}; look at the setting {self.credentials.settings}",
            ) from None
        except ApiError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                error.args = (f"{error}{_TERMS}",)
            raise

    def get(self, path: str, query: Query = ()) -> Resource:
        """Read a document, which is a JSON object.

        Args:
            path: Path below the API's root.
            query: Parameters.

        Raises:
            ResponseError: If the answer is not an object.
        """
        place = f"GET {self.url(path, query)}"
        answer = self.page(path, query, self._decode)
        with error_context(place):
            document = conform(answer, {"type": "object"}, "the answer")
        return Resource(document, place)

    def items(self, path: str, member: str) -> Iterator[Resource]:
        """Read the resources of a list that has a single page.

        Args:
            path: Path below the API's root.
            member: The answer's member that has them.

        Raises:
            ResponseError: If the answer is not such a list.
        """
        yield from _members(self.get(path), member)

    def paged_items(
        self, path: str, member: str, read: Callable[[str], Resource] | None = None
    ) -> Iterator[Resource]:
        """Read the resources of a list, oldest first, from all its pages.

        A page without a new resource is the last one. A count that is less than what
        was read is wrong, and ends nothing.

        Args:
            path: Path below the API's root.
            member: The answer's member that has them.
            read: Reads a page, given its path and query; by default by `get`.

        Raises:
            ResponseError: If a page is not such a list.
            ShortListError: After the last resource, if there were fewer than Spotify
                counts.
        """
        read = read or self.get
        offset = most = 0
        seen: set[str] = set()
        while True:
            page = read(self.list_page(path, offset))
            self.transport.stats.count_page()
            items = [*_members(page, member)]
            total = _total(page)
            yield from items
            offset += len(items)
            ids = {str(item.get("id")) for item in items}
            # A page that was fetched ahead may not count what others already do.
            most = max(most, total or 0)
            if ids <= seen or offset == most:
                break
            seen |= ids
        count = len(seen | ids)
        if total is not None and count < total:
            raise ShortListError(
                f"{page.place}: the list ended after {count} of {total} resources"
            )

    def list_page(self, path: str, offset: int = 0) -> str:
        """Return the path and query of a page of a list, oldest first.

        Args:
            path: Path of the list.
            offset: How many resources are before the page.
        """
        query = (("limit", self.page_size), ("offset", offset), *_OLDEST_FIRST)
        return f"{path}?{urlencode(query)}"

    def later_pages(self, path: str, member: str, first: Resource) -> list[str]:
        """List the paths and queries of the pages after a list's first one.

        Args:
            path: Path of the list.
            member: The answer's member that has the resources.
            first: The first page.

        Raises:
            ResponseError: If the page is not of a list.
        """
        size, total = len([*_members(first, member)]), _total(first) or 0
        offsets = range(size, total, size) if size else ()
        return [self.list_page(path, offset) for offset in offsets]

    def _decode(self, content: bytes) -> Any:  # noqa: ANN401 - any JSON value
        text = text_of(content)
        return clean(decode_json(text), text, self.transport.secrets)


def _members(page: Resource, member: str) -> Iterator[Resource]:
    """List the resources of a page.

    Raises:
        ApiError: If the page is an error body.
    """
    if member not in page and (words := refusal_texts(page)):
        raise ApiError(
            f"{page.place} answered 200: {'; '.join(map(excerpt, words))}",
            status=HTTPStatus.OK,
        )
    with error_context(page.place):
        items = conform(page.get(member), _OBJECTS, member)
    for position, item in enumerate(items):
        yield Resource(item, f"{page.place}: {member}[{position}]")


def _total(page: Resource) -> int | None:
    """Read how many resources a list has, if its page says so."""
    with error_context(page.place):
        paging = conform(page.get("paging") or {}, {"type": "object"}, "paging")
        total: int | None = conform(
            paging.get("total_results"), _COUNT, "paging.total_results"
        )
    return total
