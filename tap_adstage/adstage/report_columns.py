"""From a report's fields to its columns: names, types, keys, and unknown fields."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage.fields import DEFAULT_META_FIELDS, OBJECTS, dimension_column
from tap_adstage.exceptions import ConfigError
from tap_adstage.reports.columns import Column, Kind, ReportColumns, column_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.config.reports import ReportConfig

_SHARED_LEVELS = ("ads", "keywords")
"""Levels of entities of which several parents may have one: all Google's keywords of
one text have one id."""

_PARENT_ID = "ad_group_entity_id"
_PARENT_IDS = (_PARENT_ID, "remote_ad_group_id")
"""Fields with the id of such a parent."""


def report_columns(
    report: ReportConfig,
    catalog: FieldCatalog,
    discovered: Mapping[str, Any] | None = None,
) -> ReportColumns:
    """Decide a report's columns.

    Args:
        report: The report.
        catalog: All fields of its provider.
        discovered: The columns that an earlier discovery found, and their schemas.

    Returns:
        Its columns: dates, key, the default ones, then the fields in their order.

    Raises:
        ConfigError: If a field is unknown, with the nearest names; if two fields share
            a column; if `group_by`, `sort_by` or a filter has an unknown field.
    """
    vanished = _vanished_columns(report, catalog, discovered or {})
    if errors := [*_field_errors(report, catalog, vanished)]:
        raise ConfigError(errors)
    dates = ("date",) if report.aggregate_by == "day" else ("date", "date_end")
    group = catalog.column(report.group_by) if report.group_by else None
    dimensions = _dimension_columns(report, group)
    key_fields = [*filter(None, map(catalog.column, report.key_fields))]
    fields = _distinct(
        [
            *_default_columns(catalog, group),
            *dimensions,
            *key_fields,
            *(catalog.column(field) or vanished[field] for field in report.fields),
        ]
    )
    keys = [
        fields[0],
        *dimensions,
        *key_fields,
    ]  # the first is the group's, or `entity_id`
    if group:
        fields = [column if column in keys else _as_array(column) for column in fields]
    if errors := [*_shared_name_errors(report, dates, fields)]:
        raise ConfigError(errors)
    is_shared = (
        report.entity_level in _SHARED_LEVELS
        and not (group or report.is_external)
        and {column.field for column in key_fields}.isdisjoint(_PARENT_IDS)
    )
    return ReportColumns(
        dates=dates,
        fields=tuple(fields),
        keys=(
            *(dates if report.aggregate_by == "total" else dates[:1]),
            *dict.fromkeys(column.name for column in keys),
        ),
        group=group.name if group else None,
        dimensions=tuple(column.name for column in dimensions),
        vanished=tuple(vanished),
        key_fields=tuple(column.name for column in key_fields),
        parents=tuple(
            column.name
            for column in fields
            if is_shared and column.field in _PARENT_IDS
        ),
        parent_field=_PARENT_ID if is_shared else None,
    )


def _vanished_columns(
    report: ReportConfig,
    catalog: FieldCatalog,
    discovered: Mapping[str, Any],
) -> dict[str, Column]:
    """Make the columns of unknown fields that an earlier discovery found.

    If the column belongs to another field by now, the unknown field is a misspelling.
    """
    kinds = {"number": Kind.METRIC, "array": Kind.ARRAY}
    current = {*map(column_name, catalog.names)}
    columns = {}
    for field in report.fields:
        name = column_name(field)
        schema = discovered.get(name)
        if catalog.column(field) or name in current or not isinstance(schema, dict):
            continue
        types = schema.get("type", ())
        kind = next((kinds[key] for key in kinds if key in types), Kind.TEXT)
        columns[field] = Column(name, field, kind, requested=False)
    return columns


def _dimension_columns(report: ReportConfig, group: Column | None) -> list[Column]:
    """Make the columns of the dimensions that the report is not grouped by."""
    return [
        column
        for column in map(dimension_column, report.dimensions)
        if group is None or column.name != group.name
    ]


def _default_columns(
    catalog: FieldCatalog, group: Column | None
) -> Iterator[Column | None]:
    """Make the columns that every row has; the group takes the place of the entity."""
    if group:
        yield group
    for name in DEFAULT_META_FIELDS:
        if not (group and name == "entity_id"):
            yield catalog.column(name)


def _distinct(columns: Iterable[Column | None]) -> list[Column]:
    """Keep the first column of each field."""
    by_field: dict[str, Column] = {}
    for column in columns:
        if column:
            by_field.setdefault(column.field.lower(), column)
    return [*by_field.values()]


def _field_errors(
    report: ReportConfig,
    catalog: FieldCatalog,
    vanished: Collection[str],
) -> Iterator[str]:
    """Find unknown and duplicate fields, and those of the wrong type for their key."""
    for field in dict.fromkeys(report.fields):
        if field not in vanished and catalog.column(field) is None:
            yield _refused(report, catalog, "fields", field, catalog.names)
    duplicates = {field for field in report.fields if _count(field, report.fields) > 1}
    if duplicates:
        yield (
            f"reports.{report.name}.fields: duplicate {', '.join(sorted(duplicates))}; "
            "list each field once"
        )
    group = report.group_by
    if group and not _can_group(group, catalog):
        names = {*catalog.meta_names} - {*OBJECTS}
        yield _refused(report, catalog, "group_by", group, names)
    for field in report.key_fields:
        if not _can_be_key(field, catalog):
            yield _refused(report, catalog, "key_fields", field, catalog.meta_names)
    sortable = {group, *report.dimensions}
    if report.sort_by not in sortable and catalog.column(report.sort_by) is None:
        yield _refused(report, catalog, "sort_by", report.sort_by, catalog.names)
    for condition in report.filters:
        path = str(condition["path"])
        known = (
            catalog.meta(path.removeprefix("meta/"))
            if path.startswith("meta/")
            else catalog.metric(path)
        )
        if not known:
            metas = [f"meta/{name}" for name in catalog.meta_names]
            names = {*catalog.metrics.values(), *metas}
            yield _refused(report, catalog, "filters", path, names)


def _can_group(field: str, catalog: FieldCatalog) -> bool:
    column = catalog.column(field)
    return (
        column is not None
        and column.kind in {Kind.TEXT, Kind.NUMBER, Kind.ARRAY}
        and catalog.meta(field) is not None
    )


def _can_be_key(field: str, catalog: FieldCatalog) -> bool:
    column = catalog.column(field)
    return column is not None and column.kind is Kind.TEXT


def _refused(
    report: ReportConfig,
    catalog: FieldCatalog,
    key: str,
    field: str,
    names: Iterable[str],
) -> str:
    """Write the error of a field that a key doesn't take, with the nearest names."""
    meta = "a documented meta field"
    if report.is_external:
        meta = f"a text field of provider {report.provider}"
    allowed = {
        "group_by": f"{meta} that is not an object",
        "key_fields": f"{meta} that is a text",
        "filters": f"a metric, or {meta} as meta/NAME",
    }
    is_known = catalog.column(field) is not None
    fault = f"{field!r} is not allowed" if is_known else f"unknown field {field!r}"
    spellings = {name.lower(): name for name in sorted(names)}
    nearest = get_close_matches(field.lower(), spellings, n=3, cutoff=0.5)
    suggestions = " or ".join(spellings[name] for name in nearest)
    advice = (
        f"did you mean {suggestions}?"
        if suggestions
        else f"see the stream metric_descriptors, provider {report.provider}"
    )
    return (
        f"reports.{report.name}.{key}: {fault}; use "
        f"{allowed.get(key, f'a metric or {meta}')}; {advice}"
    )


def _count(field: str, fields: Sequence[str]) -> int:
    return sum(other.lower() == field.lower() for other in fields)


def _shared_name_errors(
    report: ReportConfig,
    dates: Sequence[str],
    fields: Sequence[Column],
) -> Iterator[str]:
    owners = {name: name for name in dates}
    for column in fields:
        if column.name in owners:
            yield (
                f"reports.{report.name}.fields: {owners[column.name]} and "
                f"{column.field} would share the column {column.name}; remove one of "
                "them"
            )
        owners[column.name] = column.field


def _as_array(column: Column) -> Column:
    """Make a meta field's column a list: a group has a value for each of its rows."""
    return column if column.kind is Kind.METRIC else replace(column, kind=Kind.ARRAY)
