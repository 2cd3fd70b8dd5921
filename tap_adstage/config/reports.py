"""One report: its keys, of which some override settings."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from tap_adstage.config import declarations
from tap_adstage.config.adstage import (
    ADSTAGE,
    AGGREGATE_BY_ALIASES,
    ENTITY_LEVEL_ALIASES,
    AggregateBy,
    EntityLevel,
    FilterOperator,
    Provider,
)
from tap_adstage.config.declarations import (
    Setting,
    alias,
    declared,
    default_of,
    has_schema,
    hints,
)
from tap_adstage.config.entity_ids import EntityIdText
from tap_adstage.config.report_defaults import Days, ReportDefaults
from tap_adstage.config.texts import ColumnName, DateRange, Name, Text
from tap_adstage.config.type_schema import type_schema


class Filter(TypedDict):
    """A condition of a report, as the API takes it."""

    path: Text
    op: FilterOperator
    value: Annotated[
        Any, Meta(extra_json_schema={"type": ["number", "string", "array"]})
    ]


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


def _fields(values: Iterable["str | NamedField"]) -> tuple[Field, ...]:
    return tuple(map(Field.parse, values))


# Keywords for objects don't apply to texts, so this takes either.
_FIELD_SCHEMA = {
    **type_schema(NamedField),
    "type": ["string", "object"],
    "minLength": 1,
    "x-takes": 'a text that is not empty, or {"field": …, "column": …}',
}


@dataclass(frozen=True, kw_only=True, repr=False)
class ReportConfig(ReportDefaults):
    """A report, with the settings that it doesn't override filled in."""

    name: Annotated[Name, Meta(description="Name of stream and table."), alias("table")]
    entity_level: Annotated[
        EntityLevel,
        Meta(description="What a row is about."),
        alias("dimension", values=ENTITY_LEVEL_ALIASES),
    ]
    aggregate_by: Annotated[
        AggregateBy,
        Meta(description="Length of a slice of time."),
        alias("granularity", values=AGGREGATE_BY_ALIASES),
        hints(dict.fromkeys(("HOUR", "hour"), "AdStage has no hourly data")),
    ] = "day"
    fields: Annotated[
        tuple[Field, ...],
        Meta(
            description="Metric and meta fields, each a column. An object "
            '`{"field": …, "column": …}` names the column. `custom_conversions:*` and '
            "`calculated_metric:*` stand for all there are."
        ),
        has_schema(
            {"type": "array", "items": _FIELD_SCHEMA, "minItems": 1}, read=_fields
        ),
    ]
    date_range: Annotated[
        DateRange | None,
        Meta(
            description="AdStage date range, absolute or relative, such as `last 30 "
            "days`."
        ),
    ] = None
    targets: Annotated[
        tuple[EntityIdText, ...],
        Meta(
            min_length=1,
            description="Entity ids of the accounts, account groups, folders, "
            "campaigns … that the report is limited to.",
        ),
    ] = ()
    filters: Annotated[
        tuple[Filter, ...],
        Meta(
            min_length=1,
            description="Conditions that must all hold: `path` is a metric, or a meta "
            "field with `meta/` before it.",
        ),
    ] = ()
    group_by: Annotated[
        Text | None,
        Meta(
            description="Meta field to group rows by; it takes the place of "
            "`entity_id`."
        ),
    ] = None
    sort_by: Annotated[
        Text,
        Meta(
            description="Field that orders the pages; by default `entity_id`, or the "
            "field of `group_by`. With a metric, which may change between two pages, "
            "rows get lost or repeated."
        ),
        default_of(lambda report: report.get("group_by", "entity_id")),
    ]
    order: Annotated[
        Literal["asc", "desc"], Meta(description="Direction of `sort_by`.")
    ] = "asc"
    ignore_precision: Annotated[
        bool, Meta(description="Whether metrics come unrounded; API version 2 only.")
    ] = False
    provider: Annotated[
        Provider,
        Meta(
            description="Where the data come from: AdStage, or a network that AdStage "
            "asks live, through API V1, for a single target and without `networks`."
        ),
    ] = "adstage"
    dimensions: Annotated[
        tuple[Text, ...],
        Meta(
            min_length=1,
            extra_json_schema={"uniqueItems": True},
            description="Dimensions of an external provider that rows are broken down "
            "by, each a key column.",
        ),
    ] = ()
    key_fields: Annotated[
        tuple[Text, ...],
        Meta(
            min_length=1,
            extra_json_schema={"uniqueItems": True},
            description="Meta fields that join the key, such as `ad_group_entity_id` "
            "if several ad groups have a keyword with the same id.",
        ),
    ] = ()
    api_version: Annotated[
        Literal[2, 1],
        Meta(
            description="AdStage's API version; by default 2, or 1 with an external "
            "provider. Version 1 has no calculated metrics."
        ),
        default_of(
            lambda report: 2 if report.get("provider", ADSTAGE) == ADSTAGE else 1
        ),
    ]

    @property
    def is_external(self) -> bool:
        """Whether the data come from a network and not from what AdStage imported."""
        return self.provider != ADSTAGE

    @property
    def is_by_account(self) -> bool:
        """Whether each row is of one account, so that shards can share them out.

        A group's rows are of any number of accounts; an external report is of one.
        """
        return self.group_by is None and not self.is_external


def _report_key(setting: Setting) -> Setting:
    """Describe a key of a report as the documentation of reports does."""
    if setting.group is ReportDefaults:
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


REPORT_SETTINGS = declared(ReportConfig)
"""All that a report has: its keys, and settings that it can't override."""


def _report_keys() -> tuple[Setting, ...]:
    keys = [setting for setting in REPORT_SETTINGS if setting.group is not Days]
    own_first = sorted(keys, key=lambda key: key.group is ReportDefaults)
    return tuple(map(_report_key, own_first))


REPORT_KEYS = _report_keys()
"""The keys that a report may have, those that override settings last."""

REPORT_KEY_ALIASES = {key.alias: key.name for key in REPORT_KEYS if key.alias}
"""Names of Fivetran's Spotify Ads connector, and the report keys they stand for."""


def canonical_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """Write a report of valid form with the tap's own names of keys and values."""
    return declarations.without_aliases(REPORT_KEYS, report)
