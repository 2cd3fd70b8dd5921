"""Every command and every config of the documentation does what its page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.markdown import Page, pages
from harness.paths import ROOT

from .trial import Place, run

if TYPE_CHECKING:
    import pytest


def test_all_pages_do_what_they_say_one_after_the_other_in_one_sandbox_shell(
    place: Place, pytestconfig: pytest.Config
) -> None:
    named = {path.name: Page(path) for path in pages()}
    chosen = pytestconfig.getoption("--page") or [*named]
    run([named[name] for name in chosen], place)


def test_there_are_no_pages_elsewhere() -> None:
    elsewhere = [
        path
        for folder in (ROOT / "tap_adstage", ROOT / "tests")
        for path in folder.rglob("*.md")
    ]
    assert not elsewhere
