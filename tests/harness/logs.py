"""What the tap logged in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the texts of all warnings so far."""
    return [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the texts of all errors so far."""
    return [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
