"""V1 report requests: what the API accepts, and why it refuses others."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_adstage.sandbox.adstage.reports.body_values import (
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
from tap_adstage.sandbox.adstage.reports.request import ReportRequest
from tap_adstage.sandbox.adstage.reports.slices import resolve_date_range, slices_of
from tap_adstage.sandbox.adstage.reports.statuses import STATUS_FILTERS, STATUS_WORDS
from tap_adstage.sandbox.adstage.reports.targets import (
    V1_KINDS,
    parse_provider_target,
    parse_targets,
)
from tap_adstage.sandbox.world.entities import LEVELS
from tap_adstage.sandbox.world.meta_fields import META_FIELDS
from tap_adstage.sandbox.world.metrics import METRICS
from tap_adstage.sandbox.world.names import NETWORKS, PROVIDER_NETWORK_NAMES
from tap_adstage.sandbox.world.providers import EXTERNAL, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_adstage.sandbox.adstage.reports.targets import Target
    from tap_adstage.sandbox.world.measures import Slice
    from tap_adstage.sandbox.world.world import World

DEFAULT_LIMIT = 10

_REQUIRED = ("date_range", "entity_level")
_OPTIONAL = (
    "aggregate_by",
    "dimensions",
    "fields",
    "filters",
    "group_by",
    "limit",
    "networks",
    "offset",
    "order",
    "page_token",
    "provider",
    "query",
    "relative_to",
    "relative_to_datetime",
    "relative_to_time_zone",
    "sort_by",
    "statuses",
    "targets",
)
V1_KEYS = (*_REQUIRED, *_OPTIONAL)
"""All keys of a request."""

_ADSTAGE = Provider(
    "adstage",
    {name: metric for name, metric in METRICS.items() if not metric.is_calculated},
    META_FIELDS,
    {},
)
_PROVIDERS = {_ADSTAGE.name: _ADSTAGE, **EXTERNAL}
_LOCAL_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")


def body_of_query(query: Mapping[str, str]) -> dict[str, Any]:
    """Return the request body that is equivalent to the query of a page's link.

    Raises:
        RefusedRequest: A value is not the number or the JSON that it must be.
    """
    readers: dict[str, Callable[[str], object]] = {
        "limit": int,
        "offset": int,
        "filters": json.loads,
        "query": json.loads,
        "fields": _comma_separated,
        "targets": _comma_separated,
        "dimensions": _comma_separated,
    }

    def read(key: str, value: str) -> object:
        try:
            return readers.get(key, str)(value)
        except ValueError:
            refuse(f"{key}: invalid value {value!r}")

    return {key: read(key, value) for key, value in query.items()}


def parse_v1_report_request(
    body: object,
    world: World,
    organization_id: int,
    now: dt.datetime,
    *,
    rounding: bool,
) -> ReportRequest:
    """Return the request of a body.

    Args:
        body: The parsed JSON body.
        world: The data.
        organization_id: The organization whose endpoint was called.
        now: The current moment, with a time zone.
        rounding: Whether numbers are rounded to their metric's precision.

    Raises:
        RefusedRequest: The API's documentation does not allow it.
    """
    if not isinstance(body, dict):
        refuse("the body must be a JSON object")
    check_keys(body, "the body", _REQUIRED, _OPTIONAL)
    _check_query(body.get("query"))
    provider = _PROVIDERS[
        optional_one_of(body, "provider", tuple(_PROVIDERS)) or "adstage"
    ]
    aggregate_by = optional_one_of(body, "aggregate_by", ("day", "week", "month"))
    names = FieldNames(provider, world.user.fetch_id)
    parsed = _V1Body(body, provider, names)
    level = parsed.level()
    days = parsed.days(now)
    limit, offset = page(body, DEFAULT_LIMIT)
    return ReportRequest(
        body=body,
        days=days,
        slices=_widened(days, aggregate_by),
        output_format="row" if aggregate_by is None else "series",
        aggregate_by=aggregate_by,
        targets=parsed.targets(level, world, organization_id),
        networks=parsed.networks(),
        entity_level=level,
        fields=parsed.fields(),
        filters=parse_filters(body.get("filters"), names),
        summaries=None,
        sort_by=parsed.sort_by(),
        descending=optional_one_of(body, "order", ("asc", "desc")) != "asc",
        group_by=names.parse_group_by(body.get("group_by")),
        ignore_precision=not rounding,
        limit=limit,
        offset=offset,
        statuses=_statuses(body.get("statuses")),
        provider=provider,
        dimensions=parsed.dimensions(),
    )


@dataclass(frozen=True)
class _V1Body:
    """Reads the values of a body that depend on the provider."""

    body: Mapping[str, Any]
    provider: Provider
    names: FieldNames

    def level(self) -> str:
        level = one_of(self.body, "entity_level", LEVELS)
        if level not in self.provider.levels:
            allowed = ", ".join(self.provider.levels)
            refuse(f"entity_level: {self.provider.name} has {allowed}, not {level}")
        return level

    def days(self, now: dt.datetime) -> Slice:
        moment, zone = _relative_to(self.body.get("relative_to"))
        return resolve_date_range(
            text(self.body, "date_range"),
            now=now,
            relative_to_datetime=self.body.get("relative_to_datetime") or moment,
            relative_to_time_zone=self.body.get("relative_to_time_zone") or zone,
        )

    def targets(
        self, level: str, world: World, organization_id: int
    ) -> tuple[Target, ...] | None:
        value, name = self.body.get("targets"), self.provider.name
        if self.provider.is_external:
            return parse_provider_target(value, name, world, organization_id)
        return parse_targets(value, level, world, organization_id, kinds=V1_KINDS)

    def networks(self) -> frozenset[str]:
        """Return the networks, by default all of the provider."""
        value, name = self.body.get("networks"), self.provider.name
        if value is None:
            return frozenset({name} if self.provider.is_external else NETWORKS)
        names = _comma_separated(value) if isinstance(value, str) else value
        networks = frozenset(strings(names, "networks"))
        if not networks:
            refuse("networks must name at least one network or be omitted")
        for network in networks:
            if network not in (*NETWORKS, *PROVIDER_NETWORK_NAMES):
                refuse(f"networks: unknown {network!r}; use {', '.join(NETWORKS)}")
            if network in PROVIDER_NETWORK_NAMES and not self.provider.is_external:
                refuse(f"networks: {network} is not available in cross-network reports")
        if self.provider.is_external and name not in networks:
            refuse(f"networks: provider {name} reports on {name} alone")
        return networks

    def fields(self) -> tuple[str, ...]:
        """Return the fields; the default is all for a series, else the common ones."""
        value = self.body.get("fields")
        if value is not None:
            return self.names.parse_many(value, "fields")
        if self.body.get("aggregate_by") is not None:
            return self.provider.fields
        return tuple(
            metric.id
            for metric in self.provider.metrics.values()
            if metric.category == "PERFORMANCE"
        )

    def sort_by(self) -> str:
        """Return the field to sort by; the default is clicks, else the first metric."""
        value = self.body.get("sort_by")
        if value is not None:
            return self.names.parse_sort_by(value)
        metrics = self.provider.metrics
        return "clicks" if "clicks" in metrics else next(iter(metrics))

    def dimensions(self) -> tuple[str, ...]:
        value = self.body.get("dimensions")
        names = [] if value is None else strings(value, "dimensions")
        if names and not self.provider.is_external:
            refuse("dimensions: the provider adstage has no dimensions")
        for name in names:
            if name not in self.provider.dimensions:
                allowed = ", ".join(self.provider.dimensions)
                provider = self.provider.name
                refuse(f"dimensions: unknown {name!r}; {provider} has {allowed}")
        return tuple(dict.fromkeys(names))


def _widened(days: Slice, aggregate_by: str | None) -> tuple[tuple[Slice, Slice], ...]:
    """Return slices of which all days count, even those outside of the range."""
    return tuple(
        (whole, whole if aggregate_by else part)
        for whole, part in slices_of(days, aggregate_by)
    )


def _relative_to(value: object) -> tuple[str | None, str | None]:
    """Return the local time or the time zone in the deprecated key."""
    if value is None:
        return None, None
    if not isinstance(value, str):
        refuse(f"relative_to must be a string, not {value!r}")
    for form in _LOCAL_TIMES:
        with suppress(ValueError):
            dt.datetime.strptime(value, form)  # noqa: DTZ007 (local time)
            return value, None
    return None, value


def _statuses(value: object) -> frozenset[str]:
    """Return the entity statuses of a filter's name, or of the words in a link."""
    if value is None:
        return STATUS_FILTERS["all_visible"]
    if not isinstance(value, str):
        refuse(f"statuses must be one of {', '.join(STATUS_FILTERS)}, not {value!r}")
    if value in STATUS_FILTERS:
        return STATUS_FILTERS[value]
    statuses = set()
    for word in _comma_separated(value):
        if word not in STATUS_WORDS:
            allowed = ", ".join((*STATUS_FILTERS, *STATUS_WORDS))
            refuse(f"statuses: unknown {word!r}; use one of {allowed}")
        statuses.add(STATUS_WORDS[word])
    return frozenset(status for status in statuses if status is not None)


def _comma_separated(value: str) -> list[str]:
    return [item.strip() for item in value.split(",")]


def _check_query(query: object) -> None:
    if query is None or isinstance(query, bool):
        return
    if not isinstance(query, dict):
        refuse(f"query must be true or an object of queries, not {query!r}")
    for subquery in query.values():
        _check_query(subquery)
