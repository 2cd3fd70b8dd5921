"""The names that leave the tap, after stream maps and flattening, must fit a table.

A loader fails at a name that is too long for its database, or cuts it off, and then two
columns may be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.mapper import RemoveRecordTransform

from tap_adstage.config.texts import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from singer_sdk.mapper import StreamMap


def name_errors(
    stream: str,
    stream_maps: Iterable[StreamMap],
    columns: Collection[str],
    fields: Mapping[str, str],
) -> Iterator[str]:
    """Find names that are too long, and suggest how to get shorter ones.

    Args:
        stream: The stream's own name.
        stream_maps: The SDK's maps of the stream, at least one.
        columns: Its own columns.
        fields: The field of each of them that the user can name.

    Yields:
        One line for each error.
    """
    for stream_map in stream_maps:
        if isinstance(stream_map, RemoveRecordTransform):
            continue
        alias = stream_map.stream_alias
        if _is_too_long(alias):
            setting = f"reports.{alias}.name" if alias == stream else "stream_maps"
            yield f"{setting}: the table name {_measured(alias)}; choose a shorter one"
        for column in stream_map.transformed_schema["properties"]:
            if not _is_too_long(column):
                continue
            field = fields.get(column)
            if field is not None:
                setting = f"reports.{stream}.fields"
                advice = f'name it with {{"field": "{field}", "column": "…"}}'
            elif column in columns:
                setting, advice = f"stream {alias}", "rename it in stream_maps"
            elif stream_map.flattening_enabled:
                setting = f"stream {alias}"
                advice = f"set flattening_max_key_length to {LONGEST_NAME}"
            else:
                setting, advice = f"stream_maps.{alias}", "choose a shorter one"
            yield f"{setting}: the column name {_measured(column)}; {advice}"


def _is_too_long(name: str) -> bool:
    return len(name.encode()) > LONGEST_NAME


def _measured(name: str) -> str:
    return (
        f"{name} has {len(name.encode())} bytes, and databases such as Postgres take "
        f"{LONGEST_NAME}"
    )
