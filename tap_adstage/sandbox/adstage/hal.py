"""Pages of lists, and links, in AdStage's flavour of HAL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.adstage.refusals import RefusedRequest
from tap_adstage.sandbox.world.names import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from tap_adstage.sandbox.world.entities import Entity

    Item = TypeVar("Item")

Json: TypeAlias = "dict[str, Any]"

DEFAULT_LIMIT = 10
MAX_LIMIT = 1000


def page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """Return limit and offset of a list request.

    Raises:
        RefusedRequest: One of them is not a whole number, or out of bounds.
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
        write: Returns an item's JSON.
        url: Address of the list, without a query.
        limit: Most items on a page.
        offset: How many items are skipped.
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


def entity_link(entity: Entity, api_url: str) -> Json:
    """Return the link to an entity."""
    path = f"network/{entity.network}/{entity.kind}s/{entity.remote_id}"
    return {
        f"adstage:network_{entity.kind}": {
            "href": f"{api_url}/{path}",
            "title": entity.name,
        }
    }


def _integer(query: Mapping[str, str], key: str, default: int) -> int:
    text = query.get(key)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        raise RefusedRequest(f"{key} must be a whole number, not {text!r}") from None
