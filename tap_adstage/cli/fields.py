"""What `--fields` does: looks fields up, and writes them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from tap_adstage import preflight
from tap_adstage.exceptions import TapError
from tap_adstage.reports import field_list
from tap_adstage.source import SetUpStep

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from tap_adstage.reports.field_list import ListedField
    from tap_adstage.runtime.statistics import RunStats
    from tap_adstage.source import Source, SourceType

_GAP = "  "
_HEADS = ("id", "name", "format", "networks", "where")


def write_fields(
    text: str,
    source: SourceType,
    connect: Callable[[], Source],
    stats: RunStats,
    logger: logging.Logger,
) -> bool:
    """Write the fields that reports may have: a table, or JSON lines into a pipe.

    They are looked up as a step of the set-up test is tried: with its errors, and for
    as long.

    Args:
        text: What to look for, in any case; "" for all fields.
        source: Whose fields they are.
        connect: Connects to the source, if its own list doesn't have them.
        stats: Knows when the API last answered.
        logger: For errors.

    Returns:
        Whether there are any, and all could be read.
    """
    fields: list[ListedField] = []
    errors: list[TapError] = []

    def read() -> str:
        for item in source.list_fields(connect):
            if isinstance(item, TapError):
                errors.append(item)
            else:
                fields.append(item)
        return f"{len(fields)} fields"

    step = SetUpStep(name="fields", attempt=read, settings=source.report_settings)
    (result,) = preflight.results([step], source, stats)
    if not result.passed:
        logger.error("%s", result.line)
        return False
    for error in errors:
        logger.error("--fields: %s", error)
    found = field_list.matching(fields, text)
    if not found:
        logger.error("--fields: %s", field_list.why_none(fields, text))
        return False
    is_terminal = bool(sys.stdout) and sys.stdout.isatty()  # it may be closed
    for line in table_lines(found) if is_terminal else json_lines(found):
        click.echo(line)
    return not errors


def json_lines(fields: Sequence[ListedField]) -> Iterator[str]:
    """Write a JSON object for each field."""
    for field in fields:
        value = {
            "id": field.id,
            "name": field.name or None,
            "format": field.format,
            "networks": field.networks,
            "where": field.where or None,
        }
        yield json.dumps(value, ensure_ascii=False)


def table_lines(fields: Sequence[ListedField]) -> Iterator[str]:
    """Write a table with a line for each field, below its heads."""
    rows = [
        (
            field.id,
            field.name,
            field.format,
            field.networks_text,
            field.where,
        )
        for field in fields
    ]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    for row in (_HEADS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()
