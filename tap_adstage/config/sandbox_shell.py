"""Settings of runs inside `tap-adstage-sandbox run`, which reaches them all.

It starts a sandbox of every source, and describes them in one environment variable.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_adstage.config.adstage import ADSTAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

SANDBOXES = "TAP_ADSTAGE_SANDBOXES"
"""The variable: for each source, the settings of its sandbox, as JSON."""

SOURCE = "TAP_ADSTAGE_SOURCE"
"""The variable for the source of a run whose settings name none."""

_CREDENTIALS = ("access_token", "client_id", "client_secret", "refresh_token")


def sandbox_settings(
    given: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, Any]:
    """Return the sandbox's settings for what a run's own leave open.

    Credentials are the run's own if it has any, so that the sandbox can refuse them.

    Args:
        given: The run's own settings, without nulls.
        environment: Environment variables.

    Returns:
        Some of `source`, `api_url`, `oauth_token_url`, `access_token` and `as_of`; none
        outside of a sandbox, and only `as_of` if the run has an API of its own.
    """
    sandboxes = json.loads(environment.get(SANDBOXES, "{}"))
    chosen = environment.get(SOURCE)
    source = given.get("source", chosen if chosen in sandboxes else ADSTAGE)
    settings = sandboxes.get(str(source), {})
    if "api_url" in given or given.get("sandbox"):
        settings = {name: settings[name] for name in settings if name == "as_of"}
    elif any(name in given for name in _CREDENTIALS):
        settings = {name: settings[name] for name in settings if name != "access_token"}
    return {name: settings[name] for name in settings if name not in given}


def sandbox_message(settings: Mapping[str, Any]) -> str | None:
    """Describe for the log which API a run in a sandbox reads.

    Args:
        settings: As `sandbox_settings` returns them.
    """
    if "api_url" not in settings:
        return None
    token = ", with its own token, as none is set" if "access_token" in settings else ""
    return f"sandbox: reading generated data from {settings['api_url']}{token}"
