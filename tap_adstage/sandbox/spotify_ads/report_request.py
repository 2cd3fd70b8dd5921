"""A request for an aggregate report, checked as the OpenAPI file has it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.spotify_ads.parameters import MAX_LIMIT
from tap_adstage.sandbox.spotify_ads.refusals import Refusal
from tap_adstage.sandbox.spotify_ads.world.entities import KINDS
from tap_adstage.sandbox.spotify_ads.world.metrics import FIELDS

if TYPE_CHECKING:
    from tap_adstage.sandbox.spotify_ads.parameters import Parameters

PARAMETERS = (
    *("entity_type", "fields", "report_start", "report_end", "granularity"),
    *("include_parent_entity", "entity_ids", "entity_ids_type"),
    *("entity_status_type", "statuses", "continuation_token", "limit"),
)
MAX_IDS = 50
MAX_DAYS = {"DAY": 89, "LIFETIME": 90}
"""The most days of a report, both ends inclusive."""

HOURS_BACK = dt.timedelta(days=14)
"""How far back hours are kept, from the hour that it is."""

STATUSES = {
    "CAMPAIGN": ("ACTIVE", "ARCHIVED", "PAUSED"),
    "AD_SET": (
        *("ACTIVE", "APPROVED", "ARCHIVED", "COMPLETED", "PENDING_APPROVAL"),
        *("PENDING_ADVERTISER_APPROVAL", "READY", "REJECTED"),
    ),
    "AD": (
        *("APPROVED", "ARCHIVED", "PENDING", "PENDING_APPROVAL"),
        *("PENDING_ADVERTISER_APPROVAL", "REJECTED"),
    ),
}
"""The statuses by which a report of each kind can be filtered."""


@dataclass(frozen=True)
class ReportRequest:
    """A request for an aggregate report.

    Attributes:
        account_id: The ad account in the path.
        kind: The entities' kind.
        fields: Names of metrics; one that is asked for twice is there twice.
        granularity: `LIFETIME`, `DAY` or `HOUR`.
        start: First day or hour; None for the whole lifetime.
        end: Last day or hour, inclusive.
        ids: The entities, or those that they are in; empty for all.
        statuses: Of the entities; empty for all.
        with_parents: Whether rows name the entity's parent.
        limit: Rows on a page.
    """

    account_id: str
    kind: str
    fields: tuple[str, ...]
    granularity: str
    start: dt.datetime | None
    end: dt.datetime | None
    ids: tuple[str, ...]
    statuses: tuple[str, ...]
    with_parents: bool
    limit: int


def parse_report_request(
    parameters: Parameters, account_id: str, now: dt.datetime
) -> ReportRequest:
    """Return the request that the parameters make.

    Raises:
        Refusal: The OpenAPI file doesn't allow it.
    """
    kind = parameters.choice("entity_type", KINDS)
    if kind is None:
        raise Refusal("entity_type: required without a continuation_token")
    fields = parameters.choices("fields", FIELDS)
    if not fields:
        raise Refusal("fields: required without a continuation_token")
    granularity = parameters.choice("granularity", (*MAX_DAYS, "HOUR"), "LIFETIME")
    granularity = granularity or ""
    start, end = _range(parameters, granularity, now)
    with_parents = parameters.boolean("include_parent_entity")
    if with_parents and kind in {"AD_ACCOUNT", "CAMPAIGN"}:
        raise Refusal(f"include_parent_entity: not valid for {kind}")
    return ReportRequest(
        account_id=account_id,
        kind=kind,
        fields=tuple(fields),
        granularity=granularity,
        start=start,
        end=end,
        ids=_ids(parameters, kind, granularity),
        statuses=_statuses(parameters, kind),
        with_parents=with_parents,
        limit=parameters.integer("limit", MAX_LIMIT, 1, MAX_LIMIT),
    )


def _range(
    parameters: Parameters, granularity: str, now: dt.datetime
) -> tuple[dt.datetime | None, dt.datetime | None]:
    start, end = parameters.moment("report_start"), parameters.moment("report_end")
    if start is None and end is None and granularity == "LIFETIME":
        return None, None
    if start is None or end is None:
        raise Refusal(f"report_start, report_end: {granularity} needs both here")
    if granularity == "LIFETIME":
        start, end = (
            moment.replace(hour=0, minute=0, second=0) for moment in (start, end)
        )
    if end < start:
        raise Refusal("report_end: before report_start")
    for name, moment in (("report_start", start), ("report_end", end)):
        if moment.minute or moment.second:
            raise Refusal(f"{name}: not a whole hour")
        if granularity == "DAY" and moment.hour:
            raise Refusal(f"{name}: DAY needs midnights in UTC")
    if granularity == "HOUR":
        _check_hours(start, now)
    elif (end - start).days + 1 > MAX_DAYS[granularity]:
        raise Refusal(
            "report_start, report_end: must be within 90 days of each other; "
            f"{granularity} takes at most {MAX_DAYS[granularity]} days here"
        )
    return start, end


def _check_hours(start: dt.datetime, now: dt.datetime) -> None:
    first = now.replace(minute=0, second=0, microsecond=0) - HOURS_BACK
    if start < first:
        raise Refusal("report_start: the range must be within the last 2 weeks")


def _ids(parameters: Parameters, kind: str, granularity: str) -> tuple[str, ...]:
    ids = parameters.uuids("entity_ids")
    ids_type = parameters.choice("entity_ids_type", KINDS)
    if kind == "AD_ACCOUNT" and (ids or ids_type is not None):
        raise Refusal("entity_ids, entity_ids_type: not valid for AD_ACCOUNT")
    if len(ids) > MAX_IDS:
        raise Refusal(f"entity_ids: {len(ids)} ids are more than {MAX_IDS}")
    if ids and ids_type is None:
        raise Refusal("entity_ids_type: required with entity_ids")
    if ids_type is not None and not ids:
        raise Refusal("entity_ids_type: needs entity_ids")
    if granularity != "LIFETIME" and kind != "AD_ACCOUNT":
        if not ids:
            raise Refusal(f"entity_ids: required for {granularity}")
        if ids_type != kind:
            raise Refusal(f"entity_ids_type: must be {kind} for {granularity}")
    if ids_type is not None and KINDS.index(ids_type) > KINDS.index(kind):
        raise Refusal(f"entity_ids_type: {ids_type} is in {kind}")
    return tuple(ids)


def _statuses(parameters: Parameters, kind: str) -> tuple[str, ...]:
    status_type = parameters.choice("entity_status_type", KINDS)
    if not parameters.values("statuses") and status_type is None:
        return ()
    if kind == "AD_ACCOUNT":
        raise Refusal("statuses, entity_status_type: not valid for AD_ACCOUNT")
    statuses = parameters.choices("statuses", STATUSES[kind])
    if status_type is None or not statuses:
        raise Refusal("statuses, entity_status_type: give both or none")
    if status_type != kind:
        raise Refusal(f"entity_status_type: must be {kind}")
    return tuple(statuses)
