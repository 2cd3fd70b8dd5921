"""A stream that writes a page at a time.

The SDK takes records one by one: it copies each to drop what is not selected, walks
through its values, and flushes its line. That is most of the time of a run with
millions of them. The SDK has no public hook for several records at once, so this
overrides its two loops over a stream's records: for RECORD and for BATCH messages. If a
feature of the SDK has to see each record (stream maps, flattening, a limit of records),
the SDK's own loops run. Both write the same lines.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import singer_sdk.singerlib as singer
from singer_sdk.mapper import SameRecordTransform

from tap_adstage.streams.base import BaseStream
from tap_adstage.streams.batch_files import BatchFiles
from tap_adstage.streams.message_writer import MessageWriter

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Iterable, Iterator

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records that are written together.

    Attributes:
        lines: Their JSON texts, each a line.
        count: The number of records.
        received: When they came, in UTC.
    """

    lines: bytes
    count: int
    received: dt.datetime

    def split(self, count: int) -> tuple[RecordPage, RecordPage]:
        """Cut off the first records.

        Args:
            count: How many, at most.

        Returns:
            The first records, and the others.
        """
        if count >= self.count:
            return self, replace(self, lines=b"", count=0)
        end = 0
        for _ in range(count):
            end = self.lines.index(b"\n", end) + 1
        first = replace(self, lines=self.lines[:end], count=count)
        return first, replace(self, lines=self.lines[end:], count=self.count - count)


class PageStream(BaseStream, abc.ABC):
    """A stream that can also read its records page by page."""

    @abc.abstractmethod
    def get_record_pages(self) -> Iterator[RecordPage]:
        """Read the records that `get_records` reads, as JSON texts."""

    def get_batches(
        self,
        batch_config: BatchConfig,
        context: Context | None = None,
    ) -> Iterable[tuple[BaseBatchFileEncoding, list[str]]]:
        """Write the files of BATCH messages.

        Args:
            batch_config: The storage, and the number of records in a file.
            context: The SDK's partition; there are none.

        Yields:
            The encoding, and the URL of a complete file.
        """
        if not self._writes_pages or batch_config.encoding.format != "jsonl":
            yield from super().get_batches(batch_config, context)
            return
        files = BatchFiles(batch_config, self.tap_name)
        size = int(batch_config.batch_size)
        pending: list[RecordPage] = []
        for page in self._counted_pages():
            rest = page
            while sum(part.count for part in pending) + rest.count >= size:
                first, rest = rest.split(size - sum(part.count for part in pending))
                yield batch_config.encoding, [self._write_file(files, pending, first)]
                pending.clear()
            pending.append(rest)
        if any(part.count for part in pending):
            yield batch_config.encoding, [self._write_file(files, pending)]

    def _write_file(
        self, files: BatchFiles, pending: list[RecordPage], *more: RecordPage
    ) -> str:
        pages = [*pending, *more]
        url = files.write_lines(self.name, (page.lines for page in pages))
        self._stats.current.rows += sum(page.count for page in pages)
        return url

    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Write all records; the SDK ignores what this yields."""
        writer = self._tap.message_writer
        if not (
            write_messages and self._writes_pages and isinstance(writer, MessageWriter)
        ):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        number = 0
        for page in self._counted_pages():
            number = self._write_page(writer, page, number)
            del page  # before the next one is made
        self._write_state_message()

    def _write_page(self, writer: MessageWriter, rest: RecordPage, number: int) -> int:
        """Write a page, after a number of records; return their new number."""
        message = singer.RecordMessage(
            stream=self.name,
            record={},
            version=self._stream_version,
            time_extracted=rest.received,
        )
        while rest.count:
            # The SDK writes a STATE each time that it has written so many records.
            room = self.STATE_MSG_FREQUENCY - number % self.STATE_MSG_FREQUENCY
            first, rest = rest.split(room)
            writer.write_records(message, first.lines)
            self.state_manager.is_flushed = False
            number += first.count
            if first.count == room:
                self._write_state_message()
        return number

    def _counted_pages(self) -> Iterator[RecordPage]:
        """Read the pages, count their records in the SDK's metrics, end the state."""
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            counter.with_context({})
            timer.with_context({})
            for page in self.get_record_pages():
                counter.increment(page.count)
                yield page
                del page  # before the next one is made
        self._finalize_state(self.stream_state)

    @property
    def _writes_pages(self) -> bool:
        """Whether nothing in use needs to see the records one by one."""
        (stream_map, *others) = self.stream_maps
        return (
            not others
            and type(stream_map) is SameRecordTransform
            and not stream_map.flattening_enabled
            and self.selected
            and self.ABORT_AT_RECORD_COUNT is None
        )
