"""From a report's fields to its columns: names, types, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage import field_checks
from tap_adstage.adstage.fields import DEFAULT_META_FIELDS, dimension_column
from tap_adstage.adstage.groups import group_warnings
from tap_adstage.config.adstage import family_of
from tap_adstage.config.reports import Field
from tap_adstage.exceptions import ConfigError, VanishedFieldError
from tap_adstage.reports.columns import Column, Kind, ReportColumns, column_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.config.adstage_settings import AdStageReportConfig

_SHARED_LEVELS = ("ads", "keywords")
"""Levels of entities of which several parents may have one: all Google's keywords of
one text have one id."""

_PARENT_ID = "ad_group_entity_id"
_PARENT_IDS = (_PARENT_ID, "remote_ad_group_id")
"""Fields with the id of such a parent."""


def report_columns(
    report: AdStageReportConfig,
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
        VanishedFieldError: If `sort_by` or a filter has a custom metric that AdStage no
            longer has.
    """
    requested = [*_expanded(report.fields, catalog)]
    vanished = _vanished_columns(requested, catalog, discovered or {})
    if errors := [*field_checks.field_errors(report, catalog, vanished)]:
        raise ConfigError(errors)
    dates = ("date",) if report.aggregate_by == "day" else ("date", "date_end")
    group = catalog.column(report.group_by) if report.group_by else None
    dimensions = _dimension_columns(report, group)
    key_fields = [*filter(None, map(catalog.column, report.key_fields))]
    fixed = _distinct([*_default_columns(catalog, group), *dimensions, *key_fields])
    fields = _distinct([*fixed, *_columns(requested, catalog, vanished)])
    # the first is the group's, or `entity_id`
    keys = [fields[0], *dimensions, *key_fields]
    if group:
        fields = [column if column in keys else _as_array(column) for column in fields]
    if errors := [*field_checks.column_errors(report, dates, fixed, fields)]:
        raise ConfigError(errors)
    if errors := [*field_checks.vanished_errors(report, catalog)]:
        raise VanishedFieldError("\n".join(errors))
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
        warnings=(
            *field_checks.field_warnings(report, catalog, vanished),
            *group_warnings(report, catalog),
        ),
    )


def _expanded(fields: Iterable[Field], catalog: FieldCatalog) -> Iterator[Field]:
    """Replace `custom_conversions:*` and the like by the fields that aren't listed."""
    fields = [*fields]
    listed = {field.name.lower() for field in fields}
    for field in fields:
        family = None if catalog.is_external else family_of(field.name)
        if family is None:
            yield field
            continue
        for name in catalog.family(family):
            if name.lower() not in listed:
                yield Field(name)


def _columns(
    fields: Iterable[Field], catalog: FieldCatalog, vanished: Mapping[str, Column]
) -> Iterator[Column]:
    """Make the columns of fields, each under the name that the user chose, if any."""
    for field in fields:
        column = catalog.column(field.name) or vanished[field.name]
        yield replace(column, name=field.column or column.name)


def _vanished_columns(
    fields: Iterable[Field], catalog: FieldCatalog, discovered: Mapping[str, Any]
) -> dict[str, Column]:
    """Make the columns of fields that AdStage doesn't have and may have had.

    These are custom metrics, and all fields that an earlier discovery found. If the
    column belongs to another field by now, the latter are misspellings.
    """
    kinds = {"number": Kind.METRIC, "array": Kind.ARRAY}
    current = {*map(column_name, catalog.names)}
    columns = {}
    for field in fields:
        if catalog.column(field.name):
            continue
        name = field.column or column_name(field.name)
        schema = discovered.get(name)
        if field_checks.may_have_vanished(field.name, catalog):
            kind = Kind.METRIC
        elif isinstance(schema, dict) and column_name(field.name) not in current:
            types = schema.get("type", ())
            kind = next((kinds[key] for key in kinds if key in types), Kind.TEXT)
        else:
            continue
        columns[field.name] = Column(name, field.name, kind, requested=False)
    return columns


def _dimension_columns(
    report: AdStageReportConfig, group: Column | None
) -> list[Column]:
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


def _as_array(column: Column) -> Column:
    """Make a meta field's column a list: a group has a value for each of its rows."""
    return column if column.kind is Kind.METRIC else replace(column, kind=Kind.ARRAY)
