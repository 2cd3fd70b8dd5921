"""V2 report requests: what the API takes, and what it refuses and why."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tap_adstage.sandbox import page_tokens
from tap_adstage.sandbox.entities import LEVELS, STATUS_FILTERS
from tap_adstage.sandbox.filters import Filter, parse_filters
from tap_adstage.sandbox.meta import LIST_FIELDS, META_FIELDS, OBJECT_FIELDS
from tap_adstage.sandbox.metrics import METRICS
from tap_adstage.sandbox.names import NETWORKS
from tap_adstage.sandbox.refusals import RefusedRequest
from tap_adstage.sandbox.report_times import resolve_date_range, slices_of
from tap_adstage.sandbox.targets import parse_targets

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from tap_adstage.sandbox.measures import Slice
    from tap_adstage.sandbox.metrics import Metric
    from tap_adstage.sandbox.targets import Target
    from tap_adstage.sandbox.world import World

MAX_LIMIT = 1000

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
    "forms",  # the last two stand in the forms of the API itself, always null
    "links",
)
_FORMATS = ("row", "series")


@dataclass(frozen=True)
class Summaries:
    """What to sum up: `page` and/or `filtered`, which fields, and in which format."""

    on: tuple[str, ...]
    fields: tuple[str, ...]
    format: str


@dataclass(frozen=True)
class ReportRequest:
    """A report request that can be answered.

    Attributes:
        body: The JSON body as it came, which forms repeat in part.
        days: The requested range.
        slices: The parts of the range that are reported on, one without `aggregate_by`.
        fields: The requested fields, without repetitions, in the order asked for.
        sort_by: A metric or meta field.
        targets: None for all that the organization has.
    """

    body: Mapping[str, Any]
    days: Slice
    slices: tuple[tuple[Slice, Slice], ...]
    output_format: str
    aggregate_by: str | None
    targets: tuple[Target, ...] | None
    networks: frozenset[str]
    entity_level: str
    fields: tuple[str, ...]
    filters: tuple[Filter, ...]
    summaries: Summaries | None
    sort_by: str
    descending: bool
    group_by: str | None
    ignore_precision: bool
    limit: int
    offset: int
    statuses: frozenset[str]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The requested fields that are metrics."""
        return tuple(METRICS[name] for name in self.fields if name in METRICS)

    @property
    def meta_fields(self) -> tuple[str, ...]:
        """The requested fields that are meta fields."""
        return tuple(name for name in self.fields if name not in METRICS)


def parse_report_request(
    body: object, world: World, organization_id: int, now: dt.datetime
) -> ReportRequest:
    """Return the request that a body makes.

    Args:
        body: The parsed JSON body.
        world: What there is to report on.
        organization_id: The organization whose endpoint was called.
        now: The current moment, with a time zone.

    Raises:
        RefusedRequest: The API's documentation does not allow it.
    """
    if not isinstance(body, dict):
        _refuse("the body must be a JSON object")
    _check_keys(body, "the body", _REQUIRED, _OPTIONAL)
    if body["version"] != "2":
        _refuse(f'version must be "2", not {body["version"]!r}')
    _text(body, "date_range")
    output_format = _one_of(body, "output_format", _FORMATS)
    aggregate_by = _optional_one_of(body, "aggregate_by", ("day", "week", "month"))
    if output_format == "series" and aggregate_by is None:
        _refuse("output_format series needs aggregate_by: day, week or month")
    metrics_source = _metrics_source(body["sources"])
    level = _one_of(metrics_source, "entity_level", LEVELS)
    networks = _networks(metrics_source["networks"])
    user_id = world.user.fetch_id
    fields = _fields(body["fields"], "fields", user_id)
    days = resolve_date_range(
        body["date_range"],
        now=now,
        relative_to_datetime=body.get("relative_to_datetime"),
        relative_to_time_zone=body.get("relative_to_time_zone"),
    )
    limit, offset = _page(body)
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
        filters=parse_filters(body.get("filters"), user_id),
        summaries=_summaries(body, fields, aggregate_by, user_id),
        sort_by=_field(body["sort_by"], "sort_by", user_id),
        descending=_optional_one_of(body, "order", ("asc", "desc")) != "asc",
        group_by=_group_by(body.get("group_by"), user_id),
        ignore_precision=_boolean(body, "ignore_precision"),
        limit=limit,
        offset=offset,
        statuses=STATUS_FILTERS[
            _optional_one_of(body, "statuses", tuple(STATUS_FILTERS)) or "all_visible"
        ],
    )


def _refuse(message: str) -> NoReturn:
    raise RefusedRequest(message)


def _check_keys(
    value: Mapping[str, Any],
    where: str,
    required: Sequence[str],
    optional: Sequence[str],
) -> None:
    for key in required:
        if value.get(key) is None:
            _refuse(f"{where} has no {key}, which is required")
    for key in value:
        if key not in required and key not in optional:
            allowed = ", ".join(sorted((*required, *optional)))
            _refuse(f"{where} has an unknown key {key!r}; known are {allowed}")


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body[key]
    if not isinstance(value, str):
        _refuse(f"{key} must be a string, not {value!r}")
    return value


def _one_of(body: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
    value = body[key]
    if value not in allowed:
        _refuse(f"{key} must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def _optional_one_of(
    body: Mapping[str, Any], key: str, allowed: Sequence[str]
) -> str | None:
    return None if body.get(key) is None else _one_of(body, key, allowed)


def _boolean(body: Mapping[str, Any], key: str) -> bool:
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        _refuse(f"{key} must be true or false, not {value!r}")
    return bool(value)


def _strings(value: object, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        _refuse(f"{where} must be an array of strings, not {value!r}")
    return value


def _metrics_source(sources: object) -> Mapping[str, Any]:
    if not isinstance(sources, dict):
        _refuse(f"sources must be an object, not {sources!r}")
    _check_keys(sources, "sources", ("metrics",), ())
    metrics = sources["metrics"]
    if not isinstance(metrics, dict):
        _refuse(f"sources.metrics must be an object, not {metrics!r}")
    _check_keys(metrics, "sources.metrics", ("networks", "entity_level"), ("targets",))
    return metrics


def _networks(value: object) -> frozenset[str]:
    where = "sources.metrics.networks"
    networks = _strings(value, where)
    if not networks:
        _refuse(f"{where} must name at least one network")
    for network in networks:
        if network in {"gemini", "google_analytics"}:
            _refuse(f"{where}: {network} is not available in cross-network reports")
        if network not in NETWORKS:
            _refuse(f"{where}: {network!r} is none of {', '.join(NETWORKS)}")
    return frozenset(networks)


def _field(value: object, where: str, user_id: int) -> str:
    """Return the name of a metric, or of a meta field without the user in it."""
    if not isinstance(value, str):
        _refuse(f"{where} must be the name of a field, not {value!r}")
    name = value.removesuffix(f".{user_id}")
    if name != value and name not in LIST_FIELDS:
        name = value
    if name not in METRICS and name not in META_FIELDS:
        _refuse(f"{where}: there is no metric or meta field {value!r}")
    return name


def _fields(value: object, where: str, user_id: int) -> tuple[str, ...]:
    names = _strings(value, where)
    if not names:
        _refuse(f"{where} must not be empty")
    return tuple(dict.fromkeys(_field(name, where, user_id) for name in names))


def _group_by(value: object, user_id: int) -> str | None:
    if value is None:
        return None
    name = _field(value, "group_by", user_id)
    if name in METRICS or name in OBJECT_FIELDS:
        _refuse(f"group_by must be a meta field with simple values, not {value!r}")
    return name


def _summaries(
    body: Mapping[str, Any],
    fields: Sequence[str],
    aggregate_by: str | None,
    user_id: int,
) -> Summaries | None:
    given = [key for key in _SUMMARY_KEYS if body.get(key) is not None]
    if not given:
        return None
    if len(given) < len(_SUMMARY_KEYS):
        _refuse(f"{', '.join(_SUMMARY_KEYS)} go together; only {given} came")
    on = _strings(body["summarize_on"], "summarize_on")
    for name in on:
        if name not in {"page", "filtered"}:
            _refuse(f"summarize_on takes page and filtered, not {name!r}")
    if not on:
        _refuse("summarize_on must not be empty")
    summary_fields = _fields(body["summary_fields"], "summary_fields", user_id)
    for name in summary_fields:
        if name not in fields:
            _refuse(f"summary_fields: {name!r} is not among fields")
    summary_format = _one_of(body, "summary_format", _FORMATS)
    if summary_format == "series" and aggregate_by is None:
        _refuse("summary_format series needs aggregate_by: day, week or month")
    return Summaries(tuple(dict.fromkeys(on)), summary_fields, summary_format)


def _page(body: Mapping[str, Any]) -> tuple[int, int]:
    """Return limit and offset, from the page token where there is one."""
    token = body.get("page_token")
    if token is not None:
        if not isinstance(token, str):
            _refuse(f"page_token must be a string, not {token!r}")
        try:
            limit, offset = page_tokens.decode(token)
        except (ValueError, binascii.Error):
            _refuse(f"page_token {token!r} was not made by this API")
        where = "page_token: "
    else:
        limit = MAX_LIMIT if body.get("limit") is None else body["limit"]
        offset = 0 if body.get("offset") is None else body["offset"]
        where = ""
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        _refuse(f"{where}limit must be from 1 to {MAX_LIMIT}, not {limit!r}")
    if type(offset) is not int or offset < 0:
        _refuse(f"{where}offset must be 0 or more, not {offset!r}")
    return limit, offset
