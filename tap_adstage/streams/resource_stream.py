"""A table of resources as a stream: whole on every run, each key once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_adstage.exceptions import (
    ResponseError,
    ShortListError,
    TapError,
    error_context,
)
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


_MOST_ERRORS = 10
"""Errors of one stream that are logged each. A member is seldom wrong alone: a field
that changed its type is wrong in all of them."""


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
            stats: Counts duplicates and failures.
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
        same key, the first is written. A resource that lacks a part of its key, or has
        a value of another type than its column, fails alone.

        Args:
            context: The SDK's partition; resources have none.

        Returns:
            Records, with values of the columns' types.
        """
        del context
        return self._reading(self._records())

    def _records(self) -> Iterator[dict[str, Any]]:
        digests: dict[tuple[Any, ...], int] = {}  # a source may have 100,000 ads
        differing: list[str] = []
        unknown: set[str] = set()
        stats = self._stats.current
        for resource in self._source.resources(self.name):
            if isinstance(resource, TapError):
                self._skip(resource)
                continue
            unknown |= resource.keys() - self.schema["properties"].keys()
            try:
                with error_context(resource.place):
                    record = conform(resource, self.schema, "")
            except ResponseError as error:
                self._skip(error)
                continue
            key = tuple(record[name] for name in self._key)
            digest = hash(msgspec.json.encode(record, order="sorted"))
            if key not in digests:
                digests[key] = digest
                yield record
                continue
            stats.duplicates_skipped += 1
            if digest != digests[key]:
                differing.append(" ".join(map(str, key)))
        self._log_skipped(unknown, differing)

    def _skip(self, error: TapError) -> None:
        """Go on without what could not be read."""
        self._lacks_rows = True
        stats = self._stats.current
        if isinstance(error, ShortListError):  # there was a warning
            stats.missing.append(str(error))
            return
        text = stats.add_error(error)
        if len(stats.errors) <= _MOST_ERRORS:
            self.logger.error("%s: skipped: %s", self.name, text)

    def _log_skipped(self, unknown: set[str], differing: list[str]) -> None:
        """Log once what was skipped: fields, duplicates, and more errors."""
        stats = self._stats.current
        more = len(stats.errors) - _MOST_ERRORS
        if more > 0:
            self.logger.error("%s: skipped %d more", self.name, more)
        if unknown:
            self.logger.warning(
                "%s: skipped fields of %s that have no column: %s",
                self.name,
                self._source.name,
                excerpt(shorten(sorted(unknown))),
            )
        if differing:
            stats.missing.append(
                f"{len(differing)} resources have the key of another, but other values"
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
