"""V2 report requests: what the API accepts, and why it refuses others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.sandbox.adstage.hal import MAX_LIMIT
from tap_adstage.sandbox.adstage.reports.body_values import (
    boolean,
    check_keys,
    one_of,
    optional_one_of,
    page,
    refuse,
    strings,
    text,
)
from tap_adstage.sandbox.adstage.reports.fields import FieldNames
from tap_adstage.sandbox.adstage.reports.filters import parse_filters
from tap_adstage.sandbox.adstage.reports.request import ReportRequest, Summaries
from tap_adstage.sandbox.adstage.reports.slices import resolve_date_range, slices_of
from tap_adstage.sandbox.adstage.reports.statuses import STATUS_FILTERS
from tap_adstage.sandbox.adstage.reports.targets import parse_targets
from tap_adstage.sandbox.world.entities import LEVELS
from tap_adstage.sandbox.world.meta_fields import META_FIELDS
from tap_adstage.sandbox.world.metrics import METRICS
from tap_adstage.sandbox.world.names import NETWORKS
from tap_adstage.sandbox.world.providers import Provider

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tap_adstage.sandbox.world.measures import Slice
    from tap_adstage.sandbox.world.world import World

_ADSTAGE = Provider("adstage", METRICS, META_FIELDS, {})

_REQUIRED = ("version", "date_range", "output_format", "sources", "fields", "sort_by")
_SUMMARY_KEYS = ("summarize_on", "summary_fields", "summary_format")
_OPTIONAL = (
    "aggregate_by",
    "filters",
    "group_by",
    "ignore_precision",
    "limit",
    "offset",
    "order",
    "page_token",
    "relative_to_datetime",
    "relative_to_time_zone",
    "statuses",
    *_SUMMARY_KEYS,
    "forms",  # the API's own forms have these last two, always null
    "links",
)
_FORMATS = ("row", "series")


def parse_report_request(
    body: object, world: World, organization_id: int, now: dt.datetime
) -> ReportRequest:
    """Return the request of a body.

    Args:
        body: The parsed JSON body.
        world: The data.
        organization_id: The organization whose endpoint was called.
        now: The current moment, with a time zone.

    Raises:
        RefusedRequest: The API's documentation does not allow it.
    """
    if not isinstance(body, dict):
        refuse("the body must be a JSON object")
    _check_body(body)
    output_format, aggregate_by = _output(body)
    metrics_source = _metrics_source(body["sources"])
    level = one_of(metrics_source, "entity_level", LEVELS)
    networks = _networks(metrics_source["networks"])
    names = FieldNames(_ADSTAGE, world.user.fetch_id)
    fields = names.parse_many(body["fields"], "fields")
    days = _days(body, now)
    limit, offset = page(body, MAX_LIMIT)
    return ReportRequest(
        body=body,
        days=days,
        slices=slices_of(days, aggregate_by),
        output_format=output_format,
        aggregate_by=aggregate_by,
        targets=parse_targets(
            metrics_source.get("targets"), level, world, organization_id
        ),
        networks=networks,
        entity_level=level,
        fields=fields,
        filters=parse_filters(body.get("filters"), names),
        summaries=_summaries(body, fields, aggregate_by, names),
        sort_by=names.parse_sort_by(body["sort_by"]),
        descending=optional_one_of(body, "order", ("asc", "desc")) != "asc",
        group_by=names.parse_group_by(body.get("group_by")),
        ignore_precision=boolean(body, "ignore_precision"),
        limit=limit,
        offset=offset,
        statuses=STATUS_FILTERS[
            optional_one_of(body, "statuses", tuple(STATUS_FILTERS)) or "all_visible"
        ],
        provider=_ADSTAGE,
    )


def _check_body(body: Mapping[str, Any]) -> None:
    check_keys(body, "the body", _REQUIRED, _OPTIONAL)
    if body["version"] != "2":
        refuse(f'version must be "2", not {body["version"]!r}')
    text(body, "date_range")


def _output(body: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return output format and `aggregate_by`, which a series needs."""
    output_format = one_of(body, "output_format", _FORMATS)
    aggregate_by = optional_one_of(body, "aggregate_by", ("day", "week", "month"))
    if output_format == "series" and aggregate_by is None:
        refuse("output_format series needs aggregate_by: day, week or month")
    return output_format, aggregate_by


def _days(body: Mapping[str, Any], now: dt.datetime) -> Slice:
    return resolve_date_range(
        body["date_range"],
        now=now,
        relative_to_datetime=body.get("relative_to_datetime"),
        relative_to_time_zone=body.get("relative_to_time_zone"),
    )


def _metrics_source(sources: object) -> Mapping[str, Any]:
    if not isinstance(sources, dict):
        refuse(f"sources must be an object, not {sources!r}")
    check_keys(sources, "sources", ("metrics",), ())
    metrics = sources["metrics"]
    if not isinstance(metrics, dict):
        refuse(f"sources.metrics must be an object, not {metrics!r}")
    check_keys(metrics, "sources.metrics", ("networks", "entity_level"), ("targets",))
    return metrics


def _networks(value: object) -> frozenset[str]:
    where = "sources.metrics.networks"
    networks = strings(value, where)
    if not networks:
        refuse(f"{where} must name at least one network")
    for network in networks:
        if network in {"gemini", "google_analytics"}:
            refuse(f"{where}: {network} is not available in cross-network reports")
        if network not in NETWORKS:
            refuse(f"{where}: unknown {network!r}; use {', '.join(NETWORKS)}")
    return frozenset(networks)


def _summaries(
    body: Mapping[str, Any],
    fields: Sequence[str],
    aggregate_by: str | None,
    names: FieldNames,
) -> Summaries | None:
    present = [key for key in _SUMMARY_KEYS if body.get(key) is not None]
    if not present:
        return None
    if len(present) < len(_SUMMARY_KEYS):
        keys = ", ".join(_SUMMARY_KEYS)
        refuse(f"{keys} go together; the request has only {', '.join(present)}")
    on = strings(body["summarize_on"], "summarize_on")
    for name in on:
        if name not in {"page", "filtered"}:
            refuse(f"summarize_on takes page and filtered, not {name!r}")
    if not on:
        refuse("summarize_on must not be empty")
    summary_fields = names.parse_many(body["summary_fields"], "summary_fields")
    for name in summary_fields:
        if name not in fields:
            refuse(f"summary_fields: {name!r} is not among fields")
    summary_format = one_of(body, "summary_format", _FORMATS)
    if summary_format == "series" and aggregate_by is None:
        refuse("summary_format series needs aggregate_by: day, week or month")
    return Summaries(tuple(dict.fromkeys(on)), summary_fields, summary_format)
