"""Conversion for AdStage, which imports Spotify's daily clicks and spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.config.adstage import AGGREGATE_BY_ALIASES, ENTITY_LEVEL_ALIASES
from tap_adstage.config.default_reports import identifying_fields
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran.connection import credentials_in, is_masked
from tap_adstage.fivetran.conversion import (
    Conversion,
    convert_reports,
    convert_value,
    note_dropped_keys,
)
from tap_adstage.fivetran.counterparts import (
    CREDENTIALS,
    DELAY_KEYS,
    FORM_KEYS,
    READ_ONLY,
    SERVICE,
    TABLE_KEYS,
    Counterpart,
    dropped,
    network_keys,
    schedule_keys,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_NETWORK = "spotify"

KEYS: Mapping[str, Counterpart] = {
    "service": Counterpart("networks", f"`{SERVICE}` becomes `{_NETWORK}`"),
    "sync_mode": Counterpart("sync_mode"),
    "accounts": Counterpart(
        "accounts", f"an id becomes `/network/{_NETWORK}/account/{{id}}`"
    ),
    "timeframe_months": Counterpart("timeframe_months"),
    "report_list": Counterpart("reports"),
    **TABLE_KEYS,
    **schedule_keys(
        "sync_frequency",
        "daily_sync_time",
        "schedule_type",
        "paused",
        "pause_after_trial",
    ),
    **DELAY_KEYS,
    **network_keys("AdStage"),
    **FORM_KEYS,
    **dropped("`tap-adstage --config FILE --test` tests the set-up", "run_setup_tests"),
}
"""Keys of a connection, and those of its `config`."""

CREDENTIAL_REMARK = (
    "it belongs to a Spotify application, grants nothing at AdStage, and should not "
    "be sent there"
)


_NO_AUDIENCES = (
    "AdStage does not break down its cross-network reports by audience; it takes "
    "dimensions only in live reports from Facebook, Google Ads, Gemini and Google "
    "Analytics"
)
DIMENSIONS: Mapping[str, Counterpart] = {
    **{alias: Counterpart(level) for alias, level in ENTITY_LEVEL_ALIASES.items()},
    **dropped(_NO_AUDIENCES, "AGE", "COUNTRY", "GENDER", "GENRE", "PLATFORM"),
}

_WHOLE_RANGE = (
    "it covers the range of `timeframe_months`, as AdStage has no reports over an "
    "entity's lifetime"
)
GRANULARITIES: Mapping[str, Counterpart] = {
    **{alias: Counterpart(length) for alias, length in AGGREGATE_BY_ALIASES.items()},
    "LIFETIME": Counterpart(AGGREGATE_BY_ALIASES["LIFETIME"], _WHOLE_RANGE),
    **dropped("AdStage imports daily data, so the report becomes daily", "HOUR"),
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
    **dropped(
        "AdStage counts streamed and downloaded impressions together",
        "STREAMED_IMPRESSIONS",
        "OFF_SPOTIFY_IMPRESSIONS",
    ),
    **dropped(
        "AdStage documents no counts of people for Spotify, and such counts can't be "
        "summed up over days",
        "REACH",
        "FREQUENCY",
    ),
    **dropped(
        "AdStage documents no metrics of how far an ad was played",
        "STARTS",
        "FIRST_QUARTILES",
        "MIDPOINTS",
        "THIRD_QUARTILES",
        "COMPLETES",
        "SKIPS",
    ),
    **dropped(
        "AdStage documents no metrics of completed listens",
        "PAID_LISTENS",
        "PAID_LISTENS_FREQUENCY",
        "PAID_LISTENS_REACH",
        "E_CPCL",
    ),
    **dropped(
        "AdStage documents no video metrics for Spotify",
        "VIDEO_VIEWS",
        "VIDEO_EXPANDS",
        "VIDEO_EXPAND_RATE",
    ),
    **dropped(
        "AdStage has no metrics of what people stream after an ad",
        "LISTENERS",
        "NEW_LISTENERS",
        "STREAMS",
        "STREAMS_PER_USER",
        "NEW_LISTENER_STREAMS",
        "STREAMS_PER_NEW_LISTENER",
        "INTENT_RATE",
    ),
    **dropped(
        "it is the share of listeners who stream after an ad; AdStage's conversion "
        "rates count conversions on a site or in an app",
        "CONVERSION_RATE",
        "NEW_LISTENER_CONVERSION_RATE",
    ),
}
"""The connector's metrics, which come from Spotify's Ads API."""


def convert(
    connection: Mapping[str, Any],
    stream_names: Collection[str],
    *,
    with_auth: bool,
) -> Conversion:
    """Convert a connection.

    Args:
        connection: The connection, as `connection.read` gives it.
        stream_names: Names of the resource streams, which no report may take.
        with_auth: Whether to convert its credentials.

    Raises:
        ConfigError: If it can't be converted, with the reasons.
    """
    conversion = Conversion()
    note_dropped_keys(conversion, "", connection, KEYS, {*READ_ONLY, "auth"})
    if with_auth:
        _convert_auth(conversion, connection)
    else:
        conversion.dropped.extend(
            f"{path}: dropped; {CREDENTIAL_REMARK}"
            for path in credentials_in(connection)
        )
    for key in ("sync_mode", "timeframe_months"):
        if key in connection:
            conversion.config[key] = connection[key]
    if connection.get("accounts"):
        conversion.config["accounts"] = [
            str(EntityId(_NETWORK, "account", account))
            for account in connection["accounts"]
        ]
    conversion.config["networks"] = [_NETWORK]
    conversion.config["reports"] = convert_reports(
        _Reports(), conversion, connection, stream_names
    )
    return conversion


class _Reports:
    """How reports are converted."""

    default_reports = "five"
    dimensions = DIMENSIONS

    def metrics(
        self,
        conversion: Conversion,
        path: str,
        names: Iterable[str],
        level: str,
    ) -> list[str]:
        del level  # AdStage has the same metrics for each
        return [
            metric
            for name in names
            for metric in convert_value(conversion, path, name, FIELDS).values
        ]

    def aggregate_by(
        self, conversion: Conversion, path: str, granularity: str | None, level: str
    ) -> str:
        del level  # each has the same granularities
        value = granularity or "DAY"
        return convert_value(conversion, path, value, GRANULARITIES).value or "day"

    def more_fields(self, level: str) -> list[str]:
        return identifying_fields(level)


def _convert_auth(conversion: Conversion, connection: Mapping[str, Any]) -> None:
    for path, value in credentials_in(connection).items():
        if is_masked(value):
            raise ConfigError(
                [f"{path}: masked; give its real value to use --with-auth"]
            )
        name = CREDENTIALS[path]
        conversion.config[name] = value
        conversion.changed.append(
            f"{path}: changed to {name}; it must belong to AdStage's own application, "
            "as a Spotify application grants nothing at AdStage"
        )
