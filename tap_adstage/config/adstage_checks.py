"""What is wrong with AdStage's settings and reports, apart from the form of a value.

Each line names the setting or the report's key, its value and what is allowed. What
only AdStage knows, such as its fields, is checked at discovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from tap_adstage.config.adstage import (
    CROSS_NETWORKS,
    FILTER_OPERATORS,
    family_of,
    is_calculated,
)
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.runtime.wording import TYPES, json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_adstage.config.adstage_settings import AdStageConfig, AdStageReportConfig

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


def account_errors(config: AdStageConfig) -> Iterator[str]:
    """Find what is wrong with the setting `accounts`, one line for each error."""
    if config.sync_mode != "SPECIFIC_ACCOUNTS":
        return
    if not config.accounts:
        yield (
            "accounts: not given; sync_mode SPECIFIC_ACCOUNTS takes a list of entity "
            "ids such as /network/adwords/account/123"
        )
    narrowed = {*config.networks} < {*CROSS_NETWORKS}
    for account in config.accounts or ():
        if narrowed and EntityId.parse(account).network not in config.networks:
            yield (
                f"accounts: {json_text(account)} is not allowed; it takes accounts of "
                f"the networks in the setting networks: {', '.join(config.networks)}"
            )


def report_errors(
    path: str,
    report: AdStageReportConfig,
    raw: Mapping[str, Any],
    config: AdStageConfig,
) -> Iterator[str]:
    """Find values that don't go together in a report of valid form.

    Args:
        path: Place of the report, for an error.
        report: The report, typed.
        raw: The report as given, without aliases.
        config: The run's settings.

    Yields:
        One line for each error.
    """
    yield from _field_errors(path, report)
    yield from _target_errors(path, report)
    yield from _filter_errors(path, report)
    yield from _key_errors(path, report)
    yield from _version_errors(path, report, raw)
    yield from _provider_errors(path, report, raw, config)


def _network(target: str) -> str | None:
    """Find the network of an account or a profile, which has no level of its own."""
    entity_id = EntityId.parse(target)
    profile = entity_id.network == "google_analytics"
    return entity_id.network if entity_id.level == "account" or profile else None


def _field_errors(path: str, report: AdStageReportConfig) -> Iterator[str]:
    for number, field in enumerate(report.fields):
        if field.column and family_of(field.name):
            yield (
                f"{path}.fields[{number}].column: {json_text(field.column)} is not "
                f"allowed; {field.name} stands for several fields, each with a column "
                "of its own"
            )


def _filter_errors(path: str, report: AdStageReportConfig) -> Iterator[str]:
    for number, condition in enumerate(report.filters):
        kind = FILTER_OPERATORS[condition["op"]]
        if not Draft202012Validator({"type": kind}).is_valid(condition["value"]):
            yield (
                f"{path}.filters[{number}].value: {json_text(condition['value'])} is "
                f"not allowed; with op {condition['op']} it takes {TYPES[kind]}"
            )


def _key_errors(path: str, report: AdStageReportConfig) -> Iterator[str]:
    if report.key_fields and report.group_by is not None:
        yield (
            f"{path}.key_fields: {json_text(report.key_fields)} is not allowed; with "
            "group_by, the group alone is the key"
        )


def _target_errors(path: str, report: AdStageReportConfig) -> Iterator[str]:
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
    path: str, report: AdStageReportConfig, raw: Mapping[str, Any]
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
    path: str,
    report: AdStageReportConfig,
    raw: Mapping[str, Any],
    config: AdStageConfig,
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
