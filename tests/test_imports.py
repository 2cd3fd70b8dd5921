"""Imports run one way, so that each module can be read without those above it."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tap_adstage"

ORDER = [
    # pure: plain values in, plain values out
    {"exceptions", "redaction", "entity_ids", "shards", "date_ranges", "phrases"}
    | {"decoding", "counts"},
    {"progress", "summary"},
    {"settings", "hal", "inputs", "page", "values", "private_file"},
    {"report_checks", "windows", "imports", "paging", "retries"},
    {"config_checks", "environment"},
    {"config", "token_file", "logs"},
    # what speaks to AdStage
    {"termination"},
    {"transport"},
    {"auth"},
    {"client", "oauth"},
    {"prefetch"},
    {"directory"},
    # what speaks to the SDK
    {"messages", "dealt_stream", "counted_stream"},
    {"reports", "resources"},
    {"sandbox"},
    {"setup_test", "fivetran"},
    {"tap"},
    {"__main__"},
]
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
LEVELS = {module: level for level, names in enumerate(ORDER) for module in names}


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


def test_every_module_has_its_place() -> None:
    assert set(sources()) == set(LEVELS)


@pytest.mark.parametrize("module", sorted(LEVELS))
def test_a_module_imports_none_above_it(module: str) -> None:
    for path in sources()[module]:
        for other in own(path) - {module}:
            lazily = (module, other) == ("tap", "sandbox")
            assert LEVELS[other] < LEVELS[module] or lazily, f"{path} imports {other}"


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
