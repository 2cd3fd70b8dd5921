"""From the parts of a report's page to the values of a record.

What both versions of the API share; how each lays a page out is in `v1` and `v2`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.adstage import hal
from tap_adstage.adstage.fields import NONE, Column, Kind, column_name
from tap_adstage.date_ranges import parse_day
from tap_adstage.exceptions import ResponseError
from tap_adstage.http.json_decoding import decode_json
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping, Sequence

    from tap_adstage.adstage.report_columns import ReportColumns
    from tap_adstage.reports.windows import Slice

Record: TypeAlias = "dict[str, Any]"
Row: TypeAlias = "list[Record]"
"""What a row of AdStage's answer becomes: a record for each slice."""


@dataclass(slots=True)
class JsonRow:
    """What a row of AdStage's answer becomes: a JSON text for each slice.

    Attributes:
        key: What tells it apart from other rows: the values of the key columns that
            are no dates.
        records: The records.
        numbers: Lists of what some metrics are in the slices, by field.
    """

    key: tuple[str, ...]
    records: list[bytes]
    numbers: Mapping[str, str]


def rows_of(page: Mapping[str, Any], relation: str) -> list[tuple[str, Record]]:
    """The rows that a page embeds, each with its place in it.

    Args:
        page: The page's document.
        relation: Where they are in `_embedded`.

    Returns:
        Places, for errors, and rows, in the page's order.

    Raises:
        ResponseError: If there is no list of objects: anything else, an error that
            comes with status 200 say, would pass for a window without rows.
    """
    embedded = page.get("_embedded")
    if not isinstance(embedded, dict) or not isinstance(embedded.get(relation), list):
        raise ResponseError(f"_embedded.{relation} is not a list")
    return [
        (f"_embedded.{relation}[{position}]", row)
        for position, row in enumerate(hal.embedded(page, relation))
    ]


def dates(piece: Slice, columns: ReportColumns) -> Record:
    """The date columns of a slice.

    Args:
        piece: The slice.
        columns: The report's columns.

    Returns:
        `date`, the slice's first day, and `date_end`, its last, where it is a column.
    """
    days = (piece.start.isoformat(), piece.end.isoformat())
    return dict(zip(columns.dates, days, strict=False))


def day_of(timestamp: Any) -> dt.date | None:  # noqa: ANN401 - any JSON value
    """The day of a timestamp as it is written, or `None` where there is none."""
    try:
        return parse_day(timestamp) if isinstance(timestamp, str) else None
    except ValueError:
        return None


def period(holder: Mapping[str, Any], key: str, where: str) -> tuple[dt.date, dt.date]:
    """First and last day that a part of a page says it is about.

    Args:
        holder: The part.
        key: Where it says so: an object with `start` and `end`.
        where: The part's place in the page, for an error.

    Returns:
        The days, both inclusive.

    Raises:
        ResponseError: If it says something else, naming the place.
    """
    found = an_object(holder, key, where)
    start, end = day_of(found.get("start")), day_of(found.get("end"))
    if start is None or end is None:
        place = f"{where}.{key}".lstrip(".")
        raise ResponseError(f"{place} has no start and end: {excerpt(repr(found))}")
    return start, end


def meta_values(
    meta: Mapping[str, Any],
    columns: ReportColumns,
    where: str,
    *,
    entity_id: str | None = None,
) -> Record:
    """The values of the columns that are no metrics, keys among them.

    Args:
        meta: Values by field, as AdStage gives them.
        columns: The report's columns.
        where: The row's place in the page, for an error.
        entity_id: What the row is about where AdStage doesn't say, if that is known.

    Returns:
        Every column that is no date and no metric; no key is null.

    Raises:
        ResponseError: If the row doesn't say what it is about, or a value is of
            another type than its field.
    """
    requested = {column.field for column in columns.fields}
    record = {}
    for column in columns.fields:
        if column.kind is Kind.METRIC:
            continue
        value = _found(meta, column.field, requested, where)
        if column.name not in columns.keys:
            record[column.name] = _value(value, column, where)
        elif column.name in {columns.group, *columns.dimensions}:
            if value is None and column.name in columns.dimensions:
                value = _renamed(meta, column.name)
            value = _single(value)
            record[column.name] = NONE if value is None else _text(value)
        else:
            record[column.name] = _entity(value, column, where) or entity_id
            if not record[column.name]:
                raise ResponseError(f"{where}: the row has no {column.name}")
    return record


def metric_values(
    sources: Sequence[Mapping[str, Any]],
    columns: ReportColumns,
    read: Callable[[Any, str], Any],
    where: str,
) -> Record:
    """The values of the columns that are metrics.

    Args:
        sources: Objects of values by field; the first that has a field counts.
        columns: The report's columns.
        read: Turns what AdStage gives for a metric, and its place, into the value.
        where: The place of the sources, for an error.

    Returns:
        Every metric's column; what AdStage leaves out is read as null.
    """
    return {
        column.name: read(
            next(
                (
                    source[column.field]
                    for source in sources
                    if source.get(column.field) is not None
                ),
                None,
            ),
            f"{where}.{column.field}",
        )
        for column in columns.fields
        if column.kind is Kind.METRIC
    }


def number(value: Any, place: str) -> int | Decimal | None:  # noqa: ANN401
    """A metric's value as AdStage wrote it.

    Raises:
        ResponseError: If it is neither a number nor null.
    """
    if value is None:
        return None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    raise ResponseError(f"{place}: {excerpt(repr(value))} is not a number")


def an_object(holder: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    """An object inside another.

    Raises:
        ResponseError: If what stands there is none, naming the place.
    """
    found = holder.get(key)
    if not isinstance(found, dict):
        place = f"{where}.{key}".lstrip(".")
        raise ResponseError(f"{place} is not an object")
    return found


def _found(
    meta: Mapping[str, Any],
    field: str,
    requested: Collection[str],
    where: str,
) -> Any:  # noqa: ANN401 - any JSON value
    """A meta field's value; folders come back under `folder_names.{user}`.

    A user's folders that were asked for by name are another column's too, but only
    where there are others do they leave this one alone.
    """
    if field in meta or field not in {"folder_names", "folder_ids"}:
        return meta.get(field)
    qualified = {key for key in meta if key.startswith(f"{field}.")}
    unasked = qualified - {*requested}
    if len(unasked) > 1:
        several = ", ".join(sorted(unasked))
        raise ResponseError(f"{where}: meta has several {field}: {several}")
    own = unasked or (qualified if len(qualified) == 1 else ())
    return next((meta[key] for key in own), None)


def _renamed(meta: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401
    """A dimension's value under another spelling of its name.

    How AdStage spells dimensions in its answers isn't documented. Taken for absent,
    all of a breakdown's rows would have one key.
    """
    return next((meta[key] for key in meta if column_name(key) == name), None)


def _single(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What a row has in common may come as a list of one, and as none."""
    if not isinstance(value, list) or len(value) > 1:
        return value
    return value[0] if value else None


def _entity(value: Any, column: Column, where: str) -> str | None:  # noqa: ANN401
    """What a row is about, which only a text or a number can say."""
    value = _single(value)
    if isinstance(value, (list, dict, bool)):
        shown = excerpt(repr(value))
        raise ResponseError(f"{where}.meta.{column.field}: {shown} is not a text")
    return None if value is None else _text(value)


def _value(value: Any, column: Column, where: str) -> Any:  # noqa: ANN401
    if value is None:
        return None
    if column.kind is Kind.ARRAY:
        return [
            item if item is None else _text(item)
            for item in (value if isinstance(value, list) else [value])
        ]
    if column.kind is Kind.TEXT:
        single = _single(value)
        return None if single is None else _text(single)
    if column.kind is Kind.NUMBER:
        return number(value, f"{where}.meta.{column.field}")
    if isinstance(value, str):  # JSON within JSON
        try:
            value = decode_json(value or "null")
        except ValueError:
            pass
        else:
            return _value(value, column, where)
    if not isinstance(value, dict):
        shown = excerpt(repr(value))
        raise ResponseError(f"{where}.meta.{column.field}: {shown} is no object")
    return {key: item if item is None else _text(item) for key, item in value.items()}


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value of a text column; numbers keep AdStage's digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
