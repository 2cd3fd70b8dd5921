"""A stream whose rows are counted where they end up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

if TYPE_CHECKING:
    from collections.abc import Generator

    from singer_sdk.helpers.types import Context

    from tap_adstage.runtime.statistics import RunStats


class CountedStream(Stream):
    """A stream with a stats. RECORD messages are counted where they are written."""

    _stats: RunStats

    def _sync_records(
        self,
        context: Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        """Count the records that the SDK itself puts into the files of BATCH messages.

        A file may be anything by the time that it is written, so there is no other
        place where their number is known.
        """
        records = super()._sync_records(context, write_messages=write_messages)
        if write_messages:
            yield from records
            return
        for record in records:
            self._stats.current.rows += 1
            yield record
