"""From a report's fields to its columns: names, types, keys, and what is unknown."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage.fields import DEFAULT_META_FIELDS, OBJECTS, dimension_column
from tap_adstage.exceptions import ConfigError
from tap_adstage.reports.columns import Column, Kind, ReportColumns, column_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.config.reports import ReportConfig


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
        field: _lost_column(field, catalog, discovered or {})
        for field, column in given.items()
        if column is None
    }
    unknown = [field for field, column in lost.items() if column is None]
    errors = [*_field_errors(report, catalog, unknown)]
    if errors:
        raise ConfigError(errors)
    dates = ("date",) if report.aggregate_by == "day" else ("date", "date_end")
    group = catalog.column(report.group_by) if report.group_by else None
    dimensions = [
        column
        for column in map(dimension_column, report.dimensions)
        if group is None or column.name != group.name
    ]
    always = [
        name for name in DEFAULT_META_FIELDS if group is None or name != "entity_id"
    ]
    columns: dict[str, Column] = {}
    for column in (
        group,
        *map(catalog.column, always),
        *dimensions,
        *(given[field] or lost[field] for field in report.fields),
    ):
        if column:
            columns.setdefault(column.field.lower(), column)
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
            *dict.fromkeys(column.name for column in rows),
        ),
        group=group.name if group else None,
        dimensions=tuple(column.name for column in dimensions),
        vanished=tuple(lost),
    )


def _lost_column(
    field: str,
    catalog: FieldCatalog,
    discovered: Mapping[str, Any],
) -> Column | None:
    """The column of a field that an earlier discovery found, or `None`.

    A column that is still another field's was never this one's: a misspelt field.
    """
    name = column_name(field)
    schema = discovered.get(name)
    if not isinstance(schema, dict) or name in map(column_name, catalog.names):
        return None
    kinds = {"number": Kind.METRIC, "array": Kind.ARRAY}
    kind = next(
        (kinds[key] for key in kinds if key in schema.get("type", ())), Kind.TEXT
    )
    return Column(column_name(field), field, kind, requested=False)


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
        names = {*catalog.meta_names} - {*OBJECTS}
        yield _unknown(report, "group_by", group, names)
    sortable = {group, *report.dimensions}
    if report.sort_by not in sortable and catalog.column(report.sort_by) is None:
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
    listed = f"; they are in the stream metric_descriptors, provider {report.provider}"
    spelled = {name.lower(): name for name in sorted(names)}
    near = get_close_matches(field.lower(), spelled, n=3, cutoff=0.5)
    found = " or ".join(spelled[name] for name in near)
    return (
        f"reports.{report.name}.{key}: there is no {field!r} to use here; it takes "
        f"{allowed.get(key, f'a metric or {meta}')}"
        f"{f'; did you mean {found}?' if found else listed}"
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


def _grouped(column: Column) -> Column:
    """In a grouped report every meta field but the group has many values."""
    return column if column.kind is Kind.METRIC else replace(column, kind=Kind.ARRAY)
