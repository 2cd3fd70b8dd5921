"""What the tap reports if its rows differ from AdStage's own count and totals."""

from __future__ import annotations

import datetime as dt
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import stream_fails
from harness.logs import errors, warnings

from tap_adstage.exceptions import ReconcileError
from tap_adstage.streams.report_stream import ReportStream
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.server import Sandbox

REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks", "impressions", "spend", "conversions"],
    "date_range": "last 25 days",
}
VERSIONS = pytest.mark.parametrize("api_version", [2, 1])


def with_report(settings: dict[str, Any], **keys: object) -> dict[str, Any]:
    # One request after the other: their order is looked at.
    given = {"import_policy": "ignore", "max_concurrency": 1}
    return {**settings, **given, "reports": [{**REPORT, **keys}]}


def summaries(sandbox: Sandbox) -> list[object]:
    keys = ("summarize_on", "summary_fields", "summary_format")
    return [
        tuple(request.body.get(key) for key in keys)
        for request in sandbox.requests
        if request.path.endswith("/report")
    ]


@VERSIONS
def test_warn_says_window_expected_and_got_and_sums_up(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    api_version: int,
) -> None:
    sandbox.drop_rows = 2
    messages = sync(with_report(settings, api_version=api_version), streams=["daily"])
    world = sandbox.world
    campaigns = sorted(world.entities("campaigns"), key=lambda each: each.entity_id)
    start, end = dt.date(2024, 2, 24), dt.date(2024, 3, 4)

    def clicks(entities: Any) -> int:  # noqa: ANN401 - entities
        values = [
            world.total(each, "clicks", start, end, today=sandbox.today)
            for each in entities
        ]
        return sum(int(value) for value in values if value is not None)

    first, second, third, at_the_end, incomplete = warnings(caplog)
    assert first.startswith(
        "daily: window 2024-02-24..2024-03-04 differs from AdStage's own totals: "
        "entities: AdStage counts 90, 88 were written; "
        f"clicks: AdStage's total is {clicks(campaigns)}, "
        f"the rows written sum to {clicks(campaigns[:-2])}; impressions: "
    )
    assert "spend: " in first
    assert "2024-03-05..2024-03-14" in second
    assert "2024-03-15..2024-03-19" in third
    assert at_the_end == "daily: 3 of 3 windows differ from AdStage's own totals"
    assert incomplete == "The run is not complete; incomplete: daily"
    assert messages.bookmark("daily") == "2024-03-19"


@VERSIONS
def test_fail_ends_the_run_and_leaves_the_bookmark_where_it_was(
    sandbox: Sandbox,
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
    api_version: int,
) -> None:
    settings["reconcile"] = "fail"
    config = with_report(settings, api_version=api_version)
    state = sync(
        with_report(settings, api_version=api_version, date_range="2024-02-24"),
        streams=["daily"],
    ).state
    tap = TapAdStage(config=config, state=state)
    stream = tap.streams["daily"]
    assert isinstance(stream, ReportStream)
    records = stream.get_records(None)
    read = [*islice(records, 90 * 10)]
    assert read[-1]["date"] == "2024-03-04"
    sandbox.drop_rows = 1
    read.extend(records)
    (line,) = errors(caplog)
    assert re.search(r"2024-03-05\.\.2024-03-14.*entities: AdStage counts", line)
    assert tap.state["bookmarks"]["daily"]["replication_key_value"] == "2024-03-04"
    assert read[-1]["date"] == "2024-03-14"


def test_fail_is_an_error_of_one_line(
    sandbox: Sandbox, settings: dict[str, Any], sync: Sync
) -> None:
    sandbox.drop_rows = 1
    with stream_fails(ReconcileError) as error:
        sync(with_report(settings | {"reconcile": "fail"}), streams=["daily"])
    assert len(str(error.value).splitlines()) == 1
    assert "set reconcile to warn" in str(error.value)


def test_off_asks_for_no_totals_and_compares_nothing(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.drop_rows = 2
    sync(with_report(settings | {"reconcile": "off"}), streams=["daily"])
    assert summaries(sandbox) == [(None, None, None)] * 3
    assert warnings(caplog) == []


def test_totals_are_asked_of_the_metrics_that_are_requested(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    config = with_report(settings, fields=["Spend", "conversions", "campaign_name"])
    sync(config, streams=["daily"])
    assert summaries(sandbox) == [(["filtered"], ["spend"], "row")] * 3


@VERSIONS
@pytest.mark.parametrize(
    "keys",
    [
        {"aggregate_by": "week", "date_range": "last 3 weeks"},
        {"aggregate_by": "month", "date_range": "3 months to now"},
        {"aggregate_by": "total"},
        {"group_by": "network"},
        {"group_by": "account_group_id"},
        {"group_by": "folder_ids"},
        {"group_by": "currency_code", "aggregate_by": "total"},
        {"filters": [{"path": "clicks", "op": "gt", "value": 20}]},
        {"filters": [{"path": "meta/status", "op": "in", "value": ["ACTIVE"]}]},
        {"filters": [{"path": "meta/status", "op": "in", "value": ["NONE"]}]},
        {"fields": ["campaign_name"]},
        {"fields": ["video_views"]},
        {"window_days": 1, "date_range": "last 3 days"},
        {"entity_level": "keywords", "date_range": "last 2 days"},
        {"time_zone": "America/Los_Angeles", "date_range": "7 days to now"},
    ],
    ids=str,
)
@pytest.mark.parametrize("page_size", [50, 1000])
def test_what_is_as_it_should_be_is_quiet(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    page_size: int,
    api_version: int,
    keys: dict[str, Any],
) -> None:
    settings |= {"page_size": page_size, "reconcile": "fail"}
    sync(with_report(settings, api_version=api_version, **keys), streams=["daily"])
    assert sandbox.requests
    assert warnings(caplog) == []


@VERSIONS
@pytest.mark.parametrize(
    "keys",
    [
        {"aggregate_by": "week", "date_range": "last week"},
        {"aggregate_by": "total"},
        {"group_by": "network"},
        {"group_by": "folder_names"},
        {"filters": [{"path": "clicks", "op": "gt", "value": 20}]},
        {"fields": ["campaign_name"]},
        {"fields": ["video_views"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("page_size", [8, 1000])
def test_a_lost_row_is_found_whatever_the_report(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    page_size: int,
    api_version: int,
    keys: dict[str, Any],
) -> None:
    sandbox.drop_rows = 1
    settings |= {"page_size": page_size, "reconcile": "fail"}
    keys = {"date_range": "yesterday", **keys}
    counted = "groups" if "group_by" in keys else "entities"
    with stream_fails(ReconcileError, match=f"{counted}: AdStage counts"):
        sync(with_report(settings, api_version=api_version, **keys), streams=["daily"])


def test_a_breakdown_that_loses_a_row_is_found(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    target = next(
        account.entity_id
        for account in sandbox.world.entities("accounts")
        if account.network == "facebook"
    )
    config = with_report(
        settings | {"reconcile": "fail"},
        provider="facebook",
        targets=[target],
        dimensions=["age"],
        fields=["clicks", "spend"],
        date_range="yesterday",
    )
    sync(config, streams=["daily"])
    sandbox.drop_rows = 1
    with stream_fails(ReconcileError, match="entities by dimension: AdStage counts 35"):
        sync(config, streams=["daily"])


def test_deselected_metrics_are_not_compared(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    config = with_report(settings | {"reconcile": "fail"})
    catalog = TapAdStage(config=dict(config)).catalog_dict
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            metadata["metadata"]["selected"] = entry["stream"] == "daily" and metadata[
                "breadcrumb"
            ] not in (["properties", "clicks"], ["properties", "impressions"])
    sync(config, catalog=catalog)
    assert summaries(sandbox) == [(["filtered"], ["spend"], "row")] * 3


def test_an_answer_without_totals_is_said_once_at_the_end(
    httpserver: HTTPServer,
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = "/api/metric_descriptors"
    httpserver.expect_request(path).respond_with_json([{"id": "clicks"}])
    for path, answer in {
        "/api/organizations/40": {"fetch_id": 40},
        "/api/organizations/40/metric_descriptors": [{"id": "clicks"}],
        "/api/users/40/list_network_accounts/all": {"_embedded": {"item": []}},
        "/api/v2/organizations/40/report": {
            "type": "timeseries",
            "summary": None,
            "_embedded": {"results": []},
        },
    }.items():
        httpserver.expect_request(path).respond_with_json(answer)
    ids = {"user_id": 40, "organization_id": 40}
    settings |= {"api_url": httpserver.url_for("/api"), **ids}
    for policy in ("warn", "fail"):
        caplog.clear()
        config = with_report(settings | {"reconcile": policy}, fields=["clicks"])
        messages = sync(config, streams=["daily"])
        assert messages.bookmark("daily") == "2024-03-19"
        assert warnings(caplog) == [
            "daily: 3 of 3 windows were not compared, as AdStage gave no totals"
        ]
