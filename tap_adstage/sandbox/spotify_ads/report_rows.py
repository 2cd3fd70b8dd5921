"""The rows of an aggregate report, with what is odd about the real ones."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tap_adstage.sandbox.spotify_ads.parameters import format_moment
from tap_adstage.sandbox.spotify_ads.refusals import Refusal
from tap_adstage.sandbox.world.prng import mix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_adstage.sandbox.spotify_ads.report_request import ReportRequest
    from tap_adstage.sandbox.spotify_ads.world.entities import Entity
    from tap_adstage.sandbox.spotify_ads.world.world import World, WorldRow

_TWICE_SHARE, _NULL_SHARE = 13, 4
_TWICE, _NULL = 61, 62


def find_rows(world: World, request: ReportRequest, today: dt.date) -> list[WorldRow]:
    """Return the rows of all pages, those of one entity after those of another.

    Raises:
        Refusal: An entity is not in the account.
    """
    entities = _find_entities(world, request)
    fields = request.fields
    if request.start is None or request.end is None:
        return [*world.lifetimes(entities, fields, today)]
    first, last = request.start.date(), min(request.end.date(), today)
    if request.granularity == "LIFETIME":
        return [*world.totals(entities, fields, first, last)]
    if request.granularity == "DAY":
        return [*world.days(entities, fields, first, last)]
    last_hour = dt.datetime.combine(today, dt.time(23), dt.timezone.utc)
    end = min(request.end, last_hour)
    return [*world.hours(entities, fields, request.start, end)]


def _find_entities(world: World, request: ReportRequest) -> list[Entity]:
    account = world.entity(request.account_id)
    wanted = set(request.ids)
    known = {account.id} | {
        entity.id
        for kind in ("CAMPAIGN", "AD_SET", "AD")
        for entity in account.descendants(kind)
    }
    if not wanted <= known:
        missing = ", ".join(sorted(wanted - known))
        raise Refusal(f"entity_ids: not in this ad account: {missing}")
    return [
        entity
        for entity in account.descendants(request.kind)
        if (not wanted or any(each.id in wanted for each in entity.lineage()))
        and (not request.statuses or entity.status in request.statuses)
    ]


def row_body(row: WorldRow, request: ReportRequest) -> dict[str, Any]:
    """Return a row as a JSON object."""
    entity = row.entity
    body: dict[str, Any] = {
        "entity_type": entity.kind,
        "entity_id": entity.id,
        "entity_name": entity.name,
        "entity_status": entity.status,
        "start_time": format_moment(row.start),
        "end_time": format_moment(row.end),
        "stats": stats_of(row, request.fields),
    }
    if request.with_parents and entity.parent is not None:
        parent = entity.parent
        body["parent_entity"] = {
            "id": parent.id,
            "name": parent.name,
            "status": parent.status,
        }
    is_odd = mix(entity.key, _NULL) % _NULL_SHARE == 0
    if request.granularity == "LIFETIME" and is_odd:
        body |= dict.fromkeys(("entity_status", "start_time", "end_time"))
    return body


def stats_of(row: WorldRow, fields: Iterable[str]) -> list[dict[str, Any]]:
    """Return metrics of a row; a few rows have their first one twice."""
    as_float = row.entity.account.position % 2 == 1
    stats = [
        {"field_type": field, "field_value": _number(row.shown(field), as_float)}
        for field in fields
    ]
    key = mix(row.entity.key, row.start.toordinal())
    if mix(key, _TWICE) % _TWICE_SHARE == 0:
        stats.append(stats[0])
    return stats


def _number(value: float, as_float: bool) -> float:  # noqa: FBT001
    """Return a number; every second ad account has counts as 73775.0."""
    return float(value) if as_float else value
