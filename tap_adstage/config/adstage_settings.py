"""AdStage's own settings and report keys, and its bounds of those that all have."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypedDict
from urllib.parse import urlsplit

from msgspec import Meta

from tap_adstage.config.adstage import (
    ADSTAGE,
    AGGREGATE_BY_ALIASES,
    CROSS_NETWORKS,
    ENTITY_LEVEL_ALIASES,
    AggregateBy,
    EntityLevel,
    FilterOperator,
    Network,
    Provider,
    Statuses,
)
from tap_adstage.config.declarations import (
    alias,
    default_of,
    has_schema,
    hints,
    labels,
)
from tap_adstage.config.entity_ids import AccountIdText, EntityIdText
from tap_adstage.config.report_defaults import ReportDefaults
from tap_adstage.config.reports import (
    Field,
    ReportConfig,
    fields_schema,
    reports_schema,
)
from tap_adstage.config.settings import Config
from tap_adstage.config.texts import ApiUrl, Text


class Filter(TypedDict):
    """A condition of a report, as the API takes it."""

    path: Text
    op: FilterOperator
    value: Annotated[
        Any, Meta(extra_json_schema={"type": ["number", "string", "array"]})
    ]


@dataclass(frozen=True, kw_only=True, repr=False)
class AdStageReportDefaults(ReportDefaults):
    """What each of AdStage's reports may override."""

    networks: Annotated[
        tuple[Network, ...],
        Meta(
            min_length=1,
            extra_json_schema={"uniqueItems": True},
            description="Networks that reports ask for; by default all nine.",
        ),
    ] = CROSS_NETWORKS
    statuses: Annotated[
        Statuses,
        Meta(
            description="Which entities reports include, by default "
            "`all_with_deleted`. AdStage's own default leaves out archived and deleted "
            "ones, so totals would change after the fact."
        ),
        labels(
            "Active, paused and completed",
            "Active",
            "Paused and completed",
            "All, archived and deleted too",
        ),
    ] = "all_with_deleted"
    window_days: Annotated[int, Meta(ge=1)] = 10


@dataclass(frozen=True, kw_only=True, repr=False)
class AdStageReportConfig(AdStageReportDefaults, ReportConfig):
    """A report of AdStage's, with the settings that it doesn't override filled in."""

    entity_level: Annotated[
        EntityLevel, alias("dimension", values=ENTITY_LEVEL_ALIASES)
    ]
    aggregate_by: Annotated[
        AggregateBy,
        alias("granularity", values=AGGREGATE_BY_ALIASES),
        hints({"hour": "AdStage has no hourly data"}),
    ] = "day"
    fields: Annotated[
        tuple[Field, ...],
        Meta(
            description="Metric and meta fields, each a column. An object "
            '`{"field": …, "column": …}` names the column. `custom_conversions:*` and '
            "`calculated_metric:*` stand for all there are."
        ),
        has_schema(fields_schema(), read=Field.parse_all),
    ]
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


@dataclass(frozen=True, kw_only=True, repr=False)
class AdStageConfig(AdStageReportDefaults, Config):
    """The settings of a run that reads AdStage."""

    oauth_basic: ClassVar[bool] = False

    api_url: ApiUrl = "https://platform.adstage.io/api"
    user_id: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="AdStage user; by default the token's own."),
    ] = None
    organization_id: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="AdStage organization; needed if the user has several."),
    ] = None
    accounts: Annotated[tuple[AccountIdText, ...], Meta(min_length=1)] | None = None
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 1000
    import_policy: Annotated[
        Literal["ignore", "warn", "hold"],
        Meta(
            description="What to do if AdStage has not finished importing an account "
            "that a report reads: nothing, warn (the default), or warn and hold the "
            "report's bookmark until it has."
        ),
        labels("Do nothing", "Warn", "Warn and hold bookmarks"),
    ] = "warn"
    reports: Annotated[
        tuple[AdStageReportConfig, ...],
        has_schema(reports_schema(AdStageReportConfig)),
    ]

    @property
    def default_token_url(self) -> str:
        """The token endpoint if `oauth_token_url` is omitted."""
        api = urlsplit(self.api_url)
        return f"{api.scheme}://{api.netloc}/oauth/token"
