"""Commands of the project in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from harness.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def run(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
    cwd: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run this Python to its end, with variables beside those of this process."""
    return subprocess.run(  # noqa: S603 - the project's own commands
        [sys.executable, *arguments],
        env=os.environ | (environment or {}),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
    )


def run_tap(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run the tap to its end, with variables beside those of this process."""
    return run("-m", "tap_adstage", *arguments, environment=environment, cwd=cwd)
