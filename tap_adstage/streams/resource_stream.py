"""A table of resources as a stream: whole on every run, each key once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.exceptions import error_context
from tap_adstage.http.json_values import conform
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import shorten
from tap_adstage.streams.base import BaseStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_adstage.runtime.statistics import RunStats
    from tap_adstage.source import ResourceTable, Source


class ResourceStream(BaseStream):
    """A full table of resources, each key once."""

    def __init__(
        self,
        tap: Tap,
        table: ResourceTable,
        source: Source,
        stats: RunStats,
    ) -> None:
        """Make the stream.

        Args:
            tap: The tap.
            table: Its name, key and columns.
            source: The source of the resources.
            stats: Counts duplicates.
        """
        self._source = source
        self._stats = stats
        super().__init__(tap, schema=table.schema, name=table.name)
        self._key = table.key
        self.primary_keys = table.key

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard is the first, which reads all resources."""
        return self._source.config.shard.is_first

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read the resources' own fields that are columns; each key once.

        Lists that are paged by offset repeat a resource if another one is added between
        two pages, and AdStage's import status has no ids. Of two resources with the
        same key, the first is written.

        Args:
            context: The SDK's partition; resources have none.

        Yields:
            Records, with values of the columns' types.

        Raises:
            ResponseError: If a resource lacks a part of its key, or has a value of
                another type than its column.
        """
        del context
        stats = self._stats.begin(self.name)
        records: dict[tuple[Any, ...], dict[str, Any]] = {}
        differing: list[str] = []
        unknown: set[str] = set()
        for resource in self._source.resources(self.name):
            unknown |= resource.keys() - self.schema["properties"].keys()
            with error_context(resource.place):
                record = conform(resource, self.schema, "")
            key = tuple(record[name] for name in self._key)
            if records.setdefault(key, record) is record:
                continue
            stats.duplicates_skipped += 1
            if record != records[key]:
                differing.append(" ".join(map(str, key)))
        if unknown:
            self.logger.warning(
                "%s: skipped fields of %s that have no column: %s",
                self.name,
                self._source.name,
                excerpt(shorten(sorted(unknown))),
            )
        if stats.duplicates_skipped:
            self.logger.warning(
                "%s: skipped %d resources with a duplicate key (%s), %s",
                self.name,
                stats.duplicates_skipped,
                ", ".join(self._key),
                f"with different values: {excerpt(shorten(differing))}"
                if differing
                else "with the same values",
            )
        yield from records.values()
