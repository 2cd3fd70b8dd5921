"""Conversion of the config of Fivetran's Spotify Ads connector to this tap's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tap_adstage.config.parsing import parse
from tap_adstage.fivetran import to_adstage, to_spotify_ads
from tap_adstage.fivetran.connection import read
from tap_adstage.fivetran.conversion import Conversion

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

__all__ = ["Conversion", "convert"]


def convert(
    document: Any,  # noqa: ANN401 - any JSON value
    *,
    to: Literal["spotify_ads", "adstage"] = "spotify_ads",
    now: dt.datetime,
    stream_names: Collection[str],
    auth: Literal["drop", "keep", "require"] = "drop",
) -> Conversion:
    """Convert the config of Fivetran's Spotify Ads connector to this tap's.

    Args:
        document: A connection as Fivetran's REST API takes or answers it, as its
            Terraform provider writes it (`config` and `auth` as JSON texts), or a
            connection's `config` alone.
        to: The source of the tap's config.
        now: The real now, with a time zone.
        stream_names: Names of the source's resource streams, which no report may take.
        auth: What to do with the credentials: drop them, keep those of Spotify for
            Spotify if they are all there, or fail unless all are there.

    Returns:
        A config that the tap accepts, once it has credentials.

    Raises:
        ConfigError: If the document can't be converted, with the reasons.
    """
    connection = read(document)
    conversion = (
        to_adstage.convert(connection, stream_names, with_auth=auth == "require")
        if to == "adstage"
        else to_spotify_ads.convert(connection, stream_names, auth)
    )
    credentials = {} if auth == "require" else {"access_token": "-"}
    parse(conversion.config | credentials, now=now, stream_names=stream_names)
    return conversion
