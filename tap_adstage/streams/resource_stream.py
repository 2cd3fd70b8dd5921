"""A resource as a stream: whole on every run, each key once."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_adstage.adstage import hal
from tap_adstage.exceptions import error_context
from tap_adstage.http.json_values import conform
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import shorten
from tap_adstage.streams.counted_stream import CountedStream
from tap_adstage.streams.sharded_stream import ShardedStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.adstage.hal import Resource


class ResourceStream(ShardedStream, CountedStream):
    """A full table of resources, each key once.

    Attributes:
        key: Names of the key columns.
        columns: The columns, in the API's names; those of the key are required.
    """

    key: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[th.Property[Any], ...]]

    def __init__(self, tap: Tap, directory: Directory) -> None:
        """Make the stream.

        Args:
            tap: The tap.
            directory: Where the resources come from.
        """
        self._directory = directory
        self._stats = directory.stats
        super().__init__(tap, schema=th.PropertiesList(*self.columns).to_dict())
        self.primary_keys = self.key

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard is the first: resources are read whole."""
        return self._directory.config.shard.is_first

    @abc.abstractmethod
    def resources(self) -> Iterable[Resource]:
        """The resources as AdStage gives them, with what the stream adds to them."""

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read the resources' own fields that are columns; each key once.

        Lists that are paged by offset repeat a resource where another one is added
        between two pages, and AdStage's import status knows no ids. Of two resources
        with one key the first is written; that the second has other values is said.

        Args:
            context: The SDK's partition; resources have none.

        Yields:
            Records with keys that are not null and not repeated, and with values of
            the columns' types.

        Raises:
            ResponseError: If a resource lacks a part of its key, or has a value of
                another type than its column.
        """
        del context
        counts = self._stats.begin(self.name)
        records: dict[tuple[Any, ...], dict[str, Any]] = {}
        repeated = 0
        differing: list[str] = []
        unknown: set[str] = set()
        for resource in self.resources():
            fields = hal.own_fields(resource)
            unknown |= fields.keys() - self.schema["properties"].keys()
            with error_context(resource.place):
                record = conform(fields, self.schema, "")
            key = tuple(record[name] for name in self.key)
            if key not in records:
                records[key] = record
                continue
            repeated += 1
            if record != records[key]:
                differing.append(" ".join(map(str, key)))
        if unknown:
            self.logger.warning(
                "%s: AdStage also gives %s, for which there are no columns",
                self.name,
                excerpt(shorten(sorted(unknown))),
            )
        counts.duplicates_skipped = repeated
        if repeated:
            self.logger.warning(
                "%s: left out %d resources whose key (%s) came before, %s",
                self.name,
                repeated,
                ", ".join(self.key),
                f"with other values: {excerpt(shorten(differing))}"
                if differing
                else "with the same values",
            )
        yield from records.values()
