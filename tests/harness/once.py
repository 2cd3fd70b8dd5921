"""What is expensive to make, made once: for all workers, or for later runs too."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import platformdirs
from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def session_folder(
    config: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the temporary folder that all workers of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if hasattr(config, "workerinput") else folder


def cache_folder(name: str, *key: str) -> Path:
    """Return a folder of the user's cache; another key gives another folder."""
    digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("tap-adstage-tests") / f"{name}-{digest}"


def make_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder, which the first of all processes to ask for it makes.

    It is made in its final place, as scripts of a virtual environment have its path.
    A file beside it marks it as complete, so an incomplete one is replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    complete = folder.with_name(f"{folder.name}.complete")
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder
