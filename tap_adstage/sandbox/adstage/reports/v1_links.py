"""The links of V1 reports that lead to other pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlencode

from tap_adstage.sandbox.adstage import page_tokens
from tap_adstage.sandbox.adstage.reports.statuses import STATUS_WORDS
from tap_adstage.sandbox.adstage.reports.v1_request import V1_KEYS

if TYPE_CHECKING:
    from tap_adstage.sandbox.adstage.reports.request import ReportRequest

Json: TypeAlias = "dict[str, Any]"

LINK_STYLES = ("offset", "token")
FOLLOW_METHODS = ("get", "post")


@dataclass(frozen=True)
class V1Style:
    """The choices that AdStage's documentation leaves open about V1 reports.

    Attributes:
        rounding: Whether numbers are rounded as in V2; unrounded they look like V1's
            samples.
        links: `offset` for `next`, `prev` and `last` with limit and offset, `token` for
            `next_page` and `prev_page` with a page token.
        follow: `get` if links can be followed, `post` if they answer 405 and the first
            request is to be sent again with the link's page.
        link_drops: Names of parameters that links omit.
    """

    rounding: bool = True
    links: str = "offset"
    follow: str = "get"
    link_drops: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: A style or a parameter is unknown.
        """
        if self.links not in LINK_STYLES:
            raise ValueError(f"v1_links: use offset or token, not {self.links!r}")
        if self.follow not in FOLLOW_METHODS:
            raise ValueError(f"v1_follow: use get or post, not {self.follow!r}")
        for name in self.link_drops:
            if name not in V1_KEYS:
                raise ValueError(f"v1_link_drops: unknown parameter {name!r}")


def page_links(request: ReportRequest, count: int, url: str, style: V1Style) -> Json:
    """Return the links to other pages, if there are such pages.

    Args:
        request: The request for the current page.
        count: How many rows all pages have.
        url: The report's address, without a query.
        style: The style of the links.
    """
    limit, offset = request.limit, request.offset
    offsets = {}
    if offset + limit < count:
        offsets["next"] = offset + limit
    if offset > 0:
        offsets["prev"] = max(0, offset - limit)
    if style.links == "offset":
        offsets["last"] = max(0, count - 1) // limit * limit
    ending = "_page" if style.links == "token" else ""
    query = _query(request)
    return {
        f"{name}{ending}": {"href": _href(url, query, limit, start, style)}
        for name, start in offsets.items()
    }


def _href(url: str, query: Json, limit: int, offset: int, style: V1Style) -> str:
    page: Json = {"limit": limit, "offset": offset}
    if style.links == "token":
        page = {"page_token": page_tokens.encode(limit, offset)}
    kept = {
        name: value
        for name, value in sorted((query | page).items())
        if value is not None and name not in style.link_drops
    }
    return f"{url}?{urlencode(kept, quote_via=quote)}"


def _query(request: ReportRequest) -> Json:
    """Return the request as a link repeats it, with defaults filled in.

    The range is absolute, statuses are expanded, and lists are comma-separated.
    """
    words = [
        word
        for word, status in STATUS_WORDS.items()
        if status is None or status in request.statuses
    ]
    body = request.body
    return {
        "aggregate_by": request.aggregate_by,
        "date_range": f"{request.days.start}..{request.days.end}",
        "dimensions": ",".join(request.dimensions) or None,
        "entity_level": request.entity_level,
        "fields": ",".join(request.fields),
        "filters": _json(body.get("filters") or None),
        "group_by": request.group_by,
        "networks": ",".join(sorted(request.networks)),
        "order": "desc" if request.descending else "asc",
        "provider": request.provider.name,
        "query": _json(body.get("query")),
        "relative_to_time_zone": body.get("relative_to_time_zone"),
        "sort_by": request.sort_by,
        "statuses": ",".join(words),
        "targets": ",".join(body.get("targets") or ()) or None,
    }


def _json(value: object) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
