"""Control totals: what was written against AdStage's own count and sums.

AdStage counts and sums up all rows of an answer itself (API V2: `summary`; API V1:
`counts` and totals). Rows that paging loses or repeats, and numbers that are read
wrongly, show as a difference.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tap_adstage.adstage.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_adstage.adstage.report_columns import ReportColumns
    from tap_adstage.reports.rows import JsonRow, Row

_SUMMED = {"clicks": 0, "impressions": 0, "spend": 2}
"""Metrics whose sum over rows is AdStage's total, and decimals that they have at
least: a total of money is rounded to cents even where every number in it is whole."""

_OVERLAPPING_GROUPS = (
    "folder_names",
    "folder_ids",
    "account_group_id",
    "account_group_name",
)
"""An entity may be in several of these groups, and is once in the total."""

_SINGLE_PRECISION = Decimal(2) ** -24
"""Largest error of an unrounded number, as a share of it: AdStage's unrounded amounts
are single-precision floats (339.46 comes as 339.460006713867)."""

_WHOLE_NUMBERS: msgspec.json.Decoder[list[int | None]] = msgspec.json.Decoder(
    list[int | None],
)

_DECIMALS = re.compile(r"[.]([0-9]*[1-9])")
"""The decimals of a number that has no exponent."""


@dataclass(slots=True)
class Amount:
    """A sum of numbers, and what its rounding error depends on.

    Attributes:
        total: The sum.
        numbers: How many numbers were added.
        decimals: Most decimals that one of them has.
        magnitude: The sum of their absolute values.
    """

    total: int | Decimal = 0
    numbers: int = 0
    decimals: int = 0
    magnitude: int | Decimal = 0

    def add(self, number: int | Decimal) -> None:
        """Add a number as AdStage wrote it."""
        self.total += number
        self.magnitude += max(number, -number)
        self.numbers += 1
        if isinstance(number, Decimal):
            exponent = number.normalize().as_tuple().exponent
            if isinstance(exponent, int):
                self.decimals = max(self.decimals, -exponent)

    def add_texts(self, texts: Iterable[str]) -> None:
        """Add lists of numbers as AdStage wrote them, as `add` would one by one.

        Args:
            texts: JSON lists of numbers and nulls.
        """
        text = ",".join(found[1:-1] for found in texts if found != "[]")
        numbers = _numbers_in(text)
        if "E" in text or "e" in text:
            for number in numbers:
                self.add(number)
            return
        total = sum(numbers)
        self.total += total
        self.magnitude += sum(map(abs, numbers)) if "-" in text else total
        self.numbers += len(numbers)
        if "." in text:
            decimals = max(map(len, _DECIMALS.findall(text)), default=0)
            self.decimals = max(self.decimals, decimals)


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """AdStage's own word on an answer, over all of its pages.

    Attributes:
        counts: How many rows there are; more than one number where AdStage gives
            several and it isn't documented which of them counts rows.
        sums: Totals by field.
    """

    counts: frozenset[int]
    sums: Mapping[str, Amount]

    @classmethod
    def of(cls, counts: Iterable[Any], sources: Iterable[Any]) -> ControlTotals:
        """Collect what is usable; anything else is left out and not compared.

        Args:
            counts: Numbers of rows.
            sources: Objects of totals by field; what several have is added up.

        Returns:
            The totals.
        """
        sums: dict[str, Amount] = {}
        for source in sources:
            for name in _SUMMED if isinstance(source, dict) else ():
                if _is_number(source.get(name)):
                    sums.setdefault(name, Amount()).add(source[name])
        whole = [count for count in counts if type(count) is int]
        return cls(frozenset(whole), sums)

    def completed(self, earlier: ControlTotals | None) -> ControlTotals:
        """Add what an earlier page told and this one doesn't."""
        if earlier is None:
            return self
        return ControlTotals(
            self.counts or earlier.counts,
            {**earlier.sums, **self.sums},
        )


@dataclass(slots=True)
class Tally:
    """Counts and sums up the rows of a window as they are written.

    Attributes:
        columns: The report's columns.
        fields: Fields to sum up, of those in `summed_fields`.
    """

    columns: ReportColumns
    fields: Sequence[str]
    _rows: int = 0
    _sums: dict[str, Amount] = field(default_factory=dict)

    @property
    def _what(self) -> str:
        """What AdStage counts."""
        if self.columns.dimensions:
            return "entities by dimension"
        return "groups" if self.columns.group else "entities"

    def add(self, row: Row) -> None:
        """Count a row, and sum up its records."""
        self._rows += 1
        for name in self.fields:
            amount = self._sums.setdefault(name, Amount())
            for record in row:
                if record[name] is not None:
                    amount.add(record[name])

    def add_json(self, rows: Sequence[JsonRow]) -> None:
        """Count rows whose records are texts, and sum them up."""
        self._rows += len(rows)
        for name in self.fields:
            texts = [row.numbers[name] for row in rows if name in row.numbers]
            self._sums.setdefault(name, Amount()).add_texts(texts)

    def differences(
        self,
        control: ControlTotals,
        *,
        is_rounded: bool,
    ) -> Iterator[str]:
        """Compare with AdStage's own word.

        Args:
            control: AdStage's count and totals.
            is_rounded: Whether AdStage was asked to round its numbers.

        Yields:
            What differs, what AdStage says and what was written; nothing where all is
            as it should be.
        """
        if control.counts and self._rows not in control.counts:
            counted = " or ".join(str(count) for count in sorted(control.counts))
            yield f"{self._what}: AdStage counts {counted}, {self._rows} were written"
        for name in self.fields:
            expected = control.sums.get(name)
            got = self._sums.get(name, Amount())
            if expected is None:
                continue
            allowed = _tolerance(got, expected, _SUMMED[name], is_rounded=is_rounded)
            if not -allowed <= got.total - expected.total <= allowed:
                explained = f"{allowed:.2f}" if allowed >= 1 else f"{allowed:.2g}"
                yield (
                    f"{name}: AdStage's total is {expected.total}, the rows written "
                    f"sum to {got.total}"
                    f"{f' (rounding explains up to {explained})' * bool(allowed)}"
                )


def _numbers_in(text: str) -> list[Any]:
    """The numbers among numbers and nulls, whole ones of them as such."""
    found = (
        json.loads(f"[{text}]", parse_float=Decimal)
        if "." in text or "e" in text or "E" in text
        else _WHOLE_NUMBERS.decode(f"[{text}]")
    )
    return [number for number in found if number is not None] if "n" in text else found


def summed_fields(columns: ReportColumns, requested: Iterable[str]) -> list[str]:
    """The fields whose sum over a report's rows is AdStage's total.

    Args:
        columns: The report's columns.
        requested: Fields that are asked for.

    Returns:
        `clicks`, `impressions` and `spend`, of those that are asked for; none where an
        entity may be in several rows.
    """
    asked = {*requested}
    groups = {column.field for column in columns.fields if column.name == columns.group}
    if any(group.startswith(_OVERLAPPING_GROUPS) for group in groups):
        return []
    return [
        column.field
        for column in columns.fields
        if column.field in _SUMMED
        and column.field in asked
        and column.kind is Kind.METRIC
    ]


def control_fields(columns: ReportColumns, requested: Sequence[str]) -> list[str]:
    """The fields whose totals to ask AdStage for.

    Args:
        columns: The report's columns.
        requested: Fields that are asked for, of which totals must be.

    Returns:
        The ones to sum up; where there are none, a single other one, as AdStage counts
        rows only where it sums something up.
    """
    metrics = [c.field for c in columns.fields if c.kind is Kind.METRIC]
    others = [name for name in requested if name in metrics] or [*requested]
    return summed_fields(columns, requested) or others[:1]


def _tolerance(
    rows: Amount,
    totals: Amount,
    decimals: int,
    *,
    is_rounded: bool,
) -> Decimal:
    """Most that rounding alone can set a sum of rows apart from a total.

    Each number is off by at most half a unit of the last decimal that there is among
    the like. Whole numbers that count something are exact.
    """
    allowed = Decimal(0)
    for side in (rows, totals):
        places = max(side.decimals, decimals)
        if places:
            allowed += side.numbers * Decimal(5).scaleb(-places - 1)
            if not is_rounded:
                allowed += side.magnitude * _SINGLE_PRECISION
    return allowed


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
