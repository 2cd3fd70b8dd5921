"""A file for the user alone, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Put a text in the place of whatever a file holds, with mode 0600.

    Args:
        path: The file, in a folder that exists.
        text: All that it holds from then on.

    Raises:
        OSError: If it can't be written; it is then what it was.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".adstage-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
