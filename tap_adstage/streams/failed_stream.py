"""A report that could not be made, as a stream that fails alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.streams.base import BaseStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_adstage.exceptions import TapError
    from tap_adstage.runtime.statistics import RunStats
    from tap_adstage.source import Report


class FailedStream(BaseStream):
    """A report whose fields could not be looked up.

    It stays in the catalog, so that it is still selected when they can be.
    """

    def __init__(
        self,
        tap: Tap,
        outline: Report,
        error: TapError,
        stats: RunStats,
    ) -> None:
        """Make the stream.

        Args:
            tap: The tap.
            outline: The report, with the columns that are known without a look-up.
            error: The source's refusal.
            stats: Counts the failure.
        """
        self.error = error
        self._outline = outline
        self._stats = stats
        super().__init__(tap, schema=outline.columns.schema, name=outline.config.name)
        self.primary_keys = outline.columns.keys
        self.replication_key = outline.columns.replication_key

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard would read it."""
        return self._outline.runs_in_this_shard

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Fail with the error of the look-up, without any record.

        Args:
            context: The SDK's partition; reports have none.

        Returns:
            No records.
        """
        del context
        self._stats.begin(self.name)
        self._fail(self.error)
        return iter(())

    def _write_schema_message(self) -> None:
        """Write no SCHEMA: a loader would make columns of types that are guesses."""
