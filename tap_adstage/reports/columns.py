"""From a report's fields to its columns: names, types, keys, and what to request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, Any

from tap_adstage.exceptions import ConfigError
from tap_adstage.reports.meta_fields import META_FIELDS, meta_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_adstage.config import ReportConfig

ALWAYS = ("entity_id", "network", "currency_code")
"""Meta fields that every ungrouped row has, asked for or not."""

NONE = "(none)"
"""What a key column holds where AdStage has no value: no key is ever null."""


class Kind(Enum):
    """What a column holds."""

    METRIC = "metric"
    TEXT = "text"
    NUMBER = "number"
    OBJECT = "object"
    ARRAY = "array"


_SCHEMAS: Mapping[Kind, dict[str, Any]] = {
    Kind.METRIC: {"type": ["number", "null"]},
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.ARRAY: {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
}
_OBJECTS = {
    "objective": ("code", "title", "subtitle", "unit"),
    "tracking_params": (
        "utm_medium",
        "utm_source",
        "utm_campaign",
        "utm_content",
        "utm_term",
    ),
}
"""Documented objects and their keys, which flattening makes columns of."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report.

    Attributes:
        name: Name in the record.
        field: Name in the API.
        kind: What it holds.
    """

    name: str
    field: str
    kind: Kind

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of its values where it is no key."""
        if self.kind is not Kind.OBJECT:
            return dict(_SCHEMAS[self.kind])
        return {
            "type": ["object", "null"],
            "properties": {
                key: dict(_SCHEMAS[Kind.TEXT]) for key in _OBJECTS[self.field]
            },
            "additionalProperties": True,
        }


@dataclass(frozen=True, slots=True)
class FieldCatalog:
    """The fields that an organization's reports can have.

    Attributes:
        metrics: The API's spelling of each metric, by its lower-case form.
        texts: Lower-case ids of the descriptors that are text.
    """

    metrics: Mapping[str, str]
    texts: frozenset[str]

    @classmethod
    def of(cls, descriptors: Iterable[Mapping[str, Any]]) -> FieldCatalog:
        """Collect the fields of metric descriptors.

        Args:
            descriptors: Cross-network ones, and the organization's own.

        Returns:
            The catalog.
        """
        ids = {
            str(descriptor["id"]).lower(): descriptor
            for descriptor in descriptors
            if descriptor.get("id")
        }
        return cls(
            {lower: str(descriptor["id"]) for lower, descriptor in ids.items()},
            frozenset(
                lower
                for lower, descriptor in ids.items()
                if descriptor.get("type") == "TEXT"
            ),
        )

    def metric(self, field: str) -> str | None:
        """The API's spelling of a metric in any case, or `None` if there is none."""
        return self.metrics.get(field.lower())

    def column(self, field: str) -> Column | None:
        """The column of a field in any case, or `None` if there is no such field."""
        metric = self.metric(field)
        if metric is not None:
            is_text = metric.lower() in self.texts
            kind = Kind.TEXT if is_text else Kind.METRIC
            return Column(column_name(metric), metric, kind)
        meta = meta_field(field)
        return None if meta is None else Column(column_name(meta), meta, _kind(meta))


@dataclass(frozen=True, slots=True)
class ReportColumns:
    """The columns of one report.

    Attributes:
        dates: `date`, and `date_end` where a slice is more than a day.
        fields: All other columns.
        keys: Names of the key columns.
        group: Name of the column that a grouped report's rows are told apart by.
    """

    dates: tuple[str, ...]
    fields: tuple[Column, ...]
    keys: tuple[str, ...]
    group: str | None

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the report's records."""
        properties: dict[str, Any] = {
            name: {"type": "string", "format": "date"} for name in self.dates
        }
        for column in self.fields:
            properties[column.name] = (
                {"type": "string"} if column.name in self.keys else column.schema
            )
        return {"type": "object", "properties": properties, "required": [*self.keys]}


def column_name(field: str) -> str:
    """A field's column: lower case, each run of other characters one `_`.

    Args:
        field: The field's name in the API, such as `budget.value`.

    Returns:
        The column's name, such as `budget_value`.
    """
    return re.sub(r"[^a-z0-9_]+", "_", field.lower())


def report_columns(report: ReportConfig, catalog: FieldCatalog) -> ReportColumns:
    """Decide a report's columns.

    Args:
        report: The report.
        catalog: The fields that there are.

    Returns:
        Its columns: dates, key, what every row has, then the fields in their order.

    Raises:
        ConfigError: If a field is unknown, with the nearest names; if two share a
            column; if `group_by`, `sort_by` or a filter is no field.
    """
    errors = [*_field_errors(report, catalog)]
    if errors:
        raise ConfigError(errors)
    dates = ("date",) if report.aggregate_by == "day" else ("date", "date_end")
    group = catalog.column(report.group_by) if report.group_by else None
    always = [name for name in ALWAYS if group is None or name != "entity_id"]
    fields = [
        *([group] if group else []),
        *(
            column
            for name in always
            if (column := catalog.column(name)) and column != group
        ),
    ]
    fields += [
        column
        for field in report.fields
        if (column := catalog.column(field)) and column not in fields
    ]
    if group:
        fields = [_grouped(column, group) for column in fields]
    rows = group.name if group else "entity_id"
    _refuse_shared_names(report, dates, fields)
    return ReportColumns(
        dates=dates,
        fields=tuple(fields),
        keys=(*(dates if report.aggregate_by == "total" else dates[:1]), rows),
        group=group.name if group else None,
    )


def _field_errors(report: ReportConfig, catalog: FieldCatalog) -> Iterator[str]:
    fields = [*catalog.metrics.values(), *META_FIELDS]
    for field in report.fields:
        if catalog.column(field) is None:
            yield _unknown(report, "fields", field, fields)
    twice = {field for field in report.fields if _count(field, report.fields) > 1}
    if twice:
        yield (
            f"reports.{report.name}.fields: {', '.join(sorted(twice))} given more than "
            "once; it takes each field once"
        )
    group = report.group_by
    if group and (meta_field(group) in {None, *_OBJECTS} or catalog.metric(group)):
        yield _unknown(report, "group_by", group, META_FIELDS - {*_OBJECTS})
    if report.sort_by != group and catalog.column(report.sort_by) is None:
        yield _unknown(report, "sort_by", report.sort_by, fields)
    for condition in report.filters:
        path = str(condition["path"])
        known = (
            meta_field(path.removeprefix("meta/"))
            if path.startswith("meta/")
            else catalog.metric(path)
        )
        if not known:
            metas = [f"meta/{name}" for name in META_FIELDS]
            names = [*catalog.metrics.values(), *metas]
            yield _unknown(report, "filters", path, names)


def _unknown(
    report: ReportConfig,
    key: str,
    field: str,
    names: Iterable[str],
) -> str:
    allowed = {
        "group_by": "a documented meta field that is no object",
        "filters": "a metric, or a meta field as meta/NAME",
    }
    spelled = {name.lower(): name for name in sorted(names)}
    near = get_close_matches(field.lower(), spelled, n=3, cutoff=0.5)
    found = " or ".join(spelled[name] for name in near)
    return (
        f"reports.{report.name}.{key}: there is no {field!r} to use here; it takes "
        f"{allowed.get(key, 'a metric or a documented meta field')}"
        f"{f'; did you mean {found}?' if found else ''}"
    )


def _count(field: str, fields: Sequence[str]) -> int:
    return sum(other.lower() == field.lower() for other in fields)


def _refuse_shared_names(
    report: ReportConfig,
    dates: Sequence[str],
    fields: Sequence[Column],
) -> None:
    owners = {name: name for name in dates}
    for column in fields:
        if column.name in owners:
            both = f"{owners[column.name]} and {column.field}"
            error = (
                f"reports.{report.name}.fields: {both} would share the column "
                f"{column.name}; leave one out"
            )
            raise ConfigError([error])
        owners[column.name] = column.field


def _kind(meta: str) -> Kind:
    if meta.endswith("_float"):
        return Kind.NUMBER
    if meta in _OBJECTS:
        return Kind.OBJECT
    if meta.startswith(("folder_names", "folder_ids")):
        return Kind.ARRAY
    return Kind.TEXT


def _grouped(column: Column, group: Column) -> Column:
    """In a grouped report every meta field but the group has many values."""
    if column.kind is Kind.METRIC or column == group:
        return column
    return Column(column.name, column.field, Kind.ARRAY)
