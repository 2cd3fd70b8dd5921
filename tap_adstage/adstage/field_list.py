"""The fields of AdStage's reports, as a list of them shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

from tap_adstage.adstage.fields import FieldCatalog
from tap_adstage.adstage.meta_fields import META_FIELDS, OPEN_FIELDS
from tap_adstage.adstage.resources import TABLES
from tap_adstage.config.adstage import (
    CROSS_NETWORKS,
    EXTERNAL_PROVIDERS,
    EntityLevel,
    is_calculated,
)
from tap_adstage.exceptions import TapError
from tap_adstage.reports.field_list import ListedField

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tap_adstage.adstage.directory import Directory

_LEVELS: tuple[EntityLevel, ...] = get_args(EntityLevel)

_OF_FORM = re.compile(r"\{.+\}")
"""The part of a field's form that is the user's own."""


def listed_fields(directory: Directory) -> Iterator[ListedField | TapError]:
    """List the metrics of AdStage, of the organization and of live providers.

    The documented meta fields follow AdStage's own metrics.

    Args:
        directory: The user's resources.

    Yields:
        The fields, each once for AdStage and for each provider; for each other list of
        metrics that can't be read, its error.

    Raises:
        TapError: If AdStage's own list can't be read.
    """
    _ = directory.cross_network_descriptors  # without it, the rest is of little use
    live = []
    seen: set[str] = set()
    for descriptor in TABLES["metric_descriptors"].read(directory):
        if isinstance(descriptor, TapError):
            yield descriptor
        elif descriptor["provider"] in EXTERNAL_PROVIDERS:
            live.append(live_field(descriptor))
        elif descriptor["id"] not in seen:  # the organization's list has shared ones
            seen.add(descriptor["id"])
            yield metric_field(descriptor)
    yield from meta_fields()
    yield from live


def metric_field(descriptor: Mapping[str, Any]) -> ListedField:
    """Describe a metric of AdStage's own reports.

    Args:
        descriptor: Its descriptor.
    """
    id_ = str(descriptor["id"])
    networks = [
        name for name in CROSS_NETWORKS if descriptor.get(f"is_{name}") is not False
    ]
    limits = [
        _levels(descriptor),
        "api_version 2" if is_calculated(id_) else "",
    ]
    return ListedField(
        id=id_,
        name=str(descriptor.get("name") or ""),
        format=str(descriptor.get("format") or ""),
        networks=tuple(networks),
        where="; ".join(filter(None, limits)),
        lacking=tuple(name for name in CROSS_NETWORKS if name not in networks),
    )


def live_field(descriptor: Mapping[str, Any]) -> ListedField:
    """Describe a field of reports that AdStage asks a network for.

    Args:
        descriptor: Its descriptor, with the provider.
    """
    provider = str(descriptor["provider"])
    limits = [f"provider {provider}", _levels(descriptor)]
    return ListedField(
        id=str(descriptor["id"]),
        name=str(descriptor.get("name") or ""),
        format=str(descriptor.get("format") or ""),
        networks=(provider,),
        where="; ".join(filter(None, limits)),
    )


def meta_fields() -> Iterator[ListedField]:
    """List the documented meta fields."""
    catalog = FieldCatalog.of([])
    for id_ in [*sorted(META_FIELDS), *OPEN_FIELDS]:
        column = catalog.column(_OF_FORM.sub("1", id_))
        yield ListedField(
            id=id_,
            name="",
            format=column.kind.name if column else "",
            networks=CROSS_NETWORKS,
            where="meta field",
            lacking=(),
        )


def _levels(descriptor: Mapping[str, Any]) -> str:
    """Name the levels that a metric counts on, if it doesn't count on all of them."""
    levels = [
        level
        for level in _LEVELS
        if descriptor.get(f"is_{level.removesuffix('s')}") is not False
    ]
    return "" if len(levels) == len(_LEVELS) else f"entity_level {', '.join(levels)}"
