"""A page of a report: its successor, and its rows typed, with every number exact."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

from tap_adstage.config.spotify_ads import FIELDS
from tap_adstage.exceptions import ApiError, ResponseError
from tap_adstage.http.json_decoding import check_utf8, decode_json, text_of
from tap_adstage.http.typed_json import TypedDecoder, has_plain_texts, plain_numbers
from tap_adstage.runtime.redaction import clean, excerpt
from tap_adstage.spotify_ads.api_warnings import warning_texts
from tap_adstage.spotify_ads.conventions import refusal_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_adstage.reports.rows import Number
    from tap_adstage.runtime.redaction import Secrets

F = TypeVar("F")
N = TypeVar("N")
S = TypeVar("S")
R = TypeVar("R")


class Stat(msgspec.Struct, Generic[F, N], gc=False):
    """A field and its value."""

    field_type: F
    field_value: N


_Known = Literal[tuple(FIELDS)]  # type: ignore[valid-type]
"""Texts that are not made anew for each value; a page with others takes longer."""


class Parent(msgspec.Struct, gc=False):
    """The parent of an entity."""

    id: str | None = None
    name: str | None = None


NO_PARENT = Parent()


class AggregateRow(msgspec.Struct, Generic[S], gc=False):
    """A row of an aggregate report: an entity in an hour, on a day or in all."""

    entity_id: str
    stats: list[S]
    entity_name: str | None = None
    entity_status: str | None = None
    parent_entity: Parent | None = None
    start_time: str | None = None


class InsightRow(msgspec.Struct, Generic[S], gc=False):
    """A row of an insight report: an entity's share of one audience."""

    id: str
    stats: list[S]
    insight_value: str | None = None
    name: str | None = None
    status: str | None = None


class _Document(msgspec.Struct, Generic[R]):
    rows: list[R]
    continuation_token: str | None = None
    warnings: Any = None


class _Head(msgspec.Struct):
    continuation_token: str | None = None


_HEAD = msgspec.json.Decoder(_Head)


def next_token(content: bytes) -> str | None:
    """Read which token leads to the page after one.

    That is all that the thread which fetched a page reads of it. To make its many
    values in another thread than they are written by takes a tenth more time.

    Args:
        content: The page, UTF-8.

    Raises:
        ValueError: If it is not JSON.
    """
    if not content.isascii():
        check_utf8(content)
    try:
        return _HEAD.decode(content).continuation_token or None
    except (ValueError, RecursionError):  # `PageDecoder` finds a better error
        document = decode_json(text_of(content))
    token = document.get("continuation_token") if isinstance(document, dict) else None
    return token if isinstance(token, str) else None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One page of a report.

    Attributes:
        rows: Its rows.
        values: For each row the values of its `stats`.
        is_plain: Whether its numbers are integers and floats.
        warnings: What Spotify warns of, in its own words.
    """

    rows: Sequence[Any]
    values: Sequence[Sequence[Number | None]]
    is_plain: bool = True
    warnings: Sequence[str] = ()


class PageDecoder:
    """Decodes pages whose rows are of one type."""

    def __init__(
        self, row: type[AggregateRow[Any] | InsightRow[Any]], secrets: Secrets
    ) -> None:
        """Make the types.

        Args:
            row: The type of the rows.
            secrets: The run's secrets, to hide in values.
        """
        self._secrets = secrets
        document_of: Any = _Document
        row_of: Any = row
        stat_of: Any = Stat
        self._decoder: TypedDecoder[_Document[Any]] = TypedDecoder(
            lambda number: document_of[
                row_of[stat_of[_Known if number is msgspec.Raw else str, number]]
            ],
            msgspec.Raw,
        )

    def decode(self, content: bytes) -> ReportPage:
        """Decode a page.

        Args:
            content: The page, JSON as `next_token` has read it.

        Raises:
            ApiError: If it is an error body.
            ResponseError: If it is not as documented, with the place and the value.
        """
        if has_plain_texts(content, self._secrets):
            try:
                document = self._decoder.decode(content)
                numbers = plain_numbers(_values(document.rows))
            except ValueError:
                pass  # a number is long, or converting raises a better error
            else:
                return _page(document, numbers)
        text = text_of(content)
        try:
            values = clean(decode_json(text), text, self._secrets)
        except ValueError as error:  # a number in it can't be loaded
            raise ResponseError(f"the answer: {error}") from None
        if not isinstance(values, dict):
            raise ResponseError("the answer is not a JSON object")
        words = "; ".join(refusal_texts(values)) if "rows" not in values else ""
        if words:
            text = f"answered 200: {excerpt(words, self._secrets)}"
            raise ApiError(text, status=HTTPStatus.OK)
        document = self._decoder.convert(values, "the answer")
        return _page(document, _values(document.rows), is_plain=False)


def _values(rows: Iterable[Any]) -> list[Any]:
    """List the values of all rows."""
    return [stat.field_value for row in rows for stat in row.stats]


def _page(
    document: _Document[Any], values: Iterable[Any], *, is_plain: bool = True
) -> ReportPage:
    """Make a page of its document and the values of all rows."""
    rest = iter(values)
    by_row = [[*islice(rest, len(row.stats))] for row in document.rows]
    warnings = warning_texts(document.warnings)
    return ReportPage(document.rows, by_row, is_plain=is_plain, warnings=warnings)
