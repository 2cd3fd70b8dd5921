"""From a report's fields to its columns: names, types, keys, and what to request."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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
        asked: Whether a request names its field; AdStage gives some unasked.
    """

    name: str
    field: str
    kind: Kind
    asked: bool = True

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
    """The fields that reports of one provider can have.

    Attributes:
        metrics: The API's spelling of each descriptor's field, by its lower-case form.
        texts: Lower-case ids of the descriptors that are text.
        is_external: Whether it is an external provider's. Its descriptors list all of
            its fields; AdStage's own leave out the documented meta fields.
    """

    metrics: Mapping[str, str]
    texts: frozenset[str]
    is_external: bool = False

    @classmethod
    def of(
        cls,
        descriptors: Iterable[Mapping[str, Any]],
        *,
        is_external: bool = False,
    ) -> FieldCatalog:
        """Collect the fields of metric descriptors.

        Args:
            descriptors: Cross-network ones and the organization's own, or those of an
                external provider.
            is_external: Whether they are an external provider's.

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
            is_external,
        )

    def metric(self, field: str) -> str | None:
        """The API's spelling of a descriptor's field in any case, or `None`."""
        return self.metrics.get(field.lower())

    def meta(self, field: str) -> str | None:
        """The API's spelling of a meta field in any case, or `None`.

        An external provider's are the descriptors that are text, and what every row
        has.
        """
        if not self.is_external:
            return meta_field(field)
        if field.lower() in self.texts:
            return self.metric(field)
        return field.lower() if field.lower() in ALWAYS else None

    def spelling(self, field: str) -> str:
        """The API's spelling of a field; that of one which it lacks in lower case."""
        return self.metric(field) or self.meta(field) or field.lower()

    def column(self, field: str) -> Column | None:
        """The column of a field in any case, or `None` if there is no such field."""
        metric = self.metric(field)
        if metric is not None:
            is_text = metric.lower() in self.texts
            kind = Kind.TEXT if is_text else Kind.METRIC
            return Column(column_name(metric), metric, kind)
        meta = self.meta(field)
        if meta is None:
            return None
        asked = not self.is_external
        return Column(column_name(meta), meta, _kind(meta), asked)

    def dimension(self, name: str) -> Column:
        """The column of a dimension, which the networks name and AdStage doesn't list.

        Args:
            name: The dimension; its case counts unless a descriptor has it too.
        """
        field = self.metric(name) or name
        return Column(column_name(field), field, Kind.TEXT, asked=False)

    @property
    def names(self) -> list[str]:
        """All fields there are, in the API's spelling."""
        return [*self.metrics.values(), *(ALWAYS if self.is_external else META_FIELDS)]

    @property
    def meta_names(self) -> list[str]:
        """Those fields that are no metrics."""
        texts = [self.metrics[lower] for lower in sorted(self.texts)]
        return [*texts, *ALWAYS] if self.is_external else [*META_FIELDS]


@dataclass(frozen=True, slots=True)
class ReportColumns:
    """The columns of one report.

    Attributes:
        dates: `date`, and `date_end` where a slice is more than a day.
        fields: All other columns.
        keys: Names of the key columns.
        group: Name of the column that a grouped report's rows are told apart by.
        dimensions: Names of the columns that rows are broken down by.
        vanished: Fields that an earlier discovery found and AdStage has no more; their
            columns are null.
    """

    dates: tuple[str, ...]
    fields: tuple[Column, ...]
    keys: tuple[str, ...]
    group: str | None
    dimensions: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()

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


def report_columns(
    report: ReportConfig,
    catalog: FieldCatalog,
    discovered: Mapping[str, Any] | None = None,
) -> ReportColumns:
    """Decide a report's columns.

    Args:
        report: The report.
        catalog: The fields that there are.
        discovered: The columns that an earlier discovery found, and their schemas.

    Returns:
        Its columns: dates, key, what every row has, then the fields in their order.

    Raises:
        ConfigError: If a field is unknown, with the nearest names; if two share a
            column; if `group_by`, `sort_by` or a filter is no field.
    """
    given = {field: catalog.column(field) for field in report.fields}
    lost = {
        field: _lost_column(field, discovered or {})
        for field, column in given.items()
        if column is None
    }
    unknown = [field for field, column in lost.items() if column is None]
    errors = [*_field_errors(report, catalog, unknown)]
    if errors:
        raise ConfigError(errors)
    dates = ("date",) if report.aggregate_by == "day" else ("date", "date_end")
    group = catalog.column(report.group_by) if report.group_by else None
    dimensions = [catalog.dimension(name) for name in report.dimensions]
    always = [name for name in ALWAYS if group is None or name != "entity_id"]
    columns: dict[str, Column] = {}
    for column in (
        group,
        *map(catalog.column, always),
        *dimensions,
        *(given[field] or lost[field] for field in report.fields),
    ):
        if column:
            columns.setdefault(column.field, column)
    fields = [*columns.values()]
    rows = [group or columns["entity_id"], *dimensions]
    if group:
        fields = [column if column in rows else _grouped(column) for column in fields]
    _refuse_shared_names(report, dates, fields)
    return ReportColumns(
        dates=dates,
        fields=tuple(fields),
        keys=(
            *(dates if report.aggregate_by == "total" else dates[:1]),
            *(column.name for column in rows),
        ),
        group=group.name if group else None,
        dimensions=tuple(column.name for column in dimensions),
        vanished=tuple(lost),
    )


def _lost_column(field: str, discovered: Mapping[str, Any]) -> Column | None:
    """The column of a field that an earlier discovery found, or `None`."""
    schema = discovered.get(column_name(field))
    if not isinstance(schema, dict):
        return None
    kinds = {"number": Kind.METRIC, "array": Kind.ARRAY}
    kind = next(
        (kinds[key] for key in kinds if key in schema.get("type", ())), Kind.TEXT
    )
    return Column(column_name(field), field, kind, asked=False)


def _field_errors(
    report: ReportConfig,
    catalog: FieldCatalog,
    unknown: Sequence[str],
) -> Iterator[str]:
    for field in unknown:
        yield _unknown(report, "fields", field, catalog.names)
    twice = {field for field in report.fields if _count(field, report.fields) > 1}
    if twice:
        yield (
            f"reports.{report.name}.fields: {', '.join(sorted(twice))} given more than "
            "once; it takes each field once"
        )
    group = report.group_by
    if group and not _can_group(group, catalog):
        names = {*catalog.meta_names} - {*_OBJECTS}
        yield _unknown(report, "group_by", group, names)
    if report.sort_by != group and catalog.column(report.sort_by) is None:
        yield _unknown(report, "sort_by", report.sort_by, catalog.names)
    for condition in report.filters:
        path = str(condition["path"])
        known = (
            catalog.meta(path.removeprefix("meta/"))
            if path.startswith("meta/")
            else catalog.metric(path)
        )
        if not known:
            metas = [f"meta/{name}" for name in catalog.meta_names]
            yield _unknown(report, "filters", path, [*catalog.metrics.values(), *metas])


def _can_group(field: str, catalog: FieldCatalog) -> bool:
    column = catalog.column(field)
    return (
        column is not None
        and column.kind in {Kind.TEXT, Kind.NUMBER, Kind.ARRAY}
        and catalog.meta(field) is not None
    )


def _unknown(
    report: ReportConfig,
    key: str,
    field: str,
    names: Iterable[str],
) -> str:
    meta = "a documented meta field"
    if report.is_external:
        meta = f"a text field of provider {report.provider}"
    allowed = {
        "group_by": f"{meta} that is no object",
        "filters": f"a metric, or {meta} as meta/NAME",
    }
    spelled = {name.lower(): name for name in sorted(names)}
    near = get_close_matches(field.lower(), spelled, n=3, cutoff=0.5)
    found = " or ".join(spelled[name] for name in near)
    return (
        f"reports.{report.name}.{key}: there is no {field!r} to use here; it takes "
        f"{allowed.get(key, f'a metric or {meta}')}"
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


def _grouped(column: Column) -> Column:
    """In a grouped report every meta field but the group has many values."""
    return column if column.kind is Kind.METRIC else replace(column, kind=Kind.ARRAY)
