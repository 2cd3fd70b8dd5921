"""What tests reach for inside a tap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.adstage.source import AdStageSource
from tap_adstage.spotify_ads.source import SpotifyAdsSource
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from tap_adstage.adstage.directory import Directory


def directory_of(tap: TapAdStage) -> Directory:
    """Return what belongs to the AdStage user, and the client that reads it."""
    assert isinstance(tap.source, AdStageSource)
    return tap.source.directory


def spotify_source(config: dict[str, Any]) -> SpotifyAdsSource:
    """Return Spotify's source of a tap that has sent nothing yet."""
    source = TapAdStage(config=config, setup_mapper=False).source
    assert isinstance(source, SpotifyAdsSource)
    return source
