"""One report of any source: its keys, of which some override settings."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from tap_adstage.config.declarations import (
    Setting,
    alias,
    declared,
    object_schema,
)
from tap_adstage.config.report_defaults import Days, ReportDefaults
from tap_adstage.config.texts import ColumnName, DateRange, Name, Text
from tap_adstage.config.type_schema import type_schema


class NamedField(TypedDict):
    """A field with a name of its own for the column."""

    field: Text
    column: ColumnName


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a report asks for.

    Attributes:
        name: Its name as the user wrote it, in any case; `custom_conversions:*` and
            `calculated_metric:*` stand for all there are.
        column: The name of its column; by default made of the field's.
    """

    name: str
    column: str | None = None

    @classmethod
    def parse(cls, value: "str | NamedField") -> "Field":
        """Read a valid field: its name, or an object with that of the column."""
        if isinstance(value, str):
            return cls(value)
        return cls(value["field"], value["column"])

    @classmethod
    def parse_all(cls, values: "Iterable[str | NamedField]") -> "tuple[Field, ...]":
        """Read valid fields."""
        return tuple(map(cls.parse, values))


def fields_schema(
    takes: str = "a text that is not empty",
    check: Callable[[str], object] | None = None,
) -> dict[str, Any]:
    """Make the JSON schema of a report's fields.

    Args:
        takes: The form of a field's name in words, for an error.
        check: Raises a ValueError with the reason if a name is wrong.
    """
    name = {"minLength": 1, "x-takes": takes, **({"x-check": check} if check else {})}
    item = type_schema(NamedField)
    item["properties"]["field"] |= name
    # Keywords for objects don't apply to texts, so this takes either.
    item |= {**name, "type": ["string", "object"]}
    item["x-takes"] = f'{takes}, or {{"field": …, "column": …}}'
    return {"type": "array", "items": item, "minItems": 1}


@dataclass(frozen=True, kw_only=True, repr=False)
class ReportConfig(ReportDefaults):
    """What every source's reports have, with the settings that they don't override."""

    name: Annotated[Name, Meta(description="Name of stream and table."), alias("table")]
    entity_level: Annotated[
        str, Meta(description="What a row is about."), alias("dimension")
    ]
    aggregate_by: Annotated[
        str, Meta(description="Length of a slice of time."), alias("granularity")
    ]
    fields: Annotated[tuple[Field, ...], Meta(description="Fields, each a column.")]
    date_range: Annotated[
        DateRange | None,
        Meta(
            description="AdStage date range, absolute or relative, such as `last 30 "
            "days`."
        ),
    ] = None
    targets: Annotated[
        tuple[str, ...], Meta(description="Ids of what the report is limited to.")
    ] = ()


def report_settings(report: type[ReportConfig]) -> tuple[Setting, ...]:
    """List the keys that a report may have, those that override settings last."""
    keys = [setting for setting in declared(report) if setting.group is not Days]
    own_first = sorted(keys, key=_is_override)
    return tuple(map(_report_key, own_first))


def reports_schema(report: type[ReportConfig]) -> dict[str, Any]:
    """Make the JSON schema of a list of reports."""
    return {"type": "array", "items": object_schema(report_settings(report))}


def _is_override(setting: Setting) -> bool:
    return not issubclass(setting.group, ReportConfig)


def _report_key(setting: Setting) -> Setting:
    """Describe a key of a report as the documentation of reports does."""
    if _is_override(setting):
        notes = [f"Overrides the setting `{setting.name}`."]
    else:
        notes = [
            setting.description,
            f"Alias `{setting.alias}`." if setting.alias else "",
            "Required." if setting.required else "",
            f"By default `{_shown(setting.default)}`."
            if setting.default is not None
            else "",
        ]
    return dataclasses.replace(
        setting, description=" ".join(filter(None, notes)), default=None
    )


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
