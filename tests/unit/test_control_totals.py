"""Control totals: what is compared, what rounding explains, and the messages."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import pytest
from harness.reports import read_totals, report_config
from hypothesis import given
from hypothesis import strategies as st

from tap_adstage.adstage.fields import FieldCatalog
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.adstage.summed_fields import SUMMED, control_fields, summed_fields
from tap_adstage.date_ranges import DateRange
from tap_adstage.reports.control_totals import ControlTotals, Tally
from tap_adstage.reports.rows import Row
from tap_adstage.reports.windows import Slice, Window, slice_of

if TYPE_CHECKING:
    from tap_adstage.config.adstage_settings import AdStageReportConfig
    from tap_adstage.reports.columns import ReportColumns

DESCRIPTORS = [{"id": name} for name in ("clicks", "spend", "conversions")]
CATALOG = FieldCatalog.of(DESCRIPTORS)
V2_PAGE = {"type": "timeseries", "_embedded": {"results": []}}
DAYS = (dt.date(2024, 3, 18), dt.date(2024, 3, 19))
WINDOW = Window(DateRange(*DAYS), tuple(slice_of(day, "day") for day in DAYS))
CENT = Decimal("0.01")


def report(**keys: Any) -> AdStageReportConfig:  # noqa: ANN401 - settings
    return report_config(
        **{"entity_level": "ads", "fields": ["clicks", "spend"], **keys}
    )


def columns(**keys: Any) -> ReportColumns:  # noqa: ANN401 - settings
    return report_columns(report(**keys), CATALOG)


def differences(
    rows: list[Row],
    control: ControlTotals,
    *,
    is_rounded: bool = True,
) -> list[str]:
    decided = columns()
    tally = Tally("AdStage", decided, summed_fields(decided, ["clicks", "spend"]))
    tally.add(rows)
    return [
        *tally.differences(control, is_rounded=is_rounded),
    ]


def row(slices: int = 1, clicks: Any = 0, spend: Any = 0) -> Row:  # noqa: ANN401
    """A row with the same metrics in each slice."""
    return Row(("a", "quora", "USD"), [[clicks] * slices, [spend] * slices])


def totals_of(counts: list[Any], sources: list[Any]) -> ControlTotals:
    return ControlTotals.of(SUMMED, counts, sources)


def totals(count: int | None, **sums: Any) -> ControlTotals:  # noqa: ANN401
    return totals_of([count], [sums])


def v1_totals(page: dict[str, Any], window: Window, **keys: Any) -> ControlTotals:  # noqa: ANN401
    return read_totals(page, window, report(**{"api_version": 1, **keys}), DESCRIPTORS)


# --- rows ---


def test_rows_are_counted_once_whatever_their_slices() -> None:
    rows = [row(2, clicks=2) for _ in range(3)]
    assert differences(rows, totals(3, clicks=12)) == []
    assert differences(rows, totals(4)) == [
        "entities: AdStage counts 4, 3 were written"
    ]
    assert differences(rows, totals(2)) == [
        "entities: AdStage counts 2, 3 were written"
    ]


def test_a_window_without_rows_is_compared_too() -> None:
    assert differences([], totals(0, clicks=None)) == []
    assert differences([], totals(7, clicks=3)) == [
        "entities: AdStage counts 7, 0 were written",
        "clicks: AdStage's total is 3, the rows written sum to 0",
    ]


def test_what_adstage_does_not_give_is_not_compared() -> None:
    unusable = totals_of(
        [None, "3", True],
        [None, {"clicks": "7", "spend": None}, {"clicks": True}],
    )
    assert differences([row(clicks=5)], unusable) == []


def test_one_of_several_counts_is_enough() -> None:
    control = totals_of([90, 2], [])
    assert differences([row(), row()], control) == []
    assert differences([row()], control) == [
        "entities: AdStage counts 2 or 90, 1 were written"
    ]


# --- sums ---


def test_counts_of_clicks_are_exact() -> None:
    rows = [row(clicks=1) for _ in range(1000)]
    assert differences(rows, totals(None, clicks=1000)) == []
    assert differences(rows, totals(None, clicks=999)) == [
        "clicks: AdStage's total is 999, the rows written sum to 1000"
    ]


@pytest.mark.parametrize(
    ("spends", "total", "says"),
    [
        (["0.10", "0.20"], "0.30", ""),
        (["0.10", "0.20"], "0.31", ""),  # 0.104 and 0.204 are 0.308
        (["0.10", "0.20"], "0.32", "0.32, the rows written sum to 0.30 (rounding"),
        (["1.5", "1.5"], "3.02", "3.02, the rows written sum to 3.0 (rounding"),
        (
            ["1", "2"],
            "3.02",
            "3.02, the rows written sum to 3 (rounding explains up to 0.015",
        ),
        (
            ["1", "2"],
            "4",
            "4, the rows written sum to 3 (rounding explains up to 0.015",
        ),
    ],
)
def test_rounding_to_cents_explains_half_a_cent_a_number(
    spends: list[str],
    total: str,
    says: str,
) -> None:
    rows = [row(spend=Decimal(spend)) for spend in spends]
    found = differences(rows, totals(None, spend=Decimal(total)))
    assert (says in found[0]) if says else (found == [])


def test_more_decimals_explain_less() -> None:
    rows = [row(spend=Decimal("0.1234")), row(spend=Decimal("0.1234"))]
    assert differences(rows, totals(None, spend=Decimal("0.2469"))) == []
    assert differences(rows, totals(None, spend=Decimal("0.2471"))) != []


def test_a_total_of_fewer_decimals_than_its_rows_is_rounded_further() -> None:
    rows = [row(spend=Decimal("0.1259")) for _ in range(4)]
    assert differences(rows, totals(None, spend=Decimal("0.50"))) == []
    assert differences(rows, totals(None, spend=Decimal("0.51"))) != []


def test_whole_counts_are_exact_however_they_are_written() -> None:
    rows = [row(clicks=Decimal("10.0")) for _ in range(1000)]
    assert differences(rows, totals(None, clicks=Decimal("10000.0"))) == []
    assert differences(rows, totals(None, clicks=9999)) == [
        "clicks: AdStage's total is 9999, the rows written sum to 10000.0"
    ]


def test_each_slice_of_a_total_is_rounded_by_itself() -> None:
    rows = [row(spend=Decimal("0.03")) for _ in range(3)]
    for cents, count in (("0.04", 0), ("0.05", 1)):
        control = totals_of([], [{"spend": Decimal(cents)} for _ in rows])
        assert len(differences(rows, control)) == count


def test_unrounded_amounts_are_single_precision_floats() -> None:
    rows = [row(spend=Decimal("1549.68005371094"))]
    near, far = Decimal("1549.6800000001"), Decimal("1549.6700000001")
    control = totals(None, spend=near)
    assert differences(rows, control, is_rounded=False) == []
    assert differences(rows, totals(None, spend=far), is_rounded=False) != []
    assert differences(rows, control, is_rounded=True) != []


def test_a_credit_is_as_inexact_as_an_expense() -> None:
    spends = [Decimal("1549.68005371094"), Decimal("-1549.67004394531")]
    rows = [row(spend=spend) for spend in spends]
    near, far = totals(None, spend=Decimal("0.01")), totals(None, spend=Decimal("0.02"))
    assert differences(rows, near, is_rounded=False) == []
    assert differences(rows, far, is_rounded=False) != []


@given(st.lists(st.decimals(0, 5000, places=4), min_size=1, max_size=50))
def test_rounding_alone_is_never_a_difference(exact: list[Decimal]) -> None:
    def cents(amount: Decimal) -> Decimal:
        return amount.quantize(CENT, ROUND_HALF_UP)

    rows = [row(spend=cents(amount)) for amount in exact]
    assert (
        differences(rows, totals(len(rows), spend=cents(sum(exact, Decimal(0))))) == []
    )


@given(
    st.lists(st.decimals(0, 5000, places=2), min_size=1, max_size=50),
    st.integers(0, 49),
)
def test_a_lost_row_is_always_a_difference(exact: list[Decimal], lost: int) -> None:
    rows = [row(spend=amount) for amount in exact]
    control = totals(len(rows), spend=sum(exact, Decimal(0)))
    del rows[lost % len(rows)]
    assert differences(rows, control)


def test_null_counts_as_nothing() -> None:
    rows = [row(clicks=None), row(clicks=4)]
    assert differences(rows, totals(2, clicks=4)) == []


# --- which totals are asked for ---


@pytest.mark.parametrize(
    ("keys", "asked", "summed"),
    [
        ({}, ["clicks", "spend"], ["clicks", "spend"]),
        ({"fields": ["conversions", "spend"]}, ["spend"], ["spend"]),
        ({"fields": ["conversions", "ad_name"]}, ["conversions"], []),
        ({"fields": ["ad_name"]}, ["entity_id"], []),
        ({"group_by": "network"}, ["clicks", "spend"], ["clicks", "spend"]),
        # An entity is in each of its folders and account groups, and once in the total.
        ({"group_by": "folder_names"}, ["clicks"], []),
        ({"group_by": "folder_ids.40"}, ["clicks"], []),
        ({"group_by": "account_group_id"}, ["clicks"], []),
        ({"group_by": "account_group_name"}, ["clicks"], []),
    ],
)
def test_totals_are_asked_of_what_is_requested_and_adds_up(
    keys: dict[str, Any],
    asked: list[str],
    summed: list[str],
) -> None:
    decided = columns(**keys)
    requested = [column.field for column in decided.fields]
    assert control_fields(decided, requested) == asked
    assert [*summed_fields(decided, requested)] == summed


def test_no_total_is_asked_of_a_field_that_is_deselected() -> None:
    decided = columns()
    assert control_fields(decided, ["entity_id", "spend"]) == ["spend"]
    assert control_fields(decided, ["entity_id"]) == ["entity_id"]


def test_a_field_that_is_text_has_no_total() -> None:
    catalog = FieldCatalog.of([{"id": "clicks"}, {"id": "spend", "type": "TEXT"}])
    decided = report_columns(report(), catalog)
    assert [*summed_fields(decided, ["clicks", "spend"])] == ["clicks"]


# --- AdStage's own word ---


def test_v2_has_a_summary() -> None:
    page = {
        **V2_PAGE,
        "summary": {
            "filtered": {
                "calculated": {},
                "count": 3,
                "metrics": {"spend": Decimal("50973.39"), "clicks": 7, "ctr": 1},
            },
            "type": "summary_row",
        },
    }
    control = read_totals(page, WINDOW, report(), DESCRIPTORS)
    assert control.counts == {3}
    assert {name: amount.total for name, amount in control.sums.items()} == {
        "spend": Decimal("50973.39"),
        "clicks": 7,
    }


@pytest.mark.parametrize("summary", [None, {}, [], {"filtered": None}])
def test_v2_without_a_summary_can_not_be_compared(summary: object) -> None:
    page = {**V2_PAGE, "summary": summary}
    assert not read_totals(page, WINDOW, report(), DESCRIPTORS)


def v1_page(relation: str, **totals: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "_embedded": {f"adstage:{relation}": [], f"adstage:{relation}/totals": totals},
        "counts": {"overall": 90, "filtered": 12, "filtered_buckets": 3, "page": 1},
    }


def point(day: str, **data: int) -> dict[str, Any]:
    frame = {"start": f"{day}T00:00:00Z", "end": f"{day}T23:59:59Z"}
    return {"data": data, "timeframe": frame}


def test_v1_has_counts_and_totals() -> None:
    page = v1_page("metrics", data={"clicks": 8783, "spend": Decimal("23780.87")})
    control = v1_totals(page, WINDOW, aggregate_by="total")
    assert control.counts == {12}
    assert control.sums["clicks"].total == 8783
    grouped = v1_totals(page, WINDOW, aggregate_by="total", group_by="network")
    assert grouped.counts == {12, 3}
    live = {"provider": "facebook", "targets": ["/network/facebook/account/10"]}
    broken_down = v1_totals(
        page, WINDOW, aggregate_by="total", **live, dimensions=["age"]
    )
    assert broken_down.counts == {12, 3}


def test_v1_s_totals_of_another_range_are_not_compared() -> None:
    for frame, fields in (
        ({"start": "2024-03-18T00:00:00Z", "end": "2024-03-19T23:59:59Z"}, {"clicks"}),
        ({"start": "2024-03-01T00:00:00Z", "end": "2024-03-31T23:59:59Z"}, set()),
    ):
        page = v1_page("metrics", data={"clicks": 8783}, timeframe=frame)
        control = v1_totals(page, WINDOW, aggregate_by="total")
        assert {*control.sums} == fields
        assert control.counts == {12}


def test_a_page_that_tells_less_takes_nothing_back() -> None:
    first = totals_of([12], [{"clicks": 3, "spend": 5}])
    later = totals_of([], [{"clicks": 4}])
    both = later.completed(first)
    assert both.counts == {12}
    assert {name: each.total for name, each in both.sums.items()} == {
        "clicks": 4,
        "spend": 5,
    }
    assert first.completed(ControlTotals()) == first


def test_v1_s_totals_count_as_far_as_the_window_goes() -> None:
    days = ["2024-03-17", "2024-03-18", "2024-03-19", "2024-03-20"]
    page = v1_page(
        "time_series",
        data={"clicks": 1111},
        series=[point(day, clicks=10**n) for n, day in enumerate(days)],
    )
    control = v1_totals(page, WINDOW)
    assert control.sums["clicks"].total == 110
    assert control.sums["clicks"].numbers == 2


@pytest.mark.parametrize(
    ("page", "counts", "names"),
    [
        (
            {"_embedded": {"adstage:metrics": []}, "counts": {"filtered": 12}},
            {12},
            set(),
        ),
        (v1_page("metrics", data={"clicks": 8}) | {"counts": None}, set(), {"clicks"}),
    ],
)
def test_v1_s_counts_and_totals_are_compared_without_each_other(
    page: dict[str, Any],
    counts: set[int],
    names: set[str],
) -> None:
    control = v1_totals(page, WINDOW, aggregate_by="total")
    assert (set(control.counts), set(control.sums)) == (counts, names)


def test_v1_without_counts_and_totals_can_not_be_compared() -> None:
    rows: dict[str, Any] = {"_embedded": {"adstage:time_series": []}}
    counts: dict[str, Any]
    for counts in ({}, {"counts": None}, {"counts": {}}):
        assert not v1_totals(rows | counts, WINDOW)


@pytest.mark.parametrize(
    "totals",
    [
        None,
        [],
        [None],
        [{}, {}],
        5,
        {},
        {"data": {"clicks": 3}},
        {"series": None},
        {"series": [None]},
        {"series": [{"data": None, "timeframe": {}}]},
    ],
)
def test_v1_s_totals_that_can_not_be_read_are_not_compared(totals: object) -> None:
    page = {
        "counts": {"filtered": 2},
        "_embedded": {
            "adstage:time_series": [],
            "adstage:time_series/totals": totals,
        },
    }
    control = v1_totals(page, WINDOW)
    assert control.counts == {2}
    assert not control.sums


def test_v1_s_totals_over_longer_slices_are_those_of_the_window() -> None:
    march = Slice(dt.date(2024, 3, 1), dt.date(2024, 3, 31))
    window = Window(DateRange(march.start, DAYS[1]), (march,))
    frame = {"start": "2024-03-01T00:00:00Z", "end": "2024-03-31T23:59:59Z"}
    page = v1_page("time_series", series=[{"data": {"clicks": 9}, "timeframe": frame}])
    control = v1_totals(page, window, aggregate_by="month")
    assert control.sums["clicks"].total == 9
