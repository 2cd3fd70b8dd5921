"""The settings, checked and typed.

`parse` turns what the user wrote into a `Config`, or says everything that is wrong
with it at once. It sends no request: what only AdStage can tell (accounts, fields) is
checked at discovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tap_adstage import date_ranges
from tap_adstage.config import checks
from tap_adstage.config.declarations import typed
from tap_adstage.config.settings import (
    ADSTAGE,
    SETTINGS,
    Requests,
    api_version,
    canonical_report,
)
from tap_adstage.config.shards import Shard
from tap_adstage.exceptions import ConfigError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

_IDENTIFYING_FIELDS = {
    "accounts": ("account_name", "remote_account_id"),
    "campaigns": ("campaign_name", "remote_campaign_id"),
    "ad_groups": ("ad_group_name", "remote_ad_group_id"),
    "ads": ("ad_name", "remote_ad_id"),
    "keywords": ("keyword_text", "remote_keyword_id"),
}
_IDENTIFYING_LEVELS = {
    "accounts": ("accounts",),
    "campaigns": ("accounts", "campaigns"),
    "ad_groups": ("accounts", "campaigns", "ad_groups"),
    "ads": ("accounts", "campaigns", "ad_groups", "ads"),
    "keywords": ("accounts", "campaigns", "ad_groups", "keywords"),
}
"""Each level with its parents, the account first."""

_DEFAULT_METRICS = ("clicks", "impressions", "spend", "conversions")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfig:
    """One report, with the general settings filled in.

    Attributes:
        name: Name of the stream.
        entity_level: What a row is about.
        aggregate_by: `day`, `week`, `month` or `total`.
        fields: Fields in the user's spelling and order.
        date_range: An AdStage date range, if the report has one.
        today: The day that it is for this report, in its `time_zone`.
        start_date: First day that may be asked for, if set.
        end_date: Last day that may be asked for, inclusive, if set.
        timeframe_months: Reach of a first sync, a key of `TIMEFRAME_MONTHS` or
            `ALL_TIME`.
        lookback_days: Days before the bookmark to fetch again.
        window_days: Days in one request.
        networks: Networks to ask for.
        statuses: Which entities to ask for.
        time_zone: IANA name of the zone in which days are counted.
        targets: Entity ids that the report is limited to; none is no limit.
        filters: Conditions, as the API takes them.
        group_by: Meta field to group rows by, if any.
        sort_by: Field that orders the pages.
        order: `asc` or `desc`.
        ignore_precision: Whether metrics come unrounded (API V2 only).
        provider: `adstage`, or the network that AdStage asks live.
        dimensions: What an external provider's rows are broken down by.
        api_version: 2, or 1, which external providers always have.
    """

    name: str
    entity_level: str
    aggregate_by: str
    fields: tuple[str, ...]
    date_range: str | None
    today: dt.date
    start_date: dt.date | None
    end_date: dt.date | None
    timeframe_months: str
    lookback_days: int
    window_days: int
    networks: tuple[str, ...]
    statuses: str
    time_zone: str
    targets: tuple[str, ...]
    filters: tuple[Mapping[str, Any], ...]
    group_by: str | None
    sort_by: str
    order: str
    ignore_precision: bool
    provider: str
    dimensions: tuple[str, ...]
    api_version: int

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthConfig:
    """An OAuth 2 application and the refresh token that the user granted it."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    token_url: str
    token_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Requests):
    """The settings of one run.

    Attributes:
        access_token: Bearer token, if given.
        oauth: OAuth settings, if given; they go before `access_token`.
        api_url: Root of the API, without a slash at its end.
        sandbox: Whether to read the in-process sandbox.
        user_id: AdStage user, if chosen.
        organization_id: AdStage organization, if chosen.
        accounts: Chosen accounts' entity ids, `None` for all.
        shard: Part of these that the run reads.
        reconcile: `off`, `warn` or `fail`.
        import_policy: `ignore`, `warn` or `hold`.
        user_agent: User-Agent header, if given.
        today: The day that it is, in the setting `time_zone`.
        reports: The reports, in the order given.
    """

    access_token: str | None = field(repr=False)
    oauth: OAuthConfig | None
    api_url: str
    sandbox: bool
    user_id: int | None
    organization_id: int | None
    accounts: tuple[str, ...] | None
    shard: Shard
    reconcile: str
    import_policy: str
    user_agent: str | None
    today: dt.date
    reports: tuple[ReportConfig, ...]


def parse(
    raw: Mapping[str, Any],
    *,
    now: dt.datetime,
    stream_names: Collection[str],
) -> Config:
    """Type the settings.

    Args:
        raw: The settings as given; `None` counts as not given. Keys that are no
            setting of the tap (the SDK's own) are passed over.
        now: The real now, with a time zone; used where `as_of` isn't set.
        stream_names: Names of the resource streams, which no report may take.

    Returns:
        The settings with all defaults filled in.

    Raises:
        ConfigError: If anything is wrong, with all of it.
    """
    given = without_nulls(raw)
    errors = checks.errors(given, stream_names)
    if errors:
        raise ConfigError(errors)
    try:
        config = _config(given, now)
        for report in config.reports:
            if report.date_range:
                date_ranges.parse_date_range(report.date_range, today=report.today)
    except date_ranges.DateRangeError as error:
        raise ConfigError([f"as_of and date_range: {error}"]) from None
    return config


def without_nulls(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is null: a null is how some callers say that nothing is given.

    Args:
        raw: The settings as given.

    Returns:
        The settings without nulls, also in each report.
    """
    given = {key: value for key, value in raw.items() if value is not None}
    if isinstance(given.get("reports"), list):
        given["reports"] = [
            {key: value for key, value in report.items() if value is not None}
            if isinstance(report, Mapping)
            else report
            for report in given["reports"]
        ]
    return given


def _config(given: Mapping[str, Any], now: dt.datetime) -> Config:
    settings = {
        setting.name: given.get(setting.name, setting.default) for setting in SETTINGS
    }
    reports = settings["reports"]
    return Config(
        **vars(typed(Requests, given)),
        access_token=settings["access_token"],
        oauth=_oauth(settings),
        api_url=settings["api_url"].rstrip("/"),
        sandbox=settings["sandbox"],
        user_id=settings["user_id"],
        organization_id=settings["organization_id"],
        accounts=(
            tuple(settings["accounts"])
            if settings["sync_mode"] == "SPECIFIC_ACCOUNTS"
            else None
        ),
        shard=Shard.parse(settings["shard"]) if settings["shard"] else Shard(),
        reconcile=settings["reconcile"],
        import_policy=settings["import_policy"],
        user_agent=settings["user_agent"],
        today=date_ranges.today(settings["as_of"], settings["time_zone"], now=now),
        reports=tuple(
            _report(canonical_report(report), settings, now)
            for report in (default_reports() if reports is None else reports)
        ),
    )


def _oauth(settings: Mapping[str, Any]) -> OAuthConfig | None:
    if settings["client_id"] is None:
        return None
    token_file = settings["oauth_token_file"]
    api = urlsplit(settings["api_url"])
    return OAuthConfig(
        client_id=settings["client_id"],
        client_secret=settings["client_secret"],
        refresh_token=settings["refresh_token"],
        token_url=settings["oauth_token_url"]
        or f"{api.scheme}://{api.netloc}/oauth/token",
        token_file=Path(token_file).expanduser().resolve() if token_file else None,
    )


def _day(text: str | None) -> dt.date | None:
    return date_ranges.parse_day(text) if text else None


def _report(
    report: Mapping[str, Any],
    settings: Mapping[str, Any],
    now: dt.datetime,
) -> ReportConfig:
    merged = {**settings, **report}
    return ReportConfig(
        name=report["name"],
        entity_level=report["entity_level"],
        aggregate_by=report.get("aggregate_by", "day"),
        fields=tuple(report["fields"]),
        date_range=report.get("date_range"),
        today=date_ranges.today(settings["as_of"], merged["time_zone"], now=now),
        start_date=_day(settings["start_date"]),
        end_date=_day(settings["end_date"]),
        timeframe_months=settings["timeframe_months"],
        lookback_days=merged["lookback_days"],
        window_days=merged["window_days"],
        networks=tuple(merged["networks"]),
        statuses=merged["statuses"],
        time_zone=merged["time_zone"],
        targets=tuple(report.get("targets", ())),
        filters=tuple(report.get("filters", ())),
        group_by=report.get("group_by"),
        sort_by=report.get("sort_by", report.get("group_by", "entity_id")),
        order=report.get("order", "asc"),
        ignore_precision=report.get("ignore_precision", False),
        provider=report.get("provider", ADSTAGE),
        dimensions=tuple(report.get("dimensions", ())),
        api_version=api_version(report),
    )


def default_reports() -> list[dict[str, Any]]:
    """The five reports that a config without `reports` has.

    Returns:
        A daily report for each entity level, with its metrics, and the names and
        remote ids of the level and its parents.
    """
    return [
        {
            "name": f"{level.removesuffix('s')}_performance",
            "entity_level": level,
            "fields": [*_DEFAULT_METRICS, *identifying_fields(level)],
        }
        for level in _IDENTIFYING_LEVELS
    ]


def identifying_fields(entity_level: str) -> list[str]:
    """The meta fields that tell what a row is about.

    Args:
        entity_level: What a row is about, in the tap's own name.

    Returns:
        Names and remote ids of the level and its parents, the account's first.
    """
    return [
        field
        for level in _IDENTIFYING_LEVELS[entity_level]
        for field in _IDENTIFYING_FIELDS[level]
    ]
