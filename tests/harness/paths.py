"""Where things are in the clone."""

from __future__ import annotations

import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
SCRIPTS = Path(sysconfig.get_path("scripts"))
