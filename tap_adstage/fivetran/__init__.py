"""From the config of Fivetran's Spotify Ads connector to this tap's."""

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
)
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import did_you_mean, json_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Mapping

    from tap_adstage.fivetran.counterparts import Counterpart

__all__ = ["Conversion", "convert"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """A config of this tap, and what is to be known of it.

    Attributes:
        config: The config; without credentials unless they were asked for.
        lost: A line for each thing of Fivetran's that has no counterpart, with why.
        differing: A line for each counterpart that is not quite the same.
    """

    config: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


def convert(
    document: Any,  # noqa: ANN401 - any JSON value
    *,
    now: dt.datetime,
    stream_names: Collection[str],
    with_auth: bool = False,
) -> Conversion:
    """Turn the config of Fivetran's Spotify Ads connector into this tap's.

    Args:
        document: A connection as Fivetran's REST API takes or answers it, as its
            Terraform provider has it (`config` and `auth` as JSON texts), or a
            connection's `config` alone.
        now: The real now, with a time zone.
        stream_names: Names of the resource streams, which no report may take.
        with_auth: Whether to take over the credentials in `auth`, which are left out
            otherwise.

    Returns:
        A config that the tap accepts, once it has credentials.

    Raises:
        ConfigError: If none can be made, with the reasons.
    """
    found = _converted(read(document), stream_names, with_auth=with_auth)
    stand_in = {} if with_auth else {"access_token": "-"}
    parse(found.config | stand_in, now=now, stream_names=stream_names)
    return found


def _converted(
    connection: Mapping[str, Any], stream_names: Collection[str], *, with_auth: bool
) -> Conversion:
    found = Conversion()
    _note_keys(found, "", connection, KEYS, {*READ_ONLY, "auth"})
    if with_auth:
        _take_auth(found, connection)
    else:
        _leave_auth(found, connection)
    for key in ("sync_mode", "timeframe_months"):
        if key in connection:
            found.config[key] = connection[key]
    if connection.get("accounts"):
        found.config["accounts"] = [
            str(EntityId(NETWORK, "account", account))
            for account in connection["accounts"]
        ]
    found.config["networks"] = [NETWORK]
    found.config["reports"] = _reports(found, connection, stream_names)
    return found


def _note_keys(
    found: Conversion,
    path: str,
    given: Iterable[str],
    known: Mapping[str, Counterpart],
    passed: Collection[str] = (),
) -> None:
    for key in given:
        place = path + excerpt(key)
        if key not in known:
            if key not in passed:
                found.lost.append(f"{place}: Fivetran documents no such key")
        elif known[key].ours is None:
            found.lost.append(f"{place} has no counterpart: {known[key].remark}")


def _reports(
    found: Conversion, connection: Mapping[str, Any], stream_names: Collection[str]
) -> list[dict[str, Any]]:
    given = connection.get("report_list", [])
    if not given:
        found.differing.append(
            "report_list: not given, so there is no report; the tap has five of its "
            "own where the config has no `reports`"
        )
    reports: list[dict[str, Any]] = []
    for number, report in enumerate(given):
        path = f"report_list[{number}]"
        _note_keys(found, f"{path}.", report, REPORT_KEYS)
        level = _value(found, f"{path}.dimension", report["dimension"], DIMENSIONS)
        if level is None:
            continue
        known = (
            _value(found, f"{path}.fields", name, FIELDS) for name in report["fields"]
        )
        metrics = [metric for metric in known if metric is not None]
        if not metrics:
            found.lost.append(f"{path}: none of its fields has a counterpart")
            continue
        length = _value(
            found,
            f"{path}.granularity",
            report.get("granularity", "DAY"),
            GRANULARITIES,
        )
        name = _name(found, path, report["table"], reports, stream_names)
        reports.append(
            {
                "name": name,
                "entity_level": level,
                "aggregate_by": length or "day",
                "fields": [*dict.fromkeys((*metrics, *identifying_fields(level)))],
            }
        )
    if given and not reports:
        raise ConfigError([*found.lost, "report_list: no report has a counterpart"])
    return reports


def _value(
    found: Conversion, path: str, value: str, known: Mapping[str, Counterpart]
) -> str | None:
    """What a value is here; what is to be known of it is noted."""
    shown = excerpt(json_text(value))
    if value not in known:
        found.lost.append(
            f"{path}: {shown} has no counterpart: Fivetran documents no such value; "
            f"{did_you_mean(value, known)}"
        )
        return None
    counterpart = known[value]
    if counterpart.ours is None:
        found.lost.append(f"{path}: {shown} has no counterpart: {counterpart.remark}")
    elif counterpart.remark:
        found.differing.append(
            f"{path}: {shown} becomes {counterpart.ours}: {counterpart.remark}"
        )
    return counterpart.ours


def _name(
    found: Conversion,
    path: str,
    table: str,
    reports: Iterable[Mapping[str, Any]],
    stream_names: Collection[str],
) -> str:
    """A name that a report may have, as near to a table's as can be."""
    plain = re.sub(r"[^a-z0-9_]+", "_", table.lower()).lstrip("_")
    if not plain[:1].isalpha():
        plain = f"report_{plain}".rstrip("_")
    others = {report["name"] for report in reports}
    numbered = (f"{plain}_{number}" for number in itertools.count(2))
    name = next(
        each
        for each in itertools.chain([plain], numbered)
        if each not in others and each not in stream_names
    )
    if name != table:
        why = (
            "a stream of the tap's own has the name"
            if plain in stream_names
            else "another report has the name"
            if plain in others
            else "a name has lower-case letters, digits and _, a letter first"
        )
        shown = excerpt(json_text(table))
        found.differing.append(f"{path}.table: {shown} becomes {name}: {why}")
    return name


# --- credentials ---


def _credentials(connection: Mapping[str, Any]) -> dict[str, str]:
    """The credentials that are given, by their paths."""
    found = {}
    for path in CREDENTIALS:
        value: Any = connection
        for key in path.split("."):
            value = value.get(key, {})
        if value:
            found[path] = value
    return found


def _take_auth(found: Conversion, connection: Mapping[str, Any]) -> None:
    for path, value in _credentials(connection).items():
        if is_masked(value):
            raise ConfigError([f"{path}: it is masked; --with-auth takes the value"])
        name = str(CREDENTIALS[path].ours)
        found.config[name] = value
        found.differing.append(
            f"{path} becomes {name}, which has to be of AdStage's own application: "
            "a Spotify application grants nothing there"
        )


def _leave_auth(found: Conversion, connection: Mapping[str, Any]) -> None:
    found.lost.extend(
        f"{path} has no counterpart: {CREDENTIALS[path].remark}"
        for path in _credentials(connection)
    )
