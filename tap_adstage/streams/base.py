"""What all streams of the tap have in common."""

from __future__ import annotations

import abc
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from singer_sdk import Stream

from tap_adstage.exceptions import TapError
from tap_adstage.runtime.statistics import FAILED
from tap_adstage.streams.batch_files import BatchFiles

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    import singer_sdk.singerlib as singer
    from singer_sdk.helpers._batch import (
        BaseBatchFileEncoding,
        BatchConfig,
        SDKBatchMessage,
    )
    from singer_sdk.helpers.types import Context

    from tap_adstage.runtime.statistics import RunStats

    T = TypeVar("T")


class BaseStream(Stream, abc.ABC):
    """A stream that fails alone, may belong to another shard, and counts its rows.

    The message writer counts RECORD messages.
    """

    _stats: RunStats
    _lacks_rows = False
    """Whether a row that belongs in the table may not be among those that were read."""
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
        return self.is_selected_in_catalog and self.runs_in_this_shard

    @selected.setter
    def selected(self, value: bool | None) -> None:
        vars(Stream)["selected"].__set__(self, value)  # `super()` has no setters

    @property
    def is_selected_in_catalog(self) -> bool:
        """Whether it is selected, in whichever shard it is read."""
        return super().selected

    # --- failures ---

    def _reading(self, records: Iterator[T]) -> Iterator[T]:
        """Read the stream; if that fails, log the error and end with what was read.

        To the SDK a stream that failed ends like any other. So it writes what was read,
        including a last file of BATCH messages, with the STATE that goes with it, and
        takes the next stream.

        Args:
            records: Records or pages of them.

        Yields:
            The same.

        Raises:
            TapError: If nothing else could be read either.
        """
        self._stats.begin(self.name)
        try:
            yield from records
        except TapError as error:
            if error.ends_run:
                raise
            self._fail(error)

    def _fail(self, error: TapError) -> None:
        """Log and count the error that ended the stream."""
        self._log_error(error)
        self._stats.current.status = FAILED

    def _log_error(self, error: TapError) -> None:
        """Log and count an error of the stream, or of a part of it."""
        self._lacks_rows = True
        # The error is kept to the end of the run, and these hold pages and rows.
        error.__traceback__ = error.__context__ = None
        text = self._stats.current.add_error(error)
        self.logger.error("%s: failed: %s", self.name, text)

    # --- stale rows ---
    #
    # ACTIVATE_VERSION removes all rows of earlier versions from the table. The SDK
    # writes it before the first row, so a stream that fails leaves an empty table.

    @property
    def emit_activate_version_messages(self) -> bool:
        """Whether stale rows are to be removed; rows in BATCH files have no version."""
        return super().emit_activate_version_messages and not self.writes_batches

    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Leave the message to the end of the stream."""

    def finalize_state_progress_markers(
        self,
        state: dict[str, Any] | None = None,
    ) -> None:
        """End the stream; have stale rows removed if it was read as a whole.

        Args:
            state: As the SDK gives it.
        """
        if self._stream_version is not None and not self._lacks_rows:
            super()._write_activate_version_message(self._stream_version)
        super().finalize_state_progress_markers(state)

    # --- BATCH messages ---

    @cached_property
    def writes_batches(self) -> bool:
        """Whether records go into files of BATCH messages."""
        return self.get_batch_config(self.config) is not None

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
