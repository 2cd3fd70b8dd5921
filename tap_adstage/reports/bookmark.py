"""A report's bookmark, as it is kept in the state."""

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
"""The keys of a bookmark."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The last slice that a report has completely written.

    Attributes:
        date: First day of that slice.
        aggregate_by: Length of the report's slices; `None` if the state doesn't have
            it, and then any length may resume.
        shard: Part of the accounts that were read.
    """

    date: dt.date
    aggregate_by: str | None
    shard: Shard

    @classmethod
    def read(cls, stream: str, state: Mapping[str, Any]) -> Bookmark | None:
        """Read a stream's state.

        Args:
            stream: Name of the stream, for an error.
            state: The value of `bookmarks.{stream}`.

        Returns:
            The bookmark, or `None` if there is none.

        Raises:
            StateError: If its value is not a day, its key is not `date`, or its shard
                is not a shard.
        """
        value = state.get("replication_key_value")
        if value is None:
            return None
        key = state.get("replication_key", REPLICATION_KEY)
        if key != REPLICATION_KEY:
            raise StateError(
                f"state: bookmarks.{stream}.replication_key is "
                f"{json.dumps(key, default=str)}, not {REPLICATION_KEY}; is it another "
                "tap's state? Correct it, or remove the stream's bookmark to start "
                "over",
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
            state: The value of `bookmarks.{stream}`; it is changed.
        """
        state["replication_key"] = REPLICATION_KEY
        state["replication_key_value"] = self.date.isoformat()
        state["aggregate_by"] = self.aggregate_by
        state.pop("shard", None)
        if not self.shard.is_whole:
            state["shard"] = str(self.shard)

    def why_stale(self, aggregate_by: str, shard: Shard) -> str | None:
        """Decide whether a report can't resume from it.

        Args:
            aggregate_by: Length of the report's slices.
            shard: The part of the accounts that the report reads.

        Returns:
            What the bookmark is of, for a warning; `None` if the report can resume.
        """
        if self.aggregate_by not in (None, aggregate_by):
            return (
                f"slices of a {self.aggregate_by}, and the report has slices of a "
                f"{aggregate_by}; stale rows stay in the table unless you empty it, or "
                "give the report a new name"
            )
        if not self.shard.covers(shard):
            return f"shard {self.shard}, which lacks accounts of shard {shard}"
        return None


@dataclass(frozen=True, slots=True)
class BookmarkCap:
    """How far a report's bookmark may go.

    Attributes:
        through: The last day that is complete in the source; `None` if no day is.
        reason: Why requested days are incomplete, if any are.
    """

    through: dt.date | None
    reason: str | None

    def warning(self, report: str, bookmark: dt.date) -> str:
        """Write a warning that the bookmark was held, with the reason.

        Args:
            report: Name of the report.
            bookmark: The bookmark at the end of the run.
        """
        return (
            f"{report}: bookmark held at {bookmark}, as {self.reason}; the next run "
            "fetches late data"
        )


def _error(stream: str, key: str, value: object, takes: str) -> StateError:
    return StateError(
        f"state: bookmarks.{stream}.{key} is {json.dumps(value, default=str)}; it "
        f"takes {takes}. Correct it, or remove the stream's bookmark to start over",
    )
