"""Pages of a `total` report that has more entities than the sandbox.

It has one record an entity, and a sandbox of 480,000 entities would take hours. So its
first page is given again and again, each time with other entity ids. Where a page
starts, which is what its ids end with, is also the token of the page.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

_START, _NEXT = "@start@", "@next@"
_SUMMED = ("clicks", "impressions", "spend")
"""Metrics whose sum the tap compares with the API's own."""


class Question(NamedTuple):
    """A request, as far as it decides the answer.

    Attributes:
        method: The method.
        path: The path, with the query.
        body: The body; that of a POST is JSON with sorted keys.
    """

    method: str
    path: str
    body: bytes

    @property
    def is_total(self) -> bool:
        """Whether it asks for a report that has one record an entity."""
        place, _, query = self.path.partition("?")
        if not place.endswith(("/report", "/build_report")):
            return False
        return b'"aggregate_by"' not in self.body and "aggregate_by=" not in query


def first_page(question: Question) -> tuple[Question, int]:
    """Find what asks for the first page of the same report, and where the page starts.

    V2 has the page's token in the body, V1 an offset in the link's query.
    """
    if question.method == "GET":
        query = parse_qs(urlsplit(question.path).query)
        path = _with_offset(question.path, "0")
        return question._replace(path=path), int(query["offset"][0])
    body = json.loads(question.body)
    start = int(body.pop("page_token", 0))
    return question._replace(body=json.dumps(body, sort_keys=True).encode()), start


@dataclass(frozen=True)
class CopiedPages:
    """The pages of a report, all made of its first.

    Attributes:
        page: The first page, with marks in place of what differs.
        last: The same without a next page.
        size: Entities a page.
        entities: Entities in the report.
    """

    page: bytes
    last: bytes
    size: int
    entities: int

    @classmethod
    def of(cls, content: bytes, entities: int) -> CopiedPages:
        """Take a report's first page as the sandbox has it, with a next page.

        Args:
            content: The page.
            entities: Entities that the report shall have, a multiple of the page's.
        """
        page = json.loads(content)
        lay_out = _lay_out_v1 if "counts" in page else _lay_out_v2
        size = lay_out(page, entities)
        written = _written(page)
        page["_forms"] = page["_links"] = {}
        return cls(written, _written(page), size, entities)

    def starting_at(self, start: int) -> bytes:
        """Write the page that starts with an entity; the report's first is 0."""
        following = start + self.size
        page = self.page if following < self.entities else self.last
        return page.replace(_START.encode(), b"%06d" % start).replace(
            _NEXT.encode(), b"%d" % following
        )


def _lay_out_v1(page: dict[str, Any], entities: int) -> int:
    """Put marks into a page of V1, and count and add up; the number of its rows."""
    rows = page["_embedded"]["adstage:metrics"]
    page["counts"] |= {"filtered": entities, "filtered_buckets": entities}
    page["_embedded"]["adstage:metrics/totals"]["data"] |= _sums(
        [row["data"] for row in rows], entities
    )
    _mark_ids(rows)
    href = page["_links"]["next"]["href"]
    page["_links"] = {"next": {"href": _with_offset(href, _NEXT)}}
    return len(rows)


def _lay_out_v2(page: dict[str, Any], entities: int) -> int:
    """Put marks into a page of V2, and count and add up; the number of its rows."""
    rows = page["_embedded"]["results"]
    if page["summary"]:
        filtered = page["summary"]["filtered"]
        filtered["count"] = entities
        sums = _sums([row["metrics"] for row in rows], entities)
        filtered["metrics"] |= {name: sums[name] for name in filtered["metrics"]}
    _mark_ids(rows)
    page["_forms"]["next_page"]["fields"]["page_token"]["value"] = _NEXT
    return len(rows)


def _sums(rows: list[dict[str, Any]], entities: int) -> dict[str, float]:
    """The sums over all pages, rounded as the sandbox does."""
    pages = entities // len(rows)
    return {
        name: round(sum(row[name] or 0 for row in rows) * pages, 2) for name in _SUMMED
    }


def _mark_ids(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["meta"]["entity_id"] += _START


def _with_offset(url: str, offset: str) -> str:
    return re.sub(r"(?<=[?&]offset=)\d+", offset, url)


def _written(page: dict[str, Any]) -> bytes:
    return json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()
