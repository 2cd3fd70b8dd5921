"""What all streams of the tap have in common."""

from __future__ import annotations

import abc
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

from tap_adstage.streams.batch_files import BatchFiles

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

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
