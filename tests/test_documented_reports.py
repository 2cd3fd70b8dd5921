"""AdStage's documented answers, at AdStage's own address, come out as records.

The answers are those of the API's documentation in all that a report reads. The
address is AdStage's too, as their links lead there; a local server stands behind it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
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


def frame(start: str, end: str) -> dict[str, str]:
    return {"start": f"{start}T00:00:00Z", "end": f"{end}T23:59:59Z"}


DECEMBER, JANUARY = frame("2016-12-01", "2016-12-31"), frame("2017-01-01", "2017-01-31")
MAY, JUNE = frame("2019-05-01", "2019-05-31"), frame("2019-06-01", "2019-06-30")
COUNTS = {
    "overall": 73262,
    "filtered_buckets": 11820,
    "page": 10,
    "filtered": 11820,
    "overall_buckets": 73262,
}
LINK = (
    f"{ADSTAGE}/api/organizations/40/build_report?%sdate_range=2016-12-24..2017-01-22"
    "&entity_level=campaigns&fields=clicks%%2Cspend&limit=10&offset=10&order=desc"
    "&networks=adwords%%2Cbing_ads&provider=adstage&sort_by=clicks&statuses=active"
)

V1_BASIC = {
    "_embedded": {
        "adstage:metrics": [
            {
                "data": {"clicks": 1014, "spend": 339.460006713867},
                "timeframe": frame("2016-12-22", "2017-01-20"),
                "meta": {
                    "campaign_name": "Display - US - Gmail Ads v2",
                    "entity_id": "/network/adwords/campaign/735025362",
                    "remote_campaign_id": "735025362",
                    "network": "adwords",
                    "currency_code": "USD",
                    "currency_symbol": "$",
                    "row_name": "Display - US - Gmail Ads v2",
                },
            }
        ],
        "adstage:metrics/totals": {
            "id": "totals",
            "data": {"clicks": 8783, "spend": 23780.8718175292},
            "timeframe": frame("2016-12-01", "2017-01-31"),
            "meta": {"currency_code": "USD", "series_name": "All"},
        },
    },
    "counts": COUNTS,
    "_links": {"next": {"href": LINK % ""}},
}
V1_SERIES = {
    "_embedded": {
        "adstage:time_series": [
            {
                "id": "production.1.accounts.bing_ads.2982670.campaigns.53744320",
                "data": {"clicks": 1458, "spend": 2715.01000976562},
                "series": [
                    {
                        "data": {"clicks": 829, "spend": 1549.68005371094},
                        "timeframe": DECEMBER,
                    },
                    {
                        "data": {"clicks": 629, "spend": 1165.32995605469},
                        "timeframe": JANUARY,
                    },
                ],
                "timeframe": frame("2016-12-01", "2017-01-31"),
                "meta": {
                    "campaign_name": "Search - US - Nonbrand - Facebook Ads Jacob",
                    "remote_campaign_id": "53744320",
                    "entity_id": "/network/bing_ads/campaign/53744320",
                    "network": "bing_ads",
                    "currency_code": "USD",
                    "currency_symbol": "$",
                    "series_name": "Search - US - Nonbrand - Facebook Ads Jacob",
                },
            }
        ],
        "adstage:time_series/totals": {
            "id": "totals",
            "data": {"clicks": 8783, "spend": 23780.8718175292},
            "series": [
                {
                    "data": {"clicks": 4025, "spend": 11414.1101390719},
                    "timeframe": DECEMBER,
                },
                {
                    "data": {"clicks": 4758, "spend": 12366.7616784573},
                    "timeframe": JANUARY,
                },
            ],
            "timeframe": frame("2016-12-01", "2017-01-31"),
            "meta": {"currency_code": "USD", "series_name": "All"},
        },
    },
    "counts": COUNTS,
    "_links": {"next": {"href": LINK % "aggregate_by=month&"}},
}
FORM = {
    "href": f"{ADSTAGE}/api/organizations/1/report",
    "method": "POST",
    "fields": {
        "date_range": {"type": "string", "value": "last 2 months"},
        "sources": {
            "type": "object",
            "value": {"metrics": {"targets": None, "entity_level": "campaigns"}},
        },
        "version": {"type": "string", "value": "2"},
        "page_token": {
            "type": "string",
            "value": "g3QAAAADZAAFbGltaXRhAWQABm9mZnNldGECZAABdG0AAAAGb2Zmc2V0",
        },
    },
}
CALCULATED = "calculated_metric:123"
V2_META = {
    "currency_code": "USD",
    "currency_symbol": "$",
    "entity_id": None,
    "network": "linkedin",
}
V2_PAGING = {
    "_forms": {"next_page": FORM},
    "_links": {
        "results": [],
        "next_page": {"href": FORM["href"], "method": "POST", "form": True},
    },
}
V2_ROWS = V2_PAGING | {
    "summary": {
        "filtered": {"calculated": {}, "count": 3, "metrics": {"spend": 50973.39}},
        "type": "summary_row",
    },
    "type": "rows",
    "time": frame("2019-05-01", "2019-06-30") | {"interval": "month"},
    "_embedded": {
        "results": [
            {
                "calculated": {CALCULATED: 51591},
                "meta": V2_META,
                "metrics": {"clicks": 266, "spend": 3711.92},
                "series": [
                    {
                        "calculated": {CALCULATED: 35259},
                        "metrics": {"clicks": 178, "spend": 2443.85},
                        "time": MAY,
                    },
                    {
                        "calculated": {CALCULATED: 16330},
                        "metrics": {"clicks": 88, "spend": 1268.07},
                        "time": JUNE,
                    },
                ],
            }
        ]
    },
}
V2_SERIES = V2_PAGING | {
    "summary": {
        "filtered": {"calculated": {}, "count": 3, "metrics": {"spend": 50973.39}},
        "type": "summary_series",
    },
    "type": "timeseries",
    "time": frame("2019-05-01", "2019-06-30")
    | {"interval": "month", "timestamps": [MAY["start"], JUNE["start"]]},
    "_embedded": {
        "results": [
            {
                "summary": {
                    "calculated": {CALCULATED: 51591},
                    "meta": V2_META,
                    "metrics": {"clicks": 266, "spend": 3711.92},
                },
                "series": {
                    "calculated": {CALCULATED: [35259, 16330]},
                    "metrics": {"clicks": [178, 88], "spend": [2443.85, 1268.07]},
                },
            }
        ]
    },
}


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
        []
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
            "reports": [{"name": "r", "entity_level": "campaigns", **report}],
        },
        setup_mapper=False,
    )
    session = tap.directory.client.transport.session
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
