"""The set-up test: one step after another, with advice for each that fails.

A sync waits for hours if it must. Someone who tests a set-up waits for the result, so
this gives up on an API that doesn't answer.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    ResponseError,
    TapError,
    TransientError,
)
from tap_adstage.source import SetUpStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_adstage.config.reports import ReportConfig
    from tap_adstage.date_ranges import DateRange
    from tap_adstage.runtime.statistics import RunStats
    from tap_adstage.source import Named, Source

LONGEST_WAIT = 30.0
"""Seconds without an answer, retries included, after which the test is given up."""

_POLL = 0.1


class UnansweredError(TransientError):
    """The API has not answered for too long."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a step.

    Attributes:
        passed: Whether it was tried and worked.
        line: The line to show.
    """

    passed: bool
    line: str


def steps(
    source: Source,
    probe: Callable[[ReportConfig], tuple[DateRange, bool] | str],
) -> list[SetUpStep]:
    """List the steps of the set-up test, each after those that it needs.

    Args:
        source: The source.
        probe: Reads one row of a report.

    Returns:
        The source's own steps, then each report.
    """
    return [
        *source.set_up_steps(),
        *(
            SetUpStep(
                name=f"report {report.name}",
                attempt=partial(_probe_report, report, probe),
                settings=f"{source.report_settings}, reports.{report.name}",
                needs=source.report_needs,
            )
            for report in source.config.reports
        ),
    ]


def storage_step(check: Callable[[], None]) -> SetUpStep:
    """Make the step that tries the storage of BATCH messages.

    Args:
        check: Raises a `ConfigError` if the storage can't be written.
    """

    def attempt() -> str:
        check()
        return "files can be written"

    return SetUpStep(name="batch_config", attempt=attempt, settings="batch_config")


def results(
    steps: Iterable[SetUpStep],
    source: Named,
    stats: RunStats,
) -> Iterator[Result]:
    """Try each step, unless a step that it needs failed, or the API is silent.

    Args:
        steps: The steps, each after those that it needs.
        source: What they try.
        stats: Knows when the API last answered.

    Yields:
        The result of each step, as soon as it is known.
    """
    lacks: dict[str, str] = {}
    silent: str | None = None
    for step in steps:
        lacking = silent or next((lacks[n] for n in step.needs if n in lacks), None)
        if lacking is not None:
            passed, text = False, f"not tried, as {lacking}"
        else:
            passed, text = _attempt(step, source, stats)
        if not passed:
            lacks[step.name] = step.lack
            if stats.seconds_unanswered >= LONGEST_WAIT:
                silent = f"{source.name} does not answer"
        line = " ".join(text.split())
        yield Result(passed, f"{step.name}: {line}")


def log_results(results: Iterable[Result], logger: logging.Logger) -> bool:
    """Log a line for each step, and a summary.

    Args:
        results: The result of each step.
        logger: For the lines; a step that did not pass is an error.

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


def advice(error: TapError, source: Named, settings: str, address: str) -> str | None:
    """Decide what to do about a failure.

    Args:
        error: The failure.
        source: What failed.
        settings: The settings to check if it refuses the request.
        address: The setting to check if the answer is not its own.

    Returns:
        What to do, or `None` if the error's own text has the advice.
    """
    if isinstance(error, TransientError):
        see = f"see {source.status_page}, " if source.status_page else ""
        return (
            f"{source.name}, the network or a proxy may be down: {see}check {address}, "
            "and try again"
        )
    if isinstance(error, ResponseError):
        return f"check that {address} leads to {source.name}; if it does, report this"
    if isinstance(error, AuthenticationError) or not isinstance(error, ApiError):
        return None
    if error.status is None:
        return f"check {address}, and the proxy and certificates on the way"
    if error.status == HTTPStatus.FORBIDDEN:
        return f"check {settings}, or ask {source.name} to let this user see it"
    return f"check {settings}"


def _attempt(step: SetUpStep, source: Named, stats: RunStats) -> tuple[bool, str]:
    try:
        return True, f"ok, {_answered(step.attempt, stats)}"
    except TapError as error:
        reason = "; ".join(str(error).splitlines())
        to_do = advice(error, source, step.settings, step.address)
        text = f"{reason.removesuffix('.')}; {to_do}" if to_do else reason
        return False, f"FAILED, {text}"


def _answered(attempt: Callable[[], str], stats: RunStats) -> str:
    """Try a step in a thread of its own, which is left to itself if all is silent.

    Nothing else ends every wait: looking up a host's name, trying all its addresses,
    an answer that trickles, a wait between two tries.

    Raises:
        UnansweredError: If the API is silent for too long.
    """
    outcome: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(attempt())
        except BaseException as error:  # noqa: BLE001 - it is raised below
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    while True:
        try:
            found = outcome.get(timeout=_POLL)
        except queue.Empty:
            if stats.seconds_unanswered < LONGEST_WAIT:
                continue
            raise UnansweredError(
                f"no answer from {_origin(stats.last_url)} for {LONGEST_WAIT:g} "
                "seconds, with all retries"
            ) from None
        if isinstance(found, BaseException):
            raise found
        return found


def _origin(url: str) -> str:
    """Return the address of a URL, without a password that is in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _level(*, passed: bool) -> int:
    return logging.INFO if passed else logging.ERROR


def _probe_report(
    report: ReportConfig,
    probe: Callable[[ReportConfig], tuple[DateRange, bool] | str],
) -> str:
    probed = probe(report)
    if isinstance(probed, str):
        return f"nothing to request: {probed}"
    days, has_rows = probed
    return f"a row of {days}" if has_rows else f"no rows in {days}"
