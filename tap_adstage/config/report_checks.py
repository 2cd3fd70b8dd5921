"""What is wrong with reports, apart from the form of a value.

Each line names the report's key, its value and what is allowed. What only AdStage
knows, such as its fields, is checked at discovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from tap_adstage.config.adstage import (
    CROSS_NETWORKS,
    FILTER_OPERATORS,
    family_of,
    is_calculated,
)
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.config.reports import REPORT_KEYS
from tap_adstage.runtime.wording import TYPES, json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tap_adstage.config.reports import ReportConfig
    from tap_adstage.config.settings import Config

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


def report_form_errors(reports: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Find keys of reports that are missing, or given twice through an alias."""
    for number, report in enumerate(reports if isinstance(reports, list) else []):
        if not isinstance(report, Mapping):
            continue
        path = f"reports[{number}]"
        for key in REPORT_KEYS:
            names = {key.name, key.alias} & report.keys()
            if len(names) > 1:
                yield (
                    f"{path}: {key.name} and {key.alias} mean the same; give one of "
                    "them"
                )
            if key.required and not names:
                yield f"{path}.{key.name}: not given; every report has one"


def report_errors(
    config: Config, raw: Sequence[Mapping[str, Any]], stream_names: Collection[str]
) -> Iterator[str]:
    """Find values that don't go together in reports of valid form.

    Args:
        config: The settings, typed.
        raw: The reports as given, without aliases.
        stream_names: Names of the resource streams, which no report may take.

    Yields:
        One line for each error.
    """
    seen: set[str] = set()
    for number, (report, keys) in enumerate(zip(config.reports, raw, strict=True)):
        path = f"reports[{number}]"
        refused = f"{path}.name: {json_text(report.name)} is not allowed"
        if report.name in seen:
            yield f"{refused}; another report has it, and each has its own"
        elif report.name in stream_names:
            others = ", ".join(sorted(stream_names))
            yield f"{refused}; the tap's own streams are {others}"
        seen.add(report.name)
        yield from _field_errors(path, report)
        yield from _target_errors(path, report)
        yield from _filter_errors(path, report)
        yield from _key_errors(path, report)
        yield from _version_errors(path, report, keys)
        yield from _provider_errors(path, report, keys, config)


def _network(target: str) -> str | None:
    """Find the network of an account or a profile, which has no level of its own."""
    entity_id = EntityId.parse(target)
    profile = entity_id.network == "google_analytics"
    return entity_id.network if entity_id.level == "account" or profile else None


def _field_errors(path: str, report: ReportConfig) -> Iterator[str]:
    for number, field in enumerate(report.fields):
        if field.column and family_of(field.name):
            yield (
                f"{path}.fields[{number}].column: {json_text(field.column)} is not "
                f"allowed; {field.name} stands for several fields, each with a column "
                "of its own"
            )


def _filter_errors(path: str, report: ReportConfig) -> Iterator[str]:
    for number, condition in enumerate(report.filters):
        kind = FILTER_OPERATORS[condition["op"]]
        if not Draft202012Validator({"type": kind}).is_valid(condition["value"]):
            yield (
                f"{path}.filters[{number}].value: {json_text(condition['value'])} is "
                f"not allowed; with op {condition['op']} it takes {TYPES[kind]}"
            )


def _key_errors(path: str, report: ReportConfig) -> Iterator[str]:
    if report.key_fields and report.group_by is not None:
        yield (
            f"{path}.key_fields: {json_text(report.key_fields)} is not allowed; with "
            "group_by, the group alone is the key"
        )


def _target_errors(path: str, report: ReportConfig) -> Iterator[str]:
    level = report.entity_level
    for number, target in enumerate(report.targets):
        rank = _LEVEL_RANKS.get(EntityId.parse(target).level, 0)
        refused = f"{path}.targets[{number}]: {json_text(target)} is not allowed"
        if rank > _LEVEL_RANKS[level.removesuffix("s")]:
            yield (
                f"{refused}; it takes entities no finer than the report's "
                f"entity_level {level}"
            )
        elif report.api_version == 1 and rank > _LEVEL_RANKS[_FINEST_V1_TARGET]:
            yield (
                f"{refused}; API version 1 takes accounts, account groups, folders "
                "and campaigns"
            )


def _version_errors(
    path: str, report: ReportConfig, raw: Mapping[str, Any]
) -> Iterator[str]:
    """Find keys and values that API V1 lacks (API V1: Building Reports)."""
    if report.api_version != 1:
        return
    fields = {
        **{
            f"fields[{number}]": field.name
            for number, field in enumerate(report.fields)
        },
        "sort_by": raw.get("sort_by", ""),
        **{
            f"filters[{number}].path": condition["path"]
            for number, condition in enumerate(report.filters)
        },
    }
    for key, field in fields.items():
        if is_calculated(field):
            yield (
                f"{path}.{key}: {json_text(field)} is not allowed; calculated metrics "
                "take api_version 2"
            )
    if "ignore_precision" in raw:
        yield (
            f"{path}.ignore_precision: {json_text(report.ignore_precision)} is not "
            "allowed; it takes api_version 2"
        )


def _provider_errors(
    path: str, report: ReportConfig, raw: Mapping[str, Any], config: Config
) -> Iterator[str]:
    """Find what only external providers take, or only AdStage's own data."""
    provider = report.provider
    if not report.is_external:
        if report.dimensions:
            yield (
                f"{path}.dimensions: {json_text(report.dimensions)} is not allowed; "
                "it takes an external provider, such as facebook"
            )
        return
    if report.api_version != 1:
        yield (
            f"{path}.api_version: {report.api_version} is not allowed; provider "
            f"{provider} takes version 1"
        )
    if "networks" in raw:
        yield (
            f"{path}.networks: {json_text(report.networks)} is not allowed; "
            f"provider {provider} is a network, and its target names the account"
        )
    targets = report.targets
    if [_network(target) for target in targets] != [provider]:
        shown = f"{json_text(targets)} is not allowed" if targets else "not given"
        yield (
            f"{path}.targets: {shown}; provider {provider} takes a single account, "
            f"such as /network/{provider}/account/1"
        )
    elif (
        config.accounts is not None
        and provider in CROSS_NETWORKS
        and targets[0] not in config.accounts
    ):
        yield (
            f"{path}.targets: {json_text(targets)} is not allowed; sync_mode "
            "SPECIFIC_ACCOUNTS takes one of the setting accounts"
        )
