"""Pages of API V2 reports, as documented and not, to records."""

from __future__ import annotations

import copy
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from harness.reports import read_records, report_config

from tap_adstage.date_ranges import DateRange
from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.windows import Slice, Window

MAY, JUNE = dt.date(2019, 5, 1), dt.date(2019, 6, 1)
MONTHS = Window(
    DateRange(MAY, dt.date(2019, 6, 30)),
    (Slice(MAY, dt.date(2019, 5, 31)), Slice(JUNE, dt.date(2019, 6, 30))),
)
TOTAL = Window(MONTHS.range, (Slice(MAY, dt.date(2019, 6, 30)),))
DESCRIPTORS = [
    {"id": "clicks", "type": "METRIC"},
    {"id": "spend", "type": "METRIC"},
    {"id": "calculated_metric:123", "type": "METRIC"},
]


def read(page: dict[str, Any], window: Window = MONTHS, **keys: Any) -> list[Any]:  # noqa: ANN401
    report = {
        "entity_level": "campaigns",
        "aggregate_by": "month",
        "fields": ["clicks", "spend", "calculated_metric:123"],
        **keys,
    }
    config = report_config(dt.date(2019, 7, 1), **report)
    return read_records(page, window, config, DESCRIPTORS)


def series_page(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """A page of the documented shape (API V2: Time Series Report)."""
    return {
        "type": "timeseries",
        "time": {
            "start": "2019-05-01T00:00:00Z",
            "end": "2019-06-30T23:59:59Z",
            "interval": "month",
            "timestamps": ["2019-05-01T00:00:00Z", "2019-06-01T00:00:00Z"],
        },
        "_embedded": {
            "results": [
                {
                    "summary": {
                        "calculated": {"calculated_metric:123": 30},
                        "meta": {
                            "currency_code": "USD",
                            "entity_id": "/network/linkedin/campaign/7",
                            "network": "linkedin",
                        },
                        "metrics": {"clicks": 3, "spend": Decimal("4.50")},
                    },
                    "series": {
                        "calculated": {"calculated_metric:123": [10, 20]},
                        "metrics": {
                            "clicks": [1, 2],
                            "spend": [Decimal("1.50"), Decimal("3.00")],
                        },
                    },
                },
            ],
        },
    } | changes


def changed(path: list[Any], value: object) -> dict[str, Any]:
    """A documented page in which one place holds something else."""
    page = copy.deepcopy(series_page())
    place: Any = page
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return page


RESULT: list[Any] = ["_embedded", "results", 0]
META = [*RESULT, "summary", "meta"]
METRICS = [*RESULT, "series", "metrics"]


def test_a_series_becomes_a_record_for_each_entity_and_slice() -> None:
    first, second = read(series_page())
    assert first == {
        "date": "2019-05-01",
        "date_end": "2019-05-31",
        "entity_id": "/network/linkedin/campaign/7",
        "network": "linkedin",
        "currency_code": "USD",
        "clicks": 1,
        "spend": Decimal("1.50"),
        "calculated_metric_123": 10,
    }
    assert (second["date"], second["date_end"]) == ("2019-06-01", "2019-06-30")
    assert (second["clicks"], second["calculated_metric_123"]) == (2, 20)


def test_a_total_becomes_a_record_for_each_entity() -> None:
    page = {
        "type": "rows",
        "_embedded": {
            "results": [
                {
                    "meta": {"entity_id": "/network/linkedin/campaign/7"},
                    "metrics": {"clicks": 266, "spend": Decimal("3711.92")},
                    "calculated": {"calculated_metric:123": 51591},
                },
            ],
        },
    }
    (record,) = read(page, TOTAL, aggregate_by="total")
    assert record == {
        "date": "2019-05-01",
        "date_end": "2019-06-30",
        "entity_id": "/network/linkedin/campaign/7",
        "network": None,
        "currency_code": None,
        "clicks": 266,
        "spend": Decimal("3711.92"),
        "calculated_metric_123": 51591,
    }


@pytest.mark.parametrize("entity_id", [7, ["7"], "7"])
def test_an_entity_s_id_is_a_text(entity_id: object) -> None:
    assert read(changed([*META, "entity_id"], entity_id))[0]["entity_id"] == "7"


def total_page(**time: object) -> dict[str, Any]:
    meta = {"entity_id": "/network/linkedin/campaign/7"}
    result = {"meta": meta, "metrics": {"clicks": 266}}
    return {"type": "rows", "time": time, "_embedded": {"results": [result]}}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2019-05-01T00:00:00Z", "2019-06-30T23:59:59Z"),
        ("2019-05-01T04:00:00Z", "2019-07-01T03:59:59Z"),
        ("2019-04-30", "2019-07-31"),
    ],
)
def test_a_total_is_of_all_the_days_that_were_asked_for(start: str, end: str) -> None:
    (record,) = read(total_page(start=start, end=end), TOTAL, aggregate_by="total")
    assert (record["date"], record["date_end"]) == ("2019-05-01", "2019-06-30")


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (
            {"start": "2019-05-02T00:00:00Z", "end": "2019-06-30T23:59:59Z"},
            f"time is 2019-05-02..2019-06-30, which is not all of {TOTAL.range}",
        ),
        (
            {"start": "2019-05-01T00:00:00Z", "end": "2019-06-29T23:59:59Z"},
            f"time is 2019-05-01..2019-06-29, which is not all of {TOTAL.range}",
        ),
        ({"start": "2019-05-01T00:00:00Z"}, "time has no start and end"),
    ],
)
def test_a_total_of_other_days_is_an_error(time: dict[str, object], said: str) -> None:
    with pytest.raises(ResponseError) as error:
        read(total_page(**time), TOTAL, aggregate_by="total")
    assert said in str(error.value)
    none = {"type": "rows", "time": time, "_embedded": {"results": []}}
    assert read(none, TOTAL, aggregate_by="total") == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ([*METRICS], {"spend": [1, 2]}),
        ([*METRICS, "clicks"], None),
        ([*METRICS, "clicks"], [None, None]),
    ],
)
def test_a_metric_that_is_left_out_or_null_is_null(path: list[Any], value: Any) -> None:  # noqa: ANN401
    first, second = read(changed(path, value))
    assert first["clicks"] is None
    assert second["clicks"] is None
    assert first["spend"] is not None


def test_what_is_calculated_may_be_left_out() -> None:
    first, _ = read(changed([*RESULT, "series", "calculated"], None))
    assert (first["clicks"], first["calculated_metric_123"]) == (1, None)


def test_a_null_among_the_metrics_hides_no_calculated_number() -> None:
    first, second = read(changed([*METRICS, "calculated_metric:123"], None))
    assert first["calculated_metric_123"] == 10
    assert second["calculated_metric_123"] == 20


def test_values_are_those_of_the_timestamps_in_the_page_s_order() -> None:
    timestamps = ["2019-06-01T00:00:00Z", "2019-05-01T00:00:00Z"]
    first, second = read(changed(["time", "timestamps"], timestamps))
    assert (first["date"], first["clicks"]) == ("2019-06-01", 1)
    assert (second["date"], second["clicks"]) == ("2019-05-01", 2)


def test_numbers_are_not_changed() -> None:
    page = series_page()
    exact = [Decimal("0.1000"), Decimal("123456789012345678.123456789")]
    page["_embedded"]["results"][0]["series"]["metrics"]["spend"] = exact
    assert [record["spend"] for record in read(page)] == exact


def test_folders_land_in_the_column_that_was_asked_for() -> None:
    page = changed([*META, "folder_names.40"], ["Brand", "Search"])
    page["_embedded"]["results"][0]["summary"]["meta"]["folder_ids.40"] = [168, 7]
    record = read(page, fields=["folder_names", "folder_ids"])[0]
    assert record["folder_names"] == ["Brand", "Search"]
    assert record["folder_ids"] == ["168", "7"]


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("status", "ACTIVE", "ACTIVE"),
        ("status", None, None),
        ("remote_campaign_id", 12345678901234567890, "12345678901234567890"),
        ("bid.value", Decimal("1.50"), "1.50"),
        ("title", ["a", "b"], '["a", "b"]'),
        ("title", ["é", True], '["é", true]'),
        ("bid_float", Decimal("1.50"), Decimal("1.50")),
        ("objective", {"code": "X"}, {"code": "X"}),
        ("objective", '{"code": "X"}', {"code": "X"}),
        ("objective", "", None),
        ("folder_names", "Brand", ["Brand"]),
        ("folder_names", ["Brand", None, 7], ["Brand", None, "7"]),
        ("objective", {"code": 7, "unit": None}, {"code": "7", "unit": None}),
        ("objective", {"code": {"a": [1]}}, {"code": '{"a": [1]}'}),
        ("network", ["adwords"], "adwords"),
        ("currency_code", [], None),
        ("currency_code", {"code": "USD"}, '{"code": "USD"}'),
        ("name", 10**30, "1" + "0" * 30),
        ("unheard_of", {"a": 1}, None),
    ],
)
def test_meta_fields_have_their_column_s_type(
    field: str,
    given: object,
    expected: object,
) -> None:
    page = series_page()
    page["_embedded"]["results"][0]["summary"]["meta"][field] = given
    record = read(page, fields=[field] if field != "unheard_of" else ["name"])[0]
    assert record.get(field.replace(".", "_")) == expected


@pytest.mark.parametrize(("group", "key"), [(None, "(none)"), ("", ""), ("x", "x")])
def test_a_group_without_a_value_is_named_none(group: str | None, key: str) -> None:
    page = changed([*META, "entity_id"], None)
    meta = page["_embedded"]["results"][0]["summary"]["meta"]
    meta |= {"campaign_type": group, "network": ["adwords", "quora"]}
    record = read(page, group_by="campaign_type", fields=["clicks", "ad_name"])[0]
    assert record["campaign_type"] == key
    assert record["network"] == ["adwords", "quora"]
    assert record["currency_code"] == ["USD"]
    assert record["ad_name"] is None
    assert "entity_id" not in record


def test_another_user_s_folders_are_not_taken_for_the_user_s_own() -> None:
    page = changed([*META, "folder_names.39"], ["Theirs"])
    page["_embedded"]["results"][0]["summary"]["meta"]["folder_names.40"] = ["Mine"]
    record = read(page, fields=["folder_names", "folder_names.39"])[0]
    assert record["folder_names"] == ["Mine"]
    assert record["folder_names_39"] == ["Theirs"]
    with pytest.raises(
        ResponseError, match=r"results\[0\].*several folder_names: folder_names\.39"
    ):
        read(page, fields=["folder_names"])


def test_folders_that_were_asked_for_both_ways_land_in_both_columns() -> None:
    page = changed([*META, "folder_names.40"], ["Mine"])
    record = read(page, fields=["folder_names", "folder_names.40"])[0]
    assert record["folder_names"] == record["folder_names_40"] == ["Mine"]


def test_a_page_without_results_has_no_records() -> None:
    page = series_page(_embedded={"results": []}, time={})
    assert read(page) == []


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (["_embedded", "results"], 5, "_embedded.results is not a list"),
        (["_embedded", "results"], [5], "_embedded.results[0] is not an object"),
        (["_embedded"], [], "_embedded is not an object"),
        (["_embedded"], {}, "_embedded.results is missing"),
        (["type"], None, "type is None, not timeseries"),
        (["type"], "rows", "type is 'rows', not timeseries"),
        (["time"], None, "time is not an object"),
        (["time", "timestamps"], None, "time.timestamps is not a list"),
        (["time", "timestamps"], ["2019-05-01T00:00:00Z"], "not the slices of 2019"),
        (["time", "timestamps"], [], "not the slices of 2019"),
        ([*RESULT, "series"], {}, "series has no metrics"),
        (["time", "timestamps", 0], "2019-04-01T00:00:00Z", "not the slices of 2019"),
        (["time", "timestamps", 0], "2019-05-02T00:00:00Z", "not the slices of 2019"),
        (["time", "timestamps", 0], "2019-06-01T00:00:00Z", "each once"),
        (
            ["time", "timestamps"],
            [f"2019-0{month}-01T00:00:00Z" for month in (5, 6, 6)],
            "each once",
        ),
        (["time", "timestamps", 0], 5, "not the slices of 2019"),
        (["time", "timestamps", 0], {}, "not the slices of 2019"),
        ([*RESULT, "series"], None, "results[0].series is not an object"),
        ([*RESULT, "summary"], [], "results[0].summary is not an object"),
        ([*RESULT, "series", "metrics"], [], "series.metrics is not an object"),
        ([*METRICS, "clicks"], [1], "series.clicks: there is no value for each"),
        ([*METRICS, "clicks"], [1, 2, 3], "series.clicks: there is no value for each"),
        ([*METRICS, "clicks"], 3, "series.metrics.clicks is not a list"),
        (
            [*METRICS, "clicks"],
            [1, "2"],
            "series.metrics.clicks[1]: '2' is not a number",
        ),
        (
            [*METRICS, "clicks"],
            [1, True],
            "series.metrics.clicks[1]: True is not a number",
        ),
        ([*METRICS, "clicks"], [1, {}], "series.metrics.clicks[1]: {} is not a number"),
        ([*META], None, "summary.meta is not an object"),
        ([*META, "entity_id"], None, "results[0].summary: the row has no entity_id"),
        ([*META, "entity_id"], "", "results[0].summary: the row has no entity_id"),
        ([*META, "entity_id"], [], "results[0].summary: the row has no entity_id"),
        ([*META, "entity_id"], {}, "summary.meta.entity_id: {} is not a text"),
        ([*META, "entity_id"], True, "summary.meta.entity_id: True is not a text"),
        ([*META, "entity_id"], ["a", "b"], "summary.meta.entity_id: ['a', 'b'] is not"),
    ],
)
def test_a_page_of_another_shape_is_an_error_that_names_the_place(
    path: list[Any],
    value: object,
    place: str,
) -> None:
    with pytest.raises(ResponseError) as error:
        read(changed(path, value))
    assert place in str(error.value)


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("objective", "CLICKS", "summary.meta.objective: 'CLICKS' is not an object"),
        ("bid_float", "1.50", "summary.meta.bid_float: '1.50' is not a number"),
    ],
)
def test_a_meta_field_of_another_type_is_an_error_that_names_it(
    field: str,
    value: object,
    place: str,
) -> None:
    with pytest.raises(ResponseError) as error:
        read(changed([*META, field], value), fields=[field])
    assert place in str(error.value)
