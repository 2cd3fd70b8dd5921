"""Pages of Spotify's reports: tokens, ends, odd rows, and what is not as documented."""

from __future__ import annotations

import datetime as dt
import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from tap_adstage.exceptions import IncompleteRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.singer import Messages, Sync
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

ACCOUNT = "0a000000-0000-4000-8000-000000000001"
CAMPAIGN = "0c000000-0000-4000-8000-000000000001"
REPORT = f"/ads/v3/ad_accounts/{ACCOUNT}/aggregate_reports"


def row(day: str | None = "2024-03-18T00:00:00Z", **keys: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "entity_type": "CAMPAIGN",
        "entity_id": CAMPAIGN,
        "entity_name": "Launch",
        "entity_status": "ACTIVE",
        "start_time": day,
        "stats": [{"field_type": "IMPRESSIONS", "field_value": 7}],
        **keys,
    }


def stats(*pairs: tuple[str, object]) -> list[dict[str, object]]:
    return [{"field_type": name, "field_value": value} for name, value in pairs]


class Api:
    """Spotify's API with one campaign, and the report pages that a test gives it.

    Attributes:
        pages: The next page's body, in the order in which they are asked for.
        queries: The parameters of the requests for them.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.pages: list[str | dict[str, Any]] = []
        self.queries: list[Mapping[str, list[str]]] = []
        root = "/ads/v3"
        business = {"businesses": [{"id": "b", "name": "B"}]}
        account = {"id": ACCOUNT, "name": "A", "currency_code": "EUR"}
        campaigns = {
            "paging": {"total_results": 1},
            "campaigns": [{"id": CAMPAIGN, "name": "Launch"}],
        }
        for path, body in {
            "/businesses": business,
            "/businesses/b/ad_accounts": {"ad_accounts": [account]},
            f"/ad_accounts/{ACCOUNT}/campaigns": campaigns,
        }.items():
            server.expect_request(root + path).respond_with_json(body)
        server.expect_request(REPORT).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.queries.append(request.args.to_dict(flat=False))
        page = self.pages.pop(0) if self.pages else {"rows": []}
        body = page if isinstance(page, str) else json.dumps(page)
        return Response(body, content_type="application/json")


@pytest.fixture
def api(httpserver: HTTPServer) -> Api:
    return Api(httpserver)


@pytest.fixture
def read(httpserver: HTTPServer, sync: Sync) -> Callable[..., Messages]:
    """Run a report of two days with some pages."""

    def run(
        *, flattening_enabled: bool = False, reconcile: str = "off", **keys: object
    ) -> Messages:
        report = {
            "name": "r",
            "entity_level": "campaigns",
            "fields": ["IMPRESSIONS"],
            "date_range": "2024-03-18..2024-03-19",
            **keys,
        }
        settings = {
            "source": "spotify_ads",
            "api_url": httpserver.url_for("/ads/v3"),
            "access_token": "de4d-beef-b33f",
            "as_of": "2024-03-20",
            "reconcile": reconcile,
            "max_retry_seconds": 0,
            "max_concurrency": 1,  # the pages are answered in their order
            "reports": [report],
        }
        if flattening_enabled:
            settings |= {"flattening_enabled": True, "flattening_max_depth": 1}
        return sync(settings, streams=["r"])

    return run


def errors(caplog: pytest.LogCaptureFixture) -> str:
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    return "\n".join(lines)


# --- pages ---


@pytest.mark.parametrize(
    "end", [{"continuation_token": None}, {"continuation_token": ""}, {}]
)
def test_a_next_page_carries_its_token_and_nothing_else(
    end: dict[str, Any], api: Api, read: Callable[..., Messages]
) -> None:
    api.pages = [
        {"rows": [row()], "continuation_token": "one=="},
        {"rows": [], "continuation_token": "two"},
        {"rows": [row("2024-03-19T00:00:00Z")], **end},
    ]
    records = read().records("r")
    assert [record["date"] for record in records] == ["2024-03-18", "2024-03-19"]
    assert api.queries[1:] == [
        {"continuation_token": ["one=="]},
        {"continuation_token": ["two"]},
    ]


@pytest.mark.parametrize("tokens", ["aa", "aba"])
def test_a_token_that_was_seen_before_is_an_error(
    tokens: str,
    api: Api,
    read: Callable[..., Messages],
    caplog: pytest.LogCaptureFixture,
) -> None:
    api.pages = [{"rows": [], "continuation_token": token} for token in tokens]
    with pytest.raises(IncompleteRunError):
        read()
    assert "the continuation_token leads back" in errors(caplog)
    assert len(api.queries) == len(tokens)


def test_a_row_that_two_pages_repeat_is_written_once(
    api: Api, read: Callable[..., Messages], caplog: pytest.LogCaptureFixture
) -> None:
    api.pages = [
        {"rows": [row()], "continuation_token": "one"},
        {"rows": [row(), row("2024-03-19T00:00:00Z")]},
    ]
    assert len(read().records("r")) == 2
    assert f"entity_id {CAMPAIGN} with the same values" in caplog.text


def test_a_row_with_other_values_makes_the_window_be_read_again(
    api: Api, read: Callable[..., Messages], caplog: pytest.LogCaptureFixture
) -> None:
    other = row(stats=stats(("IMPRESSIONS", 8)))
    api.pages = [
        {"rows": [row()], "continuation_token": "one"},
        {"rows": [other]},
        {"rows": [other]},
    ]
    records = read().records("r")
    assert [record["impressions"] for record in records] == [7, 8]
    assert "the window is read again (1 of 3 times)" in caplog.text


# --- rows ---


def test_a_row_without_a_time_is_left_out_and_told_once(
    api: Api, read: Callable[..., Messages], caplog: pytest.LogCaptureFixture
) -> None:
    api.pages = [
        {"rows": [row(None), row()], "continuation_token": "one"},
        {"rows": [row(""), {k: v for k, v in row().items() if k != "start_time"}]},
    ]
    assert [record["date"] for record in read().records("r")] == ["2024-03-18"]
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert warnings == [
        "r: skipped 3 rows that have no start_time",
        "The run is not complete; incomplete: r",
    ]


def test_a_row_without_a_time_is_no_part_of_the_account_s_totals(
    api: Api, read: Callable[..., Messages]
) -> None:
    api.pages = [{"rows": [row(), row(None)]}] * 2  # the campaign's, and the account's
    messages = read(reconcile="fail")
    assert messages.bookmark("r") == "2024-03-19"
    assert len(messages.records("r")) == 1


@pytest.mark.parametrize(
    "time",
    ["2024-03-18T00:00:00.000Z", "2024-03-18T00:00:00+00:00", "2024-03-18T02:00+02:00"],
)
def test_a_time_may_be_written_in_other_ways(
    time: str, api: Api, read: Callable[..., Messages]
) -> None:
    api.pages = [{"rows": [row(time)]}]
    assert [record["date"] for record in read().records("r")] == ["2024-03-18"]


@pytest.mark.parametrize(
    "time",
    ["2024-03-20T00:00:00Z", "2024-03-18T01:00:00Z", "yesterday", "2024-03-18"],
)
def test_a_time_that_was_not_asked_for_is_an_error(
    time: str,
    api: Api,
    read: Callable[..., Messages],
    caplog: pytest.LogCaptureFixture,
) -> None:
    api.pages = [{"rows": [row(), row(time)]}]
    with pytest.raises(IncompleteRunError):
        read()
    assert f"start_time {time!r}, which was not requested" in errors(caplog)


def test_a_total_takes_rows_that_have_nothing_but_numbers(
    api: Api, read: Callable[..., Messages]
) -> None:
    nulls = dict.fromkeys(("entity_name", "entity_status", "parent_entity"))
    api.pages = [{"rows": [row(None, end_time=None, **nulls)], "warnings": None}]
    (record,) = read(aggregate_by="total").records("r")
    assert record == {
        "date": "2024-03-18",
        "date_end": "2024-03-19",
        "ad_account_id": ACCOUNT,
        "entity_id": CAMPAIGN,
        "entity_name": None,
        "entity_status": None,
        "currency_code": "EUR",
        "below_threshold": [],
        "impressions": 7,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", "7"),
        ("73775.0", "73775.0"),
        ("17.482913", "17.482913"),
        ("1.0e-05", "0.00001"),
        ("12345678901234567.25", "12345678901234567.25"),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("null", None),
    ],
)
def test_numbers_are_as_spotify_writes_them(
    text: str, value: str | None, api: Api, read: Callable[..., Messages]
) -> None:
    page = json.dumps({"rows": [row(stats=stats(("SPEND", "?")))]})
    api.pages = [page.replace('"?"', text)]
    (record,) = read(fields=["SPEND"]).records("r")
    assert record["spend"] == (None if value is None else Decimal(value))


def test_a_field_that_stands_twice_counts_once(
    api: Api, read: Callable[..., Messages]
) -> None:
    twice = stats(("IMPRESSIONS", 7), ("CLICKS", 3), ("IMPRESSIONS", 7.0))
    api.pages = [{"rows": [row(stats=twice)]}]
    (record,) = read(fields=["CLICKS", "IMPRESSIONS"]).records("r")
    assert (record["impressions"], record["clicks"]) == (7, 3)


def test_a_field_with_two_values_is_an_error(
    api: Api, read: Callable[..., Messages], caplog: pytest.LogCaptureFixture
) -> None:
    api.pages = [
        {"rows": [row(stats=stats(("IMPRESSIONS", 7), ("IMPRESSIONS", 8)))]},
    ]
    with pytest.raises(IncompleteRunError):
        read()
    assert "rows[0].stats has IMPRESSIONS twice, with the values 7 and 8" in (
        errors(caplog)
    )


def test_a_field_that_was_not_asked_for_is_ignored_and_a_missing_one_is_null(
    api: Api, read: Callable[..., Messages]
) -> None:
    api.pages = [{"rows": [row(stats=stats(("NEW_FIELD", 1)))]}]
    (record,) = read().records("r")
    assert record["impressions"] is None
    assert "new_field" not in record


@pytest.mark.parametrize(
    ("page", "error"),
    [
        ("[]", "the answer is not a JSON object"),
        (
            {"messages": ["Nobody is here"]},
            f"{ACCOUNT}/aggregate_reports: answered 200: Nobody is here",
        ),
        ({"rows": None}, "the answer.rows is not a list"),
        ({"rows": [row(entity_id=None)]}, "rows[0].entity_id is not a text"),
        (
            {"rows": [row(stats=stats(("IMPRESSIONS", "many")))]},
            "field_value: 'many' is not a number",
        ),
        ("{", "not with the JSON that it should"),
    ],
)
def test_an_answer_that_is_not_as_documented_is_an_error(
    page: Any,  # noqa: ANN401
    error: str,
    api: Api,
    read: Callable[..., Messages],
    caplog: pytest.LogCaptureFixture,
) -> None:
    api.pages = [page]
    with pytest.raises(IncompleteRunError):
        read()
    assert error in errors(caplog)


def test_a_list_of_entities_that_fails_splits_no_window(
    httpserver: HTTPServer,
    read: Callable[..., Messages],
    caplog: pytest.LogCaptureFixture,
) -> None:
    lists = f"/ads/v3/ad_accounts/{ACCOUNT}/campaigns"
    httpserver.expect_oneshot_request(lists).respond_with_data("no", status=503)
    Api(httpserver)
    with pytest.raises(IncompleteRunError):
        read()
    assert "campaigns" in errors(caplog)
    assert "503" in errors(caplog)
    assert "too large" not in caplog.text


def test_a_window_that_fails_for_its_size_is_split(
    httpserver: HTTPServer,
    read: Callable[..., Messages],
    caplog: pytest.LogCaptureFixture,
) -> None:
    httpserver.expect_oneshot_request(REPORT).respond_with_data("no", status=504)
    api = Api(httpserver)
    api.pages = [{"rows": [row()]}, {"rows": [row("2024-03-19T00:00:00Z")]}]
    assert len(read().records("r")) == 2
    assert [query["report_end"] for query in api.queries] == [
        ["2024-03-18T00:00:00Z"],
        ["2024-03-19T00:00:00Z"],
    ]
    assert "is too large for one request" in caplog.text


def test_records_are_the_same_one_by_one(
    api: Api, read: Callable[..., Messages]
) -> None:
    """As the SDK writes them if it has to see each, such as for flattening."""
    odd = stats(("IMPRESSIONS", 7), ("SPEND", 17.482913), ("LEADS", -5))
    page = {"rows": [row(stats=odd, entity_name='Möbel "1"'), row(stats=[])]}
    page["rows"][1]["entity_id"] = CAMPAIGN.replace("1", "2")
    fields = ["IMPRESSIONS", "SPEND", "LEADS", "E_CPM"]
    api.pages = [page, page]
    at_once = read(fields=fields).records("r")
    one_by_one = read(fields=fields, flattening_enabled=True).records("r")
    assert [{**r, "below_threshold": None} for r in one_by_one] == [
        {**r, "below_threshold": None} for r in at_once
    ]
    assert at_once[0]["below_threshold"] == ["leads"]
    assert at_once[0]["leads"] is None


def test_the_time_of_extraction_is_that_of_the_page(
    api: Api, read: Callable[..., Messages]
) -> None:
    before = dt.datetime.now(dt.timezone.utc)
    api.pages = [{"rows": [row()]}]
    (message,) = read().of("RECORD", "r")
    extracted = dt.datetime.fromisoformat(
        message["time_extracted"].replace("Z", "+00:00")
    )
    assert before <= extracted <= dt.datetime.now(dt.timezone.utc)
