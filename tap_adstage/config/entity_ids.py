"""AdStage's own ids of advertising entities (API: Entity IDs)."""

from __future__ import annotations

import re
from dataclasses import dataclass

CROSS_NETWORKS = (
    "adwords",
    "amazon",
    "bing_ads",
    "facebook",
    "linkedin",
    "pinterest",
    "quora",
    "spotify",
    "twitter",
)
"""Networks whose data AdStage imports, in the documentation's order."""

EXTERNAL_PROVIDERS = ("facebook", "adwords", "gemini", "google_analytics")
"""Networks that AdStage also reports on live, with descriptors of their own."""

_NETWORKS = (*CROSS_NETWORKS, "gemini", "google_analytics", "adstage")
_NETWORK_LEVELS = ("account", "campaign", "ad_group", "ad", "keyword", "criterion")
_ADSTAGE_LEVELS = ("account_group", "user", "organization", "folder")
_PATTERN = re.compile(r"/network/([a-z_]+)/([a-z_]+)/([^/\s]+)")


@dataclass(frozen=True, slots=True)
class EntityId:
    """One entity on one network: `/network/{network}/{level}/{remote_id}`.

    Attributes:
        network: A network, or `adstage` for what is managed on AdStage's platform.
        level: `account`, `campaign`, `ad_group`, `ad`, `keyword` or `criterion`; on
            `adstage` `account_group`, `user`, `organization` or `folder`.
        remote_id: The network's own id.
    """

    network: str
    level: str
    remote_id: str

    def __str__(self) -> str:
        """The id as the API writes it."""
        return f"/network/{self.network}/{self.level}/{self.remote_id}"

    @classmethod
    def parse(cls, text: str) -> EntityId:
        """Read an id.

        Args:
            text: The id as the API writes it.

        Returns:
            Its parts.

        Raises:
            ValueError: If the text is no entity id; the text says why.
        """
        match = _PATTERN.fullmatch(text)
        if not match:
            raise ValueError("it takes the form /network/{network}/{level}/{remote_id}")
        network, level, remote_id = match.groups()
        if network not in _NETWORKS:
            raise ValueError(f"its network is one of {', '.join(_NETWORKS)}")
        levels = _ADSTAGE_LEVELS if network == "adstage" else _NETWORK_LEVELS
        if level not in levels:
            raise ValueError(f"its level on {network} is one of {', '.join(levels)}")
        return cls(network, level, remote_id)
