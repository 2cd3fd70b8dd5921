"""A report's bookmark, as it stands in the state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_adstage.config.shards import Shard
from tap_adstage.date_ranges import DateRangeError, parse_day
from tap_adstage.exceptions import StateError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

REPLICATION_KEY = "date"
KEYS = ("replication_key", "replication_key_value", "aggregate_by", "shard")
"""What a bookmark holds."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a report has come.

    Attributes:
        date: First day of the last slice that is completely written.
        aggregate_by: Length of the slices that it counts; `None` in a state that does
            not say, which then goes for any.
        shard: Part of the accounts that has come so far.
    """

    date: dt.date
    aggregate_by: str | None
    shard: Shard

    @classmethod
    def read(cls, stream: str, state: Mapping[str, Any]) -> Bookmark | None:
        """Read a stream's state.

        Args:
            stream: Name of the stream, for an error.
            state: What stands under `bookmarks.{stream}`.

        Returns:
            The bookmark, or `None` where there is none.

        Raises:
            StateError: If what stands there is not a day, or not of `date`, or of no
                shard.
        """
        value = state.get("replication_key_value")
        if value is None:
            return None
        key = state.get("replication_key", REPLICATION_KEY)
        if key != REPLICATION_KEY:
            raise StateError(
                f"state: bookmarks.{stream} counts {json.dumps(key, default=str)}, "
                f"and the tap's reports count {REPLICATION_KEY}; is it another tap's? "
                "Correct it, or remove the stream's bookmark to start over",
            )
        try:
            day = parse_day(value)
        except (DateRangeError, TypeError):
            raise _error(
                stream, "replication_key_value", value, "a date such as 2024-01-31"
            ) from None
        part = state.get("shard", str(Shard()))
        try:
            shard = Shard.parse(part)
        except (ValueError, TypeError):
            raise _error(stream, "shard", part, "a shard such as 3/8") from None
        return cls(day, state.get("aggregate_by"), shard)

    def write(self, state: dict[str, Any]) -> None:
        """Write into a stream's state.

        Args:
            state: What stands under `bookmarks.{stream}`; it is changed.
        """
        state["replication_key"] = REPLICATION_KEY
        state["replication_key_value"] = self.date.isoformat()
        state["aggregate_by"] = self.aggregate_by
        state.pop("shard", None)
        if not self.shard.is_whole:
            state["shard"] = str(self.shard)

    def counts(self, aggregate_by: str) -> bool:
        """Whether it can be gone on from with slices of this length."""
        return self.aggregate_by in (None, aggregate_by)


def _error(stream: str, key: str, value: object, takes: str) -> StateError:
    return StateError(
        f"state: bookmarks.{stream}.{key} is {json.dumps(value, default=str)}; it "
        f"takes {takes}. Correct it, or remove the stream's bookmark to start over",
    )
