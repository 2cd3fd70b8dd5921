"""Links within the documentation lead somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from harness.markdown import Page, pages
from harness.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def dead_links(page: Page) -> list[str]:
    """The links of a page to files and headings that don't exist."""
    dead = []
    for link in page.links:
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (page.path.parent / target).resolve() if target else page.path
        if not path.exists() or (anchor and anchor not in Page(path).anchors):
            dead.append(link)
    return dead


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_every_link_leads_to_a_file_of_the_clone_and_a_heading_of_it(
    path: Path,
) -> None:
    assert dead_links(Page(path)) == []


def test_every_page_is_reached_from_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = Page(waiting.pop())
        reached.add(page.path)
        for link in page.links:
            path = (page.path.parent / link.partition("#")[0]).resolve()
            if path.suffix == ".md" and path.is_file() and path not in reached:
                waiting.append(path)
    assert set(pages()) <= reached


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs/images").iterdir()), ids=lambda path: path.name
)
def test_a_picture_is_small_and_complete_in_itself(path: Path) -> None:
    """GitHub shows it as an image, which may load nothing and run nothing."""
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 100_000
    root = ET.fromstring(text)  # noqa: S314 - the project's own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    elements = {element.tag.partition("}")[2] for element in root.iter()}
    assert not elements & {"foreignObject", "image", "script"}
    assert "url(http" not in text
    assert "@import" not in text


def test_every_page_is_in_the_source_distribution() -> None:
    settings = (ROOT / "pyproject.toml").read_text()
    for path in pages():
        assert f'"/{path.relative_to(ROOT).parts[0]}"' in settings


def test_a_link_to_no_file_or_no_heading_is_dead(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A heading\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Own\n\n[a](other.md#a-heading) [b](#own) [c](https://example.com/x.md)\n"
        "[d](other.md#b) [e](#b) [f](no.md) [g](../other.md)\n",
    )
    assert dead_links(Page(page)) == ["other.md#b", "#b", "no.md", "../other.md"]
