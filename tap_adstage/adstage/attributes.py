"""From a row's meta fields to the values of a report's attribute columns."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.exceptions import ResponseError
from tap_adstage.http.json_decoding import decode_json
from tap_adstage.reports.columns import NO_VALUE, Column, Kind, column_name
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_adstage.reports.columns import ReportColumns

    Meta: TypeAlias = Mapping[str, Any]
    Read: TypeAlias = Callable[[Meta, str], Any]

_FOLDERS = {"folder_names", "folder_ids"}
_AS_THEY_ARE: Mapping[Kind, set[type]] = {
    Kind.TEXT: {str, type(None)},
    Kind.NUMBER: {int, float, Decimal, type(None)},
}


class AttributeReader:
    """Reads the attributes of a report's rows: all columns but dates and metrics."""

    def __init__(self, columns: ReportColumns, entity_id: str | None = None) -> None:
        """Decide how each column is read.

        Args:
            columns: The report's columns.
            entity_id: The entity of each row that doesn't have its own, if known.
        """
        self._columns = columns
        self._entity_id = entity_id
        self._requested = {column.field for column in columns.fields}
        self._readers = [
            (column.field, self._as_they_are(column), self._reader(column))
            for column in columns.attributes
        ]

    def read(
        self, metas: Sequence[Meta], place: Callable[[int], str]
    ) -> Iterable[tuple[Any, ...]]:
        """Read a page's rows, a column at a time: few values need to be changed.

        Args:
            metas: Values by field for each row, as AdStage gives them.
            place: Names the place of a row in the page, for an error.

        Returns:
            For each row a value for each of `ReportColumns.attributes`; no key is null.

        Raises:
            ResponseError: If a row has no entity, or a value is of another type than
                its column.
        """
        columns = []
        for field, as_they_are, read in self._readers:
            values = [meta.get(field) for meta in metas]
            if not {*map(type, values)} <= as_they_are or "" in values:
                values = [read(meta, place(at)) for at, meta in enumerate(metas)]
            columns.append(values)
        return zip(*columns, strict=True)

    def _as_they_are(self, column: Column) -> set[type]:
        """Find the types of values that need no change."""
        if column.name in self._columns.keys or column.field in _FOLDERS:
            return {str} if column.kind is Kind.TEXT else set()
        return _AS_THEY_ARE.get(column.kind, set())

    def _reader(self, column: Column) -> Read:
        if column.name not in self._columns.keys:
            if column.field in _FOLDERS:
                return partial(self._folders, column)
            return partial(_plain_value, column)
        columns = self._columns
        if column.name in {columns.group, *columns.dimensions, *columns.key_fields}:
            return partial(self._group, column)
        return partial(self._entity, column)

    def _folders(self, column: Column, meta: Meta, where: str) -> Any:  # noqa: ANN401
        return _value(self._folders_of(column.field, meta, where), column, where)

    def _group(self, column: Column, meta: Meta, where: str) -> str:
        """Read a key other than the entity: the group, a dimension, a key field."""
        value = (
            self._folders_of(column.field, meta, where)
            if column.field in _FOLDERS
            else meta.get(column.field)
        )
        if value is None and column.name in self._columns.dimensions:
            value = _under_another_spelling(meta, column.name)
        value = _single(value)
        return NO_VALUE if value is None else _text(value)

    def _entity(self, column: Column, meta: Meta, where: str) -> str:
        """Read the row's entity, which must be a text or a number."""
        value = _single(meta.get(column.field))
        if isinstance(value, (list, dict, bool)):
            shown = excerpt(repr(value))
            raise ResponseError(f"{where}.meta.{column.field}: {shown} is not a text")
        entity = self._entity_id if value is None else _text(value) or self._entity_id
        if not entity:
            raise ResponseError(f"{where}: the row has no {column.name}")
        return entity

    def _folders_of(self, field: str, meta: Meta, where: str) -> Any:  # noqa: ANN401
        """Find folders, which AdStage returns as `folder_names.{user}`.

        A user's folders that were requested by name have a column of their own. They
        count here only if the row has no others.
        """
        if field in meta:
            return meta[field]
        qualified = {key for key in meta if key.startswith(f"{field}.")}
        others = qualified - self._requested
        if len(others) > 1:
            several = ", ".join(sorted(others))
            raise ResponseError(f"{where}: meta has several {field}: {several}")
        own = others or (qualified if len(qualified) == 1 else ())
        return next((meta[key] for key in own), None)


def _plain_value(column: Column, meta: Meta, where: str) -> Any:  # noqa: ANN401
    return _value(meta.get(column.field), column, where)


def _value(value: Any, column: Column, where: str) -> Any:  # noqa: ANN401
    """Convert a value to its column's kind."""
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
        if isinstance(value, (list, dict, bool, str)):
            shown = excerpt(repr(value))
            raise ResponseError(f"{where}.meta.{column.field}: {shown} is not a number")
        return value
    return _object(value, column, where)


def _object(value: Any, column: Column, where: str) -> Any:  # noqa: ANN401
    if isinstance(value, str):  # JSON within JSON
        try:
            document = decode_json(value or "null")
        except ValueError:
            pass
        else:
            return _value(document, column, where)
    if not isinstance(value, dict):
        shown = excerpt(repr(value))
        raise ResponseError(f"{where}.meta.{column.field}: {shown} is not an object")
    return {key: item if item is None else _text(item) for key, item in value.items()}


def _under_another_spelling(meta: Meta, name: str) -> Any:  # noqa: ANN401
    """Find a dimension's value under another spelling of its name.

    How AdStage spells dimensions in its answers isn't documented. Without a value, all
    of a breakdown's rows would have the same key.
    """
    return next((meta[key] for key in meta if column_name(key) == name), None)


def _single(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Take the only value of a list, as AdStage may send a single value as a list."""
    if not isinstance(value, list) or len(value) > 1:
        return value
    return value[0] if value else None


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Write a value for a text column; numbers keep AdStage's digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
