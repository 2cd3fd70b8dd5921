"""Counterparts of the keys and values of Fivetran's Spotify Ads connector.

Fivetran documents them in its REST API (Spotify Ads API Configuration). Its
documentation of hours, ages and genres comes and goes; a connector may still have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.config.adstage import AGGREGATE_BY_ALIASES, ENTITY_LEVEL_ALIASES
from tap_adstage.config.reports import REPORT_KEY_ALIASES

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "spotify_ads"
NETWORK = "spotify"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """This tap's counterpart of a key or value of Fivetran's.

    Attributes:
        value: Name or value in this tap's config; None if Fivetran's is dropped.
        remark: Why it is dropped, or how the two differ; empty if they don't.
        also: More values, if one alone can't stand for Fivetran's.
    """

    value: str | None
    remark: str = ""
    also: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """All names or values in this tap's config; none if Fivetran's is dropped."""
        return () if self.value is None else (self.value, *self.also)


def _dropped(why: str, *names: str) -> dict[str, Counterpart]:
    return dict.fromkeys(names, Counterpart(None, why))


# --- keys ---

_ELSEWHERE = {
    **_dropped(
        "the loader decides where tables go, as target-postgres does by its "
        "`default_target_schema`",
        "schema",
        "destination_schema",
        "destination_schema_names",
        "destination_configuration",
        "group_id",
    ),
    **_dropped(
        "whatever starts the tap decides when it runs, such as a Meltano schedule or "
        "cron",
        "sync_frequency",
        "daily_sync_time",
        "schedule_type",
        "paused",
        "pause_after_trial",
    ),
    **_dropped(
        "a failed run ends with exit code 1; alerts about late runs are up to "
        "whatever starts the tap",
        "data_delay_sensitivity",
        "data_delay_threshold",
    ),
    **_dropped(
        "the tap runs in your own network and connects to AdStage alone, over HTTPS",
        "networking_method",
        "proxy_agent_id",
        "private_link_id",
        "hybrid_deployment_agent_id",
        "trust_certificates",
        "trust_fingerprints",
    ),
    **_dropped("the tap has no web form for its set-up", "connect_card_config"),
    **_dropped(
        "`tap-adstage --config FILE --test` tests the set-up", "run_setup_tests"
    ),
}

KEYS: Mapping[str, Counterpart] = {
    "service": Counterpart("networks", f"`{SERVICE}` becomes `{NETWORK}`"),
    "sync_mode": Counterpart("sync_mode"),
    "accounts": Counterpart(
        "accounts", f"an id becomes `/network/{NETWORK}/account/{{id}}`"
    ),
    "timeframe_months": Counterpart("timeframe_months"),
    "report_list": Counterpart("reports"),
    **_ELSEWHERE,
}
"""Keys of a connection, and those of its `config`."""

REPORT_KEYS: Mapping[str, Counterpart] = {
    **{alias: Counterpart(name) for alias, name in REPORT_KEY_ALIASES.items()},
    "fields": Counterpart("fields"),
}
"""Keys of a report in `report_list`."""

_GRANT = (
    "it belongs to a Spotify application, grants nothing at AdStage, and should not "
    "be sent there"
)
CREDENTIALS: Mapping[str, Counterpart] = {
    "auth.client_access.client_id": Counterpart("client_id", _GRANT),
    "auth.client_access.client_secret": Counterpart("client_secret", _GRANT),
    "auth.refresh_token": Counterpart("refresh_token", _GRANT),
}
"""Credentials, and the settings for those of an application at AdStage."""

READ_ONLY = frozenset(
    {
        "id",
        "connection_id",
        "name",
        "connected_by",
        "created_at",
        "service_version",
        "status",
        "setup_tests",
        "succeeded_at",
        "failed_at",
    }
)
"""Keys of a connection that describe it and configure nothing."""

# --- values ---

_NO_AUDIENCES = (
    "AdStage does not break down its cross-network reports by audience; it takes "
    "dimensions only in live reports from Facebook, Google Ads, Gemini and Google "
    "Analytics"
)
DIMENSIONS: Mapping[str, Counterpart] = {
    **{alias: Counterpart(level) for alias, level in ENTITY_LEVEL_ALIASES.items()},
    **_dropped(_NO_AUDIENCES, "AGE", "COUNTRY", "GENDER", "GENRE", "PLATFORM"),
}

_WHOLE_RANGE = (
    "it covers the range of `timeframe_months`, as AdStage has no reports over an "
    "entity's lifetime"
)
GRANULARITIES: Mapping[str, Counterpart] = {
    **{alias: Counterpart(length) for alias, length in AGGREGATE_BY_ALIASES.items()},
    "LIFETIME": Counterpart(AGGREGATE_BY_ALIASES["LIFETIME"], _WHOLE_RANGE),
    **_dropped("AdStage imports daily data, so the report becomes daily", "HOUR"),
}

FIELDS: Mapping[str, Counterpart] = {
    # Metrics that AdStage's documentation shows for Spotify: three descriptors, and
    # spend in its reports of all networks.
    "CLICKS": Counterpart("clicks"),
    "IMPRESSIONS": Counterpart("impressions"),
    "SPEND": Counterpart("spend"),
    "CTR": Counterpart(
        "ctr", "clicks divided by impressions, not in percent as Spotify gives it"
    ),
    "E_CPM": Counterpart(
        "spend", "compute it: 1000 * `spend` / `impressions`", also=("impressions",)
    ),
    **_dropped(
        "AdStage counts streamed and downloaded impressions together",
        "STREAMED_IMPRESSIONS",
        "OFF_SPOTIFY_IMPRESSIONS",
    ),
    **_dropped(
        "AdStage documents no counts of people for Spotify, and such counts can't be "
        "summed up over days",
        "REACH",
        "FREQUENCY",
    ),
    **_dropped(
        "AdStage documents no metrics of how far an ad was played",
        "STARTS",
        "FIRST_QUARTILES",
        "MIDPOINTS",
        "THIRD_QUARTILES",
        "COMPLETES",
        "SKIPS",
    ),
    **_dropped(
        "AdStage documents no metrics of completed listens",
        "PAID_LISTENS",
        "PAID_LISTENS_FREQUENCY",
        "PAID_LISTENS_REACH",
        "E_CPCL",
    ),
    **_dropped(
        "AdStage documents no video metrics for Spotify",
        "VIDEO_VIEWS",
        "VIDEO_EXPANDS",
        "VIDEO_EXPAND_RATE",
    ),
    **_dropped(
        "AdStage has no metrics of what people stream after an ad",
        "LISTENERS",
        "NEW_LISTENERS",
        "STREAMS",
        "STREAMS_PER_USER",
        "NEW_LISTENER_STREAMS",
        "STREAMS_PER_NEW_LISTENER",
        "INTENT_RATE",
    ),
    **_dropped(
        "it is the share of listeners who stream after an ad; AdStage's conversion "
        "rates count conversions on a site or in an app",
        "CONVERSION_RATE",
        "NEW_LISTENER_CONVERSION_RATE",
    ),
}
"""The connector's metrics, which come from Spotify's Ads API."""
