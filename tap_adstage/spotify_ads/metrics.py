"""The metrics of a row: one value a column, null where Spotify hides it."""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_adstage.config.spotify_ads import E_CPM, FIELDS
from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.rows import Number

_SPEND, _IMPRESSIONS = "SPEND", "IMPRESSIONS"

HIDDEN = -5
"""What Spotify writes for 1 to 4 conversions."""

_FLOAT = decimal.Context(prec=15)
"""Rounds to the digits that a float keeps."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the values of a row are among its `stats`.

    Attributes:
        pick: Takes the values of the metrics, then spend and impressions, from all of
            them and a null at their end, for what is missing or computed.
        repeated: Pairs of positions of one field.
    """

    pick: Callable[[list[Any]], tuple[Any, ...]]
    repeated: Sequence[tuple[int, int]]


class MetricReader:
    """Reads the metrics of a report's rows, a page at a time.

    Rows have their fields mostly in the same order, so where each is is found once.
    """

    def __init__(self, columns: ReportColumns) -> None:
        """Decide which columns are computed, and which may be hidden.

        Args:
            columns: The report's columns.
        """
        self._names = [column.name for column in columns.metrics]
        self._fields = [column.field for column in columns.metrics]
        self._conversions = [
            index
            for index, field in enumerate(self._fields)
            if FIELDS[field].is_conversion
        ]
        self._layouts: dict[tuple[str, ...], _Layout] = {}

    def read(
        self, stats: Sequence[Sequence[Any]], values: Sequence[Sequence[Number | None]]
    ) -> tuple[list[Sequence[Number | None]], list[list[str]]]:
        """Read the metrics of rows.

        Args:
            stats: For each row its fields; others than the report's are ignored.
            values: For each row the values of these fields.

        Returns:
            For each metric its value in each row; for each row the names of the columns
            that are hidden.

        Raises:
            ResponseError: If a field has two values.
        """
        known: list[str] | None = None
        layout = _Layout(tuple, ())
        picked = []
        for position, (fields, numbers) in enumerate(zip(stats, values, strict=True)):
            types = [stat.field_type for stat in fields]
            if types != known:
                layout, known = self._layout_of(tuple(types)), types
            for first, second in layout.repeated:
                if numbers[first] != numbers[second]:
                    raise ResponseError(
                        f"rows[{position}].stats has {types[first]} twice, with the "
                        f"values {numbers[first]} and {numbers[second]}"
                    )
            picked.append(layout.pick([*numbers, None]))
        columns: list[Sequence[Number | None]] = [*zip(*picked, strict=True)]
        if not columns:
            return [() for _ in self._names], []
        spend, impressions = columns[-2:]
        metrics = columns[:-2]
        if E_CPM in self._fields:
            computed = [*map(e_cpm, spend, impressions)]
            metrics[self._fields.index(E_CPM)] = computed
        return metrics, self._hide(metrics, len(stats))

    def _hide(
        self, metrics: list[Sequence[Number | None]], rows: int
    ) -> list[list[str]]:
        """Make null of what Spotify hides; list the names of the columns, by row."""
        nothing: list[str] = []  # one for all, as a list costs more than a value
        hidden = [nothing] * rows
        for index in self._conversions:
            if HIDDEN not in metrics[index]:
                continue
            column = [*metrics[index]]
            for position, value in enumerate(column):
                if value == HIDDEN:
                    column[position] = None
                    hidden[position] = [*hidden[position], self._names[index]]
            metrics[index] = column
        return hidden

    def _layout_of(self, types: tuple[str, ...]) -> _Layout:
        layout = self._layouts.get(types)
        if layout is None:
            first: dict[str, int] = {}
            repeated = []
            for position, name in enumerate(types):
                if first.setdefault(name, position) != position:
                    repeated.append((first[name], position))
            nowhere = len(types)
            fields = (*self._fields, _SPEND, _IMPRESSIONS)
            places = [first.get(field, nowhere) for field in fields]
            layout = self._layouts[types] = _Layout(itemgetter(*places), repeated)
        return layout


class RowTable(NamedTuple):
    """The rows of a page, and the same values by column, attributes first."""

    rows: list[Row]
    columns: Sequence[Sequence[Any]]


def rows_of(
    attributes: Sequence[Sequence[Any]], metrics: Sequence[Sequence[Number | None]]
) -> RowTable:
    """Make rows of columns.

    Args:
        attributes: The values of each attribute, by row.
        metrics: The value of each metric, by row.
    """
    numbers = zip(*map(zip, metrics), strict=True)
    rows = [*map(Row, zip(*attributes, strict=True), numbers)]
    return RowTable(rows, [*attributes, *metrics])


def e_cpm(spend: Number | None, impressions: Number | None) -> float | None:
    """Compute the spend for a thousand impressions, to 15 digits; null without any."""
    if spend is None or not impressions:
        return None
    thousand = 1000 * Decimal(repr(spend) if isinstance(spend, float) else spend)
    return float(_FLOAT.divide(thousand, Decimal(impressions)))


def fields_to_request(
    columns: ReportColumns, selected: Collection[str]
) -> tuple[str, ...]:
    """List the fields of the selected columns, and those that they are computed from.

    Args:
        columns: The report's columns.
        selected: Names of the selected columns.

    Returns:
        The API's names, at least one: a request without fields is refused.
    """
    fields = [column.field for column in columns.metrics if column.name in selected]
    if E_CPM in fields:
        fields += [_SPEND, _IMPRESSIONS]
    return tuple(f for f in dict.fromkeys(fields) if f != E_CPM) or (_IMPRESSIONS,)
