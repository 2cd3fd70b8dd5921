"""Metrics of a row of Spotify's, and which fields are asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.columns import Column, Kind, ReportColumns
from tap_adstage.spotify_ads.metrics import MetricReader, e_cpm, fields_to_request

if TYPE_CHECKING:
    from collections.abc import Sequence


class Stat(NamedTuple):
    field_type: str
    field_value: Any


def row(*stats: tuple[str, Any]) -> list[Stat]:
    return [Stat(*pair) for pair in stats]


def read_all(
    rows: list[list[Stat]], *fields: str
) -> tuple[list[Sequence[Any]], list[list[str]]]:
    """Read rows: the values of each metric, and the columns that are hidden."""
    values = [[stat.field_value for stat in stats] for stats in rows]
    return MetricReader(columns(*fields)).read(rows, values)


def columns(*fields: str) -> ReportColumns:
    metrics = tuple(Column(name.lower(), name, Kind.METRIC) for name in fields)
    return ReportColumns(dates=(), fields=metrics, keys=(), group=None)


def read(fields: str, *stats: tuple[str, Any]) -> tuple[list[Any], list[str]]:
    """Read one row: the values of its metrics, and the columns that are hidden."""
    metrics, (hidden,) = read_all([row(*stats)], *fields.split())
    return [value for (value,) in metrics], hidden


def test_values_are_in_the_order_of_the_columns() -> None:
    values = read("SPEND CLICKS", ("CLICKS", 3), ("REACH", 9), ("SPEND", 1.5))
    assert values == ([1.5, 3], [])


def test_rows_of_other_orders_are_read_together() -> None:
    rows = [
        row(("CLICKS", 3), ("SPEND", 1.5)),
        row(("SPEND", 2.5), ("CLICKS", 4)),
        row(("CLICKS", 5)),
        row(),
        row(("CLICKS", 6), ("SPEND", 3.5)),
    ]
    metrics, hidden = read_all(rows, "SPEND", "CLICKS")
    assert [[*column] for column in metrics] == [
        [1.5, 2.5, None, None, 3.5],
        [3, 4, 5, None, 6],
    ]
    assert hidden == [[]] * 5
    assert read_all([], "SPEND") == ([()], [])


def test_each_row_has_what_is_hidden_of_its_own() -> None:
    rows = [row(("LEADS", 7)), row(("LEADS", -5)), row()]
    metrics, hidden = read_all(rows, "LEADS")
    assert metrics == [[7, None, None]]
    assert hidden == [[], ["leads"], []]


@pytest.mark.parametrize("hidden", [-5, -5.0, Decimal("-5.0")])
def test_what_is_below_the_threshold_is_null_and_named(hidden: object) -> None:
    values = read("CLICKS LEADS REVENUE", ("REVENUE", hidden), ("LEADS", hidden))
    assert values == ([None, None, None], ["leads", "revenue"])


def test_only_conversions_are_hidden() -> None:
    assert read("CLICKS LEADS", ("CLICKS", -5), ("LEADS", 5)) == ([-5, 5], [])


def test_one_value_twice_counts_once_and_two_are_an_error() -> None:
    assert read("CLICKS", ("CLICKS", 3), ("CLICKS", 3.0)) == ([3], [])
    with pytest.raises(ResponseError, match="CLICKS twice, with the values 3 and 4"):
        read("CLICKS", ("CLICKS", 3), ("CLICKS", 4))


@pytest.mark.parametrize(
    ("spend", "impressions", "expected"),
    [
        (17.482913, 1920, 9.10568385416667),
        (0.1, 3, 33.3333333333333),
        (1, 3.0, 333.333333333333),
        (Decimal("17.482913"), 1920, 9.10568385416667),
        (0, 5, 0.0),
        (1.5, 0, None),
        (1.5, None, None),
        (None, 5, None),
    ],
)
def test_e_cpm_is_computed_to_15_digits(
    spend: Any,  # noqa: ANN401
    impressions: Any,  # noqa: ANN401
    expected: float | None,
) -> None:
    assert e_cpm(spend, impressions) == expected


def test_e_cpm_takes_no_value_of_spotifys_own() -> None:
    values = read("E_CPM", ("E_CPM", 1), ("IMPRESSIONS", 1000), ("SPEND", 2))
    assert values == ([2.0], [])


@pytest.mark.parametrize(
    ("fields", "selected", "requested"),
    [
        ("CLICKS REACH", "clicks", ["CLICKS"]),
        ("E_CPM", "e_cpm", ["SPEND", "IMPRESSIONS"]),
        ("IMPRESSIONS E_CPM", "impressions e_cpm", ["IMPRESSIONS", "SPEND"]),
        ("CLICKS", "", ["IMPRESSIONS"]),
    ],
)
def test_what_is_asked_for(fields: str, selected: str, requested: list[str]) -> None:
    names = fields_to_request(columns(*fields.split()), selected.split())
    assert [*names] == requested
