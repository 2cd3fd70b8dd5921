"""A report's bookmark: how it is kept in the state, and how far it may move."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tap_adstage.config.shards import Shard
from tap_adstage.date_ranges import DateRangeError, parse_day
from tap_adstage.exceptions import StateError
from tap_adstage.reports.history import (
    CatchUp,
    History,
    joined_digests,
    split_digests,
)
from tap_adstage.reports.windows import slice_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    T = TypeVar("T")

REPLICATION_KEYS = ("date", "start_time")
"""The columns that a bookmark may be of; the second one has hours."""

HOUR = "hour"
_LAST_HOUR = "T23:00:00Z"

KEYS = (
    "replication_key",
    "replication_key_value",
    "aggregate_by",
    "shard",
    "question",
    "accounts",
    "catch_up",
)
"""The keys of a bookmark."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The last slice that a report has completely written.

    A report by the hour has slices of days, too: its bookmark is the day's last hour.

    Attributes:
        date: First day of that slice.
        aggregate_by: Length of the report's slices; `None` if the state doesn't have
            it, and then any length may resume.
        shard: Part of the accounts that were read.
        history: What is written up to that slice.
    """

    date: dt.date
    aggregate_by: str | None
    shard: Shard
    history: History = field(default_factory=History)

    @classmethod
    def read(cls, stream: str, state: Mapping[str, Any]) -> Bookmark | None:
        """Read a stream's state.

        Args:
            stream: Name of the stream, for an error.
            state: The value of `bookmarks.{stream}`.

        Returns:
            The bookmark, or `None` if there is none.

        Raises:
            StateError: If its value is not a day or an hour, its key is not a
                replication key, its shard is not a shard, or its history is not as the
                tap writes it.
        """
        value = state.get("replication_key_value")
        if value is None:
            return None
        key = state.get("replication_key", REPLICATION_KEYS[0])
        if key not in REPLICATION_KEYS:
            raise StateError(
                f"state: bookmarks.{stream}.replication_key is "
                f"{json.dumps(key, default=str)}, not {' or '.join(REPLICATION_KEYS)}; "
                "is it another tap's state? Correct it, or remove the stream's "
                "bookmark to start over",
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
        history = History(
            _read_key(
                stream, state, "question", _question, "a list of names and values"
            ),
            _read_key(stream, state, "accounts", split_digests, "a text of digests"),
            _read_key(stream, state, "catch_up", _catch_ups, "days and digests") or (),
        )
        return cls(day, state.get("aggregate_by"), shard, history)

    def write(self, state: dict[str, Any], *, starts_over: bool = False) -> None:
        """Write into a stream's state.

        The question is a list, as whoever merges states (Meltano, after a run that
        failed) replaces a list whole, and would leave stale members in an object. For
        the same reason, starting over leaves an empty list of catch-ups.

        Args:
            state: The value of `bookmarks.{stream}`; it is changed.
            starts_over: Whether the run reads from the beginning, so that places in the
                state are void.
        """
        history = self.history
        is_hour = self.aggregate_by == HOUR
        state["replication_key"] = REPLICATION_KEYS[is_hour]
        state["replication_key_value"] = self.value
        state["aggregate_by"] = self.aggregate_by
        stale = state.get("catch_up")
        for key in ("shard", "question", "accounts", "catch_up"):
            state.pop(key, None)
        if not self.shard.is_whole:
            state["shard"] = str(self.shard)
        if history.question is not None:
            state["question"] = [[*pair] for pair in history.question.items()]
        if history.accounts is not None:
            state["accounts"] = joined_digests(history.accounts)
        if history.catch_ups or stale == [] or (starts_over and stale is not None):
            state["catch_up"] = [
                [catch_up.through.isoformat(), joined_digests(catch_up.accounts)]
                for catch_up in history.catch_ups
            ]

    @property
    def value(self) -> str:
        """The value of the replication key that it stands for."""
        is_hour = self.aggregate_by == HOUR
        return self.date.isoformat() + (_LAST_HOUR if is_hour else "")

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
                f"slices of {_one(self.aggregate_by)}, and the report has slices of "
                f"{_one(aggregate_by)}; stale rows stay in the table unless you empty "
                "it, or give the report a new name"
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

    def warning(self, bookmark: dt.date) -> str:
        """Write a warning that the bookmark was held, with the reason.

        Args:
            bookmark: The bookmark at the end of the run.
        """
        return (
            f"bookmark held at {bookmark}, as {self.reason}; the next run fetches late "
            "data"
        )


def _read_key(
    stream: str,
    state: Mapping[str, Any],
    key: str,
    read: Callable[[Any], T],
    takes: str,
) -> T | None:
    """Read a part of the history; `None` if the state doesn't have it."""
    if state.get(key) is None:
        return None
    try:
        return read(state[key])
    except (ValueError, TypeError):  # of dates too: DateRangeError is a ValueError
        raise _error(stream, key, state[key], takes) from None


def _question(pairs: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    question = dict(pairs)
    if not all(isinstance(value, (str, list)) for value in question.values()):
        raise ValueError("not a text or a list")
    return question


def _catch_ups(pairs: Any) -> tuple[CatchUp, ...]:  # noqa: ANN401 - any JSON value
    return tuple(CatchUp(split_digests(text), parse_day(day)) for day, text in pairs)


def advance_bookmark(bookmark: dt.date | None, finished: dt.date) -> dt.date:
    """Move a bookmark on, and never back.

    Args:
        bookmark: The bookmark so far, if any.
        finished: First day of the last slice just written.

    Returns:
        The later of the two.
    """
    return finished if bookmark is None else max(bookmark, finished)


def cap_bookmark(
    finished: dt.date,
    aggregate_by: str,
    through: dt.date | None,
    first: dt.date,
) -> dt.date:
    """Keep a bookmark from passing a day.

    A day before the run's first slice counts as that slice. Then the next run fetches
    all of this one's days again, and none before them.

    Args:
        finished: First day of the last slice just written.
        aggregate_by: `day`, `week`, `month` or `total`.
        through: The day not to pass; `None` if any day would be too late.
        first: First day of the run's first slice.

    Returns:
        The bookmark, no later than the slice of the day not to pass.
    """
    if through is None:
        return min(finished, first)
    # A total's one slice is any range.
    total = aggregate_by == "total"
    limit = through if total else slice_of(through, aggregate_by).start
    return min(finished, max(limit, first))


def _error(stream: str, key: str, value: object, takes: str) -> StateError:
    return StateError(
        f"state: bookmarks.{stream}.{key} is {json.dumps(value, default=str)}; it "
        f"takes {takes}. Correct it, or remove the stream's bookmark to start over",
    )


def _one(aggregate_by: str | None) -> str:
    return f"an {aggregate_by}" if aggregate_by == "hour" else f"a {aggregate_by}"
