"""The AdStage API as the tap's streams use it: documents, pages, items."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import requests

from tap_adstage.adstage import hal
from tap_adstage.adstage.page import Page
from tap_adstage.adstage.pagination import ApiRequest, Paginator
from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    ResponseError,
    ShortListError,
    UnauthorizedError,
    error_context,
)
from tap_adstage.http.error_bodies import ALL_NAMES, ERROR_NAMES, error_words
from tap_adstage.http.json_decoding import decode_json, text_of
from tap_adstage.runtime.redaction import clean, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_adstage.http.credentials import Credentials
    from tap_adstage.http.transport import Transport
    from tap_adstage.source import Resource

    T = TypeVar("T")

_NOT_BY_LINK = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
)
"""Refusals of a link that its fallback may not meet: of the URL, its length or GET."""


@dataclass(slots=True)
class AdStageClient:
    """Reads from the API.

    Attributes:
        api_url: Root of the API, without a slash at its end.
        transport: Sends the requests.
        credentials: Authorize them.
        page_size: Rows a page of a list or report that can be paged.
    """

    api_url: str
    transport: Transport
    credentials: Credentials
    page_size: int

    def url(self, template: str, **variables: str | int) -> str:
        """Make an absolute URL of the API.

        Args:
            template: RFC 6570 template below the API's root, such as
                `/users/{user_id}/list_folders{?limit}`.
            **variables: Values of the template.

        Returns:
            The URL.
        """
        return self.api_url + hal.expand(template, **variables)

    def send(self, request: ApiRequest) -> Any:  # noqa: ANN401 - any JSON value
        """Send a request, with retries.

        Args:
            request: The request.

        Returns:
            The decoded answer.

        Raises:
            ApiError: If AdStage refuses the request, also by an error body with 200.
            AuthenticationError: If it does not accept the credentials.
            TransientError: If it still failed after all retries.
        """

        def read(content: bytes) -> Any:  # noqa: ANN401 - any JSON value
            text = text_of(content)
            document = clean(decode_json(text), text, self.transport.secrets)
            self._raise_for_error_body(request, document)
            return document

        return self._send(request, read)

    def page(
        self,
        request: ApiRequest,
        *,
        can_split: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[ApiRequest, Page]:
        """Read a report's page.

        Args:
            request: The page's request.
            can_split: Whether the caller can request less; see `retrying`.
            cancelled: Whether nobody waits for the page any more.

        Returns:
            The request that was answered, which may be the fallback, and the page.

        Raises:
            CancelledError: If the page is cancelled.
            ApiError: If AdStage refuses the page, also by an error body with 200, or it
                still failed after all retries.
            AuthenticationError: If AdStage does not accept the credentials.
            ResponseError: If it is not a JSON object.
        """

        def read(content: bytes) -> Page:
            with error_context(str(request)):
                page = Page.read(content, self.transport.secrets)
            if error_words(page.head):
                self._raise_for_error_body(request, page.outline)
            return page

        try:
            page = self._send(request, read, can_split=can_split, cancelled=cancelled)
        except ApiError as error:
            if request.fallback is None or error.status not in _NOT_BY_LINK:
                raise
        else:
            return request, page
        return self.page(request.fallback, can_split=can_split, cancelled=cancelled)

    def _raise_for_error_body(self, request: ApiRequest, document: object) -> None:
        """Raise AdStage's own words if an answer with 200 is an error body."""
        words = refusal(document)
        if words is not None:
            text = excerpt(words, self.transport.secrets)
            raise ApiError(f"{request} answered 200: {text}", status=HTTPStatus.OK)

    def _send(
        self,
        request: ApiRequest,
        decode: Callable[[bytes], T],
        *,
        can_split: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> T:
        has_body = request.body is not None
        try:
            return self.transport.send(
                requests.Request(
                    request.method,
                    request.url,
                    auth=self.credentials,
                    data=json.dumps(request.body, default=float) if has_body else None,
                    headers={"Content-Type": "application/json"} if has_body else None,
                ),
                decode,
                can_split=can_split,
                cancelled=cancelled,
            )
        except UnauthorizedError as error:
            raise AuthenticationError(
                f"{error}; look at the setting {self.credentials.settings}",
            ) from None

    def pages(self, request: ApiRequest) -> Iterator[dict[str, Any]]:
        """Read a list, page by page, also past an empty page.

        Args:
            request: The first page.

        Yields:
            Each page's document.

        Raises:
            ApiError: If AdStage refuses a page, or it still failed after all retries.
            ResponseError: If a page is not a JSON object, or its successor can't be
                found.
            LinkError: If its successor is on another origin or was already visited.
        """
        paginator = Paginator()
        page: ApiRequest | None = request
        while page is not None:
            document = self.send(page)
            if not isinstance(document, dict):
                raise ResponseError(f"{page}: the answer is not a JSON object")
            self.transport.stats.count_page()
            yield document
            page = paginator.get_next(page, document)

    def items(self, url: str) -> Iterator[Resource]:
        """Read the resources of a HAL list (its `item`s), from all its pages.

        Args:
            url: Absolute URL of the first page.

        Yields:
            Each resource.

        Raises:
            ResponseError: If a page is not a list.
            ShortListError: After the last resource, if there were fewer than AdStage
                counts (its `total`).
        """
        first = ApiRequest(url)
        count, total = 0, None
        for number, page in enumerate(self.pages(first), start=1):
            place = f"{first}, page {number}"
            with error_context(place):
                items = hal.embedded(page, "item")
                if not items and not _is_empty_list(page):
                    raise ResponseError("there is no _embedded.item")
            yield from hal.resources(items, f"{place}: _embedded.item")
            count, total = count + len(items), page.get("total")
        if isinstance(total, int) and count < total:
            raise ShortListError(
                f"{first}: the list ended after {count} of {total} resources"
            )

    def get(self, template: str, **variables: str | int) -> Any:  # noqa: ANN401
        """Read one document.

        Args:
            template: Template below the API's root.
            **variables: Values of the template.

        Returns:
            The decoded answer.
        """
        return self.send(ApiRequest(self.url(template, **variables)))


def refusal(document: object) -> str | None:
    """Find AdStage's own words in an answer that came with 200.

    Args:
        document: The answer.

    Returns:
        The words, if the answer is an error body: neither a user or an organization
        (`fetch_id`), nor a list, report or import status (`accounts`) with a member. An
        empty one may have a `message`, but no error.
    """
    if not isinstance(document, dict) or "fetch_id" in document:
        return None
    embedded = document.get("_embedded")
    lists = [*embedded.values()] if isinstance(embedded, dict) else []
    if any(lists) or document.get("accounts"):
        return None
    is_empty_list = not {"_embedded", "accounts"}.isdisjoint(document)
    return error_words(document, ERROR_NAMES if is_empty_list else ALL_NAMES)


def _is_empty_list(page: dict[str, Any]) -> bool:
    """Whether a page without items is a list with nothing in it."""
    embedded = page.get("_embedded") or {}
    return str(page.get("total")) == "0" or embedded.get("item") == []
