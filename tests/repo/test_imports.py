"""Imports run one way, folder by folder."""

from __future__ import annotations

import ast
import graphlib
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from harness.markdown import Page
from harness.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "tap_adstage"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

ABOVE_RUNTIME = {"runtime", "exceptions"}
BELOW_REPORTS = {"config", "date_ranges", *ABOVE_RUNTIME}
MAY_IMPORT = {
    "__main__": {"tap"},
    "tap": {"cli", "preflight", "sources", "streams", "source", "reports", "http"}
    | BELOW_REPORTS,
    "cli": {"preflight", "streams", "source", "reports"} | ABOVE_RUNTIME,
    "sources": {"adstage", "spotify_ads", "source", "http"} | BELOW_REPORTS,
    "preflight": {"source"} | BELOW_REPORTS,
    "streams": {"source", "reports", "http"} | BELOW_REPORTS,
    "adstage": {"listing", "source", "reports", "http", "sandbox"} | BELOW_REPORTS,
    "spotify_ads": {"listing", "source", "reports", "http", "sandbox"} | BELOW_REPORTS,
    "listing": {"source", "exceptions"},
    "source": {"reports", "http"} | BELOW_REPORTS,
    "reports": BELOW_REPORTS,
    "http": {"config"} | ABOVE_RUNTIME,
    "config": {"date_ranges"} | ABOVE_RUNTIME,
    "runtime": {"exceptions"},
    "date_ranges": set(),
    "exceptions": set(),
    "fivetran": {"sources"} | BELOW_REPORTS,
    "sandbox": {"date_ranges", "config"},
}
"""What each folder, or module of the top level, may import from the tap."""

WITHOUT = {
    "reports": {"singer_sdk", "requests", "backoff"},
    "config": {"singer_sdk", "requests", "backoff"},
    "runtime": {"singer_sdk", "requests", "backoff"},
    "date_ranges": {"singer_sdk", "requests", "backoff"},
    "http": {"singer_sdk", "click"},
    "exceptions": {"click"},
    "sandbox": {"singer_sdk"},
}
"""Libraries that a folder gets on without."""

ONLY_A_SOURCE_KNOWS = re.compile(
    r"\b(hal|_links|_forms|_embedded|adwords|bing_ads|gemini|api_version)\b"
    r"|\b(continuation_token|entity_ids|insight_reports|ad_sets)\b"
    r"|\bV[12]\b|AdStage|Spotify",
)
NEUTRAL = (
    "http",
    "reports",
    "streams",
    "runtime",
    "source.py",
    "listing.py",
    "cli",
    "preflight.py",
    "tap.py",
)
"""Where nothing is of one source alone."""


def name_of(path: Path) -> str:
    """The folder, or the module of the top level, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def files() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p != PACKAGE / "__init__.py"]


def imported(path: Path) -> set[str]:
    """Absolute names that a file imports, also if only for types."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            assert node.module is not None
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(path: Path) -> set[str]:
    """Folders and modules of the tap that a file imports, but for its own."""
    names = {n.split(".")[1] for n in imported(path) if n.startswith("tap_adstage.")}
    return names - {name_of(path)}


def test_every_folder_is_known() -> None:
    assert {name_of(path) for path in files()} == {*MAY_IMPORT}


def test_the_top_level_has_at_most_eight_modules() -> None:
    assert len([*PACKAGE.glob("*.py")]) <= 8


def test_the_folders_lie_above_each_other() -> None:
    assert [*graphlib.TopologicalSorter(MAY_IMPORT).static_order()]


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_imports_run_down(folder: str) -> None:
    for path in files():
        if name_of(path) == folder:
            assert own(path) <= MAY_IMPORT[folder], path


@pytest.mark.parametrize("folder", sorted(WITHOUT))
def test_a_folder_knows_nothing_of_libraries_that_are_others(folder: str) -> None:
    for path in files():
        if name_of(path) == folder:
            libraries = {name.split(".")[0] for name in imported(path)}
            assert not libraries & WITHOUT[folder], path


def test_no_two_modules_import_each_other() -> None:
    graph = {
        str(path): {
            str(other)
            for name in imported(path)
            if (other := _file(name)) is not None and other != path
        }
        for path in files()
    }
    assert [*graphlib.TopologicalSorter(graph).static_order()]


def _file(name: str) -> Path | None:
    parts = name.split(".")[1:]
    for length in (len(parts), len(parts) - 1):
        path = PACKAGE.joinpath(*parts[:length])
        if length and path.with_suffix(".py").is_file():
            return path.with_suffix(".py")
        if length and (path / "__init__.py").is_file():
            return path / "__init__.py"
    return None


@pytest.mark.parametrize("place", NEUTRAL)
def test_what_every_source_shares_names_no_source(place: str) -> None:
    path = PACKAGE / place
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        code = ast.unparse(_without_docstrings(ast.parse(file.read_text())))
        code = re.sub(r"tap[_-]?adstage", "", code, flags=re.IGNORECASE)
        assert not ONLY_A_SOURCE_KNOWS.search(code), file


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """The code: what a docstring gives as an example may be of one source."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined] # it has one
                statement
                for statement in body
                if not (
                    isinstance(statement, ast.Expr)
                    and isinstance(statement.value, ast.Constant)
                )
            ] or [ast.Pass()]
    return tree


def test_a_folder_says_what_it_may_import() -> None:
    for folder in (
        "adstage",
        "cli",
        "config",
        "http",
        "reports",
        "runtime",
        "sandbox",
        "spotify_ads",
        "streams",
    ):
        text = (PACKAGE / folder / "__init__.py").read_text()
        assert "import" in text.lower(), folder


# --- the picture ---


def picture() -> dict[str, set[str]]:
    """The arrows of the picture in docs/architecture.md, by the box they start from."""
    (block,) = (b for b in Page(ARCHITECTURE).blocks if b.language == "mermaid")
    arrows: dict[str, set[str]] = {}
    for start, end in re.findall(r"^ *(\w+) --> (\w+)$", block.text, re.MULTILINE):
        arrows.setdefault(start, set()).add(end)
    return arrows


def test_the_picture_can_be_drawn_from_memory() -> None:
    arrows = picture()
    assert 7 <= len({*arrows}.union(*arrows.values())) <= 9


def test_the_picture_s_arrows_are_imports_that_there_are() -> None:
    for start, ends in picture().items():
        imports = {o for path in files() if name_of(path) == start for o in own(path)}
        assert ends <= imports, start
