"""Every command and every config of the documentation does what its page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .markdown import ROOT, Page, pages
from .trial import Place, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_the_blocks_of_a_page_do_what_it_says(path: Path, place: Place) -> None:
    run(Page(path), place)


def test_there_are_no_pages_elsewhere() -> None:
    elsewhere = [
        path
        for folder in (ROOT / "tap_adstage", ROOT / "tests")
        for path in folder.rglob("*.md")
    ]
    assert not elsewhere
