"""Imports run one way, so that each module can be read without those above it."""

from __future__ import annotations

import ast
import graphlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from repo.docs.markdown import ROOT, Page

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "tap_adstage"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

PURE = {
    "counts",
    "progress",
    "summary",
    "date_ranges",
    "windows",
    "imports",
    "config",
    "config_checks",
    "report_checks",
    "phrases",
    "decoding",
    "environment",
    "settings",
    "shards",
    "entity_ids",
    "inputs",
    "redaction",
    "values",
}


def sources() -> dict[str, list[Path]]:
    """Each module of the package by its name, packages with all their files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "__init__":
            found.setdefault(name, []).append(path)
    return found


def imported(path: Path) -> set[str]:
    """Absolute names that a file imports, also where only for types."""
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
    """Modules of the tap that a file imports."""
    return {
        name.split(".")[1] for name in imported(path) if name.startswith("tap_adstage.")
    }


@dataclass(frozen=True)
class Picture:
    """The picture of the package in docs/architecture.md.

    Attributes:
        boxes: The modules of each box, from top to bottom.
        arrows: The boxes that each box has arrows to.
    """

    boxes: dict[str, list[str]]
    arrows: dict[str, set[str]]

    def allows(self, module: str, other: str) -> bool:
        """Whether one module may import another."""
        box, others = self.box(module), self.box(other)
        modules = self.boxes[box]
        if others == box:
            return modules.index(module) < modules.index(other)
        return others in self.below(box)

    def box(self, module: str) -> str:
        (box,) = (box for box, names in self.boxes.items() if module in names)
        return box

    def below(self, box: str) -> set[str]:
        """The boxes that arrows lead to, over others as well."""
        direct = self.arrows.get(box, set())
        return direct.union(*(self.below(other) for other in direct))


def picture() -> Picture:
    """Read the picture; a module outside the boxes is a box of its own."""
    (block,) = (b for b in Page(ARCHITECTURE).blocks if b.language == "mermaid")
    boxes: dict[str, list[str]] = {}
    arrows: dict[str, set[str]] = {}
    box = None
    for line in map(str.strip, block.text.splitlines()):
        if start := re.match(r"subgraph (\w+)", line):
            box = start[1]
            boxes[box] = []
        elif line == "end":
            box = None
        elif arrow := re.fullmatch(r"(\w+) --> (\w+)", line):
            arrows.setdefault(arrow[1], set()).add(arrow[2])
        elif node := re.fullmatch(r'(\w+)(?:\["(\w+)"\])?', line):
            boxes.setdefault(box or node[1], []).append(node[2] or node[1])
    return Picture(boxes, arrows)


def test_the_picture_has_every_module_once() -> None:
    shown = [name for names in picture().boxes.values() for name in names]
    assert sorted(shown) == sorted(sources())


def test_the_picture_s_arrows_join_its_boxes_one_way() -> None:
    boxes, arrows = picture().boxes, picture().arrows
    assert {*arrows}.union(*arrows.values()) == {*boxes}
    assert list(graphlib.TopologicalSorter(arrows).static_order())


@pytest.mark.parametrize("module", sorted(sources()))
def test_imports_run_only_the_way_that_the_picture_shows(module: str) -> None:
    for path in sources()[module]:
        for other in own(path) - {module}:
            assert picture().allows(module, other), f"{path} imports {other}"


def test_a_picture_tells_what_it_allows() -> None:
    small = Picture({"a": ["one", "two"], "b": ["three"], "c": ["four"]}, {"a": {"b"}})
    assert small.allows("one", "two")
    assert small.allows("two", "three")
    assert not small.allows("two", "one")
    assert not small.allows("three", "one")
    assert not small.allows("one", "four")


def test_no_two_modules_import_each_other() -> None:
    graph = {
        str(path): {
            str(other)
            for name in imported(path)
            if (other := _file(name)) is not None and other != path
        }
        for paths in sources().values()
        for path in paths
    }
    assert list(graphlib.TopologicalSorter(graph).static_order())


def _file(name: str) -> Path | None:
    parts = name.split(".")[1:]
    for length in (len(parts), len(parts) - 1):
        path = PACKAGE.joinpath(*parts[:length])
        if length and path.with_suffix(".py").is_file():
            return path.with_suffix(".py")
        if length and (path / "__init__.py").is_file():
            return path / "__init__.py"
    return None


@pytest.mark.parametrize("module", sorted(PURE))
def test_a_pure_module_knows_nothing_of_the_sdk_and_of_http(module: str) -> None:
    for path in sources()[module]:
        for name in imported(path):
            assert name.split(".")[0] not in {"singer_sdk", "requests", "backoff"}, path
        assert not own(path) - PURE - {"exceptions"}, path


def test_the_sandbox_knows_nothing_of_the_tap_s_client() -> None:
    for path in sources()["sandbox"]:
        assert own(path) <= {"sandbox", "date_ranges", "entity_ids"}, path
