"""Every setting of the tap, once: name, type, bounds, default and meaning.

To add a setting, add a field to the group that it belongs to. The JSON schema that the
SDK validates and prints, README's tables, `meltano.yml` and the definition for Meltano
Hub are made from these fields; settings of reports are in `report_defaults` and
`reports`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from tap_adstage.config import declarations
from tap_adstage.config.declarations import (
    SECRET,
    Group,
    declared,
    has_schema,
    labels,
    object_schema,
)
from tap_adstage.config.entity_ids import AccountIdText
from tap_adstage.config.report_defaults import ReportDefaults
from tap_adstage.config.reports import REPORT_KEYS, ReportConfig
from tap_adstage.config.shards import Shard
from tap_adstage.config.texts import (
    ApiUrl,
    FilePath,
    HeaderValue,
    HttpUrl,
    ShardText,
    Text,
    Token,
)

OAUTH = ("client_id", "client_secret", "refresh_token")
"""The settings of OAuth 2: all of them or none."""

CREDENTIALS = (("access_token",), OAUTH, ("sandbox",))
"""Groups of settings, of which any one is enough to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthConfig:
    """An OAuth 2 application and the refresh token that the user granted it."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    token_url: str
    token_file: Path | None


@dataclass(frozen=True, kw_only=True, repr=False)
class Credentials(Group):
    """The credentials of the tap."""

    access_token: Annotated[
        Token | None,
        Meta(
            description="Bearer token. Either this or the three OAuth settings are "
            "needed, unless `sandbox` is on."
        ),
        SECRET,
    ] = None
    client_id: Annotated[
        Text | None,
        Meta(
            description="OAuth 2 application. With `client_secret` and "
            "`refresh_token`: all three or none. OAuth takes precedence over "
            "`access_token`."
        ),
    ] = None
    client_secret: Annotated[
        Text | None, Meta(description="Secret of the OAuth 2 application."), SECRET
    ] = None
    refresh_token: Annotated[
        Text | None,
        Meta(description="OAuth 2 refresh token, exchanged for access tokens."),
        SECRET,
    ] = None
    oauth_token_url: Annotated[
        HttpUrl | None,
        Meta(
            description="OAuth 2 token endpoint; by default `/oauth/token` at the "
            "root of `api_url`."
        ),
    ] = None
    oauth_token_file: Annotated[
        FilePath | None,
        Meta(
            description="File that keeps the newest refresh token if AdStage rotates "
            "it, written with mode 0600. Taps on one machine may share it."
        ),
    ] = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Source(Group):
    """The source of the data, and their owner."""

    api_url: Annotated[ApiUrl, Meta(description="Root of the AdStage API.")] = (
        "https://platform.adstage.io/api"
    )
    sandbox: Annotated[
        bool,
        Meta(
            description="Read generated data from a local API inside the process: no "
            "token and no network needed. Needs the extra `tap-adstage[sandbox]`."
        ),
    ] = False
    user_id: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="AdStage user; by default the token's own."),
    ] = None
    organization_id: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="AdStage organization; needed if the user has several."),
    ] = None
    sync_mode: Annotated[
        Literal["ALL_ACCOUNTS", "SPECIFIC_ACCOUNTS"],
        Meta(
            description="Whether to read every linked account or those in `accounts`."
        ),
        labels("Every linked account", "The accounts listed in `accounts`"),
    ] = "ALL_ACCOUNTS"
    accounts: Annotated[
        Annotated[tuple[AccountIdText, ...], Meta(min_length=1)] | None,
        Meta(
            description="Entity ids such as `/network/adwords/account/123`, for "
            "`SPECIFIC_ACCOUNTS`."
        ),
    ] = None
    """Chosen accounts; `None` for all of them, whatever was listed."""

    shard: Annotated[
        ShardText,
        Meta(
            description="Part of the accounts to read: `3/8` is the third of eight "
            "runs that share them out. The first one also reads what can't be shared "
            "out, such as the resource streams."
        ),
    ] = field(default_factory=Shard)


@dataclass(frozen=True, kw_only=True, repr=False)
class Requests(Group):
    """The requests to AdStage."""

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
            description="Seconds without a byte, or of an answer that trickles, after "
            "which a request counts as failed.",
        ),
    ] = 300
    max_retry_seconds: Annotated[
        int,
        Meta(ge=0, description="Longest time in seconds that one request is retried."),
    ] = 600
    user_agent: Annotated[
        HeaderValue | None,
        Meta(description="User-Agent header; by default `tap-adstage/VERSION`."),
    ] = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Safeguards(Group):
    """The checks for data that are not complete."""

    reconcile: Annotated[
        Literal["off", "warn", "fail"],
        Meta(
            description="Compare what each window wrote with AdStage's own row count "
            "and totals: `warn` logs a difference, `fail` fails the report at one."
        ),
        labels("Compare nothing", "Log differences", "Fail the report at a difference"),
    ] = "warn"
    import_policy: Annotated[
        Literal["ignore", "warn", "hold"],
        Meta(
            description="What to do if AdStage has not finished importing an account "
            "that a report reads: nothing, warn, or warn and hold the report's "
            "bookmark until it has."
        ),
        labels("Do nothing", "Warn", "Warn and hold bookmarks"),
    ] = "warn"
    backfill: Annotated[
        Literal["auto", "off"],
        Meta(
            description="What to do if a report asks for more than before, or an "
            "account joins: read the earlier days too, or only warn."
        ),
        labels("Read the earlier days", "Warn"),
    ] = "auto"


@dataclass(frozen=True, kw_only=True, repr=False)
class Config(Credentials, Source, ReportDefaults, Requests, Safeguards):
    """The settings of one run."""

    reports: Annotated[
        tuple[ReportConfig, ...],
        Meta(
            description="Reports, each a stream of its own; by default five daily "
            "ones, one for each entity level."
        ),
        has_schema({"type": "array", "items": object_schema(REPORT_KEYS)}),
    ]

    @property
    def oauth(self) -> OAuthConfig | None:
        """The OAuth settings, if given; they take precedence over `access_token`."""
        if not (self.client_id and self.client_secret and self.refresh_token):
            return None
        api = urlsplit(self.api_url)
        return OAuthConfig(
            client_id=self.client_id,
            client_secret=self.client_secret,
            refresh_token=self.refresh_token,
            token_url=self.oauth_token_url
            or f"{api.scheme}://{api.netloc}/oauth/token",
            token_file=self.oauth_token_file,
        )


SETTINGS = declared(Config)


def secret_values(raw: Mapping[str, Any]) -> list[str]:
    """Find the secrets in settings, valid or not."""
    values = (raw.get(setting.name) for setting in SETTINGS if setting.secret)
    return [value for value in values if isinstance(value, str)]


def json_schema() -> dict[str, Any]:
    """Make the JSON schema of all settings but those that the SDK adds."""
    schema: dict[str, Any] = declarations.public(object_schema(SETTINGS))
    return schema


def without_nulls(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what is null, in reports and `batch_config` too.

    To some callers, null means omitted.
    """
    values = {key: value for key, value in raw.items() if value is not None}
    if isinstance(values.get("reports"), list):
        values["reports"] = [
            {key: value for key, value in report.items() if value is not None}
            if isinstance(report, Mapping)
            else report
            for report in values["reports"]
        ]
    if "batch_config" in values:
        values["batch_config"] = _without_null_members(values["batch_config"])
    return values


def _without_null_members(value: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_null_members(item)
        for key, item in value.items()
        if item is not None
    }
