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
        fallback: What to ask if the API has no such URL, or takes no GET there.
    """

    url: str
    body: Mapping[str, Any] | None = None
    fallback: ApiRequest | None = None

    @property
    def method(self) -> str:
        """`POST` or `GET`."""
        return "GET" if self.body is None else "POST"

    def __str__(self) -> str:
        """How messages name it."""
        return f"{self.method} {redact(self.url)}"


@dataclass(slots=True)
class Paginator:
    """Finds each page's successor, and never visits a page twice.

    One paginator serves one list or one report, from its first page to its last.
    """

    _visited: set[tuple[object, ...]] = field(default_factory=set)

    def get_next(
        self,
        request: ApiRequest,
        document: Mapping[str, Any],
    ) -> ApiRequest | None:
        """Find the page after one that was just read.

        A form is a V2 report's way: its fields leave out part of the question
        (`aggregate_by`, `group_by`, `order`, `statuses`) and null another
        (`targets`), so page two is page one's body and the form's `page_token`.

        A link is a list's way, and a V1 report's. It is followed as a GET; `fallback`
        is the report's own body with the link's `limit`, `offset` and `page_token`.
        That is asked at once where the link leaves out part of the question, or where
        a GET was refused before.

        Args:
            request: What was asked.
            document: What was answered.

        Returns:
            What to ask next, or `None` after the last page.

        Raises:
            LinkError: If the next page is on another origin, or was visited already.
            ResponseError: If the way to the next page is not as documented.
        """
        self._visited.add(_identity(request))
        try:
            following = _by_form(request, document) or _by_link(request, document)
        except LinkError:
            raise
        except ResponseError as error:
            raise ResponseError(f"{request}: {error}") from None
        if following is not None and _identity(following) in self._visited:
            raise LinkError(
                f"the page {request} names a next page that was read before; paging "
                "would not end",
            )
        return following


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
    question = request if request.body is not None else request.fallback
    if question is None or question.body is None:
        return ApiRequest(url)
    place, whole = _place(url), _carries(url, question.body)
    again = replace(question, body={**_without_place(question.body), **place})
    if place and (_names_a_page(request) or not whole):
        return again
    if not whole:
        raise ResponseError(
            "_links: the next page's leaves out part of the question, and has neither "
            "offset nor page_token",
        )
    return ApiRequest(url, fallback=again if place else None)


# --- V1 reports: a question that was sent as a body, a link that is a URL ---
#
# A link is followed as a GET. AdStage's samples show it to repeat the question, which
# has parts that AdStage can't do without, and others (`statuses`, `targets`) without
# which it would answer another question. So a link repeats all of it, or nothing at
# all: then AdStage knows what it is about, or refuses it.

_PLACE = ("limit", "offset", "page_token")
_NUMBER = re.compile(r"[0-9]{1,18}")
_NOT_SHOWN = {"group_by", "filters", "targets", "dimensions", "relative_to_time_zone"}
"""Parts that no sample's link shows: it is not known whether AdStage keeps them."""

_DEFAULTS = {"relative_to_time_zone": "UTC"}


def _place(url: str) -> dict[str, Any]:
    """Where in the report a link leads to; nothing where it doesn't say."""
    query = _parameters(url)
    found = {key: query[key] for key in _PLACE if key in query}
    if not found.keys() - {"limit"}:
        return {}
    return {
        key: int(value) if key != "page_token" and _NUMBER.fullmatch(value) else value
        for key, value in found.items()
    }


def _without_place(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in body if key not in {"offset", "page_token"}}


def _names_a_page(request: ApiRequest) -> bool:
    """Whether it is a POST of a further page: then a GET was refused before."""
    return (
        request.body is not None and {"offset", "page_token"} & {*request.body} != set()
    )


def _carries(url: str, body: Mapping[str, Any]) -> bool:
    """Whether a link stands for the whole of a question."""
    carried = {key.partition("[")[0] for key in _parameters(url)}
    parts = {key for key in body if key not in _PLACE}
    missing = {key for key in parts - carried if body[key] != _DEFAULTS.get(key)}
    return not missing or (parts.isdisjoint(carried) and missing.isdisjoint(_NOT_SHOWN))


def _parameters(url: str) -> dict[str, str]:
    """The parameters of a URL that say something; a `+` is no space in a token."""
    return dict(parse_qsl(urlsplit(url).query.replace("+", "%2B")))


def _identity(request: ApiRequest) -> tuple[object, ...]:
    body = request.body or {}
    return (request.method, request.url, body.get("page_token"), body.get("offset"))
