"""Lists, links and forms in AdStage's flavour of HAL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.adstage import page_tokens
from tap_adstage.sandbox.adstage.refusals import RefusedRequest
from tap_adstage.sandbox.world.names import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from tap_adstage.sandbox.adstage.reports.request import ReportRequest
    from tap_adstage.sandbox.world.entities import Entity

    Item = TypeVar("Item")

Json: TypeAlias = "dict[str, Any]"

DEFAULT_LIMIT = 10
MAX_LIMIT = 1000


def page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """Return limit and offset of a list request.

    Raises:
        RefusedRequest: One of them is no number or out of bounds.
    """
    limit = _integer(query, "limit", DEFAULT_LIMIT)
    offset = _integer(query, "offset", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise RefusedRequest(f"limit must be from 1 to {MAX_LIMIT}, not {limit}")
    if offset < 0:
        raise RefusedRequest(f"offset must be 0 or more, not {offset}")
    return limit, offset


def list_page(
    items: Sequence[Item],
    write: Callable[[Item], Json],
    *,
    url: str,
    limit: int,
    offset: int,
) -> Json:
    """Return one page of a list, with links to the pages around it.

    Args:
        items: All items of the list, in order.
        write: Makes an item's JSON.
        url: Where the list is, without a query.
        limit: Most items on a page.
        offset: How many items are on pages before.
    """
    total = len(items)
    page = items[offset : offset + limit]

    def link(start: int) -> str:
        networks = ",".join(NETWORKS)
        return (
            f"{url}?limit={limit}&offset={start}"
            f"&networks={networks}&sort_by=name&order=asc"
        )

    links: Json = {}
    if offset + limit < total:
        links["next"] = {"href": link(offset + limit)}
    if offset > 0:
        links["prev"] = {"href": link(max(0, offset - limit))}
    return {
        "_embedded": {"item": [write(item) for item in page]},
        "_links": links,
        "counts": {"overall": total, "page": len(page)},
        "current_page": offset // limit + 1,
        "id": link(offset),
        "list_of": "item",
        "page_options": {"limit": limit, "offset": offset},
        "page_size": limit,
        "page_total": len(page),
        "total": total,
        "total_pages": -(-total // limit),
    }


def report_page_forms(request: ReportRequest, count: int, url: str) -> Json:
    """Return the forms of the next and the previous page, where there are such pages.

    Args:
        request: The request for the present page.
        count: How many rows there are on all pages.
        url: Where the forms say to send them.
    """
    limit, offset = request.limit, request.offset
    forms = {}
    if offset + limit < count:
        forms["next_page"] = _report_form(request, url, offset + limit)
    if offset > 0:
        forms["prev_page"] = _report_form(request, url, max(0, offset - limit))
    return forms


def form_link(form: Json) -> Json:
    """Return the link that goes with a form."""
    return {"href": form["href"], "method": form["method"], "form": True}


def entity_link(entity: Entity, api_url: str) -> Json:
    """Return the link to an entity itself."""
    path = f"network/{entity.network}/{entity.kind}s/{entity.remote_id}"
    return {
        f"adstage:network_{entity.kind}": {
            "href": f"{api_url}/{path}",
            "title": entity.name,
        }
    }


def _report_form(request: ReportRequest, url: str, offset: int) -> Json:
    """Return a form as AdStage makes it, which repeats only part of the request.

    It names V1's path and leaves out how the report was sliced, grouped, ordered and
    summed up and which statuses it had; it does not name the targets either.
    """
    body = request.body
    source = body["sources"]["metrics"]
    is_series = request.output_format == "series"
    organization = url.rsplit("/", 2)[1]
    targets = [f"/network/adstage/organization/{organization}"] if is_series else None
    fields = {
        "date_range": ("string", body["date_range"]),
        "fields": ("array", body["fields"]),
        "filters": ("array", body.get("filters") or []),
        "forms": ("array", None),
        "ignore_precision": ("boolean", request.ignore_precision),
        "links": (["boolean", "array"], None),
        "output_format": ("string", request.output_format),
        "sort_by": ("string", body["sort_by"]),
        "sources": (
            "object",
            {
                "metrics": {
                    "targets": targets,
                    "networks": source["networks"],
                    "entity_level": request.entity_level,
                }
            },
        ),
        "version": ("string", "2"),
        "page_token": ("string", page_tokens.encode(request.limit, offset)),
    }
    return {
        "href": url,
        "method": "POST",
        "fields": {
            name: {"type": kind, "value": value}
            for name, (kind, value) in fields.items()
        },
    }


def _integer(query: Mapping[str, str], key: str, default: int) -> int:
    text = query.get(key)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise RefusedRequest(f"{key} must be a whole number, not {text!r}") from None
