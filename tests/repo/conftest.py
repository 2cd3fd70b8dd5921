from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from harness.distributions import Distributions
from harness.once import make_once
from harness.paths import ROOT, SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def uv() -> Path:
    """The command `uv`."""
    return SCRIPTS / "uv"


@pytest.fixture(scope="session")
def built(session: Path, uv: Path) -> Distributions:
    """The sdist, and the wheel that is made from it."""

    def build(folder: Path) -> None:
        subprocess.run(  # noqa: S603 - uv itself
            [uv, "build", "--quiet", "--out-dir", folder, ROOT],
            check=True,
            timeout=300,
        )

    folder = make_once(session / "built", build)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Distributions(wheel, sdist)


@pytest.fixture(scope="session")
def wheel(built: Distributions) -> Path:
    """The wheel."""
    return built.wheel
