"""From one page to the next (API: Pagination)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tap_adstage import hal
from tap_adstage.exceptions import LinkError, ResponseError
from tap_adstage.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to the API.

    Attributes:
        url: Absolute URL, with its query.
        body: JSON body; a request that has one is a POST, any other a GET.
    """

    url: str
    body: Mapping[str, Any] | None = None

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

    _visited: set[tuple[str, str | None]] = field(default_factory=set)

    def following(
        self,
        request: ApiRequest,
        document: Mapping[str, Any],
    ) -> ApiRequest | None:
        """Find the page after one that was just read.

        A form is a V2 report's way: its fields leave out part of the question
        (`aggregate_by`, `group_by`, `order`, `statuses`) and null another
        (`targets`), so page two is page one's body and the form's `page_token`.

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
        following = _by_form(request, document) or _by_link(request, document)
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
        raise ResponseError(f"{request}: _forms.next_page has no page_token to send")
    return replace(request, body={**request.body, "page_token": token})


def _by_link(request: ApiRequest, document: Mapping[str, Any]) -> ApiRequest | None:
    link = hal.link(document, "next_page") or hal.link(document, "next")
    if link is None:
        return None
    if link.form:
        raise ResponseError(f"{request}: the next page's link has no form to go with")
    return ApiRequest(hal.resolve(link.target(), request.url))


def _identity(request: ApiRequest) -> tuple[str, str | None]:
    return (request.url, request.body.get("page_token") if request.body else None)
