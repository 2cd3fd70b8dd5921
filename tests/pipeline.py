"""The main job for real: the sandbox, through Meltano, into Postgres."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))


def clean_environment() -> dict[str, str]:
    """The environment without settings that would change what is tested."""
    prefixes = ("TAP_ADSTAGE_", "TARGET_POSTGRES_", "MELTANO_")
    return {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}
