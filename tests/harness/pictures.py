"""Pictures of a terminal in the documentation, made from what a run printed."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from harness.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = ROOT / "docs" / "images"

# As rich's own, but for a font that each system has, instead of one from the network.
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{
  font-family: Arial, "DejaVu Sans", sans-serif; font-size: 18px; font-weight: bold;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})"
 clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def check_picture(name: str, title: str, printed: str, *, update: bool) -> None:
    """Hold a picture against what a terminal shows; a flag of pytest draws it anew.

    Args:
        name: Name of the picture's file, without its ending.
        title: The title of the terminal.
        printed: The lines, with the terminal's own colour codes.
        update: Whether to draw it.
    """
    path = IMAGES / f"{name}.svg"
    text = Text.from_ansi(printed)
    if update:
        path.write_text(_draw(name, title, text), encoding="utf-8")
    shown = [_close(line) for line in text.plain.splitlines()]
    assert [*_lines(path.read_text(encoding="utf-8"))] == [*filter(None, shown)]
    assert path.stat().st_size < 100_000


def _draw(name: str, title: str, text: Text) -> str:
    width = max(map(len, text.plain.splitlines()))
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(text, highlight=False, soft_wrap=True)
    svg = console.export_svg(
        title=title, theme=SVG_EXPORT_THEME, code_format=_FORMAT, unique_id=name
    )
    lines = [line.rstrip() for line in svg.splitlines()]
    return "".join(f"{line}\n" for line in lines if line)


def _lines(svg: str) -> Iterator[str]:
    """The lines of a picture, without their spaces, which it does not keep."""
    lines: dict[float, str] = {}
    for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314 - the project's own
        if "title" not in element.get("class", ""):
            y = float(element.get("y", ""))
            lines[y] = lines.get(y, "") + _close(element.text or "")
    return (line for _, line in sorted(lines.items()) if line)


def _close(text: str) -> str:
    return re.sub(r"\s", "", text)
