"""The rows of a report's page, in the form that every source's reader returns."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.windows import Slice

Number: TypeAlias = "int | float | Decimal"
"""A metric's value. A float has at most 15 digits; longer numbers are decimals."""


class Row(NamedTuple):
    """The values of one entity or group, over the slices of its page.

    Attributes:
        attributes: Values of the columns `ReportColumns.attributes`.
        metrics: For each of `ReportColumns.metrics` its value in each slice.
    """

    attributes: tuple[Any, ...]
    metrics: Sequence[Sequence[Number | None]]


def with_floats(rows: Sequence[Row]) -> list[Row]:
    """Make floats of all decimals that a float holds exactly.

    So a number is written the same whatever else is on its page, and rows that two
    pages repeat are the same.
    """
    return [
        Row(row.attributes, [[*map(_float, values)] for values in row.metrics])
        for row in rows
    ]


def _float(number: Number | None) -> Number | None:
    if isinstance(number, Decimal) and Decimal(repr(float(number))) == number:
        return float(number)
    return number


@dataclass(frozen=True, slots=True)
class RowPage:
    """The rows of one page.

    Attributes:
        slices: The slices of each row.
        rows: The rows, in the page's order.
        account: Id of the account that they are of, if the window is read an account at
            a time; each account has its own totals.
        part: What of the account they are of, if no row can be in two parts.
        columns: The values of the rows by column, attributes first, if they were read
            so; such a page has one slice.
    """

    slices: Sequence[Slice]
    rows: Sequence[Row]
    account: str | None = None
    part: int = 0
    columns: Sequence[Sequence[Any]] | None = None


def dates_of(piece: Slice, columns: ReportColumns) -> tuple[str, ...]:
    """Write the date columns of a slice.

    Args:
        piece: The slice.
        columns: The report's columns.

    Returns:
        The slice's first day, and its last if the report has a column for it.
    """
    return (piece.start.isoformat(), piece.end.isoformat())[: len(columns.dates)]


def records_of(
    row: Row,
    slices: Sequence[Slice],
    columns: ReportColumns,
) -> Iterator[dict[str, Any]]:
    """Make the records of a row, one for each slice.

    Args:
        row: The row.
        slices: Its slices.
        columns: The report's columns.

    Yields:
        Records with every column. Numbers with a fraction are decimals, so that the SDK
        computes with them exactly.
    """
    for piece, *values in zip(slices, *row.metrics, strict=True):
        numbers = [Decimal(repr(v)) if type(v) is float else v for v in values]
        cells = (*dates_of(piece, columns), *row.attributes, *numbers)
        yield dict(zip(columns.names, cells, strict=True))
