"""A page of a report as AdStage sent it: bytes, decoded when they are read."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from tap_adstage.exceptions import ResponseError
from tap_adstage.http.json_decoding import decode_json, text_of
from tap_adstage.runtime.redaction import clean, excerpt

if TYPE_CHECKING:
    from tap_adstage.runtime.redaction import Secrets

_ROWS = "_embedded"
_PARTS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(
    dict[str, msgspec.Raw],
)


@dataclass(frozen=True)
class Page:
    """One page of a report.

    Pages wait for their turn, so what is kept is what was sent: its values would take
    ten times the memory.

    Attributes:
        content: The page, UTF-8.
        head: All of its document but its rows: links, forms, times, totals.
        rows: The part of the content that holds the rows (`_embedded`); `None` where
            it can't be taken out.
        names: How many names there are in the content beside the rows.
        received: When it came, in UTC.
        secrets: What no value may show.
    """

    content: bytes
    head: dict[str, Any]
    rows: msgspec.Raw | None
    names: int
    received: dt.datetime
    secrets: Secrets

    @classmethod
    def read(cls, content: bytes, secrets: Secrets) -> Page:
        """Take a page apart, as far as finding the next one needs it.

        Args:
            content: The page, UTF-8.
            secrets: The run's secrets.

        Returns:
            The page.

        Raises:
            ValueError: If it is no JSON.
            ResponseError: If it is no JSON object.
        """
        received = dt.datetime.now(dt.timezone.utc)
        try:
            # msgspec doesn't look into texts that it leaves where they are.
            if not content.isascii():
                content.decode()
            parts = _PARTS.decode(content)
        except (ValueError, RecursionError):  # or only out of the ordinary
            head = {**_document(text_of(content), secrets)}
            head.pop(_ROWS, None)
            return cls(content, head, None, 0, received, secrets)
        rows = parts.pop(_ROWS, None)
        members = [
            f"{json.dumps(name)}:{bytes(part).decode()}" for name, part in parts.items()
        ]
        head_text = f"{{{','.join(members)}}}"
        head = clean(decode_json(head_text), head_text, secrets)
        names = names_in(head_text.encode()) + (rows is not None)
        return cls(content, head, rows, names, received, secrets)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The whole page, decoded.

        Raises:
            ResponseError: If it holds what can't be loaded.
        """
        text = text_of(self.content)
        try:
            return _document(text, self.secrets)
        except ValueError as error:
            raise ResponseError(
                "the answer is not the JSON that it should be "
                f"({excerpt(str(error), self.secrets)}): "
                f"{excerpt(text, self.secrets)!r}",
            ) from None


def names_in(content: bytes) -> int:
    """How many names there are in a JSON text that has no spaces before its colons.

    Args:
        content: The text, or a part of it. What looks like a name in one of its texts
            counts too: it does so in the whole as well as in the part.
    """
    return content.count(b'":')


def _document(text: str, secrets: Secrets) -> dict[str, Any]:
    document = clean(decode_json(text), text, secrets)
    if not isinstance(document, dict):
        raise ResponseError("the answer is not a JSON object")
    return document
