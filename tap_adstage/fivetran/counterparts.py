"""What each key and value of Fivetran's Spotify Ads connector is in this tap.

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
    """What something of Fivetran's is here.

    Attributes:
        ours: Its name or value here, `None` where it has no counterpart.
        remark: Why it has none, or in what the two differ; empty where they don't.
    """

    ours: str | None
    remark: str = ""


def _none(why: str, *names: str) -> dict[str, Counterpart]:
    return dict.fromkeys(names, Counterpart(None, why))


# --- keys ---

_ELSEWHERE = {
    **_none(
        "the loader says where tables go, as target-postgres's "
        "`default_target_schema` does",
        "schema",
        "destination_schema",
        "destination_schema_names",
        "destination_configuration",
        "group_id",
    ),
    **_none(
        "when the tap runs is said by what starts it, as a schedule of Meltano's or "
        "cron does",
        "sync_frequency",
        "daily_sync_time",
        "schedule_type",
        "paused",
        "pause_after_trial",
    ),
    **_none(
        "a run that fails ends with exit code 1; who is told of a late one is up to "
        "what starts it",
        "data_delay_sensitivity",
        "data_delay_threshold",
    ),
    **_none(
        "the tap runs in your own network, and speaks HTTPS to AdStage alone",
        "networking_method",
        "proxy_agent_id",
        "private_link_id",
        "hybrid_deployment_agent_id",
        "trust_certificates",
        "trust_fingerprints",
    ),
    **_none("there is no web form to set the tap up", "connect_card_config"),
    **_none("`tap-adstage --config FILE --test` tries the set-up", "run_setup_tests"),
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
    "it is of a Spotify application, which grants nothing at AdStage, and AdStage "
    "should not see it"
)
CREDENTIALS: Mapping[str, Counterpart] = {
    "auth.client_access.client_id": Counterpart("client_id", _GRANT),
    "auth.client_access.client_secret": Counterpart("client_secret", _GRANT),
    "auth.refresh_token": Counterpart("refresh_token", _GRANT),
}
"""Credentials, and the settings of the same meaning: for another application."""

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
"""Keys of a connection that tell of it and set nothing."""

# --- values ---

_NO_AUDIENCES = (
    "AdStage's reports across networks are not broken down by audience; the networks "
    "that it asks live for dimensions are Facebook, Google Ads, Gemini and Google "
    "Analytics"
)
DIMENSIONS: Mapping[str, Counterpart] = {
    **{alias: Counterpart(level) for alias, level in ENTITY_LEVEL_ALIASES.items()},
    **_none(_NO_AUDIENCES, "AGE", "COUNTRY", "GENDER", "GENRE", "PLATFORM"),
}

_WHOLE_RANGE = (
    "the whole range that `timeframe_months` says, as AdStage has no lifetime of an "
    "entity"
)
GRANULARITIES: Mapping[str, Counterpart] = {
    **{alias: Counterpart(length) for alias, length in AGGREGATE_BY_ALIASES.items()},
    "LIFETIME": Counterpart(AGGREGATE_BY_ALIASES["LIFETIME"], _WHOLE_RANGE),
    **_none("AdStage imports daily data; the report is daily instead", "HOUR"),
}

FIELDS: Mapping[str, Counterpart] = {
    # Metrics that AdStage's documentation shows for Spotify: three descriptors, and
    # spend in its reports of all networks.
    "CLICKS": Counterpart("clicks"),
    "IMPRESSIONS": Counterpart("impressions"),
    "SPEND": Counterpart("spend"),
    "CTR": Counterpart(
        "ctr", "clicks divided by impressions; Spotify writes it in percent"
    ),
    **_none("1000 * `spend` / `impressions`, both of which there are", "E_CPM"),
    **_none(
        "AdStage counts impressions alike, whether streamed or downloaded",
        "STREAMED_IMPRESSIONS",
        "OFF_SPOTIFY_IMPRESSIONS",
    ),
    **_none(
        "AdStage documents no count of people for Spotify, and counts of people can't "
        "be summed up over days",
        "REACH",
        "FREQUENCY",
    ),
    **_none(
        "AdStage documents no metric of how far an ad was played",
        "STARTS",
        "FIRST_QUARTILES",
        "MIDPOINTS",
        "THIRD_QUARTILES",
        "COMPLETES",
        "SKIPS",
    ),
    **_none(
        "AdStage documents no metric of completed listens",
        "PAID_LISTENS",
        "PAID_LISTENS_FREQUENCY",
        "PAID_LISTENS_REACH",
        "E_CPCL",
    ),
    **_none(
        "AdStage documents no metric of videos for Spotify",
        "VIDEO_VIEWS",
        "VIDEO_EXPANDS",
        "VIDEO_EXPAND_RATE",
    ),
    **_none(
        "what people stream after an ad is not among AdStage's metrics",
        "LISTENERS",
        "NEW_LISTENERS",
        "STREAMS",
        "STREAMS_PER_USER",
        "NEW_LISTENER_STREAMS",
        "STREAMS_PER_NEW_LISTENER",
        "INTENT_RATE",
    ),
    **_none(
        "the share of listeners who stream after an ad; AdStage's conversion rates "
        "are of conversions on a site or in an app, another thing",
        "CONVERSION_RATE",
        "NEW_LISTENER_CONVERSION_RATE",
    ),
}
"""Metrics of Spotify's Ads API that the connector has."""
