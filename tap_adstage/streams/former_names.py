"""Streams that had other names in earlier versions, in what earlier runs left."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, TypeVar

import singer_sdk.singerlib as singer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    T = TypeVar("T")


def current_catalog(
    catalog: singer.Catalog, former_names: Mapping[str, str]
) -> singer.Catalog:
    """Give the entries of a catalog the current names of their streams.

    Args:
        catalog: The catalog.
        former_names: The streams by the names that they had.
    """
    return singer.Catalog(
        (name, replace(entry, tap_stream_id=name, stream=name))
        if name in former_names.values()
        else (name, entry)
        for name, entry in by_current_name(catalog, former_names).items()
    )


def by_current_name(
    values: Mapping[str, T], former_names: Mapping[str, str]
) -> dict[str, T]:
    """Key values of streams by the current names; what already has one comes first.

    Args:
        values: The values by name of stream, former or current.
        former_names: The streams by the names that they had.
    """
    return {
        former_names.get(name, name): value
        for name, value in values.items()
        if former_names.get(name) not in values
    }


def stream_map_errors(
    stream_maps: Any,  # noqa: ANN401 - any JSON value
    former_names: Mapping[str, str],
) -> Iterator[str]:
    """Find stream maps of former names; the SDK would ignore them.

    A map may hide a column, so the tap doesn't go on without it. One for a pattern is
    an error only if no other map is for the stream's current name.

    Args:
        stream_maps: The setting.
        former_names: The streams by the names that they had.

    Yields:
        One line for each error.
    """
    if not isinstance(stream_maps, dict):
        return
    places = {key: key for key in stream_maps}
    for key, value in stream_maps.items():
        if isinstance(value, dict) and "__source__" in value:
            places[f"{key}.__source__"] = str(value["__source__"])
    for former, current in former_names.items():
        is_mapped = any(fnmatch(current, name) for name in places.values())
        for place, name in places.items():
            if name == former:
                yield (
                    f"stream_maps.{place}: the stream {former} is called {current} "
                    f"now; write {current}"
                )
            elif fnmatch(former, name) and not is_mapped:
                yield (
                    f"stream_maps.{place}: the stream {former}, which this matched, is "
                    f"called {current} now; add a map for {current}"
                )
