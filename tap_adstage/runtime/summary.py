"""What a run did, at its end: a table, a line for each stream, fields, Markdown."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.statistics import FAILED, NOT_STARTED, SET_UP, STOPPED

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_adstage.runtime.redaction import Secrets
    from tap_adstage.runtime.statistics import StreamStats

_NUMBERS = (
    "windows",
    "pages",
    "rows",
    "left out",
    "requests",
    "retries",
    "waited",
    "warnings",
)
_NOTHING = "-"
_ENDS = {FAILED: "failed in", STOPPED: "was stopped in"}
_MARKUP = re.compile(r"([\\`*_\[\]<>|&~#@$:])")


def fields(counts: StreamStats) -> dict[str, Any]:
    """The counts as a program reads them.

    Args:
        counts: What was done for a stream.

    Returns:
        Numbers and texts; `stream` is `set-up` for what came before the first stream.
    """
    return {
        "stream": counts.name,
        "status": counts.status,
        "windows": counts.windows,
        "pages": counts.pages,
        "rows": counts.rows,
        "left_out": counts.duplicates_skipped,
        "requests": counts.requests,
        "retries": counts.retries,
        "seconds_waited": round(counts.waited, 1),
        "bookmark_before": counts.bookmark_before,
        "bookmark": counts.bookmark,
        "warnings": counts.warnings,
    }


def line(counts: StreamStats) -> str:
    """The counts on a line, without what there is none of.

    Args:
        counts: What was done for a stream.
    """
    if counts.status == NOT_STARTED:
        return f"{counts.name}: {NOT_STARTED}"
    facts = [
        f"{name}: {text}" for name, text in _facts(counts).items() if text != _NOTHING
    ]
    return f"{counts.name}: {counts.status}; {', '.join(facts)}"


def table(every: Sequence[StreamStats]) -> str:
    """The counts of a run as a table for a terminal.

    Args:
        every: What was done, for each stream.

    Returns:
        Lines with columns, the first of which has their names.
    """
    names, *rows = _rows(every)
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
            for name, cell, width in zip(names, row, widths, strict=True)
        ).rstrip()
        for row in (names, *rows)
    )


def markdown(title: str, every: Sequence[StreamStats], secrets: Secrets) -> str:
    """The counts of a run as a section of a Markdown document.

    Args:
        title: What the section is called: the tap's name.
        every: What was done, for each stream.
        secrets: What must not be shown.

    Returns:
        A heading, how the run ended if it did before its time, a table, and the first
        warnings of each stream.
    """

    def plain(text: str) -> str:
        return _MARKUP.sub(r"\\\1", excerpt(text, secrets))

    names, *rows = _rows(every)
    lines = [f"## {plain(title)}", ""]
    for counts in every:
        if counts.status in _ENDS:
            lines += [f"**The run {_ENDS[counts.status]} {plain(counts.name)}.**", ""]
    lines += [
        f"| {' | '.join(names)} |",
        f"| {' | '.join('---:' if name in _NUMBERS else '---' for name in names)} |",
        *(f"| {' | '.join(map(plain, row))} |" for row in rows),
        "",
    ]
    for counts in every:
        lines += [f"- {plain(counts.name)}: {plain(text)}" for text in counts.texts]
        more = counts.warnings - len(counts.texts)
        if more:
            lines.append(f"- {plain(counts.name)}: {more} more warnings")
    return "\n".join(["", *lines, ""])


def publish(
    title: str,
    every: Sequence[StreamStats],
    logger: logging.Logger,
    secrets: Secrets,
) -> None:
    """Say what was done where each reader looks for it: in logs, in GitHub's summary.

    Args:
        title: What a section is called: the tap's name.
        every: What was done, for each stream.
        logger: Where to.
        secrets: What must not be shown.
    """
    # Who configures logs has decided what they look like, also on a terminal.
    as_table = sys.stderr.isatty() and "SINGER_SDK_LOG_CONFIG" not in os.environ
    tell(every, logger, as_table=as_table)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        try:
            append(path, markdown(title, every, secrets))
        except OSError as error:
            logger.warning("GITHUB_STEP_SUMMARY: %s", error)


def tell(
    every: Sequence[StreamStats], logger: logging.Logger, *, as_table: bool
) -> None:
    """Log what was done.

    Args:
        every: What was done, for each stream.
        logger: Where to.
        as_table: Whether people read it in columns; else there is a line for each
            stream, with the same as a field `summary`.
    """
    if as_table:
        logger.info("What was done:\n%s", table(every))
        return
    for counts in every:
        extra: dict[str, Any] = {"summary": fields(counts)}
        if counts.name != SET_UP:
            extra["stream_name"] = counts.name
        logger.info("%s", line(counts), extra=extra)


def append(path: str, text: str) -> None:
    """Add a section to a file to which others may be writing.

    Args:
        path: The file.
        text: The section. It is written at once, so that it stays in one piece.

    Raises:
        OSError: If that can't be done.
    """
    with open(path, "ab", buffering=0) as file:  # noqa: PTH123 - Path takes no buffering
        file.write(text.encode())


def _rows(every: Sequence[StreamStats]) -> list[list[str]]:
    """The names of the columns, and the cells of each stream."""
    rows = [
        {"stream": counts.name, **_facts(counts), "status": str(counts.status)}
        for counts in every
    ]
    names = [
        name
        for name in rows[0]
        if name != "left out" or any(row[name] != _NOTHING for row in rows)
    ]
    return [names, *([row[name] for name in names] for row in rows)]


def _facts(counts: StreamStats) -> dict[str, str]:
    """What there is to say of a stream, in the order in which it is said."""
    is_begun_stream = counts.name != SET_UP and counts.status != NOT_STARTED
    return {
        "windows": str(counts.windows or _NOTHING),
        "pages": str(counts.pages or _NOTHING),
        "rows": str(counts.rows) if is_begun_stream else _NOTHING,
        "left out": str(counts.duplicates_skipped or _NOTHING),
        "requests": str(counts.requests or _NOTHING),
        "retries": str(counts.retries or _NOTHING),
        "waited": f"{counts.waited:.1f} s" if counts.waited else _NOTHING,
        "bookmark": f"{counts.bookmark_before or 'none'} → {counts.bookmark}"
        if counts.bookmark
        else _NOTHING,
        "warnings": str(counts.warnings or _NOTHING),
    }
