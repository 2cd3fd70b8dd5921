"""What is wrong with the fields that a report names, in words that help.

Each line names the report, its key, the field and what is allowed.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tap_adstage.adstage.fields import OBJECTS
from tap_adstage.config.adstage import family_of, is_custom
from tap_adstage.reports.columns import Kind
from tap_adstage.runtime.wording import LIST_FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.config.adstage_settings import AdStageReportConfig
    from tap_adstage.reports.columns import Column

_META = "meta/"
"""What the path of a filter on a meta field begins with."""

_TIMES = {"date", "date_end", "day", "week", "month", "year", "time", "timestamp"}
_ABOUT_TIME = {
    "fields": "every report has the column date, and aggregate_by sets its slices",
    "group_by": "aggregate_by sets the slices of time",
    "key_fields": "the date is part of every key",
    "sort_by": "days come in their order by themselves",
    "filters": "date_range limits the days",
}
"""Advice for each key that is given a time, which is not a field in AdStage."""


def may_have_vanished(field: str, catalog: FieldCatalog) -> bool:
    """Whether a field that AdStage doesn't have is a custom metric.

    External providers have none.
    """
    return (
        is_custom(field) and not catalog.is_external and catalog.column(field) is None
    )


def field_errors(
    report: AdStageReportConfig, catalog: FieldCatalog, vanished: Collection[str]
) -> Iterator[str]:
    """Find unknown and duplicate fields, and those of the wrong type for their key.

    Args:
        report: The report.
        catalog: All fields of its provider.
        vanished: Names of the fields that AdStage may have had, and that get a column.

    Yields:
        One line for each error.
    """
    names = [field.name for field in report.fields]
    for name in dict.fromkeys(names):
        is_family = bool(family_of(name)) and not catalog.is_external
        if not (is_family or name in vanished or catalog.column(name)):
            yield _refused(report, catalog, "fields", name, catalog.names)
    counts = Counter(map(str.lower, names))
    if duplicates := sorted({name for name in names if counts[name.lower()] > 1}):
        yield (
            f"reports.{report.name}.fields: duplicate {', '.join(duplicates)}; list "
            "each field once"
        )
    group = report.group_by
    if group and not _can_group(group, catalog):
        groups = {*catalog.meta_names} - {*OBJECTS}
        yield _refused(report, catalog, "group_by", group, groups)
    for field in report.key_fields:
        if not _can_be_key(field, catalog):
            yield _refused(report, catalog, "key_fields", field, catalog.meta_names)
    if not _can_sort(report, catalog):
        yield _refused(report, catalog, "sort_by", report.sort_by, catalog.names)
    for condition in report.filters:
        path = str(condition["path"])
        if not (_can_filter(path, catalog) or may_have_vanished(path, catalog)):
            metas = [f"{_META}{name}" for name in catalog.meta_names]
            paths = {*catalog.metrics.values(), *metas}
            yield _refused(report, catalog, "filters", path, paths)


def vanished_errors(
    report: AdStageReportConfig, catalog: FieldCatalog
) -> Iterator[str]:
    """Find custom metrics that AdStage doesn't have and that can't be null."""
    paths = [str(condition["path"]) for condition in report.filters]
    uses = [("sort_by", report.sort_by), *(("filters", path) for path in paths)]
    for key, field in uses:
        if may_have_vanished(field, catalog):
            yield (
                f"reports.{report.name}.{key}: AdStage no longer has {field}, without "
                "which it can't choose or order the rows; use another field"
            )


def field_warnings(
    report: AdStageReportConfig, catalog: FieldCatalog, vanished: Collection[str]
) -> Iterator[str]:
    """Write what a user should know of the fields, though the report can run."""
    if vanished:
        yield (
            f"AdStage no longer has {', '.join(vanished)}; the columns stay, without "
            "values (if it never had them, correct the names)"
        )
    for field in report.fields:
        family = family_of(field.name)
        if family and not catalog.family(family):
            yield f"AdStage has none of {field.name}, so there are no columns for it"


def column_errors(
    report: AdStageReportConfig,
    dates: Sequence[str],
    fixed: Collection[Column],
    columns: Sequence[Column],
) -> Iterator[str]:
    """Find columns that share a name, and new names of columns that must not have one.

    Args:
        report: The report.
        dates: Names of its date columns.
        fixed: The columns that it has whatever its `fields` are.
        columns: All columns but dates.
    """
    path = f"reports.{report.name}.fields"
    names = {column.field.lower(): column.name for column in fixed}
    for field in report.fields:
        if field.column and field.name.lower() in names:
            yield (
                f"{path}: {field.name} always has the column "
                f"{names[field.name.lower()]}; list it without another column"
            )
    owners = {name: name for name in dates}
    for column in columns:
        if column.name in owners:
            way_out = (
                f'name one with {{"field": "{column.field}", "column": "…"}}'
                if column.field.lower() not in names
                else "remove one of them"
            )
            yield (
                f"{path}: {owners[column.name]} and {column.field} would share the "
                f"column {column.name}; {way_out}"
            )
        owners[column.name] = column.field


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


def _can_sort(report: AdStageReportConfig, catalog: FieldCatalog) -> bool:
    field = report.sort_by
    return (
        field in {report.group_by, *report.dimensions}
        or catalog.column(field) is not None
        or may_have_vanished(field, catalog)
    )


def _can_filter(path: str, catalog: FieldCatalog) -> bool:
    if path.startswith(_META):
        return catalog.meta(path.removeprefix(_META)) is not None
    return catalog.metric(path) is not None


def _refused(
    report: AdStageReportConfig,
    catalog: FieldCatalog,
    key: str,
    field: str,
    names: Iterable[str],
) -> str:
    """Write the error of a field that a key doesn't take, and what may help."""
    meta = "a documented meta field"
    if report.is_external:
        meta = f"a text field of provider {report.provider}"
    allowed = {
        "group_by": f"{meta} that is not an object",
        "key_fields": f"{meta} that is a text",
        "filters": f"a metric, or {meta} as {_META}NAME",
    }
    is_known = catalog.column(field) is not None or may_have_vanished(field, catalog)
    fault = f"{field!r} is not allowed" if is_known else f"unknown field {field!r}"
    advice = _advice(catalog, key, field, names)
    parts = [
        f"reports.{report.name}.{key}: {fault}",
        f"use {allowed.get(key, f'a metric or {meta}')}",
        *([advice] if advice else []),
        LIST_FIELDS,
    ]
    return "; ".join(parts)


def _advice(
    catalog: FieldCatalog,
    key: str,
    field: str,
    names: Iterable[str],
) -> str | None:
    bare = field.removeprefix(_META)
    if bare.lower() in _TIMES:
        return _ABOUT_TIME[key]
    if key == "filters":
        other = bare if bare != field else f"{_META}{field}"
        if _can_filter(other, catalog):
            return f"did you mean {other}?"
    # A metric is not a misspelling of a meta field, however close the names are.
    is_metric = catalog.metric(field) is not None or is_custom(field)
    takes_metas_alone = key in {"group_by", "key_fields"}
    if not (takes_metas_alone and is_metric):
        nearest = _nearest(field, names)
        if nearest:
            return f"did you mean {' or '.join(nearest)}?"
    return None


def _nearest(field: str, names: Iterable[str]) -> list[str]:
    """Find misspellings first, then what has it as a member, then names alike."""
    lower = field.lower()
    spellings = {name.lower(): name for name in sorted(names)}
    part = re.compile(rf"(?:.*[.:])?{re.escape(lower)}(?:[.:].*)?")
    nearest = (
        get_close_matches(lower, spellings, n=3, cutoff=0.85)
        or sorted(filter(part.fullmatch, spellings), key=len)[:3]
        or get_close_matches(lower, spellings, n=3, cutoff=0.65)
    )
    return [spellings[name] for name in nearest]
