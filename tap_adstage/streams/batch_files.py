"""The files that BATCH messages name.

The SDK's own batchers compress JSON lines whatever the encoding says, and take a
file's columns from its first record. They have no hook for either, so files of all
encodings are written here.
"""

from __future__ import annotations

import gzip
from contextlib import suppress
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.singerlib.json import serialize_json

from tap_adstage.exceptions import ConfigError
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LEVEL = 1
"""Level of gzip. Lines of one stream are much alike, so a higher level takes several
times longer and saves little."""

_LONG = 10**15
"""The smallest whole number of more than 15 digits."""


class BatchFiles:
    """The files of one stream's BATCH messages, in the encoding that these name."""

    def __init__(self, config: BatchConfig, tap_name: str) -> None:
        """Write nothing yet.

        Args:
            config: The encoding and the storage.
            tap_name: The start of each file's name, after the prefix.
        """
        self._storage = config.storage
        self._encoding = config.encoding
        self._is_gzipped = config.encoding.compression == "gzip"
        self._tap_name = tap_name
        self._run = uuid4()
        self._number = 0

    def write_records(self, stream: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Write a file of records, and return its URL.

        Args:
            stream: Name of the stream in messages.
            records: The records; at least one.
        """
        if self._encoding.format == "jsonl":
            lines = (f"{serialize_json(record)}\n".encode() for record in records)
            return self.write_lines(stream, lines)
        name = self._next_name(stream, "parquet")
        with self._storage.open(name, "wb") as file:
            _write_parquet(file, records, "gzip" if self._is_gzipped else "none")
        return self._storage.get_url(name)

    def write_lines(self, stream: str, lines: Iterable[bytes]) -> str:
        """Write a file of JSON lines, and return its URL.

        Args:
            stream: Name of the stream in messages.
            lines: Pieces of whole lines.
        """
        name = self._next_name(stream, "json.gz" if self._is_gzipped else "json")
        with self._storage.open(name, "wb") as file:
            if self._is_gzipped:
                with gzip.GzipFile(
                    fileobj=file, mode="wb", compresslevel=_LEVEL
                ) as compressed:
                    compressed.writelines(lines)
            else:
                file.writelines(lines)
        return self._storage.get_url(name)

    def check(self) -> None:
        """Write an empty file, and delete it.

        Raises:
            ConfigError: If the storage can't be written.
        """
        name = self._next_name("check", "tmp")
        file: Any
        try:
            with self._storage.open(name, "wb") as file:
                pass
        except Exception as error:  # noqa: BLE001 - each storage has errors of its own
            reason = excerpt(str(error) or type(error).__name__)
            line = (
                f"batch_config.storage: {excerpt(self._storage.root)} could not be "
                f"written: {reason}; it takes a folder that the tap can write"
            )
            raise ConfigError([line]) from None
        # Who may write need not be allowed to delete; no message names the file.
        with suppress(Exception):
            file.fs.rm(file.path)

    def _next_name(self, stream: str, suffix: str) -> str:
        self._number += 1
        prefix = self._storage.prefix or ""
        return f"{prefix}{self._tap_name}--{stream}-{self._run}-{self._number}.{suffix}"


def check_storage(batch_config: Mapping[str, Any] | None, tap_name: str) -> None:
    """Try to write to the storage of BATCH messages, if there are any.

    Args:
        batch_config: The setting, of valid form.
        tap_name: The start of each file's name, after the prefix.

    Raises:
        ConfigError: If the storage can't be written.
    """
    if batch_config:
        BatchFiles(BatchConfig.from_dict({**batch_config}), tap_name).check()


def _write_parquet(
    file: IO[bytes], records: Sequence[Mapping[str, Any]], compression: str
) -> None:
    import pyarrow as pa  # type: ignore[import-untyped] # noqa: PLC0415 - an extra
    import pyarrow.parquet  # type: ignore[import-untyped] # noqa: PLC0415

    names = dict.fromkeys(name for record in records for name in record)
    table = pa.table(
        {name: _column([record.get(name) for record in records]) for name in names}
    )
    pyarrow.parquet.write_table(table, file, compression=compression)


def _column(values: list[Any]) -> list[Any]:
    """Make values of one type, as Parquet's columns have one.

    Numbers stay exact: if one of them is a decimal, or has too many digits to share a
    column with fractions, all become decimals. Parquet has no objects without members,
    so these become null.
    """
    if any(map(_is_long, values)):
        return [None if value is None else Decimal(str(value)) for value in values]
    return [None if value == {} else value for value in values]


def _is_long(value: object) -> bool:
    """Whether a value is a number that a float may not hold exactly."""
    if isinstance(value, Decimal):
        return True
    return isinstance(value, int) and abs(value) >= _LONG
