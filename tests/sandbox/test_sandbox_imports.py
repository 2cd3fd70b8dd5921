"""Imports of the sandbox run down, and need its extra only once it serves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tap_adstage.sandbox

PACKAGE = Path(tap_adstage.sandbox.__file__).parent
NAME = "tap_adstage.sandbox"

ALLOWED = {
    "__main__": {"cli"},
    "cli": {"cli", "server", "adstage", "spotify_ads", "service", "world"},
    "server": {"adstage", "service", "world"},
    "adstage": {"adstage", "service", "world"},
    "spotify_ads": {"spotify_ads", "service", "world"},
    "service": {"service"},
    "world": {"world"},
}
"""For each part of the sandbox, the parts that it may import."""

HTTP_MODULES = {
    "adstage.answers",
    "adstage.app",
    "adstage.report_routes",
    "adstage.resource_routes",
    "service.http_server",
    "service.wsgi",
    "spotify_ads.answers",
    "spotify_ads.app",
    "spotify_ads.entity_routes",
    "spotify_ads.report_routes",
}
"""The modules that may import flask and werkzeug."""


def modules() -> list[str]:
    """Return the modules' names within the sandbox, packages as `world.__init__`."""
    return sorted(
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
    )


def imported_by(module: str) -> set[str]:
    """Return the full names that a module imports, for types too."""
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("module", modules())
def test_imports_run_down(module: str) -> None:
    part = module.split(".", maxsplit=1)[0]
    parts = {
        name.removeprefix(f"{NAME}.").split(".")[0]
        for name in imported_by(module)
        if name.startswith(NAME)
    }
    assert parts <= ALLOWED.get(part, set()), module


@pytest.mark.parametrize("module", modules())
def test_only_the_server_and_the_routes_know_http_libraries(module: str) -> None:
    roots = {name.split(".")[0] for name in imported_by(module)}
    if roots & {"flask", "werkzeug"}:
        assert module in HTTP_MODULES


def test_reports_know_nothing_of_the_rest_of_the_api() -> None:
    for module in modules():
        if module.startswith("adstage.reports."):
            siblings = {
                name.split(".")[3]
                for name in imported_by(module)
                if name.startswith(f"{NAME}.adstage.")
            }
            assert siblings <= {"reports", "hal", "page_tokens", "refusals"}, module


def test_spotify_s_world_knows_nothing_of_its_api() -> None:
    for module in modules():
        if module.startswith("spotify_ads.world."):
            names = {
                name.removeprefix(f"{NAME}.")
                for name in imported_by(module)
                if name.startswith(f"{NAME}.")
            }
            assert all(
                name.startswith(("spotify_ads.world.", "world.")) for name in names
            ), module


def test_the_command_needs_no_extra_before_it_serves() -> None:
    script = (
        f"import sys; import {NAME}.cli.command;"
        "print(sorted({'flask', 'werkzeug', 'psycopg', 'rich'} & sys.modules.keys()))"
    )
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
