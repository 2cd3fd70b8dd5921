"""AdStage's own ids of advertising entities (API: Entity IDs)."""

import re
from dataclasses import dataclass
from typing import Annotated

from tap_adstage.config.adstage import CROSS_NETWORKS
from tap_adstage.config.declarations import text

_NETWORKS = (*CROSS_NETWORKS, "gemini", "google_analytics", "adstage")
_NETWORK_LEVELS = ("account", "campaign", "ad_group", "ad", "keyword", "criterion")
_ADSTAGE_LEVELS = ("account_group", "user", "organization", "folder")
_PATTERN = re.compile(r"/network/([a-z_]+)/([a-z_]+)/([^/\s]+)")


@dataclass(frozen=True, slots=True)
class EntityId:
    """One entity on one network: `/network/{network}/{level}/{remote_id}`.

    Attributes:
        network: A network, or `adstage` for entities of AdStage's own platform.
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
    def parse(cls, value: str) -> "EntityId":
        """Read an id.

        Args:
            value: The id as the API writes it.

        Returns:
            Its parts.

        Raises:
            ValueError: If it is not an entity id, with the reason.
        """
        match = _PATTERN.fullmatch(value)
        if not match:
            raise ValueError("it takes the form /network/{network}/{level}/{remote_id}")
        network, level, remote_id = match.groups()
        if network not in _NETWORKS:
            raise ValueError(f"its network is one of {', '.join(_NETWORKS)}")
        levels = _ADSTAGE_LEVELS if network == "adstage" else _NETWORK_LEVELS
        if level not in levels:
            raise ValueError(f"its level on {network} is one of {', '.join(levels)}")
        return cls(network, level, remote_id)


def _check_account_id(value: str) -> None:
    entity_id = EntityId.parse(value)
    if entity_id.level != "account":
        raise ValueError(f"its level is {entity_id.level}, not account")


EntityIdText = Annotated[
    str,
    text(
        "an entity id such as /network/adwords/campaign/123",
        form="entity-id",
        check=EntityId.parse,
    ),
]
AccountIdText = Annotated[
    str,
    text(
        "an account's entity id such as /network/adwords/account/123",
        form="account-id",
        check=_check_account_id,
    ),
]
