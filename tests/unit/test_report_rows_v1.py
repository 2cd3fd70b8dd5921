"""Pages of API V1 reports, as documented and not, to records."""

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

DECEMBER = Slice(dt.date(2016, 12, 1), dt.date(2016, 12, 31))
JANUARY = Slice(dt.date(2017, 1, 1), dt.date(2017, 1, 31))
BOTH = Window(DateRange(DECEMBER.start, JANUARY.end), (DECEMBER, JANUARY))
UNTIL_TODAY = Window(DateRange(JANUARY.start, dt.date(2017, 1, 22)), (JANUARY,))
TOTAL = Window(BOTH.range, (Slice(DECEMBER.start, JANUARY.end),))
DESCRIPTORS = [{"id": "clicks", "type": "METRIC"}, {"id": "spend", "type": "METRIC"}]
FACEBOOK = [*DESCRIPTORS, {"id": "campaign_name", "type": "TEXT"}]


def read(page: dict[str, Any], window: Window = BOTH, **keys: Any) -> list[Any]:  # noqa: ANN401
    report = {
        "entity_level": "campaigns",
        "aggregate_by": "month",
        "fields": ["clicks", "spend", "campaign_name"],
        "api_version": 1,
        **keys,
    }
    config = report_config(dt.date(2017, 1, 22), **report)
    descriptors = FACEBOOK if config.is_external else DESCRIPTORS
    return read_records(page, window, config, descriptors)


def timeframe(start: str, end: str) -> dict[str, str]:
    return {"start": f"{start}T00:00:00Z", "end": f"{end}T23:59:59Z"}


def series_page(**row: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """A page of the documented shape (API V1: Time Series Report)."""
    december = {
        "data": {"clicks": 829, "spend": Decimal("1549.68005371094")},
        "timeframe": timeframe("2016-12-01", "2016-12-31"),
    }
    january = {
        "data": {"clicks": 629, "spend": Decimal("1165.32995605469")},
        "timeframe": timeframe("2017-01-01", "2017-01-31"),
    }
    whole = {
        "id": "production.1.accounts.bing_ads.2982670.campaigns.53744320",
        "data": {"clicks": 1458, "spend": Decimal("2715.01000976562")},
        "series": [december, january],
        "timeframe": timeframe("2016-12-01", "2017-01-31"),
        "meta": {
            "campaign_name": "Search - US",
            "entity_id": "/network/bing_ads/campaign/53744320",
            "network": "bing_ads",
            "currency_code": "USD",
            "currency_symbol": "$",
            "series_name": "Search - US",
        },
    }
    return {"_embedded": {"adstage:time_series": [whole | row]}}


def basic_page(**row: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """A page of the documented shape (API V1: Basic Report)."""
    whole = {
        "data": {"clicks": 1014, "spend": Decimal("339.460006713867")},
        "timeframe": timeframe("2016-12-01", "2017-01-31"),
        "meta": {
            "campaign_name": "Display - US",
            "entity_id": "/network/adwords/campaign/735025362",
            "network": "adwords",
            "currency_code": "USD",
            "row_name": "Display - US",
        },
    }
    return {"_embedded": {"adstage:metrics": [whole | row]}}


def changed(path: list[Any], value: object) -> dict[str, Any]:
    """A documented page in which one place holds something else."""
    page = copy.deepcopy(series_page())
    place: Any = page["_embedded"]["adstage:time_series"][0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return page


def test_a_series_becomes_a_record_for_each_row_and_slice() -> None:
    first, second = read(series_page())
    assert first == {
        "date": "2016-12-01",
        "date_end": "2016-12-31",
        "entity_id": "/network/bing_ads/campaign/53744320",
        "network": "bing_ads",
        "currency_code": "USD",
        "clicks": 829,
        "spend": Decimal("1549.68005371094"),
        "campaign_name": "Search - US",
    }
    assert (second["date"], second["date_end"]) == ("2017-01-01", "2017-01-31")
    assert (second["clicks"], str(second["spend"])) == (629, "1165.32995605469")


def test_a_total_becomes_a_record_for_each_row() -> None:
    (record,) = read(basic_page(), TOTAL, aggregate_by="total")
    assert record == {
        "date": "2016-12-01",
        "date_end": "2017-01-31",
        "entity_id": "/network/adwords/campaign/735025362",
        "network": "adwords",
        "currency_code": "USD",
        "clicks": 1014,
        "spend": Decimal("339.460006713867"),
        "campaign_name": "Display - US",
    }


def test_slices_to_which_a_range_was_widened_are_another_window_s() -> None:
    (record,) = read(series_page(), UNTIL_TODAY)
    assert (record["date"], record["clicks"]) == ("2017-01-01", 629)


def test_a_slice_that_is_missing_inside_the_row_s_own_range_is_null() -> None:
    page = series_page()
    del page["_embedded"]["adstage:time_series"][0]["series"][0]
    first, second = read(page)
    assert (first["date"], first["clicks"], first["spend"]) == (
        "2016-12-01",
        None,
        None,
    )
    assert first["campaign_name"] == "Search - US"
    assert second["clicks"] == 629


@pytest.mark.parametrize(
    "covered",
    [
        ("2017-01-01", "2017-01-31"),
        ("2016-12-01", "2016-12-31"),
        ("2016-12-01", "2017-01-30"),
    ],
)
def test_a_slice_that_was_not_answered_for_is_an_error(
    covered: tuple[str, str],
) -> None:
    page = series_page(timeframe=timeframe(*covered))
    series = page["_embedded"]["adstage:time_series"][0]["series"]
    del series[0 if covered[0] == "2017-01-01" else 1]
    with pytest.raises(ResponseError, match=r"time_series\[0\]: there is no slice of"):
        read(page)


def test_a_row_that_says_nothing_of_its_range_is_about_the_one_asked_for() -> None:
    page = series_page(series=[])
    (row,) = page["_embedded"]["adstage:time_series"]
    del row["timeframe"]
    assert [record["clicks"] for record in read(page)] == [None, None]
    row["series"] = [{"data": {}, "timeframe": timeframe("2018-01-01", "2018-01-31")}]
    with pytest.raises(ResponseError, match="its series is of other days"):
        read(page)
    page = basic_page()
    del page["_embedded"]["adstage:metrics"][0]["timeframe"]
    (record,) = read(page, TOTAL, aggregate_by="total")
    assert (record["date"], record["date_end"]) == ("2016-12-01", "2017-01-31")


def test_a_range_that_ends_today_is_answered_for_up_to_today() -> None:
    page = series_page(series=[], timeframe=timeframe("2017-01-01", "2017-01-22"))
    (record,) = read(page, UNTIL_TODAY)
    assert (record["date"], record["clicks"]) == ("2017-01-01", None)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2016-12-22", "2017-01-20"),
        ("2016-12-22", "2017-01-31"),
        ("2016-12-01", "2017-01-20"),
    ],
)
def test_a_total_of_other_days_than_asked_is_an_error(start: str, end: str) -> None:
    page = basic_page(timeframe=timeframe(start, end))
    with pytest.raises(ResponseError, match=rf"{start}\.\.{end}, not 2016-12"):
        read(page, TOTAL, aggregate_by="total")


@pytest.mark.parametrize(
    ("group", "key"),
    [
        (None, "(none)"),
        ([], "(none)"),
        (["x"], "x"),
        ("x", "x"),
        ([None], "(none)"),
        (["x", "y"], '["x", "y"]'),
    ],
)
def test_a_group_without_a_value_is_named_none(group: object, key: str) -> None:
    page = changed(["meta", "entity_id"], None)
    meta = page["_embedded"]["adstage:time_series"][0]["meta"]
    meta |= {"campaign_type": group, "network": ["bing_ads", "quora"]}
    record = read(page, group_by="campaign_type")[0]
    assert record["campaign_type"] == key
    assert record["network"] == ["bing_ads", "quora"]
    assert record["campaign_name"] == ["Search - US"]
    assert "entity_id" not in record


def test_a_group_s_texts_are_as_many_as_the_api_gives() -> None:
    names = [f"Campaign {number}" for number in range(100)]
    page = changed(["meta", "campaign_name"], names)
    assert read(page, group_by="network")[0]["campaign_name"] == names


def external(**keys: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    return {
        "provider": "facebook",
        "targets": ["/network/facebook/account/10"],
        **keys,
    }


def test_dimensions_are_columns_and_keys_and_never_null() -> None:
    rows = [
        {"age": "18-24", "publisher platform": "instagram"},
        {"age": None, "publisher platform": "facebook"},
        {"publisher_platform": "facebook"},
        {"AGE": ["65+"], "Publisher Platform": "facebook"},
    ]
    page = basic_page()
    (row,) = page["_embedded"]["adstage:metrics"]
    page["_embedded"]["adstage:metrics"] = [
        row | {"meta": row["meta"] | values} for values in rows
    ]
    records = read(
        page,
        TOTAL,
        aggregate_by="total",
        **external(dimensions=["age", "publisher platform"]),
    )
    assert [(r["age"], r["publisher_platform"]) for r in records] == [
        ("18-24", "instagram"),
        ("(none)", "facebook"),
        ("(none)", "facebook"),
        ("65+", "facebook"),
    ]


def test_a_null_among_the_texts_hides_no_value_among_the_metrics() -> None:
    page = basic_page(data={"clicks": 1, "campaign_name": "Lookalikes"})
    page["_embedded"]["adstage:metrics"][0]["meta"]["campaign_name"] = None
    (record,) = read(page, TOTAL, aggregate_by="total", **external())
    assert record["campaign_name"] == "Lookalikes"


def test_a_provider_s_text_fields_may_stand_among_its_metrics() -> None:
    page = basic_page(data={"clicks": 1, "campaign_name": "Lookalikes", "age": "18"})
    page["_embedded"]["adstage:metrics"][0]["meta"].pop("campaign_name")
    (record,) = read(page, TOTAL, aggregate_by="total", **external(dimensions=["age"]))
    assert (record["campaign_name"], record["age"]) == ("Lookalikes", "18")
    assert (record["clicks"], record["spend"]) == (1, None)


def test_what_stands_in_both_places_is_taken_from_the_row_s_meta() -> None:
    page = basic_page(data={"clicks": 1, "campaign_name": "7", "entity_id": "7"})
    (record,) = read(page, TOTAL, aggregate_by="total", **external())
    assert record["campaign_name"] == "Display - US"
    assert record["entity_id"] == "/network/adwords/campaign/735025362"


def test_an_account_s_rows_are_about_the_target_where_they_do_not_say() -> None:
    page = basic_page(meta={})
    keys = external(aggregate_by="total", entity_level="accounts")
    (record,) = read(page, TOTAL, **keys)
    assert record["entity_id"] == "/network/facebook/account/10"
    assert record["network"] is None
    with pytest.raises(ResponseError, match="the row has no entity_id"):
        read(page, TOTAL, **keys | {"entity_level": "campaigns"})
    with pytest.raises(ResponseError, match="the row has no entity_id"):
        read(page, TOTAL, **{**keys, "provider": "adstage"})


SERIES = "_embedded.adstage:time_series[0]"
WIDE = timeframe("2016-11-01", "2017-02-28")


@pytest.mark.parametrize("row", [{"timeframe": WIDE}, {"timeframe": None}])
def test_points_beside_the_window_are_another_window_s(row: dict[str, Any]) -> None:
    page = series_page(**row)
    (only,) = page["_embedded"]["adstage:time_series"]
    beside = {"data": {"clicks": 9}, "timeframe": timeframe("2016-11-01", "2016-11-30")}
    only["series"].insert(0, beside)
    if row["timeframe"] is None:
        del only["timeframe"]
    assert [record["clicks"] for record in read(page)] == [829, 629]


@pytest.mark.parametrize("end", ["2017-01-22", "2017-01-31", "2017-02-01"])
def test_a_point_ends_as_its_slice_may(end: str) -> None:
    page = series_page(timeframe=timeframe("2017-01-01", "2017-01-31"))
    (only,) = page["_embedded"]["adstage:time_series"]
    only["series"] = only["series"][1:]
    only["series"][0]["timeframe"] = timeframe("2017-01-01", end)
    (record,) = read(page, UNTIL_TODAY)
    assert (record["date"], record["clicks"]) == ("2017-01-01", 629)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (["series"], None, f"{SERIES}.series is not a list"),
        (["series"], {}, f"{SERIES}.series is not a list"),
        (["series", 0], 5, f"{SERIES}.series[0] is not an object"),
        (["series", 0, "timeframe"], None, "series[0].timeframe is not an object"),
        (["series", 0, "timeframe", "start"], "soon", "timeframe has no start and end"),
        (
            ["series", 0, "timeframe"],
            timeframe("2017-01-01", "2017-01-31"),
            "series[1]: duplicate slice of 2017-01-01",
        ),
        (
            ["series", 0, "timeframe"],
            timeframe("2016-12-02", "2016-12-31"),
            "its timeframe 2016-12-02..2016-12-31 is not a slice of 2016-12-01",
        ),
        (
            ["series", 0, "timeframe"],
            timeframe("2016-12-01", "2017-01-31"),
            "its timeframe 2016-12-01..2017-01-31 is not a slice of 2016-12-01",
        ),
        (
            ["series", 0, "timeframe"],
            timeframe("2016-12-01", "2016-12-30"),
            "its timeframe 2016-12-01..2016-12-30 is not a slice of 2016-12-01",
        ),
        (
            ["series", 0, "timeframe"],
            timeframe("2030-12-01", "2030-12-31"),
            "its timeframe 2030-12-01..2030-12-31 is not a slice of 2016-12-01",
        ),
        (["series", 0, "data"], None, f"{SERIES}.series[0].data is not an object"),
        (
            ["series", 0, "data", "clicks"],
            "829",
            "series[0].data.clicks: '829' is not a number",
        ),
        (
            ["series", 0, "data", "clicks"],
            [1],
            "series[0].data.clicks: [1] is not a number",
        ),
        (
            ["series", 0, "data", "clicks"],
            True,
            "series[0].data.clicks: True is not a number",
        ),
        (["meta"], None, f"{SERIES}.meta is not an object"),
        (["data"], [], f"{SERIES}.data is not an object"),
        (["meta", "entity_id"], None, f"{SERIES}: the row has no entity_id"),
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
    ("embedded", "reason"),
    [
        (None, "_embedded is not an object"),
        ([], "_embedded is not an object"),
        ({}, "_embedded.adstage:time_series is missing"),
        ({"adstage:metrics": []}, "_embedded.adstage:time_series is missing"),
        ({"adstage:time_series": 5}, "_embedded.adstage:time_series is not a list"),
    ],
)
def test_a_page_without_the_requested_rows_is_an_error(
    embedded: object,
    reason: str,
) -> None:
    with pytest.raises(ResponseError, match=reason):
        read({"_embedded": embedded})


def test_a_page_without_rows_has_no_records() -> None:
    assert read({"_embedded": {"adstage:time_series": []}}) == []


def test_a_row_s_own_range_may_be_null_if_no_slice_is_missing() -> None:
    assert len(read(series_page(timeframe=None))) == 2
    assert len(read(series_page(timeframe={"start": None, "end": None}))) == 2
