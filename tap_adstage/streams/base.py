"""What all streams of the tap have in common."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

if TYPE_CHECKING:
    from collections.abc import Generator

    from singer_sdk.helpers.types import Context

    from tap_adstage.runtime.statistics import RunStats


class BaseStream(Stream, abc.ABC):
    """A stream that may belong to another shard, and whose rows are counted.

    The message writer counts RECORD messages.
    """

    _stats: RunStats

    @property
    @abc.abstractmethod
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard reads it."""

    @property
    def selected(self) -> bool:
        """Whether the run reads it.

        The SDK writes nothing for a stream that isn't selected, so other shards' tables
        stay as they are. The catalog is the same for every shard.
        """
        return super().selected and self.runs_in_this_shard

    @selected.setter
    def selected(self, value: bool | None) -> None:
        vars(Stream)["selected"].__set__(self, value)  # `super()` has no setters

    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Count the records that the SDK itself puts into the files of BATCH messages.

        Only here is their number known: a stream map may drop records after
        `post_process`, and a finished file may have any format.
        """
        records = super()._sync_records(context, write_messages=write_messages)
        if write_messages:
            yield from records
            return
        for record in records:
            self._stats.current.rows += 1
            yield record
