"""A resource as a stream: whole on every run, each key once."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk import typing as th

from tap_adstage import hal
from tap_adstage.exceptions import ResponseError
from tap_adstage.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_adstage.directory import Directory, Resource


class ResourceStream(Stream):
    """A full table of resources, each key once.

    Attributes:
        key: Names of the key columns.
        columns: The columns, in the API's names.
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
        super().__init__(tap, schema=th.PropertiesList(*self.columns).to_dict())
        self.primary_keys = self.key

    @abc.abstractmethod
    def resources(self) -> Iterable[Resource]:
        """The resources as AdStage gives them, with what the stream adds to them."""

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read the resources' own fields; a key that comes again is left out.

        Lists that are paged by offset repeat a resource where another one is added
        between two pages.

        Args:
            context: The SDK's partition; resources have none.

        Yields:
            Records with keys that are not null and not repeated.

        Raises:
            ResponseError: If a resource lacks a part of its key.
        """
        del context
        seen: set[tuple[Any, ...]] = set()
        repeated = 0
        for resource in self.resources():
            record = self._record(resource)
            key = tuple(record.get(name) for name in self.key)
            for name, part in zip(self.key, key, strict=True):
                if not isinstance(part, (str, int)):
                    raise ResponseError(
                        f"{self.name}: a resource's {name} is {excerpt(repr(part))}, "
                        "neither a text nor a number",
                    )
            if key in seen:
                repeated += 1
                continue
            seen.add(key)
            yield record
        if repeated:
            self.logger.warning(
                "%s: left out %d resources whose key (%s) came before",
                self.name,
                repeated,
                ", ".join(self.key),
            )

    def _record(self, resource: Resource) -> dict[str, Any]:
        """A resource's own fields; ids come as numbers here and as texts there."""
        record = hal.own_fields(resource)
        for column in self.columns:
            value = record.get(column.name)
            if isinstance(column.wrapped, type) and value is not None:
                record[column.name] = _as(column.wrapped, value)
        return record


def _as(kind: type, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if kind is th.StringType and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if kind is th.IntegerType and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value
