"""What tests reach for inside a tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.adstage.source import AdStageSource

if TYPE_CHECKING:
    from tap_adstage.adstage.directory import Directory
    from tap_adstage.tap import TapAdStage


def directory_of(tap: TapAdStage) -> Directory:
    """Return what belongs to the AdStage user, and the client that reads it."""
    assert isinstance(tap.source, AdStageSource)
    return tap.source.directory
