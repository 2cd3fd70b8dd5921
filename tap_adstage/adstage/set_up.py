"""What a sync needs from AdStage: a token, a user, an organization, accounts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_adstage.config.adstage import ADSTAGE
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.exceptions import TapError
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import shorten
from tap_adstage.source import SetUpStep

if TYPE_CHECKING:
    from tap_adstage.adstage.directory import Directory
    from tap_adstage.config.adstage_settings import AdStageConfig


def steps(directory: Directory) -> list[SetUpStep]:
    """List the steps before a sync's reports, each after those that it needs.

    Args:
        directory: The user's resources.
    """
    token_endpoint = " or oauth_token_url" if directory.config.oauth else ""
    return [
        SetUpStep(
            name="token",
            attempt=partial(_token, directory),
            settings=f"api_url, {directory.client.credentials.settings}",
            address=f"api_url{token_endpoint}",
            lack="the token is not known to work",
        ),
        SetUpStep(
            name="user",
            attempt=partial(_user, directory),
            settings="user_id",
            lack="the user is not known",
            needs=("token",),
        ),
        SetUpStep(
            name="organization",
            attempt=partial(_organization, directory),
            settings="organization_id",
            lack="the organization is not known",
            needs=("token",),
        ),
        SetUpStep(
            name="accounts",
            attempt=partial(_accounts, directory),
            settings="user_id",
            lack="the accounts are not known",
            needs=("token", "user"),
        ),
    ]


def unread_accounts(config: AdStageConfig) -> list[str]:
    """Find chosen accounts that no report reads, and reports that read none of them.

    Args:
        config: The run's settings.

    Returns:
        One line for each cause.
    """
    accounts = {each: EntityId.parse(each).network for each in config.accounts or ()}
    external = [report for report in config.reports if report.is_external]
    reports = [report for report in config.reports if not report.is_external]
    if not reports:
        return []
    networks = {network for report in reports for network in report.networks}
    targets = {target for report in external for target in report.targets}
    unread = [
        account
        for account, network in accounts.items()
        if network not in networks and account not in targets
    ]
    lines = []
    if unread:
        asked = ", ".join(sorted(networks))
        lines.append(
            f"accounts: no report reads {', '.join(unread)}, as the networks of all "
            f"reports are {asked}"
        )
    if len(unread) < len(accounts):
        lines += [
            f"{report.name}: nothing to request, as none of the chosen accounts is on "
            f"its networks, {', '.join(report.networks)}"
            for report in reports
            if not {*accounts.values()} & {*report.networks}
        ]
    return lines


def unread_targets(config: AdStageConfig) -> list[str]:
    """Find targets of reports that have no rows, whatever AdStage has of them.

    Args:
        config: The run's settings.

    Returns:
        One line for each report and cause.
    """
    lines = []
    for report in config.reports:
        if report.is_external:
            continue
        targets = [EntityId.parse(target) for target in report.targets]
        elsewhere = [
            target
            for target in targets
            if target.network not in (ADSTAGE, *report.networks)
        ]
        not_chosen = [
            target
            for target in targets
            if target.level == "account"
            and target not in elsewhere
            and config.accounts is not None
            and str(target) not in config.accounts
        ]
        networks = ", ".join(report.networks)
        for unread, cause in (
            (elsewhere, f"the report's networks are {networks}"),
            (not_chosen, "the setting accounts lacks them"),
        ):
            if unread:
                lines.append(
                    f"reports.{report.name}.targets: nothing to request of "
                    f"{shorten([str(target) for target in unread])}, as {cause}"
                )
    return lines


def _token(directory: Directory) -> str:
    """Read the user, which takes a token; with OAuth, the request gets one first."""
    _ = directory.light_user
    return (
        "the sandbox needs none" if directory.config.sandbox else "AdStage accepts it"
    )


def _user(directory: Directory) -> str:
    chosen = directory.config.user_id
    user = directory.light_user
    if chosen is not None and str(user.get("fetch_id")) != str(chosen):
        return f"{chosen}, taken from the setting user_id"
    names = [user.get("first_name"), user.get("last_name")]
    return _named(" ".join(str(name) for name in names if name), directory.user_id)


def _organization(directory: Directory) -> str:
    name = directory.organization.get("company_name")
    return _named(str(name or ""), directory.organization_id)


def _accounts(directory: Directory) -> str:
    config, accounts = directory.config, directory.accounts
    chosen = directory.chosen_accounts
    if chosen is None:
        if not accounts:
            raise TapError(
                f"no account is linked to user {directory.user_id}; link one in "
                "AdStage, or set user_id to the user who has them"
            )
        text = f"{len(accounts)} linked"
    elif error := chosen.unlinked:
        raise error
    else:
        ids = ", ".join(account["entity_id"] for account in accounts)
        text = f"{len(accounts)} chosen: {ids}"
    if config.shard.is_whole:
        return text
    in_shard = sum(config.shard.has(account["entity_id"]) for account in accounts)
    return f"{text}; {in_shard or 'none'} in shard {config.shard}"


def _named(name: str, number: int) -> str:
    return f"{excerpt(name)} ({number})" if name.strip() else str(number)
