"""Rows that come again in a window: the same are written once, others not at all."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal
from typing import Any

import pytest

from tap_adstage.adstage.fields import FieldCatalog
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.config.parsing import parse
from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.duplicates import DuplicateFilter
from tap_adstage.runtime.statistics import RunStats

CATALOG = FieldCatalog.of([{"id": "clicks"}, {"id": "spend"}])
FACEBOOK = FieldCatalog.of([{"id": "clicks"}], is_external=True)


def repeats(catalog: FieldCatalog = CATALOG, **keys: Any) -> DuplicateFilter:  # noqa: ANN401
    given = {
        "name": "r",
        "entity_level": "accounts",
        "fields": ["clicks", "spend", "folder_names"],
        **keys,
    }
    config = parse(
        {"sandbox": True, "reports": [given]},
        now=dt.datetime(2024, 3, 20, tzinfo=dt.timezone.utc),
        stream_names=[],
    )
    columns = report_columns(config.reports[0], catalog)
    return DuplicateFilter(
        "r", columns, logging.getLogger("tap-adstage"), RunStats(lambda: 0.0)
    )


def row(**values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON value
    return [
        {
            "date": day,
            "entity_id": "/network/quora/account/1",
            "network": "quora",
            "clicks": clicks,
            "spend": Decimal("1.50"),
            "folder_names": ["Brand"],
            **values,
        }
        for day, clicks in (("2024-03-18", 1), ("2024-03-19", 2))
    ]


def test_a_row_that_comes_again_is_said_once_and_summed_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = repeats()
    assert seen.accept(row())
    assert [seen.accept(row()) for _ in range(3)] == [False] * 3
    seen.begin_window()
    assert [seen.accept(row()) for _ in range(2)] == [True, False]
    seen.sum_up()
    assert [r.getMessage() for r in caplog.records] == [
        (
            "r: the row of entity_id /network/quora/account/1 comes again with the "
            "same values; such rows are written once"
        ),
        "r: left out 8 records whose rows came before in their window",
    ]


def test_nothing_is_said_where_no_row_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = repeats()
    assert seen.accept(row())
    assert seen.accept(row(entity_id="/network/quora/account/2"))
    seen.sum_up()
    assert not caplog.records


@pytest.mark.parametrize(
    "values",
    [
        {"clicks": 1},
        {"spend": None},
        {"spend": Decimal("1.51")},
        {"network": "adwords"},
        {"folder_names": ["Brand", "Search"]},
    ],
)
def test_a_row_that_comes_again_otherwise_is_an_error(values: dict[str, Any]) -> None:
    seen = repeats()
    assert seen.accept(row())
    said = "the row of entity_id /network/quora/account/1 comes again with other values"
    with pytest.raises(ResponseError, match=said):
        seen.accept(row(**values))


def test_values_of_other_days_are_other_values() -> None:
    seen = repeats()
    first, second = row(clicks=7)
    assert seen.accept([first, second])
    with pytest.raises(ResponseError, match="other values"):
        seen.accept([first, {**second, "date": "2024-03-20"}])


def test_numbers_that_python_hashes_alike_are_not_the_same() -> None:
    seen = repeats()
    assert seen.accept(row(clicks=-1))
    with pytest.raises(ResponseError, match="other values"):
        seen.accept(row(clicks=-2))


def test_a_breakdown_s_rows_are_told_apart_by_all_their_keys() -> None:
    seen = repeats(
        FACEBOOK,
        provider="facebook",
        targets=["/network/facebook/account/10"],
        dimensions=["age", "gender"],
        fields=["clicks"],
    )
    assert seen.accept(row(age="18-24", gender="f"))
    assert seen.accept(row(age="18-24", gender="(none)"))
    said = r"entity_id /network/quora/account/1, age 18-24, gender f comes again"
    with pytest.raises(ResponseError, match=said):
        seen.accept(row(age="18-24", gender="f", clicks=9))


def test_a_group_s_rows_are_told_apart_by_the_group() -> None:
    seen = repeats(group_by="network")
    assert seen.accept(row())
    with pytest.raises(ResponseError, match="the row of network quora comes again"):
        seen.accept(row(clicks=9))
