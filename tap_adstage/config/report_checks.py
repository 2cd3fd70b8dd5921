"""What is wrong with the reports of the settings, apart from the form of a value.

Each line names the report's key, its value and what is allowed. What only AdStage can
tell, such as whether there is a field, is checked at discovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from tap_adstage.config.entity_ids import CROSS_NETWORKS, EntityId
from tap_adstage.config.settings import (
    ADSTAGE,
    FILTER_OPERATORS,
    REPORT_KEY_ALIASES,
    api_version,
    canonical_report,
    is_calculated,
)
from tap_adstage.runtime.wording import TYPES, json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_LEVEL_RANKS = {
    "account": 0,
    "campaign": 1,
    "ad_group": 2,
    "ad": 3,
    "keyword": 3,
    "criterion": 3,
}
"""How fine a level is; a report's `entity_level` is the plural of one."""

_FINEST_V1_TARGET = "campaign"


def errors(given: Mapping[str, Any], stream_names: Collection[str]) -> Iterator[str]:
    """Find what is wrong with the meaning of reports whose form is right.

    Args:
        given: The settings as given, none of them null.
        stream_names: Names of the resource streams, which no report may take.

    Yields:
        One line for each error.
    """
    seen: set[str] = set()
    for number, keys in enumerate(given.get("reports", [])):
        path = f"reports[{number}]"
        for alias, key in REPORT_KEY_ALIASES.items():
            if keys.get(alias) is not None and keys.get(key) is not None:
                yield f"{path}: {key} and {alias} mean the same; give one of them"
        report = canonical_report(keys)
        for key in ("name", "entity_level", "fields"):
            if key not in report:
                yield f"{path}.{key}: not given; every report has one"
        name = report.get("name", "")
        refused = f"{path}.name: {json_text(name)} is not allowed"
        if name in seen:
            yield f"{refused}; another report has it, and each has its own"
        elif name in stream_names:
            others = ", ".join(sorted(stream_names))
            yield f"{refused}; the tap's own streams are {others}"
        if name:
            seen.add(name)
        yield from _target_errors(path, report)
        yield from _filter_errors(path, report)
        yield from _version_errors(path, report)
        yield from _provider_errors(path, report, given)


def _network(target: str) -> str | None:
    """The network of an account, or of a profile, which has no level of its own."""
    entity_id = EntityId.parse(target)
    profile = entity_id.network == "google_analytics"
    return entity_id.network if entity_id.level == "account" or profile else None


def _filter_errors(path: str, report: Mapping[str, Any]) -> Iterator[str]:
    for number, condition in enumerate(report.get("filters", [])):
        kind = FILTER_OPERATORS[condition["op"]]
        if not Draft202012Validator({"type": kind}).is_valid(condition["value"]):
            yield (
                f"{path}.filters[{number}].value: {json_text(condition['value'])} is "
                f"not allowed; with op {condition['op']} it takes {TYPES[kind]}"
            )


def _target_errors(path: str, report: Mapping[str, Any]) -> Iterator[str]:
    level = report.get("entity_level")
    if level is None:
        return
    for number, target in enumerate(report.get("targets", [])):
        rank = _LEVEL_RANKS.get(EntityId.parse(target).level, 0)
        refused = f"{path}.targets[{number}]: {json_text(target)} is not allowed"
        if rank > _LEVEL_RANKS[level.removesuffix("s")]:
            yield (
                f"{refused}; it takes entities no finer than the report's "
                f"entity_level {level}"
            )
        elif api_version(report) == 1 and rank > _LEVEL_RANKS[_FINEST_V1_TARGET]:
            yield (
                f"{refused}; API version 1 takes accounts, account groups, folders "
                "and campaigns"
            )


def _version_errors(path: str, report: Mapping[str, Any]) -> Iterator[str]:
    """What API V1 lacks (API V1: Building Reports)."""
    if api_version(report) != 1:
        return
    fields = {
        **{
            f"fields[{number}]": field
            for number, field in enumerate(report.get("fields", ()))
        },
        "sort_by": report.get("sort_by", ""),
        **{
            f"filters[{number}].path": condition["path"]
            for number, condition in enumerate(report.get("filters", ()))
        },
    }
    for key, field in fields.items():
        if is_calculated(field):
            yield (
                f"{path}.{key}: {json_text(field)} is not allowed; calculated metrics "
                "take api_version 2"
            )
    if "ignore_precision" in report:
        yield (
            f"{path}.ignore_precision: {json_text(report['ignore_precision'])} is not "
            "allowed; it takes api_version 2"
        )


def _provider_errors(
    path: str,
    report: Mapping[str, Any],
    given: Mapping[str, Any],
) -> Iterator[str]:
    """What external providers take and AdStage's own data don't, and vice versa."""
    provider = report.get("provider", ADSTAGE)
    if provider == ADSTAGE:
        if "dimensions" in report:
            yield (
                f"{path}.dimensions: {json_text(report['dimensions'])} is not allowed; "
                "it takes an external provider, such as facebook"
            )
        return
    if api_version(report) != 1:
        yield (
            f"{path}.api_version: {report['api_version']} is not allowed; provider "
            f"{provider} takes version 1"
        )
    if "networks" in report:
        yield (
            f"{path}.networks: {json_text(report['networks'])} is not allowed; "
            f"provider {provider} is a network, and its target says which account"
        )
    targets = report.get("targets", [])
    if [_network(target) for target in targets] != [provider]:
        shown = f"{json_text(targets)} is not allowed" if targets else "not given"
        yield (
            f"{path}.targets: {shown}; provider {provider} takes a single account, "
            f"such as /network/{provider}/account/1"
        )
    elif (
        given.get("sync_mode") == "SPECIFIC_ACCOUNTS"
        and provider in CROSS_NETWORKS
        and targets[0] not in given.get("accounts", ())
    ):
        yield (
            f"{path}.targets: {json_text(targets)} is not allowed; sync_mode "
            "SPECIFIC_ACCOUNTS takes one of the setting accounts"
        )
