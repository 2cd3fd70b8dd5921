"""Bar charts as SVG, for the documentation's pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH, LEFT, RIGHT, TOP = 720, 110, 90, 78
BAR, GROUP_GAP = 15, 14
STYLE = """
text { font-family: "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; }
text { font-size: 13px; fill: #1f2328; }
.title { font-size: 16px; font-weight: bold; }
.name { text-anchor: end; }
.value { fill: #57606a; font-size: 12px; }
.page { fill: #ffffff; stroke: #d0d7de; }
.bar0 { fill: #9ec1ec; }
.bar1 { fill: #4c87cc; }
.bar2 { fill: #1f4e8c; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.value { fill: #9198a1; }
.page { fill: #0d1117; stroke: #3d444d; }
.bar0 { fill: #27456b; }
.bar1 { fill: #3f78bb; }
.bar2 { fill: #9ec1ec; }
}
"""


def bar_chart(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Draw a horizontal bar for each value of each group, in light and dark.

    Args:
        title: What the values are.
        groups: Up to three values by their labels, the same in all groups.
    """
    labels = list(next(iter(groups.values())))
    most = max(value for values in groups.values() for value in values.values())
    height = TOP + len(groups) * (len(labels) * BAR + GROUP_GAP)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title"',
        '  xmlns="http://www.w3.org/2000/svg">',
        f'<title id="title">{escape(title)}</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
        f'<text class="title" x="16" y="30">{escape(title)}</text>',
    ]
    for index, label in enumerate(labels):
        x = LEFT + index * 100
        parts += [
            f'<rect class="bar{index}" x="{x}" y="45" width="12" height="12"/>',
            f'<text x="{x + 18}" y="56">{escape(label)}</text>',
        ]
    for row, (name, values) in enumerate(groups.items()):
        top = TOP + row * (len(labels) * BAR + GROUP_GAP)
        middle = top + len(labels) * BAR / 2 + 4
        parts.append(
            f'<text class="name" x="{LEFT - 10}" y="{middle:g}">{escape(name)}</text>'
        )
        for index, value in enumerate(values.values()):
            y = top + index * BAR
            end = LEFT + round((WIDTH - LEFT - RIGHT) * value / most)
            parts += [
                f'<path class="bar{index}" d="M{LEFT} {y}H{end}v{BAR - 2}H{LEFT}z"/>',
                f'<text class="value" x="{end + 6}" y="{y + 11}">{value:,.0f}</text>',
            ]
    return "\n".join([*parts, "</svg>", ""])
