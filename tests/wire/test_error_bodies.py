"""Errors that AdStage answers with 200: raised in its own words, and only those."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import failure_of
from harness.gate import Gate
from harness.paths import TESTS
from harness.taps import directory_of
from werkzeug import Response

from tap_adstage.adstage.client import refusal
from tap_adstage.adstage.pagination import ApiRequest
from tap_adstage.exceptions import ApiError
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.adstage.client import AdStageClient
    from tap_adstage.adstage.directory import Directory
    from tap_adstage.sandbox.server import Sandbox

SUSPENDED = {"error": "Account is suspended"}
ERROR_BODIES: list[dict[str, Any]] = [
    SUSPENDED,
    {"message": "Account is suspended"},
    {"errors": ["Account is suspended"]},
    {"errors": [{"code": 7, "message": "Account is suspended"}]},
    {"errors": {"account": ["is suspended"]}},
    {"status": 403, "error": "Forbidden", "message": "Account is suspended"},
    {"error": True, "message": "Account is suspended"},
    {"error": {"code": 190, "message": "Account is suspended"}},
    {"error": "invalid_account", "error_description": "Account is suspended"},
    {"success": False, "message": "Account is suspended", "_links": {"self": "x"}},
    {**SUSPENDED, "accounts": []},
    {**SUSPENDED, "_embedded": {}},
    {**SUSPENDED, "_embedded": {"item": []}, "total": 0},
    {**SUSPENDED, "_embedded": {"adstage:metrics": []}, "counts": {"filtered": 0}},
    {**SUSPENDED, "_embedded": {"results": []}, "type": "timeseries", "time": {}},
]


@pytest.mark.parametrize("body", ERROR_BODIES, ids=json.dumps)
def test_an_error_body_is_an_error_in_its_own_words(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
    body: dict[str, Any],
) -> None:
    httpserver.expect_request("/api/x").respond_with_json(body)
    url = client.url("/x")
    reads: list[Callable[[], object]] = [
        lambda: client.get("/x"),
        lambda: list(client.items(url)),
        lambda: client.page(ApiRequest(url, {"limit": 5})),
    ]
    for read in reads:
        text = r"/api/x answered 200: (Account|account:) is suspended$"
        with pytest.raises(ApiError, match=text) as error:
            read()
        assert error.value.status == 200
    assert waits == []


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((TESTS / "documented" / name).read_text())
    return loaded


RIGHT = [
    document("v1_basic.json"),
    document("v1_series.json"),
    document("v2_rows.json"),
    document("v2_series.json"),
    {"id": "/api/users/1", "fetch_id": 1},
    {"fetch_id": 40, "company_name": "Marlow"},
    {"accounts": [{"name": "Marlow"}]},
    {"_embedded": {"item": [{"id": 1}]}},
]


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: str([*right]))
@pytest.mark.parametrize(
    "member",
    [
        {"message": "Welcome back"},
        {"errors": []},
        {"errors": ["a row's own words"]},
        {"error": None},
        {"error": ""},
        {"error": False},
    ],
    ids=json.dumps,
)
def test_a_document_with_content_may_have_such_a_member(
    right: dict[str, Any],
    member: dict[str, Any],
) -> None:
    assert refusal(right) is None
    assert refusal(right | member) is None


@pytest.mark.parametrize(
    "empty",
    [
        {"_embedded": {"item": []}, "total": 0, "message": "No folders yet"},
        {"_embedded": {"results": []}, "type": "rows", "message": "No rows"},
        {"_embedded": {"results": []}, "type": "rows", "errors": []},
        {"accounts": [], "message": "No accounts yet"},
        {},
        [],
        [{"id": "clicks", "message": "x"}],
        "Account is suspended",
        None,
    ],
)
def test_what_is_only_empty_is_not_an_error_body(empty: object) -> None:
    assert refusal(empty) is None


# --- wherever it comes ---


def refused_at(path: str, page: int = 1) -> Callable[[Request], Response | None]:
    """Answer the requests for a path with an error body, from one page on."""
    asked: list[Request] = []

    def answer(request: Request) -> Response | None:
        if not request.path.endswith(path):
            return None
        asked.append(request)
        if len(asked) < page:
            return None
        return Response(json.dumps(SUSPENDED), mimetype="application/json")

    return answer


def tap_of(gate: Gate, sandbox: Sandbox, **report: object) -> TapAdStage:
    report = {"name": "r", "entity_level": "campaigns", "fields": ["clicks"], **report}
    return TapAdStage(
        config={
            "api_url": gate.api_url,
            "access_token": sandbox.token,
            "as_of": "2024-03-20",
            "import_policy": "ignore",
            "page_size": 5,
            "reports": [{"date_range": "last 2 days", **report}],
        },
        setup_mapper=False,
    )


@pytest.mark.parametrize(
    ("path", "page", "read"),
    [
        ("/me", 1, lambda directory: directory.user),
        ("/organizations/40", 1, lambda directory: directory.organization),
        ("/sync_information", 1, lambda directory: directory.import_status),
        ("/list_network_accounts/all", 1, lambda directory: directory.accounts),
        ("/list_network_accounts/all", 2, lambda directory: directory.accounts),
        ("/account_groups", 1, lambda directory: directory.account_groups),
        ("/list_folders", 1, lambda directory: directory.folders),
        (
            "/organizations/40/metric_descriptors",
            1,
            lambda directory: directory.organization_descriptors,
        ),
        (
            "/metric_descriptors/facebook",
            1,
            lambda directory: directory.network_descriptors("facebook"),
        ),
    ],
)
def test_a_resource_that_is_refused_so_is_an_error(
    sandbox: Sandbox,
    path: str,
    page: int,
    read: Callable[[Directory], object],
) -> None:
    with (
        Gate(sandbox, refused_at(path, page)) as gate,
        pytest.raises(ApiError, match="answered 200: Account is suspended"),
    ):
        read(directory_of(tap_of(gate, sandbox)))


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("aggregate_by", ["day", "total"])
@pytest.mark.parametrize("api_version", [1, 2])
def test_a_page_of_a_report_that_is_refused_so_is_an_error(
    sandbox: Sandbox,
    api_version: int,
    aggregate_by: str,
    page: int,
) -> None:
    place = (
        rf"r, 2024-03-18\.\.2024-03-19, page {page}: \S+ \S+report\S* answered 200: "
        "Account is suspended$"
    )
    report = {"api_version": api_version, "aggregate_by": aggregate_by}
    with Gate(sandbox, refused_at("report", page)) as gate:
        error = failure_of(tap_of(gate, sandbox, **report).streams["r"])
    assert isinstance(error, ApiError)
    assert re.search(place, str(error))
