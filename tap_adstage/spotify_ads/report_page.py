"""A page of a report: its rows typed, with every number exact."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from tap_adstage.exceptions import ApiError, ResponseError
from tap_adstage.http.json_decoding import decode_json, text_of
from tap_adstage.http.typed_json import TypedDecoder, is_plain
from tap_adstage.runtime.redaction import clean, excerpt
from tap_adstage.spotify_ads.conventions import refusal_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_adstage.runtime.redaction import Secrets

N = TypeVar("N")
R = TypeVar("R")


class Stat(msgspec.Struct, Generic[N], gc=False):
    """A field and its value."""

    field_type: str
    field_value: N


class Parent(msgspec.Struct, gc=False):
    """The parent of an entity."""

    id: str | None = None
    name: str | None = None


NO_PARENT = Parent()


class AggregateRow(msgspec.Struct, Generic[N], gc=False):
    """A row of an aggregate report: an entity in an hour, on a day or in all."""

    entity_id: str
    stats: list[Stat[N]]
    entity_name: str | None = None
    entity_status: str | None = None
    parent_entity: Parent | None = None
    start_time: str | None = None


class InsightRow(msgspec.Struct, Generic[N], gc=False):
    """A row of an insight report: an entity's share of one audience."""

    id: str
    stats: list[Stat[N]]
    insight_value: str | None = None
    name: str | None = None
    status: str | None = None


class _Document(msgspec.Struct, Generic[R]):
    rows: list[R]
    continuation_token: str | None = None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One page of a report.

    Attributes:
        rows: Its rows.
        token: Leads to the next page, if there is one.
        is_plain: Whether its numbers are integers and floats.
        no_data: Spotify's code for an entity without data, instead of rows.
        received: When it came, in UTC.
    """

    rows: Sequence[Any] = ()
    token: str | None = None
    is_plain: bool = True
    no_data: str | None = None
    received: dt.datetime = field(
        default_factory=lambda: dt.datetime.now(dt.timezone.utc)
    )


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
        self._decoder: TypedDecoder[_Document[Any]] = TypedDecoder(
            lambda number: _Document[row[number]]  # type: ignore[valid-type]
        )

    def decode(self, content: bytes) -> ReportPage:
        """Decode a page.

        Args:
            content: The page, UTF-8.

        Raises:
            ValueError: If it is not JSON.
            ApiError: If it is an error body.
            ResponseError: If it is not as documented, with the place and the value.
        """
        if is_plain(content, self._secrets):
            try:
                document = self._decoder.decode(content)
            except ValueError:
                pass  # converting the decoded page raises a better error
            else:
                return ReportPage(document.rows, document.continuation_token or None)
        text = text_of(content)
        values = clean(decode_json(text), text, self._secrets)
        if not isinstance(values, dict):
            raise ResponseError("the answer is not a JSON object")
        words = "; ".join(refusal_texts(values)) if "rows" not in values else ""
        if words:
            text = f"answered 200: {excerpt(words, self._secrets)}"
            raise ApiError(text, status=HTTPStatus.OK)
        document = self._decoder.convert(values, "the answer")
        return ReportPage(
            document.rows, document.continuation_token or None, is_plain=False
        )
