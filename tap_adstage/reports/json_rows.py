"""Rows of a page as the JSON texts of their records, without making values of them.

A series has very many numbers, and each goes out as AdStage wrote it. To decode and
encode them takes most of a run's time. So where a page is as it mostly is, its numbers
are cut out of it and put into place as they stand. Where anything about it is out of
the ordinary, this says so, and the page is read as any other: what is right, and what
is wrong with a page, is decided in one place (`v2`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from singer_sdk.singerlib.json import serialize_json

from tap_adstage.adstage import v2
from tap_adstage.adstage.fields import Kind
from tap_adstage.adstage.page import names_in
from tap_adstage.exceptions import ResponseError
from tap_adstage.http.json_decoding import decode_json
from tap_adstage.reports.rows import JsonRow, dates, meta_values
from tap_adstage.runtime.redaction import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.report_columns import ReportColumns
    from tap_adstage.reports.rows import Record, Row
    from tap_adstage.reports.windows import Window


_Members: TypeAlias = "dict[str, msgspec.Raw]"
_NOTHING = msgspec.Raw(b"")


class _Result(msgspec.Struct):
    """A row of a page, taken apart as far as is needed."""

    summary: dict[str, msgspec.Raw]
    series: dict[str, dict[str, msgspec.Raw] | None]
    links: msgspec.Raw = msgspec.field(name="_links", default=_NOTHING)
    forms: msgspec.Raw = msgspec.field(name="_forms", default=_NOTHING)
    embedded: msgspec.Raw = msgspec.field(name="_embedded", default=_NOTHING)

    @property
    def sources(self) -> list[_Members]:
        """Where its metrics are, by field; the first that has one counts."""
        parts = (self.series.get("metrics"), self.series.get("calculated"))
        return [part for part in parts if part is not None]

    @property
    def rest(self) -> list[bytes]:
        """What is not taken apart."""
        hal = (self.links, self.forms, self.embedded)
        return [bytes(part) for part in (*hal, *self.summary.values())]

    @property
    def names(self) -> int:
        """How many names there are outside of that."""
        hal = (self.links, self.forms, self.embedded)
        names = 2 + len(self.summary) + len(self.series)
        names += sum(part is not _NOTHING for part in hal)
        return names + sum(len(part) for part in self.series.values() if part)


class _Rows(msgspec.Struct):
    results: list[_Result]


_ROWS: msgspec.json.Decoder[_Rows] = msgspec.json.Decoder(_Rows)

_NO_LISTS = (b"", b"null")

_ORDINARY = b"0123456789.-,nul"
"""What lists of numbers and nulls are made of, where no number has an exponent."""

_MINUS_NOTHING = (b"-0,", b"-0]")
_NEARLY_NOTHING = b".000000"
"""Parts of numbers that the other way would write otherwise (0, 1E-7)."""

_MOST_DIGITS = 300
_MOST_TEMPLATES = 10_000


class _OutOfOrdinaryError(Exception):
    """The page has to be read as any other."""


@dataclass(slots=True)
class JsonRows:
    """Reads the rows of a report's pages (API V2: Time Series Report).

    Attributes:
        columns: The report's columns.
        summed: Fields whose numbers are wanted.
        encode: The JSON text of a record with some of the columns, as it is written:
            without what is not selected.
    """

    columns: ReportColumns
    summed: Sequence[str]
    encode: Callable[[Record], bytes]
    _dates: list[str] = field(init=False)
    _metrics: list[tuple[str, str]] = field(init=False)
    _templates: dict[bytes, tuple[tuple[str, ...], bytes]] = field(init=False)

    def __post_init__(self) -> None:
        """Find out what is selected."""
        columns = self.columns
        names = [*columns.dates, *(column.name for column in columns.fields)]
        selected = decode_json(self.encode(dict.fromkeys(names)).decode())
        self._dates = [name for name in columns.dates if name in selected]
        self._metrics = [
            (column.field, column.name)
            for column in columns.fields
            if column.kind is Kind.METRIC and column.name in selected
        ]
        self._templates = {}

    def of(self, page: Page, window: Window) -> list[JsonRow] | None:
        """Read a page.

        Args:
            page: The page.
            window: The days that were asked for.

        Returns:
            Its rows; `None` where it is out of the ordinary.
        """
        try:
            return [*self._rows(page, window)]
        except (_OutOfOrdinaryError, ResponseError, ValueError, KeyError):
            return None

    def encoded(self, row: Row) -> JsonRow:
        """Make texts of a row that was read in the other way.

        Args:
            row: The row.

        Returns:
            The same row.
        """
        first = row[0]
        key = tuple(
            first[name] for name in self.columns.keys if name not in self.columns.dates
        )
        numbers = {
            field: serialize_json([record[name] for record in row])
            for field, name in self._metrics
            if field in self.summed
        }
        return JsonRow(key, [self.encode(record) for record in row], numbers)

    def _rows(self, page: Page, window: Window) -> Iterator[JsonRow]:
        if page.rows is None or page.head.get("type") != "timeseries":
            raise _OutOfOrdinaryError
        results = _ROWS.decode(page.rows).results
        _check_names(page, results)
        lists = [self._lists(result) for result in results]
        _check_numbers([found for row in lists for found in row])
        slices = v2.slices(page.head, window) if results else []
        days = [dates(piece, self.columns) for piece in slices]
        date_columns = [[day[name].encode() for day in days] for name in self._dates]
        nothing = [b"null"] * len(days)
        for result, found in zip(results, lists, strict=True):
            key, template = self._template(bytes(result.summary["meta"]), page)
            metrics = [_values(text, nothing) for text in found]
            values = zip(*date_columns, *metrics, strict=True)
            records = [*map(template.__mod__, values)]
            yield JsonRow(key, records, self._numbers(found))

    def _lists(self, result: _Result) -> list[bytes]:
        """The list of numbers of each metric; nothing where there is none."""
        sources = result.sources
        if not sources:
            raise _OutOfOrdinaryError
        first, *others = sources
        return [
            text
            if (text := bytes(first.get(name, _NOTHING))) not in _NO_LISTS
            else _list_of(name, others)
            for name, _ in self._metrics
        ]

    def _numbers(self, lists: Sequence[bytes]) -> dict[str, str]:
        return {
            name: text.decode()
            for (name, _), text in zip(self._metrics, lists, strict=True)
            if text and name in self.summed
        }

    def _template(self, meta: bytes, page: Page) -> tuple[tuple[str, ...], bytes]:
        """A row's key, and its records' text with places for dates and metrics."""
        found = self._templates.get(meta)
        if found is None:
            if len(self._templates) >= _MOST_TEMPLATES:
                self._templates.clear()
            found = self._templates[meta] = self._new_template(meta, page)
        return found

    def _new_template(
        self,
        meta: bytes,
        page: Page,
    ) -> tuple[tuple[str, ...], bytes]:
        text = meta.decode()
        document: Any = clean(decode_json(text), text, page.secrets)
        if not isinstance(document, dict):
            raise _OutOfOrdinaryError
        values = meta_values(document, self.columns, "")
        key = tuple(values[name] for name in self.columns.keys if name in values)
        members = self.encode(values)[1:-1].replace(b"%", b"%%")
        parts = [
            *(f'"{name}":"%b"'.encode() for name in self._dates),
            *([members] if members else []),
            *(f'"{name}":%b'.encode() for _, name in self._metrics),
        ]
        return key, b"{" + b",".join(parts) + b"}"


def _list_of(name: str, sources: Sequence[_Members]) -> bytes:
    """The list of numbers of a metric; nothing where there is none."""
    for source in sources:
        text = bytes(source.get(name, _NOTHING))
        if text not in _NO_LISTS:
            return text
    return b""


def _check_names(page: Page, results: Sequence[_Result]) -> None:
    """A name that stands twice in an object would hide one of two values."""
    rest = b"".join(part for result in results for part in result.rest)
    names = 1 + names_in(rest)
    names += sum(result.names for result in results)
    if page.names + names != names_in(page.content):
        raise _OutOfOrdinaryError


def _check_numbers(lists: Sequence[bytes]) -> None:
    """Lists of numbers that are written out as they stand, and of nulls."""
    text = b"".join(lists)
    if text.translate(None, _ORDINARY) != b"[]" * sum(map(bool, lists)):
        raise _OutOfOrdinaryError
    minus = b"-" in text and any(part in text for part in _MINUS_NOTHING)
    if minus or _NEARLY_NOTHING in text:
        raise _OutOfOrdinaryError


def _values(text: bytes, nothing: list[bytes]) -> list[bytes]:
    """The numbers of a list, one for each slice."""
    if not text:
        return nothing
    values = text[1:-1].split(b",")
    if len(values) != len(nothing) or text == b"[]":
        raise _OutOfOrdinaryError
    if len(text) > _MOST_DIGITS and max(map(len, values)) > _MOST_DIGITS:
        raise _OutOfOrdinaryError
    return values
