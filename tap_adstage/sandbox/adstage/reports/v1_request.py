"""V1 report requests: what the API takes, and what it refuses and why."""

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
from tap_adstage.sandbox.adstage.reports.targets import (
    V1_KINDS,
    parse_provider_target,
    parse_targets,
)
from tap_adstage.sandbox.world.entities import LEVELS, STATUS_FILTERS, STATUS_WORDS
from tap_adstage.sandbox.world.names import NETWORKS, PROVIDER_NETWORK_NAMES
from tap_adstage.sandbox.world.providers import ADSTAGE_V1, EXTERNAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_adstage.sandbox.adstage.reports.targets import Target
    from tap_adstage.sandbox.world.measures import Slice
    from tap_adstage.sandbox.world.providers import Provider
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
"""Everything that a request can say."""

_PROVIDERS = {ADSTAGE_V1.name: ADSTAGE_V1, **EXTERNAL}
_LOCAL_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")


def body_of_query(query: Mapping[str, str]) -> dict[str, Any]:
    """Return the request body that says the same as the query of a page's link.

    Raises:
        RefusedRequest: A number is none, or JSON is none.
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
            refuse(f"{key} cannot be read from {value!r}")

    return {key: read(key, value) for key, value in query.items()}


def parse_v1_report_request(
    body: object,
    world: World,
    organization_id: int,
    now: dt.datetime,
    *,
    rounding: bool,
) -> ReportRequest:
    """Return the request that a body makes.

    Args:
        body: The parsed JSON body.
        world: What there is to report on.
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
        group_by=names.to_group_by(body.get("group_by")),
        ignore_precision=not rounding,
        limit=limit,
        offset=offset,
        statuses=_statuses(body.get("statuses")),
        provider=provider,
        dimensions=parsed.dimensions(),
    )


@dataclass(frozen=True)
class _V1Body:
    """Reads those values of a body that depend on the provider."""

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
        """Return the networks, all that the provider has by default."""
        value, name = self.body.get("networks"), self.provider.name
        if value is None:
            return frozenset({name} if self.provider.is_external else NETWORKS)
        names = _comma_separated(value) if isinstance(value, str) else value
        networks = frozenset(strings(names, "networks"))
        if not networks:
            refuse("networks must name at least one network or be left out")
        for network in networks:
            if network not in (*NETWORKS, *PROVIDER_NETWORK_NAMES):
                refuse(f"networks: {network!r} is none of {', '.join(NETWORKS)}")
            if network in PROVIDER_NETWORK_NAMES and not self.provider.is_external:
                refuse(f"networks: {network} is not available in cross-network reports")
        if self.provider.is_external and name not in networks:
            refuse(f"networks: provider {name} reports on {name} alone")
        return networks

    def fields(self) -> tuple[str, ...]:
        """Return the fields: by default the most common ones, of series all."""
        value = self.body.get("fields")
        if value is not None:
            return self.names.several(value, "fields")
        if self.body.get("aggregate_by") is not None:
            return self.provider.fields
        return tuple(
            metric.id
            for metric in self.provider.metrics.values()
            if metric.category == "PERFORMANCE"
        )

    def sort_by(self) -> str:
        """Return the field to sort by, the first metric by default: clicks mostly."""
        value = self.body.get("sort_by")
        if value is not None:
            return self.names.to_sort_by(value)
        metrics = self.provider.metrics
        return "clicks" if "clicks" in metrics else next(iter(metrics))

    def dimensions(self) -> tuple[str, ...]:
        value = self.body.get("dimensions")
        names = [] if value is None else strings(value, "dimensions")
        if names and not self.provider.is_external:
            refuse("dimensions: the provider adstage has none")
        for name in names:
            if name not in self.provider.dimensions:
                allowed = ", ".join(self.provider.dimensions)
                refuse(
                    f"dimensions: {self.provider.name} has {allowed}, but no {name!r}"
                )
        return tuple(dict.fromkeys(names))


def _widened(days: Slice, aggregate_by: str | None) -> tuple[tuple[Slice, Slice], ...]:
    """Return whole slices, of which all days are reported on, also those around."""
    return tuple(
        (whole, whole if aggregate_by else part)
        for whole, part in slices_of(days, aggregate_by)
    )


def _relative_to(value: object) -> tuple[str | None, str | None]:
    """Return the local time or the time zone that the deprecated key holds."""
    if value is None:
        return None, None
    if not isinstance(value, str):
        refuse(f"relative_to must be a string, not {value!r}")
    for form in _LOCAL_TIMES:
        with suppress(ValueError):
            dt.datetime.strptime(value, form)  # noqa: DTZ007 (on the request's clocks)
            return value, None
    return None, value


def _statuses(value: object) -> frozenset[str]:
    """Return the entity statuses of a filter's name, or of a link's list of words."""
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
            refuse(f"statuses: {word!r} is none of {allowed}")
        statuses.add(STATUS_WORDS[word])
    return frozenset(each for each in statuses if each is not None)


def _comma_separated(value: str) -> list[str]:
    return [each.strip() for each in value.split(",")]


def _check_query(query: object) -> None:
    if query is None or isinstance(query, bool):
        return
    if not isinstance(query, dict):
        refuse(f"query must be true or an object of such, not {query!r}")
    for each in query.values():
        _check_query(each)
