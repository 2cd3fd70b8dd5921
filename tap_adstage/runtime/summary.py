"""The summary of a run: a table, a line for each stream, fields, Markdown."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from tap_adstage.runtime.redaction import excerpt, redact
from tap_adstage.runtime.statistics import (
    FAILED,
    INCOMPLETE,
    NOT_STARTED,
    SET_UP,
    STOPPED,
)

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_adstage.runtime.redaction import Secrets
    from tap_adstage.runtime.statistics import StreamStats

_NUMBERS = (
    "windows",
    "pages",
    "rows",
    "duplicates",
    "requests",
    "retries",
    "waited",
    "warnings",
)
_NOTHING = "-"
_MARKUP = re.compile(r"([\\`*_\[\]<>|&~#@$:])")


def summary_fields(stats: StreamStats) -> dict[str, Any]:
    """Return a stream's counts as a program reads them."""
    return {
        "stream": stats.name,
        "status": stats.status,
        "reason": stats.reason,
        "windows": stats.windows,
        "pages": stats.pages,
        "rows": stats.rows,
        "duplicates_skipped": stats.duplicates_skipped,
        "requests": stats.requests,
        "retries": stats.retries,
        "seconds_waited": round(stats.waited, 1),
        "bookmark_before": stats.bookmark_before,
        "bookmark": stats.bookmark,
        "warnings": stats.warnings,
    }


def summary_line(stats: StreamStats) -> str:
    """Return a stream's counts as a line, without those that are zero.

    Why the stream is not completed stands at the end, as it may be long.
    """
    if stats.status == NOT_STARTED:
        return f"{stats.name}: {NOT_STARTED}"
    facts = [
        f"{name}: {text}" for name, text in _facts(stats).items() if text != _NOTHING
    ]
    line = f"{stats.name}: {stats.status}; {', '.join(facts)}"
    return f"{line}; {_one_line(stats.reason)}" if stats.reason else line


def outcome(streams: Sequence[StreamStats]) -> str | None:
    """Return what a run lacks, as its last line.

    Args:
        streams: The counts of each stream.

    Returns:
        The names of the streams that are not completed; `None` if all are.
    """
    names = {
        status: [stats.name for stats in streams if stats.status == status]
        for status in (FAILED, INCOMPLETE, STOPPED, NOT_STARTED)
    }
    lacking = [f"{status}: {', '.join(of)}" for status, of in names.items() if of]
    if not lacking:
        return None
    return f"The run is not complete; {'; '.join(lacking)}"


def summary_table(streams: Sequence[StreamStats]) -> str:
    """Return the counts of a run as a table for a terminal, with a head.

    Below it stand the reasons why streams are not completed.
    """
    names, *rows = _rows(streams)
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
            for name, cell, width in zip(names, row, widths, strict=True)
        ).rstrip()
        for row in (names, *rows)
    ]
    return "\n".join([*lines, *map(_reason_line, _with_reason(streams))])


def summary_markdown(
    title: str,
    streams: Sequence[StreamStats],
    secrets: Secrets,
) -> str:
    """Return the counts of a run as a section of a Markdown document.

    Args:
        title: The heading: the tap's name.
        streams: The counts of each stream.
        secrets: The run's secrets.

    Returns:
        A heading, what the run lacks, a table, then why each stream is not completed
        and the first warnings of each.
    """

    def plain(text: str) -> str:
        return _escaped(excerpt(text, secrets))

    names, *rows = _rows(streams)
    lines = [f"## {plain(title)}", ""]
    lacking = outcome(streams)
    if lacking:
        lines += [f"**{_escaped(redact(lacking, secrets))}.**", ""]
    lines += [
        f"| {' | '.join(names)} |",
        f"| {' | '.join('---:' if name in _NUMBERS else '---' for name in names)} |",
        *(f"| {' | '.join(map(plain, row))} |" for row in rows),
        "",
    ]
    lines += [f"- {plain(_reason_line(stats))}" for stats in _with_reason(streams)]
    for stats in streams:
        lines += [f"- {plain(stats.name)}: {plain(text)}" for text in stats.texts]
        more = stats.warnings - len(stats.texts)
        if more:
            lines.append(f"- {plain(stats.name)}: {more} more warnings")
    return "\n".join(["", *lines, ""])


def publish_summary(
    title: str,
    streams: Sequence[StreamStats],
    logger: logging.Logger,
    secrets: Secrets,
) -> None:
    """Log the counts of a run, and add them to the summary of a GitHub job.

    Args:
        title: The heading in GitHub's summary: the tap's name.
        streams: The counts of each stream.
        logger: Logs them.
        secrets: The run's secrets.
    """
    # Whoever configures logs decides what they look like, on a terminal too.
    as_table = sys.stderr.isatty() and "SINGER_SDK_LOG_CONFIG" not in os.environ
    log_summary(streams, logger, as_table=as_table)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        try:
            append(path, summary_markdown(title, streams, secrets))
        except OSError as error:
            logger.warning("GITHUB_STEP_SUMMARY: %s", error)


def log_summary(
    streams: Sequence[StreamStats], logger: logging.Logger, *, as_table: bool
) -> None:
    """Log the counts of a run.

    Args:
        streams: The counts of each stream.
        logger: Logs them.
        as_table: Whether to log one table for people; by default a line for each
            stream, with the counts in its field `summary`.
    """
    if as_table:
        logger.info("What was done:\n%s", summary_table(streams))
        return
    for stats in streams:
        extra: dict[str, Any] = {"summary": summary_fields(stats)}
        if stats.name != SET_UP:
            extra["stream_name"] = stats.name
        logger.info("%s", summary_line(stats), extra=extra)


def append(path: str, text: str) -> None:
    """Append a section to a file in one write, as others may be writing to it too.

    Raises:
        OSError: If the file can't be written.
    """
    with open(path, "ab", buffering=0) as file:  # noqa: PTH123 - Path takes no buffering
        file.write(text.encode())


def _with_reason(streams: Sequence[StreamStats]) -> list[StreamStats]:
    return [stats for stats in streams if stats.reason]


def _reason_line(stats: StreamStats) -> str:
    return f"{stats.name} {stats.status}: {_one_line(stats.reason)}"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def _one_line(text: str | None) -> str:
    return " ".join(str(text).split())


def _rows(streams: Sequence[StreamStats]) -> list[list[str]]:
    """Return the names of the columns, then the cells of each stream."""
    rows = [
        {"stream": stats.name, **_facts(stats), "status": str(stats.status)}
        for stats in streams
    ]
    names = [
        name
        for name in rows[0]
        if name != "duplicates" or any(row[name] != _NOTHING for row in rows)
    ]
    return [names, *([row[name] for name in names] for row in rows)]


def _facts(stats: StreamStats) -> dict[str, str]:
    """Return a stream's counts as texts, in the order of the columns."""
    is_started_stream = stats.name != SET_UP and stats.status != NOT_STARTED
    return {
        "windows": str(stats.windows or _NOTHING),
        "pages": str(stats.pages or _NOTHING),
        "rows": str(stats.rows) if is_started_stream else _NOTHING,
        "duplicates": str(stats.duplicates_skipped or _NOTHING),
        "requests": str(stats.requests or _NOTHING),
        "retries": str(stats.retries or _NOTHING),
        "waited": f"{stats.waited:.1f} s" if stats.waited else _NOTHING,
        "bookmark": f"{stats.bookmark_before or 'none'} → {stats.bookmark}"
        if stats.bookmark
        else _NOTHING,
        "warnings": str(stats.warnings or _NOTHING),
    }
