"""What commands that tests run find around them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.paths import SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change the outcome of a test.

    The clone's own commands are found first.
    """
    prefixes = ("TAP_ADSTAGE_", "TARGET_DUCKDB_", "TARGET_POSTGRES_", "MELTANO_")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}
    return clean | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}


def link_plugins(installed: Path, project: Path) -> None:
    """Give a project of Meltano's the plugins that another has installed."""
    (project / ".meltano").mkdir()
    for kind in ("extractors", "loaders"):
        (project / ".meltano" / kind).symlink_to(installed / ".meltano" / kind)
