"""Control totals: the rows that were written against the source's own count and sums.

A source may count and sum up all rows of an answer itself. A difference reveals rows
that paging lost or duplicated, and numbers that were read wrongly.
"""

from __future__ import annotations

import math
import string
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.rows import Number, Row

_SINGLE_PRECISION = Decimal(2) ** -24
"""Largest error of an unrounded number, as a share of it: sources compute with
single-precision floats (339.46 becomes 339.460006713867)."""
_DIGITS_AS_0 = bytes.maketrans(string.digits.encode(), b"0" * 10)


@dataclass(slots=True)
class Amount:
    """A sum of numbers, and what its rounding error depends on.

    Attributes:
        total: The sum.
        numbers: How many numbers were added.
        decimals: The most decimals of any of them, and no fewer than at the start.
        magnitude: The sum of their absolute values.
    """

    total: int | Decimal = 0
    numbers: int = 0
    decimals: int = 0
    magnitude: int | Decimal = 0

    def add(self, values: Iterable[Number | None]) -> None:
        """Add numbers; nulls are skipped."""
        numbers: list[Any] = [*values]
        try:
            total: Any = sum(numbers)
        except TypeError:  # some are nulls, or there are both floats and decimals
            numbers = [value for value in numbers if value is not None]
            if Decimal in {*map(type, numbers)}:
                numbers = [Decimal(repr(v)) if type(v) is float else v for v in numbers]
            total = sum(numbers)
        if isinstance(total, float):
            # Converting all to decimals would cost more than anything else. A float sum
            # is off by far less than the last decimal, to which it is rounded.
            self.decimals = _float_decimals(numbers, self.decimals)
            total = Decimal(repr(round(math.fsum(numbers), self.decimals)))
        elif isinstance(total, Decimal):
            self.decimals = max(self.decimals, *map(_decimals, numbers))
        self.numbers += len(numbers)
        self.total += total
        self.magnitude += total
        if numbers and min(numbers) < 0:
            self.magnitude -= 2 * sum(Decimal(value) for value in numbers if value < 0)


def _float_decimals(numbers: list[float], least: int) -> int:
    """Find the most decimals of floats, as JSON writes them, but at least some."""
    text = msgspec.json.encode(numbers).replace(b".0,", b",").replace(b".0]", b"]")
    shape = text.translate(_DIGITS_AS_0)
    decimals = least
    while b"." + b"0" * (decimals + 1) in shape:
        decimals += 1
    return decimals


def _decimals(number: Number) -> int:
    exponent = Decimal(number).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """The source's own count and totals of an answer, over all of its pages.

    Attributes:
        counts: How many rows there are. If a source has several counts and doesn't
            document which of them counts rows, any of them may match.
        sums: Totals by field.
    """

    counts: frozenset[int] = frozenset()
    sums: Mapping[str, Amount] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        fields: Iterable[str],
        counts: Iterable[Any],
        totals: Iterable[Any],
    ) -> ControlTotals:
        """Collect counts and totals that are numbers; others are not compared.

        Args:
            fields: The fields whose totals may be compared.
            counts: Numbers of rows, or any other JSON values.
            totals: Objects of totals by field; those of several objects add up.
        """
        names = [*fields]
        sums: dict[str, Amount] = {}
        for values in totals:
            for name in names if isinstance(values, dict) else ():
                if type(values.get(name)) in {int, float, Decimal}:
                    sums.setdefault(name, Amount()).add([values[name]])
        return cls(frozenset(count for count in counts if type(count) is int), sums)

    def __bool__(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.counts or self.sums)

    def completed(self, earlier: ControlTotals) -> ControlTotals:
        """Add the counts and totals that only an earlier page has."""
        return ControlTotals(
            self.counts or earlier.counts,
            {**earlier.sums, **self.sums},
        )


@dataclass(slots=True)
class Tally:
    """Counts and sums up the rows of a window as they are written.

    Attributes:
        source: Name of the source, for a message.
        columns: The report's columns.
        fields: Fields to sum up, with the fewest decimals of their totals: a total of
            money is rounded to cents even if every number in it is whole.
    """

    source: str
    columns: ReportColumns
    fields: Mapping[str, int]
    _rows: int = 0
    _sums: dict[str, Amount] = field(default_factory=dict)

    def add(self, rows: Sequence[Row]) -> None:
        """Count rows, and sum them up."""
        self._rows += len(rows)
        for position, column in enumerate(self.columns.metrics):
            if column.field in self.fields:
                decimals = self.fields[column.field]
                amount = self._sums.setdefault(column.field, Amount(decimals=decimals))
                amount.add(chain.from_iterable(row.metrics[position] for row in rows))

    def differences(
        self,
        control: ControlTotals,
        *,
        is_rounded: bool,
    ) -> Iterator[str]:
        """Compare with the source's own count and totals.

        Args:
            control: The source's count and totals.
            is_rounded: Whether the source was asked to round its numbers.

        Yields:
            What differs, with the source's number and the one that was written.
        """
        if control.counts and self._rows not in control.counts:
            counted = " or ".join(str(count) for count in sorted(control.counts))
            yield (
                f"{self._what}: {self.source} counts {counted}, {self._rows} were "
                "written"
            )
        for name, decimals in self.fields.items():
            expected = control.sums.get(name)
            if expected is None:
                continue
            written = self._sums.get(name, Amount())
            allowed = _tolerance(written, expected, decimals, is_rounded=is_rounded)
            if not -allowed <= written.total - expected.total <= allowed:
                explained = f"{allowed:.2f}" if allowed >= 1 else f"{allowed:.2g}"
                yield (
                    f"{name}: {self.source}'s total is {expected.total}, the rows "
                    f"written sum to {written.total}"
                    f"{f' (rounding explains up to {explained})' * bool(allowed)}"
                )

    @property
    def _what(self) -> str:
        """The noun of what the source counts."""
        if self.columns.dimensions:
            return "entities by dimension"
        return "groups" if self.columns.group else "entities"


def _tolerance(
    rows: Amount,
    totals: Amount,
    decimals: int,
    *,
    is_rounded: bool,
) -> Decimal:
    """Find the largest difference of a sum and a total that rounding can explain.

    Each number is off by at most half a unit of the last decimal of its kind. Whole
    numbers, which count something, are exact.
    """
    allowed = Decimal(0)
    for side in (rows, totals):
        places = max(side.decimals, decimals)
        if places:
            allowed += side.numbers * Decimal(5).scaleb(-places - 1)
            if not is_rounded:
                allowed += side.magnitude * _SINGLE_PRECISION
    return allowed
