"""What all streams of the tap have in common."""

from __future__ import annotations

import abc
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    import singer_sdk.singerlib as singer
    from singer_sdk.helpers.types import Context

    from tap_adstage.runtime.statistics import RunStats


class BaseStream(Stream, abc.ABC):
    """A stream that may belong to another shard, and whose rows are counted.

    The message writer counts RECORD messages.
    """

    _stats: RunStats

    @property
    def named_fields(self) -> Mapping[str, str]:
        """The field of each column that the user can name."""
        return {}

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

    def _generate_record_messages(
        self, record: dict[str, Any]
    ) -> Generator[singer.RecordMessage, None, None]:
        """Make the messages of a record; if it is flattened, with the keys of SCHEMA.

        The SDK flattens the members that an object has, and in SCHEMA those that it is
        known to have. So a null, or a member more or less, would make other keys.
        """
        for message in super()._generate_record_messages(record):
            columns = self._flattened_columns.get(message.stream)
            if columns is not None:
                self._warn_of_members(message.record, columns)
                message.record = {name: message.record.get(name) for name in columns}
            yield message

    @cached_property
    def _flattened_columns(self) -> dict[str, list[str]]:
        """Names of the columns of each stream that the SDK flattens."""
        return {
            stream_map.stream_alias: [*stream_map.transformed_schema["properties"]]
            for stream_map in self.stream_maps
            if stream_map.flattening_enabled
        }

    def _warn_of_members(self, record: dict[str, Any], columns: Iterable[str]) -> None:
        """Warn once of each member of an object that has no column."""
        values = {name for name, value in record.items() if value is not None}
        for name in sorted(values - {*columns} - self._skipped_members):
            self._skipped_members.add(name)
            self.logger.warning(
                "%s: skipped %s, as flattening makes columns of documented members "
                "alone; request it as a field of its own, if it can be one",
                self.name,
                name,
            )

    @cached_property
    def _skipped_members(self) -> set[str]:
        return set()
