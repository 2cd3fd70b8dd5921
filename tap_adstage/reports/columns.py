"""The columns of a report: names, types and keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_VALUE = "(none)"
"""The value of a key column if the source has none: no key is ever null."""


class Kind(Enum):
    """The type of a column's values."""

    METRIC = "metric"
    TEXT = "text"
    DATE = "date"
    DATE_TIME = "date-time"
    NUMBER = "number"
    OBJECT = "object"
    ARRAY = "array"


_SCHEMAS: Mapping[Kind, dict[str, Any]] = {
    Kind.METRIC: {"type": ["number", "null"]},
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.DATE: {"type": ["string", "null"], "format": "date"},
    Kind.DATE_TIME: {"type": ["string", "null"], "format": "date-time"},
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.ARRAY: {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report.

    Attributes:
        name: Name in the record.
        field: Name in the source's API.
        kind: The type of its values.
        requested: Whether requests name its field; some fields every row has.
        members: Documented members of an object; flattening makes a column of each.
    """

    name: str
    field: str
    kind: Kind
    requested: bool = True
    members: tuple[str, ...] = ()

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of its values, unless it is a key."""
        if self.kind is not Kind.OBJECT:
            return dict(_SCHEMAS[self.kind])
        return {
            "type": ["object", "null"],
            "properties": {name: dict(_SCHEMAS[Kind.TEXT]) for name in self.members},
            "additionalProperties": True,
        }

    @property
    def request(self) -> str:
        """What the user asks for: the field, and its name if it is not the field's."""
        field = self.field.lower()
        return field if self.name == column_name(field) else f"{field} as {self.name}"

    @property
    def key_schema(self) -> dict[str, Any]:
        """JSON schema of its values if it is a key: texts, never null."""
        formats = {Kind.DATE: "date", Kind.DATE_TIME: "date-time"}
        if self.kind in formats:
            return {"type": "string", "format": formats[self.kind]}
        return {"type": "string"}


@dataclass(frozen=True)
class ReportColumns:
    """The columns of one report.

    Attributes:
        dates: `date`, and `date_end` if a slice is more than a day; none if each row
            has its own days, in columns like all others.
        fields: All other columns.
        keys: Names of the key columns.
        group: Name of the column that tells a grouped report's rows apart.
        dimensions: Names of the columns that rows are broken down by.
        key_fields: Names of the columns that the settings add to the key.
        parents: Names of the columns with the id of what an entity belongs to, if
            another parent may have the same entity; the key lacks them.
        parent_field: The field with that id, in the source's API; it can join the key.
        vanished: Fields that the source no longer has; their columns are null.
        warnings: What to warn the user about, a line each.
        replication_key: Name of the column that the bookmark is of; `None` if every
            run reads the whole report.
    """

    dates: tuple[str, ...]
    fields: tuple[Column, ...]
    keys: tuple[str, ...]
    group: str | None
    dimensions: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    key_fields: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    parent_field: str | None = None
    warnings: tuple[str, ...] = ()
    replication_key: str | None = "date"

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the report's records."""
        properties: dict[str, Any] = {
            name: {"type": "string", "format": "date"} for name in self.dates
        }
        for column in self.fields:
            is_key = column.name in self.keys
            properties[column.name] = column.key_schema if is_key else column.schema
        return {"type": "object", "properties": properties, "required": [*self.keys]}

    @cached_property
    def metrics(self) -> tuple[Column, ...]:
        """The columns that have a number for each slice of a row."""
        return tuple(c for c in self.fields if c.kind is Kind.METRIC)

    @cached_property
    def attributes(self) -> tuple[Column, ...]:
        """The columns that have one value for all slices of a row, keys among them."""
        return tuple(c for c in self.fields if c.kind is not Kind.METRIC)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in a record's order: dates, attributes, metrics."""
        columns = (*self.attributes, *self.metrics)
        return (*self.dates, *(column.name for column in columns))

    @cached_property
    def key_attributes(self) -> tuple[str, ...]:
        """Names of the key columns that are not dates; unique among a window's rows."""
        return tuple(name for name in self.keys if name not in self.dates)


def column_name(field: str) -> str:
    """Name a field's column: lower case, each run of other characters one `_`.

    Args:
        field: The field's name in the source's API, such as `budget.value`.

    Returns:
        The column's name, such as `budget_value`.
    """
    return re.sub(r"[^a-z0-9_]+", "_", field.lower())
