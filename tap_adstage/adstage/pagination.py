"""From one page to the next (API: Pagination)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tap_adstage.adstage import hal
from tap_adstage.exceptions import LinkError, ResponseError
from tap_adstage.runtime.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to the API.

    Attributes:
        url: Absolute URL, with its query.
        body: JSON body; a request that has one is a POST, any other a GET.
        fallback: The request to send if the API has no such URL, or takes no GET there.
    """

    url: str
    body: Mapping[str, Any] | None = None
    fallback: ApiRequest | None = None

    @property
    def method(self) -> str:
        """`POST` or `GET`."""
        return "GET" if self.body is None else "POST"

    def __str__(self) -> str:
        """Name the request, for a message."""
        return f"{self.method} {redact(self.url)}"


@dataclass(slots=True)
class Paginator:
    """Finds each page's successor, and never visits a page twice.

    One paginator serves one list or one window of a report.
    """

    _visited: set[tuple[object, ...]] = field(default_factory=set)

    def get_next(
        self,
        request: ApiRequest,
        document: Mapping[str, Any],
    ) -> ApiRequest | None:
        """Find the request of the page after the current one.

        V2 reports have a form. Its fields omit part of the query (`aggregate_by`,
        `group_by`, `order`, `statuses`) and null another (`targets`), so page two is
        page one's body with the form's `page_token`.

        Lists and V1 reports have a link, which is followed as a GET. A report's
        `fallback` is its own body with the link's `limit`, `offset` and `page_token`.
        The fallback is sent at once if the link omits part of the query, or if an
        earlier GET was refused.

        Args:
            request: The current page's request.
            document: The current page.

        Returns:
            The next request, or `None` after the last page.

        Raises:
            LinkError: If the next page is on another origin, or was already visited.
            ResponseError: If the way to the next page is not as documented.
        """
        self._visited.add(_identity(request))
        try:
            next_request = _by_form(request, document) or _by_link(request, document)
        except LinkError:
            raise
        except ResponseError as error:
            raise ResponseError(f"{request}: {error}") from None
        if next_request is not None and _identity(next_request) in self._visited:
            raise LinkError(
                f"the page {request} names a next page that was already read; paging "
                "would not end",
            )
        return next_request


def _by_form(request: ApiRequest, document: Mapping[str, Any]) -> ApiRequest | None:
    form = hal.form(document, "next_page")
    if form is None:
        return None
    hal.resolve(form.href, request.url)
    token = form.values.get("page_token")
    if request.body is None or not isinstance(token, str) or not token:
        raise ResponseError("_forms.next_page has no page_token to send")
    return replace(request, body={**request.body, "page_token": token})


def _by_link(request: ApiRequest, document: Mapping[str, Any]) -> ApiRequest | None:
    link = hal.link(document, "next_page") or hal.link(document, "next")
    if link is None:
        return None
    if link.form:
        raise ResponseError("_forms has no next_page to go with the link")
    url = hal.resolve(link.target(), request.url)
    query = request if request.body is not None else request.fallback
    if query is None or query.body is None:
        return ApiRequest(url)
    place, is_complete = _place(url), _has_query(url, query.body)
    post = replace(query, body={**_without_place(query.body), **place})
    if place and (_is_further_page(request) or not is_complete):
        return post
    if not is_complete:
        raise ResponseError(
            "_links: the link to the next page omits part of the query, and has "
            "neither offset nor page_token",
        )
    return ApiRequest(url, fallback=post if place else None)


# --- V1 reports: the query was sent as a body, the link is a URL ---
#
# A link is followed as a GET. In AdStage's samples it repeats the query. Without some
# parts AdStage refuses a query; without others (`statuses`, `targets`) it would answer
# a different one. So a link must repeat all of the query, or nothing at all: then
# AdStage either remembers the query or refuses the link.

_PLACE = ("limit", "offset", "page_token")
_NUMBER = re.compile(r"[0-9]{1,18}")
_NOT_SHOWN = {"group_by", "filters", "targets", "dimensions", "relative_to_time_zone"}
"""Parts that no sample's link has: AdStage may or may not remember them."""

_DEFAULTS = {"relative_to_time_zone": "UTC"}


def _place(url: str) -> dict[str, Any]:
    """Read which page a link leads to; empty if the link has no such parameter."""
    query = _parameters(url)
    place = {key: query[key] for key in _PLACE if key in query}
    if not place.keys() - {"limit"}:
        return {}
    return {
        key: int(value) if key != "page_token" and _NUMBER.fullmatch(value) else value
        for key, value in place.items()
    }


def _without_place(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in body if key not in {"offset", "page_token"}}


def _is_further_page(request: ApiRequest) -> bool:
    """Whether it is a POST of a further page: then an earlier GET was refused."""
    return (
        request.body is not None and {"offset", "page_token"} & {*request.body} != set()
    )


def _has_query(url: str, body: Mapping[str, Any]) -> bool:
    """Whether a link repeats all of a query, or nothing that AdStage may forget."""
    in_link = {key.partition("[")[0] for key in _parameters(url)}
    parts = {key for key in body if key not in _PLACE}
    missing = {key for key in parts - in_link if body[key] != _DEFAULTS.get(key)}
    return not missing or (parts.isdisjoint(in_link) and missing.isdisjoint(_NOT_SHOWN))


def _parameters(url: str) -> dict[str, str]:
    """Read the parameters of a URL that are not empty; a `+` in a token stays a `+`."""
    return dict(parse_qsl(urlsplit(url).query.replace("+", "%2B")))


def _identity(request: ApiRequest) -> tuple[object, ...]:
    body = request.body or {}
    return (request.method, request.url, body.get("page_token"), body.get("offset"))
