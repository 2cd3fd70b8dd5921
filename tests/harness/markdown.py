"""The pages of the documentation, and what they are made of."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from harness.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from markdown_it.token import Token

README = ROOT / "README.md"

_COMMENT = re.compile(r"<!-- ([a-z ]+): (.+?) -->")


def pages() -> list[Path]:
    """Every page that a reader of the project is shown."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        language: The word after the fence; may be empty.
        text: What stands in it.
        line: The line of its fence, counted from 1.
        marks: The comment on the line before, such as
            `{"file": "config.json"}`.
    """

    language: str
    text: str
    line: int
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """One page in Markdown."""

    path: Path

    @functools.cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @functools.cached_property
    def tokens(self) -> list[Token]:
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    @property
    def blocks(self) -> list[Block]:
        """All blocks of code, from top to bottom."""
        lines = self.text.splitlines()
        found = []
        for token in self.tokens:
            if token.type in {"fence", "code_block"}:
                assert token.map
                above = lines[token.map[0] - 1] if token.map[0] else ""
                comment = _COMMENT.fullmatch(above.strip())
                marks = {comment[1]: comment[2]} if comment else {}
                line = token.map[0] + 1
                found.append(Block(token.info, token.content, line, marks))
        return found

    def block_run_by(self, test: str) -> Block:
        """Return the block that a test runs, according to its comment."""
        (found,) = (
            block
            for block in self.blocks
            if block.marks.get("run by", "").endswith(f"::{test}")
        )
        return found

    @property
    def links(self) -> list[str]:
        """The targets of its links and pictures, as they are written."""
        return [
            str(target)
            for token in self._inline()
            for child in token.children or []
            if (target := child.attrGet("href") or child.attrGet("src"))
        ]

    @property
    def anchors(self) -> set[str]:
        """The anchors that GitHub gives its headings."""
        anchors: set[str] = set()
        for before, token in zip(self.tokens, self.tokens[1:], strict=False):
            if before.type == "heading_open":
                anchors.add(_anchor("".join(_plain(token)), anchors))
        return anchors

    def section(self, heading: str) -> str:
        """What stands below a heading, up to the next of its level or above."""
        level = len(heading) - len(heading.lstrip("#"))
        start = self.text.split(f"\n{heading}\n")
        assert len(start) == 2, f"{self.path.name} has not one heading {heading!r}"
        return re.split(rf"^#{{1,{level}}} ", start[1], flags=re.MULTILINE)[0]

    def _inline(self) -> Iterator[Token]:
        return (token for token in self.tokens if token.type == "inline")


def _plain(heading: Token) -> Iterator[str]:
    for child in heading.children or []:
        yield child.content


def _anchor(heading: str, taken: set[str]) -> str:
    name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    count = 0
    anchor = name
    while anchor in taken:
        count += 1
        anchor = f"{name}-{count}"
    return anchor
