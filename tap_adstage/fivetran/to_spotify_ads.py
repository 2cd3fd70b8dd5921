"""Conversion for Spotify itself, where nearly every key and value stays what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tap_adstage.config.spotify_ads import (
    AGGREGATE_BY_ALIASES,
    AUDIENCES,
    E_CPM,
    ENTITY_LEVEL_ALIASES,
    FIELDS,
    SPOTIFY_ADS,
)
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
    TABLE_KEYS,
    Counterpart,
    dropped,
    network_keys,
)
from tap_adstage.fivetran.schedules import SCHEDULE_KEYS, note_schedule
from tap_adstage.runtime.wording import json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

TEST_KEY = "run_setup_tests"
KEYS: Mapping[str, Counterpart] = {
    "service": Counterpart("source"),
    "sync_mode": Counterpart("sync_mode"),
    "accounts": Counterpart("accounts"),
    "timeframe_months": Counterpart("timeframe_months"),
    "report_list": Counterpart("reports"),
    **SCHEDULE_KEYS,
    TEST_KEY: Counterpart("--test", "an option of the tap, and never a part of a sync"),
    **TABLE_KEYS,
    **dropped("a schedule runs until you remove it", "pause_after_trial"),
    **DELAY_KEYS,
    **network_keys("Spotify"),
    **FORM_KEYS,
}
"""Keys of a connection, and those of its `config`."""

CREDENTIAL_REMARK = "in a file of `--output`; on stdout only with `--with-auth`"

DIMENSIONS: Mapping[str, Counterpart] = {
    **{alias: Counterpart(level) for alias, level in ENTITY_LEVEL_ALIASES.items()},
    **{
        audience: Counterpart(audience)
        for audience in ("AGE", "COUNTRY", "GENDER", "GENRE", "PLATFORM")
    },
}

GRANULARITIES: Mapping[str, Counterpart] = {
    alias: Counterpart(length) for alias, length in AGGREGATE_BY_ALIASES.items()
}

METRICS: Mapping[str, Counterpart] = {
    name: Counterpart(
        name,
        "Spotify no longer has it; the tap computes 1000 * SPEND / IMPRESSIONS"
        if name == E_CPM
        else "",
    )
    for name in FIELDS
}
"""All that Spotify has, which are more than Fivetran documents."""


def convert(
    connection: Mapping[str, Any],
    stream_names: Collection[str],
    auth: Literal["drop", "keep", "require"],
) -> Conversion:
    """Convert a connection.

    Args:
        connection: The connection, as `connection.read` gives it.
        stream_names: Names of the resource streams, which no report may take.
        auth: What to do with its credentials.

    Raises:
        ConfigError: If it can't be converted, with the reasons.
    """
    conversion = Conversion({"source": SPOTIFY_ADS})
    note_dropped_keys(conversion, "", connection, KEYS, {*READ_ONLY, "auth"})
    auth_keys = {path.split(".")[1] for path in CREDENTIALS}
    note_dropped_keys(conversion, "auth.", connection.get("auth") or {}, {}, auth_keys)
    note_schedule(conversion, connection)
    if TEST_KEY in connection:
        conversion.changed.append(
            f"{TEST_KEY}: changed to a command of its own, tap-adstage --config FILE "
            "--test"
        )
    conversion.config.update(_auth(conversion, credentials_in(connection), auth))
    for key in ("sync_mode", "timeframe_months"):
        if key in connection:
            conversion.config[key] = connection[key]
    if connection.get("accounts"):
        conversion.config["accounts"] = [*connection["accounts"]]
    conversion.config["reports"] = convert_reports(
        _Reports(), conversion, connection, stream_names
    )
    return conversion


class _Reports:
    """How reports are converted."""

    default_reports = "four"
    dimensions = DIMENSIONS

    def metrics(
        self, conversion: Conversion, path: str, names: Iterable[str], level: str
    ) -> list[str]:
        metrics: list[str] = []
        for name in names:
            if level in AUDIENCES and name in FIELDS and not FIELDS[name].in_audiences:
                conversion.dropped.append(
                    f"{path}: {json_text(name)} dropped; Spotify doesn't report it by "
                    "audience"
                )
                continue
            metrics += convert_value(conversion, path, name, METRICS).values
        return metrics

    def aggregate_by(
        self, conversion: Conversion, path: str, granularity: str | None, level: str
    ) -> str:
        if level not in AUDIENCES:
            value = granularity or "DAY"
            return str(convert_value(conversion, path, value, GRANULARITIES).value)
        if granularity not in (None, "LIFETIME"):
            conversion.changed.append(
                f"{path}: {json_text(granularity)} changed to total; Spotify reports "
                "audiences over the whole lifetime alone"
            )
        return "total"

    def more_fields(self, level: str) -> tuple[str, ...]:
        del level  # names and ids are columns of every report
        return ()


def _auth(
    conversion: Conversion,
    credentials: Mapping[str, str],
    auth: Literal["drop", "keep", "require"],
) -> dict[str, str]:
    """Choose the credentials to write, and note the others."""
    masked = [path for path in credentials if is_masked(credentials[path])]
    if auth == "require" and masked:
        use = "give its real value to use --with-auth"
        raise ConfigError([f"{path}: masked; {use}" for path in masked])
    is_whole = credentials.keys() == CREDENTIALS.keys() and not masked
    if auth == "require" or (auth == "keep" and is_whole):
        return {CREDENTIALS[path]: value for path, value in credentials.items()}
    for path in credentials:
        reason = (
            "only --with-auth writes it to stdout, and --output writes it to a file"
            if auth == "drop"
            else "Fivetran's API masks it"
            if path in masked
            else "the tap takes all three credentials or none"
        )
        conversion.dropped.append(f"{path}: dropped; {reason}")
    return {}
