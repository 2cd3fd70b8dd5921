"""Rows that pages of a window repeat with other values: the window is read again."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import failure_of
from harness.logs import warnings
from werkzeug import Response

from tap_adstage.exceptions import ConfigError, InconsistentError, ResponseError
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.singer import Sync
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

Rows = list[dict[str, Any]]
"""Rows of a page; `clicks` are those of the window's first day."""

CAMPAIGN = "/network/adwords/campaign/{}"
KEYWORD = "/network/adwords/criterion/{}"


@dataclass
class Reports:
    """Serves one reading after the other of a report's windows.

    Attributes:
        server: The server.
        readings: For each window, by its first day, the pages of each reading; the
            last reading counts for all that follow.
        asked: First day and page of each request.
    """

    server: HTTPServer
    readings: dict[str, list[list[Rows]]]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for path, document in {
            "/api/metric_descriptors": [{"id": "clicks"}],
            "/api/organizations/40/metric_descriptors": [{"id": "spend"}],
        }.items():
            self.server.expect_request(path).respond_with_json(document)
        self.server.expect_request(
            "/api/v2/organizations/40/report"
        ).respond_with_handler(self._answer)

    def config(self, **report: object) -> dict[str, Any]:
        return {
            "api_url": self.server.url_for("/api"),
            "access_token": "t0ken",
            "user_id": 40,
            "organization_id": 40,
            "as_of": "2024-03-20",
            "import_policy": "ignore",
            "reconcile": "fail",
            "reports": [
                {
                    "name": "r",
                    "entity_level": "campaigns",
                    "fields": ["clicks"],
                    "date_range": "2024-03-01..2024-03-04",
                    "window_days": 2,
                    **report,
                }
            ],
        }

    def _answer(self, request: Request) -> Response:
        body = json.loads(request.get_data())
        start, end = body["date_range"].split("..")
        number = int(body.get("page_token", "1"))
        self.asked.append((start, number))
        readings = self.readings[start]
        first_pages = self.asked.count((start, 1))
        pages = readings[min(first_pages, len(readings)) - 1]
        return self._page(pages, number, [*days(start, end)])

    def _page(self, pages: list[Rows], number: int, days: list[str]) -> Response:
        token = {"page_token": {"value": str(number + 1)}}
        entities = {
            (row["entity_id"], row.get("ad_group_entity_id"))
            for rows in pages
            for row in rows
        }
        document = {
            "type": "timeseries",
            "time": {"timestamps": [f"{day}T00:00:00Z" for day in days]},
            "_embedded": {"results": [_result(row, days) for row in pages[number - 1]]},
            "summary": {"filtered": {"count": len(entities)}},
        }
        if number < len(pages):
            document["_forms"] = {"next_page": {"href": "/api/x", "fields": token}}
        return Response(json.dumps(document), mimetype="application/json")


def days(start: str, end: str) -> Iterator[str]:
    day = dt.date.fromisoformat(start)
    while day <= dt.date.fromisoformat(end):
        yield day.isoformat()
        day += dt.timedelta(days=1)


def _result(row: dict[str, Any], days: list[str]) -> dict[str, Any]:
    clicks = [row["clicks"], *[0] * (len(days) - 1)]
    return {
        "summary": {"meta": {name: row[name] for name in row if name != "clicks"}},
        "series": {"metrics": {"clicks": clicks}},
    }


def row(number: int, clicks: int, template: str = CAMPAIGN, **meta: str) -> Any:  # noqa: ANN401
    return {"entity_id": template.format(number), "clicks": clicks, **meta}


TORN: list[Rows] = [[row(1, 10), row(2, 20)], [row(2, 21), row(3, 30)]]
WHOLE: list[Rows] = [[row(1, 11), row(2, 21)], [row(3, 31)]]
OTHER: list[Rows] = [[row(1, 5)], [row(2, 6)]]


def table(records: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """The clicks by day and campaign, as a loader has them that replaces rows."""
    rows: dict[str, dict[str, int]] = {}
    for row in records:
        rows.setdefault(row["date"][8:], {})[row["entity_id"][-1]] = row["clicks"]
    return rows


@pytest.mark.parametrize("torn", [1, 2, 3])
@pytest.mark.parametrize("max_concurrency", [1, 4])
def test_a_window_is_read_again_and_its_last_reading_counts(
    httpserver: HTTPServer,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
    max_concurrency: int,
    torn: int,
) -> None:
    readings = {"2024-03-01": [*[TORN] * torn, WHOLE], "2024-03-03": [OTHER]}
    reports = Reports(httpserver, readings)
    config = reports.config() | {"max_concurrency": max_concurrency}
    messages = sync(config, streams=["r"])
    assert table(messages.records("r")) == {
        "01": {"1": 11, "2": 21, "3": 31},
        "02": {"1": 0, "2": 0, "3": 0},
        "03": {"1": 5, "2": 6},
        "04": {"1": 0, "2": 0},
    }
    assert messages.bookmark("r") == "2024-03-04"
    # only the torn window is fetched again, and none is finished before it is read
    assert reports.asked.count(("2024-03-01", 1)) == torn + 1
    assert reports.asked.count(("2024-03-03", 1)) == 1
    bookmarks = [
        state["bookmarks"]["r"]["replication_key_value"]
        for state in messages.states
        if state["bookmarks"].get("r", {}).get("replication_key_value")
    ]
    assert [*dict.fromkeys(bookmarks)] == ["2024-03-02", "2024-03-04"]
    again = [text for text in warnings(caplog) if "is read again" in text]
    assert len(again) == torn
    assert again[0].startswith("r, 2024-03-01..2024-03-02, page 2: POST http://")
    assert again[0].endswith(
        f"duplicate row of entity_id {CAMPAIGN.format(2)} with different values; the "
        "window is read again (1 of 3 times), and its last reading counts"
    )


def test_a_window_that_stays_torn_is_an_error_after_three_more_readings(
    httpserver: HTTPServer,
) -> None:
    readings = {"2024-03-01": [OTHER], "2024-03-03": [TORN]}
    reports = Reports(httpserver, readings)
    tap = TapAdStage(config=reports.config())
    reason = (
        "r, 2024-03-03.*duplicate row of entity_id .* with different values, also in 3 "
        "more readings of the window; run again later$"
    )
    error = failure_of(tap.streams["r"])
    assert isinstance(error, InconsistentError)
    assert re.search(reason, str(error))
    assert reports.asked.count(("2024-03-03", 1)) == 4
    bookmark = tap.streams["r"].tap_state["bookmarks"]["r"]
    assert bookmark["replication_key_value"] == "2024-03-02"


def test_each_window_may_be_read_again_three_times(
    httpserver: HTTPServer,
    sync: Sync,
) -> None:
    torn = [TORN, TORN, WHOLE]
    reports = Reports(httpserver, {"2024-03-01": torn, "2024-03-03": torn})
    messages = sync(reports.config(), streams=["r"])
    assert messages.bookmark("r") == "2024-03-04"
    assert len([page for _, page in reports.asked if page == 1]) == 6


# --- keywords that several ad groups have ---

SHARED: list[Rows] = [
    [
        row(5, 10, KEYWORD, ad_group_entity_id="/network/adwords/ad_group/7"),
        row(5, 20, KEYWORD, ad_group_entity_id="/network/adwords/ad_group/8"),
    ]
]
KEYWORDS = {
    "entity_level": "keywords",
    "date_range": "yesterday",
    "fields": ["clicks", "ad_group_entity_id"],
}


def shared(httpserver: HTTPServer) -> Reports:
    return Reports(httpserver, {"2024-03-19": [SHARED]})


def test_keywords_that_share_an_id_are_an_error_that_has_the_way_out(
    httpserver: HTTPServer,
) -> None:
    reports = shared(httpserver)
    tap = TapAdStage(config=reports.config(**KEYWORDS))
    error = failure_of(tap.streams["r"])
    assert isinstance(error, ResponseError)
    assert str(error).endswith(
        "entity_id /network/adwords/criterion/5 is shared: one row is of "
        "ad_group_entity_id /network/adwords/ad_group/8, another is not, and the key "
        'doesn\'t tell them apart; add key_fields ["ad_group_entity_id"] to the '
        "report, and give it a new name"
    )
    assert len(reports.asked) == 1  # another reading would be the same


def test_without_a_column_of_the_parent_the_way_out_is_offered_all_the_same(
    httpserver: HTTPServer,
) -> None:
    reports = shared(httpserver)
    tap = TapAdStage(config=reports.config(**{**KEYWORDS, "fields": ["clicks"]}))
    reason = r'if it is shared by several parents, add key_fields \["ad_group_entity_id'
    error = failure_of(tap.streams["r"])
    assert isinstance(error, InconsistentError)
    assert re.search(reason, str(error))


@pytest.mark.parametrize("fields", [["clicks"], KEYWORDS["fields"]])
def test_key_fields_tell_keywords_apart(
    httpserver: HTTPServer,
    sync: Sync,
    fields: list[str],
) -> None:
    reports = shared(httpserver)
    keys = {"fields": fields, "key_fields": ["Ad_Group_Entity_Id"]}
    config = reports.config(**{**KEYWORDS, **keys})
    messages = sync(config, streams=["r"])
    (schema,) = messages.of("SCHEMA", "r")
    assert schema["key_properties"] == ["date", "entity_id", "ad_group_entity_id"]
    assert schema["schema"]["properties"]["ad_group_entity_id"] == {"type": "string"}
    assert [
        (record["ad_group_entity_id"][-1], record["clicks"])
        for record in messages.records("r")
    ] == [("7", 10), ("8", 20)]


def test_a_key_field_that_a_row_lacks_is_not_null(
    httpserver: HTTPServer,
    sync: Sync,
) -> None:
    reports = Reports(httpserver, {"2024-03-19": [[[row(5, 10, KEYWORD)]]]})
    config = reports.config(**KEYWORDS, key_fields=["ad_group_entity_id"])
    (record,) = sync(config, streams=["r"]).records("r")
    assert record["ad_group_entity_id"] == "(none)"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (
            {"key_fields": ["clicks"]},
            "key_fields: 'clicks' is not allowed; use a documented meta field",
        ),
        (
            {"key_fields": ["ad_group_entity"]},
            "unknown field 'ad_group_entity'; .*did you mean ad_group_entity_id",
        ),
        (
            {"key_fields": ["ad_group_entity_id"], "group_by": "network"},
            r'key_fields: \["ad_group_entity_id"\] is not allowed; with group_by',
        ),
        ({"key_fields": ["bid_float"]}, "'bid_float' is not allowed"),
        (
            {"key_fields": ["date"]},
            "unknown field 'date'; .*the date is part of every key",
        ),
    ],
)
def test_what_can_t_be_a_key_is_refused(
    httpserver: HTTPServer,
    keys: dict[str, Any],
    reason: str,
) -> None:
    reports = shared(httpserver)
    with pytest.raises(ConfigError, match=reason):
        TapAdStage(config=reports.config(**KEYWORDS, **keys)).streams  # noqa: B018


def test_a_key_field_that_changes_is_a_warning_that_offers_an_id(
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reports = shared(httpserver)
    config = reports.config(**KEYWORDS, key_fields=["ad_group_name"])
    TapAdStage(config=config).streams  # noqa: B018
    (warning,) = [text for text in warnings(caplog) if "key_fields" in text]
    assert "ad_group_name can change in AdStage" in warning
    assert "ad_group_entity_id never changes" in warning
