"""What all streams of the tap have in common."""

from __future__ import annotations

import abc
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

if TYPE_CHECKING:
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

        Of a stream that isn't selected the SDK writes nothing at all, so that other
        shards' tables are left alone. The catalog is the same for every shard.
        """
        return super().selected and self.runs_in_this_shard

    @selected.setter
    def selected(self, value: bool | None) -> None:
        vars(Stream)["selected"].__set__(self, value)  # `super()` has no setters

    def post_process(
        self,
        row: dict[str, Any],
        context: Context | None = None,
    ) -> dict[str, Any]:
        """Count a record that the SDK itself puts into a file of a BATCH message.

        A file may be anything by the time that it is written, so there is no other
        place that knows how many it has. Records of messages are counted as written.
        """
        del context
        self._stats.current.rows += self._writes_batches
        return row

    @cached_property
    def _writes_batches(self) -> bool:
        return self.get_batch_config(self.config) is not None
