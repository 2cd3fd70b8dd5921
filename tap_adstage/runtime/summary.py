"""The summary of a run: a table, a line for each stream, fields, Markdown."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from tap_adstage.runtime.redaction import excerpt, redact
from tap_adstage.runtime.statistics import (
    COMPLETED,
    FAILED,
    INCOMPLETE,
    NOT_STARTED,
    SET_UP,
    STOPPED,
)
from tap_adstage.runtime.wording import counted

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_adstage.runtime.redaction import Secrets
    from tap_adstage.runtime.statistics import StreamStats

_ALWAYS = ("stream", "status", "rows")
_COLUMNS = (
    *_ALWAYS,
    "warnings",
    "bookmark",
    "windows",
    "requests",
    "retries",
    "waited",
    "duplicates",
)
"""The columns of a table; those after `_ALWAYS` are omitted if they hold nothing."""

_TEXTS = ("stream", "status", "bookmark")
"""The columns that are not numbers."""

_NOTHING = "-"
_MOST_CHARACTERS = 500
"""Enough for the longest warning, whose end says what to do."""
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


def headline(streams: Sequence[StreamStats]) -> str:
    """Return the whole run in a line: what it lacks, or how much it read.

    It is called complete only without a warning, which may be of data that the source
    does not have yet.
    """
    lacking = outcome(streams)
    if lacking:
        return lacking
    warnings = sum(stats.warnings for stats in streams)
    read = sum(stats.name != SET_UP for stats in streams)
    how = (
        f"The run read {'everything' if read else 'nothing'}, "
        f"with {counted(warnings, 'warning')}"
        if warnings
        else "The run is complete"
    )
    rows = sum(stats.rows for stats in streams)
    return f"{how}: {counted(read, 'stream')}, {counted(rows, 'row')}"


def summary_table(streams: Sequence[StreamStats]) -> str:
    """Return a run as a terminal shows it.

    The headline comes first, then why streams are not completed, then the counts as a
    table, with those streams at its top.
    """
    names, *rows = _rows(streams)
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if name in _TEXTS else cell.rjust(width)
            for name, cell, width in zip(names, row, widths, strict=True)
        ).rstrip()
        for row in (names, *rows)
    ]
    reasons = [f"  {_reason_line(stats)}" for stats in _with_reason(streams)]
    return "\n".join([headline(streams), *reasons, "", *lines])


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
        A heading, the headline, why each stream is not completed, the table, and the
        first warnings of each stream.
    """

    def plain(text: str) -> str:
        return _escaped(excerpt(text, secrets, _MOST_CHARACTERS))

    names, *rows = _rows(streams)
    reasons = [f"- {plain(_reason_line(stats))}" for stats in _with_reason(streams)]
    warnings = []
    for stats in streams:
        prefix = f"{stats.name}: "
        texts = [text.removeprefix(prefix) for text in stats.texts]
        if more := stats.warnings - len(texts):
            texts.append(f"{more} more")
        warnings += [f"- {plain(prefix + text)}" for text in texts]
    lines = [
        f"## {plain(title)}",
        "",
        f"**{_escaped(redact(headline(streams), secrets))}**",
        "",
        *([*reasons, ""] if reasons else []),
        f"| {' | '.join(names)} |",
        f"| {' | '.join('---' if name in _TEXTS else '---:' for name in names)} |",
        *(f"| {' | '.join(map(plain, row))} |" for row in rows),
        *(["", "Warnings:", "", *warnings] if warnings else []),
    ]
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
        logger.info("Summary of the run:\n%s", summary_table(streams))
        return
    for stats in streams:
        extra: dict[str, Any] = {"summary": summary_fields(stats)}
        if stats.name != SET_UP:
            extra["stream_name"] = stats.name
        logger.info("%s", summary_line(stats), extra=extra)
    if not outcome(streams):  # else that is the run's last line
        logger.info("%s", headline(streams))


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
    """Return the names of the columns, then the cells of each stream.

    Streams that are not completed come first.
    """
    by_need = sorted(streams, key=lambda stats: stats.status == COMPLETED)
    rows = [
        {"stream": stats.name, "status": str(stats.status), **_facts(stats)}
        for stats in by_need
    ]
    names = [
        name
        for name in _COLUMNS
        if name in _ALWAYS or any(row[name] != _NOTHING for row in rows)
    ]
    return [names, *([_grouped(row[name]) for name in names] for row in rows)]


def _grouped(cell: str) -> str:
    return f"{int(cell):,}" if cell.isdigit() else cell


def _facts(stats: StreamStats) -> dict[str, str]:
    """Return a stream's counts as texts, in the order of its line."""
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
