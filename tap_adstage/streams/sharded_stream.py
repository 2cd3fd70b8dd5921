"""A stream that not every shard reads."""

from __future__ import annotations

import abc

from singer_sdk import Stream


class ShardedStream(Stream, abc.ABC):
    """A stream that the run leaves to other shards where it isn't in its own.

    Of what isn't selected the SDK writes nothing at all, so that other shards' tables
    are left alone. The catalog that discovery writes is the same for every shard.
    """

    @property
    @abc.abstractmethod
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard is the one that reads it, or one of those."""

    @property
    def selected(self) -> bool:
        """Whether the run reads it."""
        return super().selected and self.runs_in_this_shard

    @selected.setter
    def selected(self, value: bool | None) -> None:
        vars(Stream)["selected"].__set__(self, value)  # `super()` has no setters
