"""The settings that every source has: name, type, bounds, default and meaning.

To add a setting, add a field to the group that it belongs to; if only one source has
it, to that source's own class, in `adstage_settings` or `spotify_ads_settings`. These
also give a setting its own bounds or default if those depend on the source. The JSON
schema that the SDK validates and prints, README's tables, `meltano.yml` and the
definition for Meltano Hub are made from these fields; settings of reports are in
`report_defaults` and `reports`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from tap_adstage.config.declarations import SECRET, Group, alias, labels
from tap_adstage.config.report_defaults import ReportDefaults
from tap_adstage.config.reports import ReportConfig
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
    basic: bool = False
    """Whether its credentials are sent as HTTP Basic, not in the body."""


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
            "root of `api_url`, for Spotify Ads "
            "`https://accounts.spotify.com/api/token`."
        ),
    ] = None
    oauth_token_file: Annotated[
        FilePath | None,
        Meta(
            description="File that keeps the newest refresh token if the API rotates "
            "it, written with mode 0600. Taps on one machine may share it."
        ),
    ] = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Source(Group):
    """The source of the data, and their owner."""

    source: Annotated[
        Literal["adstage", "spotify_ads"],
        Meta(description="The API that is read: AdStage's, or Spotify's own of ads."),
        labels("AdStage", "Spotify Ads"),
    ] = "adstage"
    api_url: Annotated[
        ApiUrl,
        Meta(
            description="Root of the API; by default `https://platform.adstage.io/api`,"
            " for Spotify Ads `https://api-partner.spotify.com/ads/v3`."
        ),
    ]
    sandbox: Annotated[
        bool,
        Meta(
            description="Read generated data from a local API inside the process: no "
            "token and no network needed. Needs the extra `tap-adstage[sandbox]`."
        ),
    ] = False
    sync_mode: Annotated[
        Literal["ALL_ACCOUNTS", "SPECIFIC_ACCOUNTS"],
        Meta(
            description="Whether to read every linked account or those in `accounts`."
        ),
        labels("Every linked account", "The accounts listed in `accounts`"),
    ] = "ALL_ACCOUNTS"
    accounts: Annotated[
        Annotated[tuple[str, ...], Meta(min_length=1)] | None,
        Meta(
            description="For `SPECIFIC_ACCOUNTS`: entity ids such as "
            "`/network/adwords/account/123`, or the ids of Spotify's ad accounts."
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
    """The requests to the API."""

    page_size: Annotated[
        int,
        Meta(
            ge=1,
            description="Rows per page: up to 1000, the default; for Spotify Ads up to "
            "50, the default.",
        ),
    ]
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
            description="Compare what each window wrote with the API's own totals, "
            "AdStage's row count too: `warn` logs a difference, `fail` fails the "
            "report at one."
        ),
        labels("Compare nothing", "Log differences", "Fail the report at a difference"),
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
class Config(Credentials, Source, ReportDefaults, Requests, Safeguards, ABC):
    """The settings of one run that every source has."""

    reports: Annotated[
        tuple[ReportConfig, ...],
        Meta(
            description="Reports, each a stream of its own; by default daily ones, one "
            "for each entity level."
        ),
        alias("report_list"),
    ]

    @property
    def oauth(self) -> OAuthConfig | None:
        """The OAuth settings, if given; they take precedence over `access_token`."""
        if not (self.client_id and self.client_secret and self.refresh_token):
            return None
        return OAuthConfig(
            client_id=self.client_id,
            client_secret=self.client_secret,
            refresh_token=self.refresh_token,
            token_url=self.oauth_token_url or self.default_token_url,
            token_file=self.oauth_token_file,
            basic=self.oauth_basic,
        )

    oauth_basic: ClassVar[bool]
    """Whether the token endpoint takes the application's credentials as HTTP Basic."""

    @property
    @abstractmethod
    def default_token_url(self) -> str:
        """The token endpoint if `oauth_token_url` is omitted."""
