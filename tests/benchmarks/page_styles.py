"""The styles of pages that figure 1 measures, and how a page is written in each.

The sandbox writes pages as Rails does: compact, numbers with few digits. A style
changes such a page, or takes another of the reports.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from asked import DAYS, DAYS_V1, TOTALS, TOTALS_V1, Report

if TYPE_CHECKING:
    from collections.abc import Callable

_Page: TypeAlias = "dict[str, Any]"

_MARK = "number: "
_MARKED = re.compile(rf'"{_MARK}([^"]*)"')
_DIGITS = "123456789" * 4


@dataclass(frozen=True)
class Style:
    """A kind of pages, and how fast the tap should be with them.

    Attributes:
        what: What the pages are, for the table.
        report: The report that has such pages.
        rewrite: Writes a page of the sandbox in this style.
        faster: How many times as fast as the plain tap the tap should be at least;
            `None` if the style is there for its records alone.
        slower: How many times the bare loop's time the tap may take; `None` if the
            bare loop can't read such pages.
    """

    what: str
    report: Report = DAYS
    rewrite: Callable[[bytes], bytes] = bytes
    faster: float | None = 5
    slower: float | None = 1.8


def with_spaces(content: bytes) -> bytes:
    """Write spaces after colons and commas."""
    return _written(json.loads(content), separators=(", ", ": "))


def with_exponents(content: bytes) -> bytes:
    """Give each series a rate below 0.0001, which Rails writes with an exponent."""
    page = json.loads(content)
    for position, result in enumerate(_results(page)):
        rates = result["series"]["metrics"]["ctr"]
        rate = f"{1 + position % 9}.{position % 10}e-05"
        rates[position % len(rates)] = _as_it_stands(rate)
    return _written(page)


def with_unknown_members(content: bytes) -> bytes:
    """Give each row, and each series, a member that the API doesn't document."""
    page = json.loads(content)
    for position, result in enumerate(_results(page)):
        result["delivery"] = {"score": position / 1000, "labels": ["learning"]}
        result["series"]["benchmarks"] = {"ctr": 0.0123, "source": "industry"}
    return _written(page)


def with_long_numbers(content: bytes) -> bytes:
    """Give each series fractions, and whole numbers, of 17 and more digits."""
    page = json.loads(content)
    for position, result in enumerate(_results(page)):
        metrics = result["series"]["metrics"]
        more = _DIGITS[: 16 + position % 16]
        place = position % len(metrics["cpc"])
        metrics["cpc"][place] = _as_it_stands(f"{1 + position % 9}.{more}")
        metrics["conversions"][place] = _as_it_stands(f"{1 + position % 9}{more}")
    return _written(page)


STYLES = {
    "rails": Style("pages as Rails writes them", faster=6, slower=1.4),
    "spaces": Style("spaces after `:` and `,`", rewrite=with_spaces),
    "exponents": Style("numbers such as `1.0e-05`", rewrite=with_exponents),
    "unknown-members": Style("undocumented members", rewrite=with_unknown_members),
    "long-numbers": Style(
        "numbers of 17 and more digits",
        rewrite=with_long_numbers,
        faster=None,
        slower=None,  # its floats have 15 to 17 digits
    ),
    "total": Style("`total`", TOTALS, faster=4, slower=None),
    "v1": Style("API V1", DAYS_V1, faster=4, slower=None),
    "v1-total": Style("API V1, `total`", TOTALS_V1, faster=4, slower=None),
}


def _results(page: _Page) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = page["_embedded"]["results"]
    return results


def _as_it_stands(number: str) -> str:
    """A number that is to be written with exactly these characters."""
    return f"{_MARK}{number}"


def _written(page: _Page, separators: tuple[str, str] = (",", ":")) -> bytes:
    text = json.dumps(page, ensure_ascii=False, separators=separators)
    return _MARKED.sub(r"\1", text).encode()
