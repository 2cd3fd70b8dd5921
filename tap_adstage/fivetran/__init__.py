"""Conversion of the config of Fivetran's Spotify Ads connector to this tap's."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_adstage.config.default_reports import identifying_fields
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.config.parsing import parse
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran.connection import is_masked, read
from tap_adstage.fivetran.counterparts import (
    CREDENTIALS,
    DIMENSIONS,
    FIELDS,
    GRANULARITIES,
    KEYS,
    NETWORK,
    READ_ONLY,
    REPORT_KEYS,
    Counterpart,
)
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import did_you_mean, json_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["Conversion", "convert"]

_NOTHING = Counterpart(None)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A config of this tap, and how it differs from Fivetran's.

    Attributes:
        config: The config; without credentials unless they were asked for.
        dropped: A line for each item of Fivetran's that has no counterpart, with why.
        changed: A line for each item whose counterpart differs.
    """

    config: dict[str, Any] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def convert(
    document: Any,  # noqa: ANN401 - any JSON value
    *,
    now: dt.datetime,
    stream_names: Collection[str],
    with_auth: bool = False,
) -> Conversion:
    """Convert the config of Fivetran's Spotify Ads connector to this tap's.

    Args:
        document: A connection as Fivetran's REST API takes or answers it, as its
            Terraform provider writes it (`config` and `auth` as JSON texts), or a
            connection's `config` alone.
        now: The real now, with a time zone.
        stream_names: Names of the resource streams, which no report may take.
        with_auth: Whether to convert the credentials in `auth`; by default they are
            dropped.

    Returns:
        A config that the tap accepts, once it has credentials.

    Raises:
        ConfigError: If the document can't be converted, with the reasons.
    """
    conversion = _convert(read(document), stream_names, with_auth=with_auth)
    credentials = {} if with_auth else {"access_token": "-"}
    parse(conversion.config | credentials, now=now, stream_names=stream_names)
    return conversion


def _convert(
    connection: Mapping[str, Any], stream_names: Collection[str], *, with_auth: bool
) -> Conversion:
    conversion = Conversion()
    _note_dropped_keys(conversion, "", connection, KEYS, {*READ_ONLY, "auth"})
    if with_auth:
        _convert_auth(conversion, connection)
    else:
        _drop_auth(conversion, connection)
    for key in ("sync_mode", "timeframe_months"):
        if key in connection:
            conversion.config[key] = connection[key]
    if connection.get("accounts"):
        conversion.config["accounts"] = [
            str(EntityId(NETWORK, "account", account))
            for account in connection["accounts"]
        ]
    conversion.config["networks"] = [NETWORK]
    conversion.config["reports"] = _reports(conversion, connection, stream_names)
    return conversion


def _note_dropped_keys(
    conversion: Conversion,
    parent: str,
    keys: Iterable[str],
    counterparts: Mapping[str, Counterpart],
    ignored: Collection[str] = (),
) -> None:
    for key in keys:
        path = parent + excerpt(key)
        if key not in counterparts:
            if key not in ignored:
                conversion.dropped.append(
                    f"{path}: dropped; Fivetran does not document this key"
                )
        elif counterparts[key].value is None:
            conversion.dropped.append(f"{path}: dropped; {counterparts[key].remark}")


def _reports(
    conversion: Conversion,
    connection: Mapping[str, Any],
    stream_names: Collection[str],
) -> list[dict[str, Any]]:
    report_list = connection.get("report_list", [])
    if not report_list:
        conversion.changed.append(
            "report_list: omitted or empty, so the config has no reports; remove its "
            "`reports` to get the tap's five default ones"
        )
    reports: list[dict[str, Any]] = []
    for number, report in enumerate(report_list):
        path = f"report_list[{number}]"
        _note_dropped_keys(conversion, f"{path}.", report, REPORT_KEYS)
        level = _convert_value(
            conversion, f"{path}.dimension", report["dimension"], DIMENSIONS
        ).value
        if level is None:
            continue
        metrics = [
            metric
            for name in report["fields"]
            for metric in _convert_value(
                conversion, f"{path}.fields", name, FIELDS
            ).values
        ]
        if not metrics:
            conversion.dropped.append(
                f"{path}: dropped; none of its fields has a counterpart"
            )
            continue
        granularity = _convert_value(
            conversion,
            f"{path}.granularity",
            report.get("granularity", "DAY"),
            GRANULARITIES,
        ).value
        name = _report_name(conversion, path, report["table"], reports, stream_names)
        reports.append(
            {
                "name": name,
                "entity_level": level,
                "aggregate_by": granularity or "day",
                "fields": [*dict.fromkeys((*metrics, *identifying_fields(level)))],
            }
        )
    if report_list and not reports:
        raise ConfigError(
            [*conversion.dropped, "report_list: no report has a counterpart"]
        )
    return reports


def _convert_value(
    conversion: Conversion,
    path: str,
    value: str,
    counterparts: Mapping[str, Counterpart],
) -> Counterpart:
    """Look up a value's counterpart, and note if it is dropped or changed."""
    shown = excerpt(json_text(value))
    if value not in counterparts:
        conversion.dropped.append(
            f"{path}: {shown} dropped; Fivetran does not document this value; "
            f"{did_you_mean(value, counterparts)}"
        )
        return _NOTHING
    counterpart = counterparts[value]
    if counterpart.value is None:
        conversion.dropped.append(f"{path}: {shown} dropped; {counterpart.remark}")
    elif counterpart.remark:
        conversion.changed.append(
            f"{path}: {shown} changed to {', '.join(counterpart.values)}; "
            f"{counterpart.remark}"
        )
    return counterpart


def _report_name(
    conversion: Conversion,
    path: str,
    table: str,
    reports: Iterable[Mapping[str, Any]],
    stream_names: Collection[str],
) -> str:
    """Choose a valid, unique name that is close to the table's, and note a change."""
    valid = re.sub(r"[^a-z0-9_]+", "_", table.lower()).lstrip("_")
    if not valid[:1].isalpha():
        valid = f"report_{valid}".rstrip("_")
    taken = {report["name"] for report in reports}
    numbered = (f"{valid}_{number}" for number in itertools.count(2))
    name = next(
        candidate
        for candidate in itertools.chain([valid], numbered)
        if candidate not in taken and candidate not in stream_names
    )
    if name != table:
        reason = (
            "one of the tap's own streams has this name"
            if valid in stream_names
            else "another report has this name"
            if valid in taken
            else "a name has lower-case letters, digits and _, and starts with a letter"
        )
        shown = excerpt(json_text(table))
        conversion.changed.append(f"{path}.table: {shown} changed to {name}; {reason}")
    return name


# --- credentials ---


def _credentials(connection: Mapping[str, Any]) -> dict[str, str]:
    """Collect the connection's credentials by their paths."""
    credentials = {}
    for path in CREDENTIALS:
        value: Any = connection
        for key in path.split("."):
            value = value.get(key, {})
        if value:
            credentials[path] = value
    return credentials


def _convert_auth(conversion: Conversion, connection: Mapping[str, Any]) -> None:
    for path, value in _credentials(connection).items():
        if is_masked(value):
            raise ConfigError(
                [f"{path}: masked; give its real value to use --with-auth"]
            )
        name = str(CREDENTIALS[path].value)
        conversion.config[name] = value
        conversion.changed.append(
            f"{path}: changed to {name}; it must belong to AdStage's own application, "
            "as a Spotify application grants nothing at AdStage"
        )


def _drop_auth(conversion: Conversion, connection: Mapping[str, Any]) -> None:
    conversion.dropped.extend(
        f"{path}: dropped; {CREDENTIALS[path].remark}"
        for path in _credentials(connection)
    )
