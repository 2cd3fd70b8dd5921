from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from harness.environment import clean_environment, link_plugins
from harness.markdown import README, Page
from harness.paths import ROOT

from .trial import Place

if TYPE_CHECKING:
    from pathlib import Path

NOT_OF_THE_CLONE = (
    ".git",
    ".venv",
    ".meltano",
    "*_cache",
    "*.duckdb",
    ".hypothesis",
    "__pycache__",
)


@pytest.fixture
def place(tmp_path: Path, plugins: Path) -> Place:
    """A copy of the clone, in the shell of the sandbox that README opens."""
    clone, stage = tmp_path / "clone", tmp_path / "stage"
    ignored = shutil.ignore_patterns(*NOT_OF_THE_CLONE)
    shutil.copytree(ROOT, clone, ignore=ignored)
    link_plugins(plugins, clone)
    stage.mkdir()
    command = Page(README).block_run_by("place").text.removeprefix("uv run ").split()
    assert command.pop() == "bash"
    return Place(clone, stage, clean_environment(), command)
