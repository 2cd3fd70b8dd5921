"""What all streams of the tap have in common."""

from __future__ import annotations

import abc
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

from tap_adstage.streams.batch_files import BatchFiles

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    import singer_sdk.singerlib as singer
    from singer_sdk.helpers._batch import (
        BaseBatchFileEncoding,
        BatchConfig,
        SDKBatchMessage,
    )
    from singer_sdk.helpers.types import Context

    from tap_adstage.runtime.statistics import RunStats


class BaseStream(Stream, abc.ABC):
    """A stream that may belong to another shard, and whose rows are counted.

    The message writer counts RECORD messages.
    """

    _stats: RunStats
    _file_streams: Mapping[str, str] = MappingProxyType({})
    """Name of the stream in messages, by the URL of its file of the last batch."""

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

    def get_batches(
        self,
        batch_config: BatchConfig,
        context: Context | None = None,
    ) -> Iterable[tuple[BaseBatchFileEncoding, list[str]]]:
        """Write the files of BATCH messages: what RECORD messages would hold.

        Args:
            batch_config: The storage, the encoding and the number of records in a file.
            context: The SDK's partition; there are none.

        Yields:
            The encoding, and the URLs of complete files.
        """
        files = BatchFiles(batch_config, self.tap_name)
        records = iter(self._sync_records(context, write_messages=False))
        while chunk := [*islice(records, int(batch_config.batch_size))]:
            streams: dict[str, list[dict[str, Any]]] = {}
            for record in chunk:
                for message in self._generate_record_messages(record):
                    streams.setdefault(message.stream, []).append(message.record)
            self._file_streams = {
                files.write_records(stream, written): stream
                for stream, written in streams.items()
            }
            self._stats.current.rows += sum(map(len, streams.values()))
            if self._file_streams:
                yield batch_config.encoding, [*self._file_streams]

    def _generate_batch_messages(
        self,
        encoding: BaseBatchFileEncoding,
        manifest: list[str],
    ) -> Generator[SDKBatchMessage, None, None]:
        """Make a BATCH message for each stream that stream maps make of this one.

        The SDK's messages name all files for each of them.
        """
        for message in super()._generate_batch_messages(encoding, manifest):
            message.manifest = [
                url
                for url in manifest
                if self._file_streams.get(url, self.name) == message.stream
            ]
            if message.manifest:
                yield message

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
