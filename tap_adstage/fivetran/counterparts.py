"""Keys of Fivetran's Spotify Ads connector, and what has a counterpart in this tap.

Fivetran documents them in its REST API (Spotify Ads API Configuration). Its
documentation of hours, ages and genres comes and goes; a connector may still have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "spotify_ads"

GRANULARITIES = ("DAY", "LIFETIME", "HOUR")


@dataclass(frozen=True, slots=True)
class Counterpart:
    """This tap's counterpart of a key or value of Fivetran's.

    Attributes:
        value: Name or value in this tap's config; None if Fivetran's is dropped.
        remark: Why it is dropped, or how the two differ; empty if they don't.
        also: More values, if one alone can't stand for Fivetran's.
    """

    value: str | None
    remark: str = ""
    also: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """All names or values in this tap's config; none if Fivetran's is dropped."""
        return () if self.value is None else (self.value, *self.also)


def dropped(why: str, *names: str) -> dict[str, Counterpart]:
    """Make the counterparts of names that have none, for one reason."""
    return dict.fromkeys(names, Counterpart(None, why))


TABLE_KEYS = dropped(
    "the loader decides where tables go, as target-postgres does by its "
    "`default_target_schema`",
    "schema",
    "destination_schema",
    "destination_schema_names",
    "destination_configuration",
    "group_id",
)

DELAY_KEYS = dropped(
    "a failed run ends with exit code 1; alerts about late runs are up to whatever "
    "starts the tap",
    "data_delay_sensitivity",
    "data_delay_threshold",
)

FORM_KEYS = dropped("the tap has no web form for its set-up", "connect_card_config")


def schedule_keys(*keys: str) -> dict[str, Counterpart]:
    """Make the counterparts of keys about the times of runs that have none."""
    return dropped(
        "whatever starts the tap decides when it runs, such as a Meltano schedule or "
        "cron",
        *keys,
    )


def network_keys(api: str) -> dict[str, Counterpart]:
    """Make the counterparts of keys about Fivetran's way to an API."""
    return dropped(
        f"the tap runs in your own network and connects to {api} alone, over HTTPS",
        "networking_method",
        "proxy_agent_id",
        "private_link_id",
        "hybrid_deployment_agent_id",
        "trust_certificates",
        "trust_fingerprints",
    )


REPORT_KEYS: Mapping[str, Counterpart] = {
    "table": Counterpart("name"),
    "dimension": Counterpart("entity_level"),
    "granularity": Counterpart("aggregate_by"),
    "fields": Counterpart("fields"),
}
"""Keys of a report in `report_list`."""

CREDENTIALS: Mapping[str, str] = {
    "auth.client_access.client_id": "client_id",
    "auth.client_access.client_secret": "client_secret",
    "auth.refresh_token": "refresh_token",
}
"""Credentials of a connection, and the settings for such credentials."""

READ_ONLY = frozenset(
    {
        "id",
        "connection_id",
        "name",
        "connected_by",
        "created_at",
        "service_version",
        "status",
        "setup_tests",
        "succeeded_at",
        "failed_at",
    }
)
"""Keys of a connection that describe it and configure nothing."""
