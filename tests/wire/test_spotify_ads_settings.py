"""Spotify Ads' settings at the wire: what each asks for, and what is never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.exceptions import ConfigError

if TYPE_CHECKING:
    from harness.singer import Sync

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

REPORT: dict[str, Any] = {
    "name": "r",
    "entity_level": "ad_accounts",
    "fields": ["IMPRESSIONS"],
    "date_range": "2024-03-01..2024-03-19",
}


def report_requests(sandbox: SpotifyAdsSandbox) -> list[dict[str, list[str]]]:
    """The parameters of each request for a report; a name may be repeated."""
    found = []
    for request in sandbox.requests:
        if request.path.endswith("_reports"):
            parameters: dict[str, list[str]] = {}
            for name, value in request.parameters:
                parameters.setdefault(name, []).append(value)
            found.append(parameters)
    return found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"networks": ["spotify"]}, "networks: .* belongs to AdStage"),
        ({"time_zone": "Asia/Tokyo"}, "time_zone: .* UTC alone"),
        ({"reports": [REPORT | {"aggregate_by": "week"}]}, "reach can't be summed up"),
        (
            {"reports": [{"name": "r", "entity_level": "age", "fields": ["spend"]}]},
            "Spotify doesn't have it",
        ),
        (
            {"reports": [REPORT | {"granularity": "total", "date_range": "last year"}]},
            "more than the 90",
        ),
        ({"reports": [REPORT | {"filters": []}]}, "filters: .* belongs to AdStage"),
    ],
)
def test_a_mistake_is_an_error_before_any_request(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    changes: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        sync(spotify_settings | changes)
    assert spotify_sandbox.requests == []


def test_every_word_of_fivetran_s_may_be_given_as_it_is(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    del spotify_settings["reports"]
    report = {
        "table": "r",
        "dimension": "Campaign",
        "granularity": "Day",
        "fields": ["Impressions", {"field": "e_cpm", "column": "price"}],
        "date_range": "yesterday",
    }
    messages = sync(spotify_settings | {"report_list": [report]}, streams=["r"])
    (schema,) = messages.of("SCHEMA", "r")
    columns = [*schema["schema"]["properties"]]
    assert columns[-2:] == ["impressions", "price"]
    assert messages.records("r")
    for parameters in report_requests(spotify_sandbox):
        assert parameters["entity_type"] in (["CAMPAIGN"], ["AD_ACCOUNT"])
        assert parameters["granularity"] == ["DAY"]
        assert {*parameters["fields"]} == {"IMPRESSIONS", "SPEND"}


def test_chosen_accounts_alone_are_read(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    chosen, *others = (account.id for account in spotify_sandbox.world.ad_accounts)
    assert others
    choice = {
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": [chosen.upper()],
        "reports": [REPORT],
    }
    messages = sync(spotify_settings | choice, streams=["r"])
    assert {record["ad_account_id"] for record in messages.records("r")} == {chosen}


@pytest.mark.parametrize(
    ("changes", "starts"),
    [
        ({}, ["2024-03-01T00:00:00Z"]),
        (
            {"window_days": 7},
            ["2024-03-01T00:00:00Z", "2024-03-08T00:00:00Z", "2024-03-15T00:00:00Z"],
        ),
        ({"start_date": "2024-03-10"}, ["2024-03-10T00:00:00Z"]),
        ({"end_date": "2024-02-29"}, []),
    ],
)
def test_settings_decide_the_days(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    changes: dict[str, Any],
    starts: list[str],
) -> None:
    sync(spotify_settings | {"reports": [REPORT]} | changes, streams=["r"])
    requests = report_requests(spotify_sandbox)
    assert sorted({start for each in requests for start in each["report_start"]}) == (
        starts
    )


def test_a_window_is_30_days_and_a_page_50_rows_unless_settings_say_otherwise(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    report = REPORT | {"date_range": "2024-01-01..2024-03-19"}
    sync(spotify_settings | {"reports": [report]}, streams=["r"])
    first, *_ = (
        each for each in report_requests(spotify_sandbox) if "report_start" in each
    )
    assert first["report_start"] == ["2024-01-01T00:00:00Z"]
    assert first["report_end"] == ["2024-01-30T00:00:00Z"]
    assert first["limit"] == ["50"]
    before = len(spotify_sandbox.requests)
    sync(spotify_settings | {"reports": [report], "page_size": 20}, streams=["r"])
    sizes = {
        request.query.get("limit") for request in spotify_sandbox.requests[before:]
    }
    assert sizes <= {"20", None}
    assert "20" in sizes


def test_targets_limit_an_audience_report(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    campaign = spotify_sandbox.world.entities("CAMPAIGN")[0].id
    report = {
        "name": "r",
        "entity_level": "gender",
        "fields": ["impressions"],
        "targets": [campaign],
    }
    sync(spotify_settings | {"reports": [report]}, streams=["r"])
    (parameters,) = report_requests(spotify_sandbox)
    assert parameters["insight_dimension"] == ["GENDER"]
    assert parameters["entity_ids"] == [campaign]
    assert parameters["entity_ids_type"] == ["CAMPAIGN"]


def test_without_reports_there_are_the_four_daily_ones(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    del spotify_settings["reports"]
    names = ["ad_account", "campaign", "ad_set", "ad"]
    streams = [f"{name}_performance" for name in names]
    messages = sync(spotify_settings | {"start_date": "2024-03-18"}, streams=streams)
    for stream in streams:
        records = messages.records(stream)
        assert {record["date"] for record in records} == {"2024-03-18", "2024-03-19"}
        assert {"impressions", "clicks", "spend", "reach", "completes"} <= (
            records[0].keys()
        )
