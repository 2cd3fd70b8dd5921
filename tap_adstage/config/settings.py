"""Every setting of the tap, once: name, type, default, meaning.

The JSON schema that the SDK validates and prints, README's tables, `meltano.yml` and
the definition for Meltano Hub are made from this list or checked against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from tap_adstage.config.declarations import Group, declared, public
from tap_adstage.config.entity_ids import CROSS_NETWORKS, EXTERNAL_PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_adstage.config import declarations

OAUTH = ("client_id", "client_secret", "refresh_token")
"""The settings of OAuth 2: all of them or none."""

CREDENTIALS = (("access_token",), OAUTH, ("sandbox",))
"""Groups of settings, of which any one is enough to start."""

SYNC_MODES = {
    "ALL_ACCOUNTS": "Every linked account",
    "SPECIFIC_ACCOUNTS": "The accounts listed in `accounts`",
}
STATUSES = {
    "all_visible": "Active, paused and completed",
    "all_active": "Active",
    "all_inactive": "Paused and completed",
    "all_with_deleted": "All, archived and deleted too",
}
RECONCILE = {
    "off": "Compare nothing",
    "warn": "Say where they differ",
    "fail": "End the run where they differ",
}
IMPORT_POLICIES = {
    "ignore": "Do nothing",
    "warn": "Say so",
    "hold": "Say so and hold bookmarks",
}
TIMEFRAME_MONTHS = {"THREE": 3, "SIX": 6, "TWELVE": 12, "TWENTY_FOUR": 24}
ALL_TIME = "ALL_TIME"
TIMEFRAMES = {
    **{name: f"{months} months" for name, months in TIMEFRAME_MONTHS.items()},
    ALL_TIME: "Since 2012",
}
FILTER_OPERATORS = {
    **dict.fromkeys(("gt", "lt", "gte", "lte"), "number"),
    **dict.fromkeys(("in", "iin"), "array"),
    **dict.fromkeys(("match", "nomatch", "imatch", "inomatch"), "string"),
}
"""The operators of filters, and the JSON type of the value that each takes."""

ENTITY_LEVELS = ("accounts", "campaigns", "ad_groups", "ads", "keywords")
ENTITY_LEVEL_ALIASES = {
    "AD_ACCOUNT": "accounts",
    "CAMPAIGN": "campaigns",
    "AD_SET": "ad_groups",
    "AD": "ads",
}
AGGREGATE_BY = ("day", "week", "month", "total")
AGGREGATE_BY_ALIASES = {"DAY": "day", "LIFETIME": "total"}
ADSTAGE = "adstage"
"""The provider of what AdStage has imported; all others are external."""

API_VERSIONS = (2, 1)

REPORT_KEY_ALIASES = {
    "table": "name",
    "dimension": "entity_level",
    "granularity": "aggregate_by",
}
"""Names of Fivetran's Spotify Ads connector, and the report keys they stand for."""

_SPELLINGS = {"api": "API", "id": "ID", "oauth": "OAuth", "url": "URL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, or one key of a report.

    Attributes:
        name: The key in the configuration.
        schema: JSON schema of its value.
        description: What it means, in one or two sentences.
        default: What holds where it isn't given, if that is a plain value.
        options: What each of its values is called, where a form offers them.
        secret: Whether its value must never be shown.
    """

    name: str
    schema: dict[str, Any]
    description: str
    default: Any = None
    options: Mapping[str, str] = field(default_factory=dict)
    secret: bool = False

    @property
    def label(self) -> str:
        """What a form calls it: its name in words."""
        words = (_SPELLINGS.get(word, word) for word in self.name.split("_"))
        text = " ".join(words)
        return text[0].upper() + text[1:]

    @property
    def kind(self) -> str:
        """What Meltano calls its type.

        Dates are plain texts to it: as dates it would read 01/02/2024 in its own way
        before the tap can refuse it.
        """
        return "options" if "enum" in self.schema else str(self.schema["type"])

    def json_schema(self) -> dict[str, Any]:
        """The setting as a property of a JSON schema, as the SDK shows it."""
        about = {"title": self.label, "description": self.description}
        schema = {**self.schema, **about}
        if self.default is not None:
            schema["default"] = self.default
        if self.secret:
            schema |= {"secret": True, "writeOnly": True}
        return schema


def _one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _integer(minimum: int, maximum: int | None = None) -> dict[str, Any]:
    limits = {"minimum": minimum} | ({"maximum": maximum} if maximum else {})
    return {"type": "integer", **limits}


def _text(text_format: str | None = None, pattern: str | None = None) -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": 1,
        **({"format": text_format} if text_format else {}),
        **({"pattern": pattern} if pattern else {}),
    }


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


_END = r"$(?!\n)"  # in Python a mere $ also matches before a last line break
_VISIBLE_CHARACTERS = rf"^[!-~]+{_END}"
_NETWORKS = _array(_one_of(*CROSS_NETWORKS)) | {"uniqueItems": True}

REPORT_KEYS = (
    Setting(
        name="name",
        schema=_text(pattern=rf"^[a-z][a-z0-9_]*{_END}"),
        description="Name of stream and table (alias `table`). Required.",
    ),
    Setting(
        name="entity_level",
        schema=_one_of(*ENTITY_LEVELS, *ENTITY_LEVEL_ALIASES),
        description="What a row is about (alias `dimension`). Required.",
    ),
    Setting(
        name="aggregate_by",
        schema=_one_of(*AGGREGATE_BY, *AGGREGATE_BY_ALIASES),
        description="Length of a slice of time; `day` where it isn't given "
        "(alias `granularity`).",
    ),
    Setting(
        name="fields",
        schema=_array(_text()),
        description="Metric and meta fields, each a column. Required.",
    ),
    Setting(
        name="date_range",
        schema=_text("date-range"),
        description="AdStage date range, absolute or relative, such as `last 30 days`.",
    ),
    Setting(
        name="networks",
        schema=_NETWORKS,
        description="Overrides the setting `networks`; not with an external "
        "`provider`.",
    ),
    Setting(
        name="statuses",
        schema=_one_of(*STATUSES),
        description="Overrides the setting `statuses`.",
    ),
    Setting(
        name="time_zone",
        schema=_text("time-zone"),
        description="Overrides the setting `time_zone`.",
    ),
    Setting(
        name="lookback_days",
        schema=_integer(0),
        description="Overrides the setting `lookback_days`.",
    ),
    Setting(
        name="window_days",
        schema=_integer(1),
        description="Overrides the setting `window_days`.",
    ),
    Setting(
        name="targets",
        schema=_array(_text("entity-id")),
        description="Entity ids of the accounts, account groups, folders, campaigns … "
        "that the report is limited to.",
    ),
    Setting(
        name="filters",
        schema=_array(
            {
                "type": "object",
                "properties": {
                    "path": _text(),
                    "op": _one_of(*FILTER_OPERATORS),
                    "value": {"type": ["number", "string", "array"]},
                },
                "required": ["path", "op", "value"],
                "additionalProperties": False,
            },
        ),
        description="Conditions that must all hold: `path` is a metric, or a meta "
        "field with `meta/` before it.",
    ),
    Setting(
        name="group_by",
        schema=_text(),
        description="Meta field to group rows by; it takes the place of `entity_id`.",
    ),
    Setting(
        name="sort_by",
        schema=_text(),
        description="Field that orders the pages; `entity_id`, or what `group_by` "
        "says, where it isn't given, as a metric that changes between two pages loses "
        "and repeats rows.",
    ),
    Setting(
        name="order",
        schema=_one_of("asc", "desc"),
        description="Direction of `sort_by`; `asc` where it isn't given.",
    ),
    Setting(
        name="ignore_precision",
        schema={"type": "boolean"},
        description="Whether metrics come unrounded; API version 2 only.",
    ),
    Setting(
        name="provider",
        schema=_one_of(ADSTAGE, *EXTERNAL_PROVIDERS),
        description="Where the data come from: `adstage` where it isn't given, or a "
        "network that AdStage asks live, through API V1 and for a single target.",
    ),
    Setting(
        name="dimensions",
        schema=_array(_text()) | {"uniqueItems": True},
        description="Dimensions of an external provider that rows are broken down by, "
        "each a key column.",
    ),
    Setting(
        name="api_version",
        schema={"type": "integer", "enum": list(API_VERSIONS)},
        description="AdStage's API version: 2 where it isn't given, 1 for external "
        "providers. Version 1 has no calculated metrics.",
    ),
)

_REPORT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{key.name: key.json_schema() for key in REPORT_KEYS},
        **{
            alias: {
                **next(key for key in REPORT_KEYS if key.name == name).schema,
                "description": f"Alias of `{name}`.",
            }
            for alias, name in REPORT_KEY_ALIASES.items()
        },
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Requests(Group):
    """How AdStage is asked."""

    page_size: Annotated[int, Meta(ge=1, le=1000, description="Rows per page.")] = 1000
    max_concurrency: Annotated[
        int,
        Meta(
            ge=1,
            le=32,
            description="Requests of a report in flight at once. With 1, a page is "
            "requested once the one before it is written.",
        ),
    ] = 4
    request_timeout: Annotated[
        int,
        Meta(
            ge=1,
            description="Seconds without a byte after which a request counts as "
            "failed.",
        ),
    ] = 300
    max_retry_seconds: Annotated[
        int,
        Meta(
            ge=0,
            description="Longest time in seconds that one request is retried.",
        ),
    ] = 600


SETTINGS: tuple[Setting | declarations.Setting, ...] = (
    Setting(
        name="access_token",
        schema=_text(pattern=_VISIBLE_CHARACTERS),
        description="Bearer token. Either this or the three OAuth settings are "
        "needed, unless `sandbox` is on.",
        secret=True,
    ),
    Setting(
        name="client_id",
        schema=_text(),
        description="OAuth 2 application. With `client_secret` and `refresh_token`: "
        "all three or none; given both, OAuth goes before `access_token`.",
    ),
    Setting(
        name="client_secret",
        schema=_text(),
        description="Secret of the OAuth 2 application.",
        secret=True,
    ),
    Setting(
        name="refresh_token",
        schema=_text(),
        description="OAuth 2 refresh token, exchanged for access tokens.",
        secret=True,
    ),
    Setting(
        name="oauth_token_url",
        schema=_text("http-url"),
        description="OAuth 2 token endpoint; `/oauth/token` at the root of `api_url` "
        "where it isn't given.",
    ),
    Setting(
        name="oauth_token_file",
        schema=_text(),
        description="File that keeps the newest refresh token where AdStage rotates "
        "it, written with mode 0600. Taps on one machine may share it.",
    ),
    Setting(
        name="api_url",
        schema=_text("http-url"),
        description="Root of the AdStage API.",
        default="https://platform.adstage.io/api",
    ),
    Setting(
        name="sandbox",
        schema={"type": "boolean"},
        description="Read generated data from a local API inside the process: no "
        "token and no network needed. Needs the extra `tap-adstage[sandbox]`.",
        default=False,
    ),
    Setting(
        name="user_id",
        schema=_integer(1),
        description="AdStage user; the token's own where it isn't given.",
    ),
    Setting(
        name="organization_id",
        schema=_integer(1),
        description="AdStage organization; needed where the user has several.",
    ),
    Setting(
        name="sync_mode",
        schema=_one_of(*SYNC_MODES),
        options=SYNC_MODES,
        description="Whether to read every linked account or those in `accounts`.",
        default="ALL_ACCOUNTS",
    ),
    Setting(
        name="accounts",
        schema=_array(_text("account-id")),
        description="Entity ids such as `/network/adwords/account/123`, for "
        "`SPECIFIC_ACCOUNTS`.",
    ),
    Setting(
        name="shard",
        schema=_text("shard"),
        description="Part of the accounts to read: `3/8` is the third of eight runs "
        "that share them out. What can't be shared out, such as the resource streams, "
        "is read by the first.",
    ),
    Setting(
        name="networks",
        schema=_NETWORKS,
        description="Networks that reports ask for.",
        default=list(CROSS_NETWORKS),
    ),
    Setting(
        name="statuses",
        schema=_one_of(*STATUSES),
        options=STATUSES,
        description="Which entities reports hold. AdStage's own default leaves out "
        "archived and deleted ones, so totals would change after the fact.",
        default="all_with_deleted",
    ),
    Setting(
        name="start_date",
        schema=_text("date"),
        description="First day that any report asks for: a date, or a date-time "
        "whose date counts as it is written.",
    ),
    Setting(
        name="end_date",
        schema=_text("date"),
        description="Last day that any report asks for.",
    ),
    Setting(
        name="timeframe_months",
        schema=_one_of(*TIMEFRAMES),
        options=TIMEFRAMES,
        description="Reach of the first sync where neither `start_date` nor a "
        "report's `date_range` says; `ALL_TIME` starts at 2012-01-01.",
        default="SIX",
    ),
    Setting(
        name="time_zone",
        schema=_text("time-zone"),
        description="IANA name of the zone in which days are counted.",
        default="UTC",
    ),
    Setting(
        name="as_of",
        schema=_text("date"),
        description="Date or date-time that the run takes for now, so that a repeated "
        "run gets the same ranges; the real now where it isn't given.",
    ),
    Setting(
        name="lookback_days",
        schema=_integer(0),
        description="Days before the bookmark that every incremental run fetches "
        "again, for late conversions.",
        default=30,
    ),
    Setting(
        name="window_days",
        schema=_integer(1),
        description="Days asked for in one request; never less than one slice.",
        default=10,
    ),
    *declared(Requests),
    Setting(
        name="reconcile",
        schema=_one_of(*RECONCILE),
        options=RECONCILE,
        description="Compare what each window wrote with AdStage's own row count and "
        "totals: `warn` says where they differ, `fail` ends the run there.",
        default="warn",
    ),
    Setting(
        name="import_policy",
        schema=_one_of(*IMPORT_POLICIES),
        options=IMPORT_POLICIES,
        description="What to do where AdStage has not finished importing an account "
        "that a report reads: nothing, say so, or say so and hold the report's "
        "bookmark until it has.",
        default="warn",
    ),
    Setting(
        name="user_agent",
        schema=_text(pattern=rf"^[!-~]([ -~]*[!-~])?{_END}"),
        description="User-Agent header; `tap-adstage/VERSION` where it isn't given.",
    ),
    Setting(
        name="reports",
        schema={"type": "array", "items": _REPORT_SCHEMA},
        description="Reports, each a stream of its own; five daily ones, an entity "
        "level each, where none is given.",
    ),
)


def canonical_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """Write a report with the tap's own names, for aliases of keys and values.

    Args:
        report: A report as given, of valid form.

    Returns:
        The same report without aliases; keys that are null are left out.
    """
    keys = {
        REPORT_KEY_ALIASES.get(key, key): value
        for key, value in report.items()
        if value is not None
    }
    if level := keys.get("entity_level"):
        keys["entity_level"] = ENTITY_LEVEL_ALIASES.get(level, level)
    if aggregate_by := keys.get("aggregate_by"):
        keys["aggregate_by"] = AGGREGATE_BY_ALIASES.get(aggregate_by, aggregate_by)
    return keys


def api_version(report: Mapping[str, Any]) -> int:
    """Find the version of AdStage's API that a report uses.

    Args:
        report: A report in the tap's own names.

    Returns:
        What the report says; else 1 for external providers, which version 2 doesn't
        have, and 2 for all others.
    """
    external = report.get("provider", ADSTAGE) != ADSTAGE
    return int(report.get("api_version", 1 if external else 2))


def is_calculated(field: str) -> bool:
    """Whether a field is a calculated metric, which API version 1 lacks."""
    return field.lower().startswith("calculated_metric:")


def secret_values(given: Mapping[str, Any]) -> list[str]:
    """Find what must never be shown.

    Args:
        given: The settings as given, of whatever form.

    Returns:
        The texts that are given for secret settings.
    """
    values = [given.get(setting.name) for setting in SETTINGS if setting.secret]
    return [value for value in values if isinstance(value, str)]


def json_schema() -> dict[str, Any]:
    """All settings as one JSON schema.

    Returns:
        A new schema, without the settings that the SDK adds.
    """
    return {
        "type": "object",
        "properties": {
            setting.name: public(setting.json_schema()) for setting in SETTINGS
        },
        "additionalProperties": False,
    }
