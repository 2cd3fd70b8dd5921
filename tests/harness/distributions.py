"""What is handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Distributions(NamedTuple):
    """The wheel and the sdist, built for real."""

    wheel: Path
    sdist: Path
