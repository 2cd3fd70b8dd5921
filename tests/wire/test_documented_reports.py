"""AdStage's documented answers, at AdStage's own address, come out as records.

The answers are those of the API's documentation in all that a report reads. The
address is AdStage's too, as their links lead there; a local server stands behind it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from harness.paths import TESTS
from harness.taps import directory_of
from requests.adapters import HTTPAdapter
from werkzeug import Response

from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

ADSTAGE = "https://platform.adstage.io"
V1_FIELDS = ["clicks", "spend", "campaign_name", "remote_campaign_id", "network"]
V2_FIELDS = ["spend", "clicks", "calculated_metric:123"]


class Detour(HTTPAdapter):
    """Takes requests to AdStage's address to a local server."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # noqa: ANN401 - the library's own
        **options: Any,  # noqa: ANN401
    ) -> requests.Response:
        request.url = str(request.url).replace(ADSTAGE, self._url)
        return super().send(request, *args, **options)


def documented(name: str) -> dict[str, Any]:
    """An answer of AdStage's documentation, in all that a report reads."""
    path = TESTS / "documented" / f"{name}.json"
    answer: dict[str, Any] = json.loads(path.read_text())
    return answer


V1_BASIC, V1_SERIES = documented("v1_basic"), documented("v1_series")
V2_ROWS, V2_SERIES = documented("v2_rows"), documented("v2_series")


def last(page: dict[str, Any]) -> dict[str, Any]:
    """The same page without rows, and the last one."""
    ends = json.loads(json.dumps(page))
    for relation, rows in ends["_embedded"].items():
        if not relation.endswith("totals"):
            rows.clear()
    return {**ends, "_links": {}, "_forms": {}}


def records(
    server: HTTPServer,
    answer: Callable[[Request], dict[str, Any]],
    as_of: str,
    **report: Any,  # noqa: ANN401 - settings
) -> list[dict[str, Any]]:
    """The records of a report that AdStage answers so."""
    descriptors = [{"id": field, "type": "METRIC"} for field in V2_FIELDS]
    server.expect_request("/api/metric_descriptors").respond_with_json(descriptors)
    server.expect_request("/api/organizations/40/metric_descriptors").respond_with_json(
        descriptors
    )

    def respond(request: Request) -> Response:
        return Response(json.dumps(answer(request)), mimetype="application/json")

    version = "v2/" if report.get("api_version") != 1 else ""
    name = "report" if version else "build_report"
    path = f"/api/{version}organizations/40/{name}"
    server.expect_request(path).respond_with_handler(respond)
    tap = TapAdStage(
        config={
            "access_token": "t0ken",
            "organization_id": 40,
            "as_of": as_of,
            "import_policy": "ignore",
            "max_concurrency": 1,  # over the one session that has the detour
            "reports": [{"name": "r", "entity_level": "campaigns", **report}],
        },
        setup_mapper=False,
    )
    session = directory_of(tap).client.transport.session
    session.mount(ADSTAGE, Detour(server.url_for("").rstrip("/")))
    found = [*tap.streams["r"].get_records(None)]
    session.close()
    return [dict(record) for record in found if isinstance(record, dict)]


@pytest.mark.parametrize("window_days", [10, 70])
def test_v1_s_series(httpserver: HTTPServer, window_days: int) -> None:
    def answer(request: Request) -> dict[str, Any]:
        return V1_SERIES if request.method == "POST" else last(V1_SERIES)

    assert records(
        httpserver,
        answer,
        "2017-01-23",
        api_version=1,
        aggregate_by="month",
        date_range="last 30 days",
        fields=V1_FIELDS,
        window_days=window_days,
    ) == [
        {
            "date": first,
            "date_end": end,
            "entity_id": "/network/bing_ads/campaign/53744320",
            "network": "bing_ads",
            "currency_code": "USD",
            "clicks": clicks,
            "spend": Decimal(spend),
            "campaign_name": "Search - US - Nonbrand - Facebook Ads Jacob",
            "remote_campaign_id": "53744320",
        }
        for first, end, clicks, spend in (
            ("2016-12-01", "2016-12-31", 829, "1549.68005371094"),
            ("2017-01-01", "2017-01-31", 629, "1165.32995605469"),
        )
    ]


def test_v1_s_basic_report(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> dict[str, Any]:
        return V1_BASIC if request.method == "POST" else last(V1_BASIC)

    assert records(
        httpserver,
        answer,
        "2017-01-21",
        api_version=1,
        aggregate_by="total",
        date_range="last 30 days",
        fields=V1_FIELDS,
    ) == [
        {
            "date": "2016-12-22",
            "date_end": "2017-01-20",
            "entity_id": "/network/adwords/campaign/735025362",
            "network": "adwords",
            "currency_code": "USD",
            "clicks": 1014,
            "spend": Decimal("339.460006713867"),
            "campaign_name": "Display - US - Gmail Ads v2",
            "remote_campaign_id": "735025362",
        }
    ]


@pytest.mark.parametrize(
    ("page", "aggregate_by", "expected"),
    [
        (
            V2_ROWS,
            "total",
            [("2019-05-01", "2019-06-30", "3711.92", 266, 51591)],
        ),
        (
            V2_SERIES,
            "month",
            [
                ("2019-05-01", "2019-05-31", "2443.85", 178, 35259),
                ("2019-06-01", "2019-06-30", "1268.07", 88, 16330),
            ],
        ),
    ],
)
def test_v2_s_reports(
    httpserver: HTTPServer,
    page: dict[str, Any],
    aggregate_by: str,
    expected: list[tuple[Any, ...]],
) -> None:
    def answer(request: Request) -> dict[str, Any]:
        return last(page) if "page_token" in json.loads(request.get_data()) else page

    assert records(
        httpserver,
        answer,
        "2019-07-01",
        aggregate_by=aggregate_by,
        date_range="last 2 months",
        fields=V2_FIELDS,
        group_by="network",
        window_days=70,
    ) == [
        {
            "date": first,
            "date_end": end,
            "network": "linkedin",
            "currency_code": ["USD"],
            "spend": Decimal(spend),
            "clicks": clicks,
            "calculated_metric_123": calculated,
        }
        for first, end, spend, clicks, calculated in expected
    ]
