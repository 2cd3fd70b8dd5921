"""The sources that there are, by the value of the setting `source`.

A source is imported once it is chosen, as a run needs one of them alone.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from tap_adstage.config.spotify_ads import SPOTIFY_ADS
from tap_adstage.exceptions import ConfigError
from tap_adstage.http.credentials import BearerToken

if TYPE_CHECKING:
    import datetime as dt
    import logging
    from collections.abc import Mapping

    from tap_adstage.config.settings import Config
    from tap_adstage.http.credentials import Credentials
    from tap_adstage.http.transport import Transport
    from tap_adstage.source import Sandbox, Source, SourceType


def source_type(settings: Mapping[str, Any]) -> SourceType:
    """Return the source that the settings choose.

    Args:
        settings: The settings as given, valid or not.
    """
    if settings.get("source") == SPOTIFY_ADS:
        from tap_adstage.spotify_ads.source import SpotifyAdsSource  # noqa: PLC0415

        return SpotifyAdsSource
    from tap_adstage.adstage.source import AdStageSource  # noqa: PLC0415

    return AdStageSource


def connect(
    kind: SourceType,
    config: Config,
    transport: Transport,
    logger: logging.Logger,
) -> Source:
    """Make the source of a run; nothing is sent yet.

    Args:
        kind: Which one.
        config: The run's settings.
        transport: Sends its requests.
        logger: For warnings.

    Raises:
        ConfigError: If the sandbox is on and not installed.
    """
    if not config.sandbox:
        credentials = _credentials(config, transport, logger)
        return kind.connect(config, config.api_url, transport, credentials)
    logger.warning("sandbox: on, so all data are generated; none are real")
    sandbox = _started_sandbox(kind, config.today)
    transport.trust_env = False  # a proxy can't reach this process
    credentials = BearerToken(sandbox.token)
    source = kind.connect(config, sandbox.api_url, transport, credentials)
    weakref.finalize(source, sandbox.stop)
    return source


def _credentials(
    config: Config,
    transport: Transport,
    logger: logging.Logger,
) -> Credentials:
    """Make the credentials that the settings have; OAuth takes precedence."""
    if config.oauth is None:
        return BearerToken(str(config.access_token))
    from tap_adstage.http.oauth import OAuthCredentials  # noqa: PLC0415 - slow to import

    return OAuthCredentials(config.oauth, transport, logger)


def _started_sandbox(kind: SourceType, today: dt.date) -> Sandbox:
    try:
        return kind.start_sandbox(today)
    except ImportError as error:
        raise ConfigError(
            [f"sandbox: needs the package {error.name}; install tap-adstage[sandbox]"],
        ) from None
