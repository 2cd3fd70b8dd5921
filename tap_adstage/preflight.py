"""The set-up test: one step after another, and what to do where one fails."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    ResponseError,
    TapError,
    TransientError,
)
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.config.model import ReportConfig
    from tap_adstage.streams.report_stream import ReportStream

_STATUS_PAGE = "http://status.adstage.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that must work.

    Attributes:
        name: What it is about.
        attempt: Tries it, and returns in a few words what was found; raises an
            `TapError` where it fails.
        settings: The settings to look at where AdStage refuses it.
        address: The setting to look at where AdStage doesn't seem to be there at all.
        lack: What is missing for later steps where it fails.
        needs: Names of the steps without which it can't be tried.
    """

    name: str
    attempt: Callable[[], str]
    settings: str
    address: str = "api_url"
    lack: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a step.

    Attributes:
        passed: Whether it was tried and worked.
        line: The line to show.
    """

    passed: bool
    line: str


def steps(
    directory: Directory,
    report_stream: Callable[[ReportConfig], ReportStream],
) -> list[Step]:
    """List what a sync needs, in the order in which one thing needs the other.

    Args:
        directory: The user's resources.
        report_stream: Makes the stream of a report.

    Returns:
        Token, user, organization and accounts, then each report.
    """
    config = directory.config
    is_narrowed = config.accounts is not None or not config.shard.is_whole
    narrowing = ("accounts",) if is_narrowed else ()
    token_endpoint = " or oauth_token_url" if config.oauth else ""
    return [
        Step(
            name="token",
            attempt=partial(_token, directory),
            settings=f"api_url, {directory.client.credentials.settings}",
            address=f"api_url{token_endpoint}",
            lack="the token is not known to work",
        ),
        Step(
            name="user",
            attempt=partial(_user, directory),
            settings="user_id",
            lack="the user is not known",
            needs=("token",),
        ),
        Step(
            name="organization",
            attempt=partial(_organization, directory),
            settings="organization_id",
            lack="the organization is not known",
            needs=("token",),
        ),
        Step(
            name="accounts",
            attempt=partial(_accounts, directory),
            settings="user_id",
            lack="the accounts are not known",
            needs=("token", "user"),
        ),
        *(
            Step(
                name=f"report {report.name}",
                attempt=partial(_report, report, report_stream),
                settings=f"organization_id, reports.{report.name}",
                needs=("token", "organization", *narrowing),
            )
            for report in config.reports
        ),
    ]


def results(steps: Iterable[Step]) -> Iterator[Result]:
    """Try each step, also after one that failed, unless it can't do without that.

    Args:
        steps: The steps, each after those that it needs.

    Yields:
        What became of each step, as soon as it is known.
    """
    lacks: dict[str, str] = {}
    for step in steps:
        lacking = next((lacks[need] for need in step.needs if need in lacks), None)
        if lacking is not None:
            passed, text = False, f"not tried, as {lacking}"
        else:
            passed, text = _tried(step)
        if not passed:
            lacks[step.name] = step.lack
        line = " ".join(text.split())
        yield Result(passed, f"{step.name}: {line}")


def tell(results: Iterable[Result], logger: logging.Logger) -> bool:
    """Log a line for each step, and one that sums up.

    Args:
        results: What became of each step.
        logger: Where to log it; what did not pass is an error.

    Returns:
        Whether all steps passed.
    """
    passed: list[bool] = []
    for result in results:
        logger.log(_level(passed=result.passed), "%s", result.line)
        passed.append(result.passed)
    counts = (sum(passed), len(passed))
    logger.log(_level(passed=all(passed)), "%d of %d steps passed", *counts)
    return all(passed)


def advice(error: TapError, settings: str, address: str) -> str | None:
    """Decide what to do about a failure.

    Args:
        error: What went wrong.
        settings: The settings to look at where AdStage refuses the request.
        address: The setting to look at where the answer is not AdStage's.

    Returns:
        What to do, or `None` where the error's own text says it.
    """
    if isinstance(error, TransientError):
        return (
            f"AdStage, the network or a proxy may be down: see {_STATUS_PAGE}, check "
            f"{address}, and try again"
        )
    if isinstance(error, ResponseError):
        return f"check that {address} leads to AdStage; where it does, report this"
    if isinstance(error, AuthenticationError) or not isinstance(error, ApiError):
        return None
    if error.status is None:
        return f"check {address}, and the proxy and certificates on the way"
    if error.status == HTTPStatus.FORBIDDEN:
        return f"check {settings}, or ask AdStage to let this user see it"
    return f"check {settings}"


def _tried(step: Step) -> tuple[bool, str]:
    try:
        return True, f"ok, {step.attempt()}"
    except TapError as error:
        reason = "; ".join(str(error).splitlines())
        to_do = advice(error, step.settings, step.address)
        text = f"{reason.removesuffix('.')}; {to_do}" if to_do else reason
        return False, f"FAILED, {text}"


def _level(*, passed: bool) -> int:
    return logging.INFO if passed else logging.ERROR


def _token(directory: Directory) -> str:
    """Ask for the user, the first thing that takes a token; OAuth gets one for it."""
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
    if config.accounts is None:
        found = f"{len(accounts) or 'none'} linked"
    else:
        chosen = ", ".join(account["entity_id"] for account in accounts)
        found = f"{len(accounts)} chosen: {chosen}"
    if config.shard.is_whole:
        return found
    dealt = sum(config.shard.has(account["entity_id"]) for account in accounts)
    return f"{found}; {dealt or 'none'} in shard {config.shard}"


def _report(
    report: ReportConfig,
    report_stream: Callable[[ReportConfig], ReportStream],
) -> str:
    found = report_stream(report).probe()
    if found is None:
        return f"nothing to ask for as of {report.today}"
    days, has_rows = found
    return f"a row of {days}" if has_rows else f"no rows in {days}"


def _named(name: str, number: int) -> str:
    return f"{excerpt(name)} ({number})" if name.strip() else str(number)
