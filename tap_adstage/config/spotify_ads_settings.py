"""Spotify Ads' settings and report keys, as far as they differ from other sources'."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from tap_adstage.config.declarations import (
    alias,
    any_case,
    default_of,
    has_schema,
    hints,
    text,
)
from tap_adstage.config.report_defaults import ReportDefaults
from tap_adstage.config.reports import (
    Field,
    NamedField,
    ReportConfig,
    fields_schema,
    reports_schema,
)
from tap_adstage.config.settings import Config
from tap_adstage.config.spotify_ads import (
    AGGREGATE_BY_ALIASES,
    AUDIENCES,
    ENTITY_LEVEL_ALIASES,
    FIELDS,
    LEVELS,
)
from tap_adstage.config.texts import ApiUrl, DateRange
from tap_adstage.config.type_schema import type_schema
from tap_adstage.runtime.wording import LIST_FIELDS, suggest

_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_EXAMPLE = "9a7b6c5d-4e3f-4b21-8c99-bf1c2a3d4e5f"
_NOT_ADDITIVE = "Spotify's reach can't be summed up over days; it takes total"


def _ids_schema(noun: str) -> dict[str, Any]:
    id_ = Annotated[
        str,
        Meta(pattern=rf"^{_UUID}$(?!\n)"),
        text(f"the id of {noun}, a UUID such as {_EXAMPLE}"),
    ]
    return {"type": "array", "items": type_schema(id_), "minItems": 1}


def _read_ids(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.lower() for value in values))


def _check_field(name: str) -> None:
    if name.upper() not in FIELDS:
        advice = (suggest(name.upper(), FIELDS), LIST_FIELDS)
        raise ValueError("; ".join(filter(None, advice)))


def _read_fields(values: Iterable[str | NamedField]) -> tuple[Field, ...]:
    return tuple(
        Field(field.name.upper(), field.column) for field in Field.parse_all(values)
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class SpotifyAdsReportDefaults(ReportDefaults):
    """What each of Spotify Ads' reports may override."""

    time_zone: Annotated[
        str, Meta(pattern="^UTC$"), text("UTC alone, as Spotify counts days in UTC")
    ] = "UTC"
    window_days: Annotated[int, Meta(ge=1, le=89)] = 30


@dataclass(frozen=True, kw_only=True, repr=False)
class SpotifyAdsReportConfig(SpotifyAdsReportDefaults, ReportConfig):
    """A report of Spotify's, with the settings that it doesn't override filled in."""

    entity_level: Annotated[
        str,
        Meta(
            description="What a row is about, in any case: a level, or an audience "
            "that each ad set is broken down by."
        ),
        has_schema({"type": "string", "enum": [*LEVELS, *AUDIENCES]}),
        alias("dimension", values=ENTITY_LEVEL_ALIASES),
        any_case(),
    ]
    """One of `LEVELS`, or of `AUDIENCES`."""

    aggregate_by: Annotated[
        Literal["day", "hour", "total"],
        Meta(
            description="Length of a slice of time, in any case; by default `day`, for "
            "an audience `total`, which is all it has."
        ),
        alias("granularity", values=AGGREGATE_BY_ALIASES),
        hints(dict.fromkeys(("week", "month"), _NOT_ADDITIVE)),
        any_case(),
        default_of(
            lambda report: "total" if report["entity_level"] in AUDIENCES else "day"
        ),
    ]
    fields: Annotated[
        tuple[Field, ...],
        Meta(
            description="Spotify's fields in any case, each a column. An object "
            '`{"field": …, "column": …}` names the column.'
        ),
        has_schema(
            fields_schema("a field of Spotify's reports", _check_field),
            read=_read_fields,
        ),
    ]
    """Their names are in upper case."""

    date_range: Annotated[
        DateRange | None,
        Meta(
            description="AdStage date range, absolute or relative, such as `last 30 "
            "days`. Without one, `total` is the whole lifetime; with one, it takes at "
            "most 90 days."
        ),
    ] = None
    targets: Annotated[
        tuple[str, ...],
        Meta(
            description="Ids of the campaigns or ad sets that an audience report is "
            "limited to; by default every ad set."
        ),
        has_schema(_ids_schema("a campaign or an ad set"), read=_read_ids),
    ] = ()

    @property
    def audience(self) -> str | None:
        """What an audience report breaks an ad set down by; `None` if it is not one."""
        return self.entity_level if self.is_audience else None

    @property
    def is_audience(self) -> bool:
        """Whether it is an audience report, which the API calls an insight report."""
        return self.entity_level in AUDIENCES


@dataclass(frozen=True, kw_only=True, repr=False)
class SpotifyAdsConfig(SpotifyAdsReportDefaults, Config):
    """The settings of a run that reads Spotify Ads."""

    oauth_basic: ClassVar[bool] = True

    api_url: ApiUrl = "https://api-partner.spotify.com/ads/v3"
    accounts: (
        Annotated[
            tuple[str, ...], has_schema(_ids_schema("an ad account"), read=_read_ids)
        ]
        | None
    ) = None
    page_size: Annotated[int, Meta(ge=1, le=50)] = 50
    reports: Annotated[
        tuple[SpotifyAdsReportConfig, ...],
        has_schema(reports_schema(SpotifyAdsReportConfig)),
    ]

    @property
    def default_token_url(self) -> str:
        """The token endpoint if `oauth_token_url` is omitted."""
        return "https://accounts.spotify.com/api/token"


def default_reports() -> list[dict[str, Any]]:
    """Make a daily report for each level."""
    fields = ["IMPRESSIONS", "CLICKS", "SPEND", "REACH", "COMPLETES"]
    return [
        {
            "name": f"{level.removesuffix('s')}_performance",
            "entity_level": level,
            "fields": fields,
        }
        for level in LEVELS
    ]
