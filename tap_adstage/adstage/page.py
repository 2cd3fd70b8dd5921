"""A page of a report as AdStage sent it: bytes, decoded when they are read."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tap_adstage.exceptions import ResponseError
from tap_adstage.http.json_decoding import check_utf8, decode_json, text_of
from tap_adstage.http.typed_json import is_plain
from tap_adstage.runtime.redaction import clean, excerpt

if TYPE_CHECKING:
    from tap_adstage.http.typed_json import TypedDecoder
    from tap_adstage.runtime.redaction import Secrets

    T = TypeVar("T")

_ROWS = "_embedded"
_MEMBERS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(
    dict[str, msgspec.Raw],
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a report.

    Pages wait for their turn, so the bytes are kept: values would take ten times the
    memory.

    Attributes:
        content: The page, UTF-8.
        head: All of its document but its rows: links, forms, times, totals.
        rows: The content's part with the rows (`_embedded`); `None` if the page has to
            be decoded as a whole.
        received: When it came, in UTC.
        secrets: The secrets to hide in its values.
    """

    content: bytes
    head: dict[str, Any]
    rows: msgspec.Raw | None
    received: dt.datetime
    secrets: Secrets

    @classmethod
    def read(cls, content: bytes, secrets: Secrets) -> Page:
        """Decode a page's head, which leads to the next page; rows stay as they are.

        Args:
            content: The page, UTF-8.
            secrets: The run's secrets.

        Raises:
            ValueError: If it is not JSON.
            ResponseError: If it is not a JSON object.
        """
        received = dt.datetime.now(dt.timezone.utc)
        if not content.isascii():  # msgspec doesn't check texts that it skips
            check_utf8(content)
        try:
            members = _MEMBERS.decode(content)
        except (ValueError, RecursionError):  # the whole page has a better error
            head, rows = _document(text_of(content), secrets), None
            head.pop(_ROWS, None)
        else:
            rows = members.pop(_ROWS, None)
            head = _document(_object_of(members), secrets)
        if not is_plain(content, secrets):
            rows = None
        return cls(content, head, rows, received, secrets)

    @property
    def is_plain(self) -> bool:
        """Whether its numbers are integers and floats."""
        return self.rows is not None

    def embedded(self, decoder: TypedDecoder[T]) -> T:
        """Decode the rows.

        Args:
            decoder: Decodes what the page embeds.

        Raises:
            ResponseError: If a value is of another type, with the place and the value.
        """
        if self.rows is not None:
            try:
                return decoder.decode(self.rows)
            except ValueError:
                pass  # converting the whole page raises a better error
        return decoder.convert(self._document.get(_ROWS), _ROWS)

    @property
    def outline(self) -> dict[str, Any]:
        """The whole page, decoded quickly: numbers in its rows may lose digits."""
        if self.rows is None:
            return self._document
        return {**self.head, _ROWS: msgspec.json.decode(self.rows)}

    @property
    def _document(self) -> dict[str, Any]:
        """The whole page, decoded.

        Raises:
            ResponseError: If it is not valid JSON.
        """
        text = text_of(self.content)
        try:
            return _document(text, self.secrets)
        except ValueError as error:
            raise ResponseError(
                "the answer is not valid JSON "
                f"({excerpt(str(error), self.secrets)}): "
                f"{excerpt(text, self.secrets)!r}",
            ) from None


def _object_of(members: dict[str, msgspec.Raw]) -> str:
    texts = (
        f"{json.dumps(name)}:{bytes(raw).decode()}" for name, raw in members.items()
    )
    return f"{{{','.join(texts)}}}"


def _document(text: str, secrets: Secrets) -> dict[str, Any]:
    document = clean(decode_json(text), text, secrets)
    if not isinstance(document, dict):
        raise ResponseError("the answer is not a JSON object")
    return document
