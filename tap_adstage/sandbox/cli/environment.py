"""Environment variables that point the tap, its loader and Meltano at a sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tap_adstage.config.sandbox_shell import SANDBOXES, SOURCE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import TypeAlias

    from tap_adstage.sandbox.cli.postgres import Postgres
    from tap_adstage.sandbox.server import Sandbox
    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

    AnySandbox: TypeAlias = Sandbox | SpotifyAdsSandbox

OTHER_CONNECTIONS = (
    "TARGET_POSTGRES_SQLALCHEMY_URL",
    "TARGET_POSTGRES_SSL_",
    "TARGET_POSTGRES_SSH_TUNNEL",
)
"""Variables that take precedence over the host and the password of target-postgres."""

OTHER_SETTINGS = (
    "TAP_ADSTAGE_ACCESS_TOKEN",
    "TAP_ADSTAGE_API_URL",
    "TAP_ADSTAGE_CLIENT_",
    "TAP_ADSTAGE_REFRESH_TOKEN",
    "TAP_ADSTAGE_OAUTH_",
    "TAP_ADSTAGE_SOURCE",
)
"""Address, credentials and source of a real account, which would keep the sandbox from
use."""


ADSTAGE, SPOTIFY_ADS = "adstage", "spotify_ads"
"""The sources that have a sandbox, as the setting `source` names them."""


def tap_settings(
    sandbox: AnySandbox, source: str, as_of: dt.date | None = None
) -> dict[str, str]:
    """Return the variables that set the tap up for the sandbox of one source.

    Spotify's tokens are not issued where its API is, and OAuth takes precedence over
    an access token. So a config's own OAuth settings are sent to the sandbox as well.
    """
    settings = {
        "TAP_ADSTAGE_API_URL": sandbox.api_url,
        "TAP_ADSTAGE_ACCESS_TOKEN": sandbox.token,
    }
    if source == SPOTIFY_ADS:
        settings["TAP_ADSTAGE_SOURCE"] = source
        settings["TAP_ADSTAGE_OAUTH_TOKEN_URL"] = sandbox.token_url
    if as_of is not None:
        settings["TAP_ADSTAGE_AS_OF"] = as_of.isoformat()
    return settings


def shell_settings(
    sandboxes: Mapping[str, AnySandbox], source: str, as_of: dt.date | None
) -> dict[str, str]:
    """Return the variables with which every run of the tap reads the sandboxes.

    Args:
        sandboxes: The running ones, by source.
        source: The source of a run whose config names none.
        as_of: The day that it is for a run whose config names none; None for today.
    """
    day = {} if as_of is None else {"as_of": as_of.isoformat()}
    settings = {
        name: {
            "source": name,
            "api_url": sandbox.api_url,
            "oauth_token_url": sandbox.token_url,
            "access_token": sandbox.token,
            **day,
        }
        for name, sandbox in sandboxes.items()
    }
    chosen = {} if source == ADSTAGE else {SOURCE: source}
    return {SANDBOXES: json.dumps(settings), **chosen}


def loader_settings(server: Postgres) -> dict[str, str]:
    """Return the variables that point target-postgres at a server."""
    return {
        "TARGET_POSTGRES_HOST": server.host,
        "TARGET_POSTGRES_PORT": str(server.port),
        "TARGET_POSTGRES_USER": server.user,
        "TARGET_POSTGRES_PASSWORD": server.password,
        "TARGET_POSTGRES_DATABASE": server.database,
    }


def meltano_settings(folder: str) -> dict[str, str]:
    """Return the variables that keep Meltano's state in a folder.

    Otherwise bookmarks of generated data would count for the project's real account,
    and those of an earlier database for a new one.
    """
    return {
        "MELTANO_DATABASE_URI": f"sqlite:///{folder}/meltano.db",
        "MELTANO_STATE_BACKEND_URI": "systemdb",
    }


def without(
    environment: Mapping[str, str], prefixes: tuple[str, ...]
) -> dict[str, str]:
    """Return the variables whose names start with none of the prefixes."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(prefixes)
    }
