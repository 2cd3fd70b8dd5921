"""The fields of Spotify's reports, as a list of them shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.config.spotify_ads import E_CPM, FIELDS
from tap_adstage.reports.field_list import ListedField

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = {
    "OFF_SPOTIFY_IMPRESSIONS": "Off-Spotify impressions",
    "CTR": "Click-through rate",
    E_CPM: "Effective cost per thousand impressions",
    "E_CPCL": "Effective cost per completed listen",
}
"""Names that an id alone doesn't give."""


def listed_fields() -> Iterator[ListedField]:
    """List all fields, in the order of their table."""
    for id_, field in FIELDS.items():
        where = "levels and audiences" if field.in_audiences else "levels alone"
        yield ListedField(
            id=id_,
            name=_NAMES.get(id_, id_.replace("_", " ").capitalize()),
            format="adds up" if field.is_additive else "doesn't add up",
            networks=("spotify",),
            where=where,
        )
