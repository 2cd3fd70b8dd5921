"""Insight reports: lifetime metrics of a campaign or ad set by its audience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_adstage.sandbox.spotify_ads.refusals import Refusal
from tap_adstage.sandbox.spotify_ads.report_request import STATUSES
from tap_adstage.sandbox.spotify_ads.report_rows import stats_of
from tap_adstage.sandbox.spotify_ads.world.audiences import (
    AUDIENCES,
    UNSET,
    audience_rows,
    insight_obstacle,
)
from tap_adstage.sandbox.spotify_ads.world.metrics import FIELDS, SUMS

if TYPE_CHECKING:
    import datetime as dt

    from tap_adstage.sandbox.spotify_ads.parameters import Parameters
    from tap_adstage.sandbox.spotify_ads.world.audiences import AudienceRow
    from tap_adstage.sandbox.spotify_ads.world.entities import Entity

INSIGHT_PARAMETERS = (
    *("insight_dimension", "fields", "entity_ids", "entity_ids_type"),
    *("entity_status_type", "statuses"),
)
BARRED_FIELDS = (
    *("E_CPCL", "FREQUENCY", "OFF_SPOTIFY_IMPRESSIONS", "PAID_LISTENS_FREQUENCY"),
    *("SKIPS", "SPEND", "STARTS", "UNMUTES"),
)


@dataclass(frozen=True)
class InsightRequest:
    """A request for an insight report.

    Attributes:
        dimension: What the audience is divided by.
        fields: Names of metrics.
        kind: `CAMPAIGN` or `AD_SET`.
        entity_id: Of the one campaign or ad set.
        statuses: Of the entity; empty for any.
    """

    dimension: str
    fields: tuple[str, ...]
    kind: str
    entity_id: str
    statuses: tuple[str, ...]


def parse_insight_request(parameters: Parameters) -> InsightRequest:
    """Return the request that the parameters make.

    Raises:
        Refusal: The OpenAPI file doesn't allow it.
    """
    dimension = parameters.choice("insight_dimension", AUDIENCES)
    if dimension is None:
        raise Refusal("insight_dimension: required")
    fields = parameters.choices("fields", FIELDS)
    if not fields:
        raise Refusal("fields: required")
    barred = sorted(set(fields) & set(BARRED_FIELDS))
    if barred:
        raise Refusal(f"fields: not allowed in insight reports: {', '.join(barred)}")
    ids = parameters.uuids("entity_ids")
    if len(ids) != 1:
        raise Refusal(f"entity_ids: takes exactly one id, not {len(ids)}")
    kind = parameters.choice("entity_ids_type", ("AD_SET", "CAMPAIGN"))
    if kind is None:
        raise Refusal("entity_ids_type: required with entity_ids")
    status_type = parameters.choice("entity_status_type", ("AD_SET",))
    statuses = parameters.choices("statuses", STATUSES["AD_SET"])
    if bool(statuses) != (status_type is not None):
        raise Refusal("statuses, entity_status_type: give both or none")
    return InsightRequest(dimension, tuple(fields), kind, ids[0], tuple(statuses))


def build_insight_report(
    insight: InsightRequest, account: Entity, today: dt.date
) -> dict[str, Any]:
    """Return the answer to a request.

    Raises:
        Refusal: The entity is not in the account, or has too little data.
    """
    for entity in account.descendants(insight.kind):
        if entity.id == insight.entity_id:
            break
    else:
        raise Refusal(f"entity_ids: no {insight.kind} {insight.entity_id} here")
    obstacle = insight_obstacle(entity, today)
    if obstacle is not None:
        raise Refusal(
            "No insights for this entity yet",
            status=422,
            code=f"ILLEGAL.INSIGHT_REPORT.{obstacle}",
            definition="Poll no more than once a day.",
        )
    rows = audience_rows(entity, insight.dimension, insight.fields, today)
    if insight.statuses and entity.status not in insight.statuses:
        rows = []
    return {
        "granularity": "LIFETIME",
        "entity": insight.kind,
        "insight": insight.dimension,
        "rows": [_row_body(row, insight.fields) for row in rows],
        "summary_totals": [
            {"stat": field, "value": _total(rows, field)} for field in insight.fields
        ],
    }


def _row_body(row: AudienceRow, fields: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": row.entity.id,
        "name": row.entity.name,
        "status": row.entity.status,
        "insight_value": row.audience,
        "stats": stats_of(row, fields),
    }


def _total(rows: list[AudienceRow], field: str) -> float:
    """Return the sum of a metric over the known audiences, 0 if it can't be summed."""
    if field not in SUMS:
        return 0
    return sum(row.value(field) for row in rows if row.audience != UNSET)
