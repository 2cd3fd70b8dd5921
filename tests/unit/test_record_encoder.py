"""Records as JSON lines: which columns they have, and how numbers are written."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from harness.reports import report_config, report_of
from singer_sdk.singerlib import SelectionMask

from tap_adstage.adstage.page import Page
from tap_adstage.date_ranges import DateRange
from tap_adstage.reports.rows import Row, RowPage
from tap_adstage.reports.windows import Window, slice_of
from tap_adstage.runtime.redaction import Secrets
from tap_adstage.streams.record_encoder import RecordEncoder

DAYS = (dt.date(2024, 3, 18), dt.date(2024, 3, 19))
WINDOW = Window(DateRange(*DAYS), tuple(slice_of(day, "day") for day in DAYS))
REPORT = report_of(
    report_config(entity_level="ads", fields=["clicks", "spend"]),
    [{"id": "clicks"}, {"id": "spend"}],
)
COLUMNS = REPORT.columns
PAGE = RowPage(WINDOW.slices, [Row(("a", "quora", "USD"), [[1, 2], [0.5, None]])])


def lines(known: tuple[str, ...], *deselected: str) -> list[dict[str, Any]]:
    mask = SelectionMask({("properties", name): False for name in deselected})
    ((_, text),) = RecordEncoder(COLUMNS, mask, known).encode(PAGE)
    return [json.loads(line) for line in text.splitlines()]


def test_there_is_a_line_for_each_slice() -> None:
    first, second = lines(COLUMNS.names)
    assert [*first] == [*COLUMNS.names]
    assert (first["date"], first["clicks"], first["spend"]) == ("2024-03-18", 1, 0.5)
    assert (second["date"], second["clicks"], second["spend"]) == (
        "2024-03-19",
        2,
        None,
    )


def test_a_column_that_the_schema_lacks_is_not_written() -> None:
    known = tuple(name for name in COLUMNS.names if name != "clicks")
    assert all([*record] == [*known] for record in lines(known))


@pytest.mark.parametrize("written", ["network", "date", "clicks"])
def test_one_column_is_enough_for_a_line_for_each_slice(written: str) -> None:
    others = [name for name in COLUMNS.names if name != written]
    assert [[*record] for record in lines(COLUMNS.names, *others)] == [[written]] * 2


def test_without_any_column_records_are_empty() -> None:
    assert lines(()) == [{}, {}]


@pytest.mark.parametrize(
    "number", ["1.0e-05", "5.0e-5", "1.50", "1e5", "1E-7", "-0.0", "120.0", "7"]
)
def test_a_number_is_written_the_same_whatever_else_is_on_its_page(number: str) -> None:
    def written(other: str) -> bytes:
        result: dict[str, Any] = {
            "summary": {"meta": {"entity_id": "a"}},
            "series": {"metrics": {"clicks": [1, 2], "spend": ["X", "Y"]}},
        }
        timestamps = [f"{day}T00:00:00Z" for day in DAYS]
        document = {
            "type": "timeseries",
            "time": {"timestamps": timestamps},
            "_embedded": {"results": [result]},
        }
        text = json.dumps(document).replace('"X"', number).replace('"Y"', other)
        row_page, _ = REPORT.read(Page.read(text.encode(), Secrets()), WINDOW)
        mask = SelectionMask()
        ((_, lines),) = RecordEncoder(COLUMNS, mask, COLUMNS.names).encode(row_page)
        return lines.splitlines()[0]

    assert written("2.5") == written("0.12345678901234567")
