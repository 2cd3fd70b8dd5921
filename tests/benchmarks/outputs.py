"""What contestants wrote: how many records, and whether they are the same."""

from __future__ import annotations

import gzip
import json
import re
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_TIME = re.compile(rb'(?<="time_extracted":")[^"]*')


def count_records(stdout: Path) -> int:
    """Count the RECORD messages, and the records in the files of BATCH messages."""
    with stdout.open("rb") as lines:
        records = sum(line.startswith(b'{"type":"RECORD"') for line in lines)
    return records + sum(1 for _ in _batched(stdout))


def check_count(stdout: Path, expected: int) -> None:
    """Refuse a run that wrote more or less than it should have."""
    found = count_records(stdout)
    if found != expected:
        raise click.ClickException(f"{stdout}: {found} records and not {expected}")


def check_same_records(stdouts: Iterable[Path]) -> None:
    """Refuse runs that did not write the same records in the same order.

    Numbers are compared by value: 5 is the same as 5.0.
    """
    one, *others = stdouts
    for other in others:
        for number, (left, right) in enumerate(
            zip_longest(_record_lines(one), _record_lines(other)), 1
        ):
            if left != right and _record(left) != _record(right):
                raise click.ClickException(
                    f"{one} and {other} differ in record {number}:\n{left!r}\n{right!r}"
                )


def check_same_lines(stdouts: Iterable[Path]) -> None:
    """Refuse runs that differ in any line, but for the time that they give."""
    one, *others = stdouts
    for other in others:
        with one.open("rb") as ours, other.open("rb") as theirs:
            for number, (left, right) in enumerate(zip_longest(ours, theirs), 1):
                if _TIME.sub(b"", left or b"") != _TIME.sub(b"", right or b""):
                    raise click.ClickException(
                        f"{one} and {other} differ in line {number}:\n{left!r}\n"
                        f"{right!r}"
                    )


def _record_lines(stdout: Path) -> Iterator[bytes]:
    """The lines that hold records, but for the time that they give."""
    with stdout.open("rb") as lines:
        for line in lines:
            if line.startswith(b'{"type":"RECORD"'):
                yield _TIME.sub(b"", line)
    yield from _batched(stdout)


def _batched(stdout: Path) -> Iterator[bytes]:
    """The lines of the files that BATCH messages name."""
    with stdout.open("rb") as lines:
        batches = [
            json.loads(line) for line in lines if b'"type":"BATCH"' in line[:200]
        ]
    for batch in batches:
        for url in batch["manifest"]:
            with gzip.open(url2pathname(urlparse(url).path), "rb") as records:
                yield from records


def _record(line: bytes | None) -> dict[str, Any]:
    """The record of a line, its numbers exact; empty without a line."""
    document: dict[str, Any] = json.loads(line or b"{}", parse_float=Decimal)
    record: dict[str, Any] = document.get("record", document)
    return record
