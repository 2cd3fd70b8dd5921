"""From a page of a V2 report to records (API V2: Building Reports)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_adstage import hal
from tap_adstage.date_ranges import parse_day
from tap_adstage.exceptions import ResponseError
from tap_adstage.redaction import excerpt
from tap_adstage.reports.columns import NONE, Column, Kind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.windows import Slice, Window

    Record = dict[str, Any]


def rows(
    page: Mapping[str, Any],
    window: Window,
    columns: ReportColumns,
    *,
    aggregate_by: str,
) -> Iterator[Record]:
    """Read a page's records, one for each entity (or group) and slice.

    Args:
        page: The page's document.
        window: The days that were asked for.
        columns: The report's columns.
        aggregate_by: `day`, `week`, `month` or `total`.

    Yields:
        Records with every column; what AdStage leaves out is null.

    Raises:
        ResponseError: If the page is not as documented, naming the place.
    """
    results = _results(page, "rows" if aggregate_by == "total" else "timeseries")
    if aggregate_by == "total":
        for number, result in enumerate(results):
            where = f"_embedded.results[{number}]"
            record = _dates(window.slices[0], columns)
            record |= _meta(_object(result, "meta", where), columns, where)
            record |= _metrics(_sources(result, where), columns, _plain, where)
            yield record
        return
    slices = _slices(page, window) if results else []
    for number, result in enumerate(results):
        yield from _series(result, slices, columns, f"_embedded.results[{number}]")


def _results(page: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """The results of a page that is what was asked for.

    Anything else, an error that comes with status 200 say, would pass for a window
    without rows.
    """
    if page.get("type") != kind:
        raise ResponseError(f"type is {excerpt(repr(page.get('type')))}, not {kind}")
    embedded = page.get("_embedded")
    if not isinstance(embedded, dict) or not isinstance(embedded.get("results"), list):
        raise ResponseError("_embedded.results is not a list")
    return hal.embedded(page, "results")


def _series(
    result: Mapping[str, Any],
    slices: Sequence[Slice],
    columns: ReportColumns,
    where: str,
) -> Iterator[Record]:
    summary = _object(result, "summary", where)
    meta = _meta(_object(summary, "meta", f"{where}.summary"), columns, where)
    series = _object(result, "series", where)
    sources = _sources(series, f"{where}.series")

    def whole(found: Any, place: str) -> Sequence[Any]:  # noqa: ANN401 - any JSON value
        if found is None:
            return [None] * len(slices)
        if not isinstance(found, list) or len(found) != len(slices):
            raise ResponseError(
                f"{place}: there is no value for each of the {len(slices)} timestamps",
            )
        return [_plain(value, place) for value in found]

    metrics = _metrics(sources, columns, whole, f"{where}.series")
    for position, piece in enumerate(slices):
        yield {
            **_dates(piece, columns),
            **meta,
            **{name: values[position] for name, values in metrics.items()},
        }


def _slices(page: Mapping[str, Any], window: Window) -> list[Slice]:
    """The slices that the page's timestamps stand for.

    They must be those that were asked for, all of them: a row under the wrong day is
    worse than none, and a day without rows would count as finished.
    """
    timestamps = _object(page, "time", "").get("timestamps")
    if not isinstance(timestamps, list):
        raise ResponseError("time.timestamps is not a list")
    asked = {piece.start: piece for piece in window.slices}
    days = [_day(timestamp) for timestamp in timestamps]
    if set(days) != set(asked) or len(days) != len(asked):
        shown = excerpt(json.dumps(timestamps, default=str))
        raise ResponseError(
            f"time.timestamps are not the slices of {window.range}, each once: {shown}",
        )
    return [asked[day] for day in days if day]


def _day(timestamp: Any) -> dt.date | None:  # noqa: ANN401 - any JSON value
    try:
        return parse_day(timestamp)
    except (TypeError, ValueError):
        return None


def _dates(piece: Slice, columns: ReportColumns) -> Record:
    days = (piece.start.isoformat(), piece.end.isoformat())
    return dict(zip(columns.dates, days, strict=False))


def _meta(meta: Mapping[str, Any], columns: ReportColumns, where: str) -> Record:
    requested = {column.field for column in columns.fields}
    record = {
        column.name: _value(_found(meta, column.field, requested), column)
        for column in columns.fields
        if column.kind is not Kind.METRIC
    }
    for key in columns.keys:
        if key in columns.dates:
            continue
        value = next(
            _found(meta, column.field, requested)
            for column in columns.fields
            if column.name == key
        )
        if value is None and key != columns.group:
            raise ResponseError(f"{where}: the row has no {key}")
        record[key] = NONE if value is None else _text(value)
    return record


def _found(
    meta: Mapping[str, Any],
    field: str,
    requested: Collection[str],
) -> Any:  # noqa: ANN401 - any JSON value
    """A meta field's value; folders come back under `folder_names.{user}`.

    A user's folders that were asked for by name are another column's.
    """
    if field in meta or field not in {"folder_names", "folder_ids"}:
        return meta.get(field)
    qualified = {key for key in meta if key.startswith(f"{field}.")} - {*requested}
    if len(qualified) > 1:
        raise ResponseError(f"meta has several {field}: {', '.join(sorted(qualified))}")
    return next((meta[key] for key in qualified), None)


def _sources(holder: Mapping[str, Any], where: str) -> list[Mapping[str, Any]]:
    sources = [
        _object(holder, part, where)
        for part in ("metrics", "calculated")
        if holder.get(part) is not None
    ]
    if not sources:
        raise ResponseError(f"{where} has no metrics")
    return sources


def _metrics(
    sources: Sequence[Mapping[str, Any]],
    columns: ReportColumns,
    read: Callable[[Any, str], Any],
    where: str,
) -> Record:
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


def _plain(value: Any, place: str) -> int | Decimal | None:  # noqa: ANN401
    """A metric's value as AdStage wrote it; anything but a number is an error."""
    if value is None:
        return None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    raise ResponseError(f"{place}: {excerpt(repr(value))} is not a number")


def _value(value: Any, column: Column) -> Any:  # noqa: ANN401 - any JSON value
    if value is None:
        return None
    if column.kind is Kind.ARRAY:
        return [_text(item) for item in (value if isinstance(value, list) else [value])]
    if column.kind is Kind.TEXT:
        return _text(value)
    if column.kind is Kind.NUMBER:
        return _plain(value, f"meta.{column.field}")
    if not isinstance(value, dict):
        raise ResponseError(f"meta.{column.field}: {excerpt(repr(value))} is no object")
    return value


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value of a text column; numbers keep AdStage's digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _object(holder: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    found = holder.get(key)
    if not isinstance(found, dict):
        place = f"{where}.{key}".lstrip(".")
        raise ResponseError(f"{place} is not an object")
    return found
