"""What conversions for all sources share: reports, and notes of what was done."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran.counterparts import REPORT_KEYS, Counterpart
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import did_you_mean, json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

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


class Target(Protocol):
    """How reports are converted for one source."""

    default_reports: str
    """How many reports the tap has by default, in words."""

    dimensions: Mapping[str, Counterpart]

    def metrics(
        self, conversion: Conversion, path: str, names: Iterable[str], level: str
    ) -> list[str]:
        """Convert the fields of a report, and note what is dropped or changed."""

    def aggregate_by(
        self, conversion: Conversion, path: str, granularity: str | None, level: str
    ) -> str:
        """Convert the granularity of a report, and note if it is changed."""

    def more_fields(self, level: str) -> Sequence[str]:
        """List the fields that a report gets besides its own."""


def note_dropped_keys(
    conversion: Conversion,
    parent: str,
    keys: Iterable[str],
    counterparts: Mapping[str, Counterpart],
    ignored: Collection[str] = (),
) -> None:
    """Note which keys have no counterpart."""
    for key in keys:
        path = parent + excerpt(key)
        if key not in counterparts:
            if key not in ignored:
                conversion.dropped.append(
                    f"{path}: dropped; Fivetran does not document this key"
                )
        elif counterparts[key].value is None:
            conversion.dropped.append(f"{path}: dropped; {counterparts[key].remark}")


def convert_value(
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
        change = (
            "kept"
            if counterpart.values == (value,)
            else f"changed to {', '.join(counterpart.values)}"
        )
        conversion.changed.append(f"{path}: {shown} {change}; {counterpart.remark}")
    return counterpart


def convert_reports(
    target: Target,
    conversion: Conversion,
    connection: Mapping[str, Any],
    stream_names: Collection[str],
) -> list[dict[str, Any]]:
    """Convert the reports of a connection.

    Args:
        target: What they are converted for.
        conversion: Takes the notes.
        connection: The connection.
        stream_names: Names of the resource streams, which no report may take.

    Raises:
        ConfigError: If it has reports, and none of them has a counterpart.
    """
    report_list = connection.get("report_list", [])
    if not report_list:
        conversion.changed.append(
            "report_list: omitted or empty, so the config has no reports; remove its "
            f"`reports` to get the tap's {target.default_reports} default ones"
        )
    reports: list[dict[str, Any]] = []
    for number, report in enumerate(report_list):
        path = f"report_list[{number}]"
        note_dropped_keys(conversion, f"{path}.", report, REPORT_KEYS)
        level = convert_value(
            conversion, f"{path}.dimension", report["dimension"], target.dimensions
        ).value
        if level is None:
            continue
        metrics = target.metrics(conversion, f"{path}.fields", report["fields"], level)
        if not metrics:
            conversion.dropped.append(
                f"{path}: dropped; none of its fields has a counterpart"
            )
            continue
        aggregate_by = target.aggregate_by(
            conversion, f"{path}.granularity", report.get("granularity"), level
        )
        name = _report_name(conversion, path, report["table"], reports, stream_names)
        reports.append(
            {
                "name": name,
                "entity_level": level,
                "aggregate_by": aggregate_by,
                "fields": [*dict.fromkeys((*metrics, *target.more_fields(level)))],
            }
        )
    if report_list and not reports:
        raise ConfigError(
            [*conversion.dropped, "report_list: no report has a counterpart"]
        )
    return reports


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
