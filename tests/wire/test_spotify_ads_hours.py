"""Reports of Spotify by the hour, which it keeps for 14 days, and their bookmarks."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

import pytest
from harness.spotify import first_pages, shown, values

from tap_adstage.exceptions import IncompleteRunError
from tap_adstage.reports.history import digest, joined_digests
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.spotify_ads.aggregates import oldest_hour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.singer import Sync

UTC = dt.timezone.utc
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
FIELDS = ["IMPRESSIONS", "CLICKS", "SPEND"]


@pytest.fixture
def sandbox() -> Iterator[SpotifyAdsSandbox]:
    """A sandbox of the real day, as hours are counted back from the real time."""
    with SpotifyAdsSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def settings(sandbox: SpotifyAdsSandbox) -> dict[str, Any]:
    return {
        "source": "spotify_ads",
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "reports": [report()],
    }


def report(**keys: object) -> dict[str, Any]:
    return {
        "name": "r",
        "entity_level": "ad_accounts",
        "aggregate_by": "hour",
        "fields": FIELDS,
        **keys,
    }


def today() -> dt.date:
    return dt.datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("now", "first"),
    [
        # A quarter of an hour is left for the request to arrive.
        ("2024-03-20T10:00:00", "2024-03-06T11:00:00"),
        ("2024-03-20T10:44:59", "2024-03-06T11:00:00"),
        ("2024-03-20T10:45:00", "2024-03-06T11:00:00"),
        ("2024-03-20T10:45:01", "2024-03-06T12:00:00"),
        ("2024-03-20T23:50:00", "2024-03-07T01:00:00"),
    ],
)
def test_the_oldest_hour_is_a_whole_one_of_the_last_14_days(
    now: str, first: str
) -> None:
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert oldest_hour(moment) == dt.datetime.fromisoformat(first).replace(tzinfo=UTC)


def test_hours_have_the_truth_and_a_time_as_a_key(
    sandbox: SpotifyAdsSandbox, settings: dict[str, Any], sync: Sync
) -> None:
    messages = sync(
        settings | {"reports": [report(date_range="last 3 days")]}, streams=["r"]
    )
    first, last = today() - 3 * DAY, today() - DAY
    world = sandbox.world
    start = dt.datetime.combine(first, dt.time(), UTC)
    end = dt.datetime.combine(last, dt.time(23), UTC)
    truth = {
        (row.entity.id, row.start.strftime("%Y-%m-%dT%H:%M:%SZ")): shown(row, FIELDS)
        for row in world.hours(world.ad_accounts, FIELDS, start, end)
    }
    records = messages.records("r")
    assert {(r["entity_id"], r["start_time"]): values(r, FIELDS) for r in records} == (
        truth
    )
    assert len(records) == len(truth)
    (schema,) = messages.of("SCHEMA", "r")
    assert schema["key_properties"] == ["start_time", "ad_account_id", "entity_id"]
    time = {"type": "string", "format": "date-time"}
    assert schema["schema"]["properties"]["start_time"] == time
    assert "date" not in schema["schema"]["properties"]
    for request in first_pages(sandbox):
        assert request["granularity"] == ["HOUR"]
        assert request["report_start"] == [f"{first}T00:00:00Z"]
        assert request["report_end"] == [f"{last}T23:00:00Z"]


def test_the_bookmark_is_the_last_hour_of_the_last_day(
    settings: dict[str, Any], sync: Sync
) -> None:
    messages = sync(
        settings | {"reports": [report(date_range="last 3 days")]}, streams=["r"]
    )
    bookmark = messages.state["bookmarks"]["r"]
    assert bookmark["replication_key"] == "start_time"
    assert bookmark["replication_key_value"] == f"{today() - DAY}T23:00:00Z"
    assert bookmark["aggregate_by"] == "hour"


def test_a_later_run_resumes_at_the_day_of_the_bookmark(
    sandbox: SpotifyAdsSandbox, settings: dict[str, Any], sync: Sync
) -> None:
    hourly = settings | {"reports": [report(date_range="last 3 days", lookback_days=1)]}
    first = sync(hourly, streams=["r"])
    before = len(first_pages(sandbox))
    second = sync(hourly, state=first.state, streams=["r"])
    assert second.bookmark("r") == first.bookmark("r")
    for request in first_pages(sandbox)[before:]:
        assert request["report_start"] == [f"{today() - 2 * DAY}T00:00:00Z"]


def test_an_earlier_start_is_moved_with_one_warning(
    sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sync(settings | {"start_date": str(today() - 40 * DAY)}, streams=["r"])
    oldest = {r["report_start"][0] for r in first_pages(sandbox)}
    now = dt.datetime.now(UTC)
    (start,) = (dt.datetime.fromisoformat(each[:-1] + "+00:00") for each in oldest)
    assert now - 14 * DAY <= start <= now - 14 * DAY + 2 * HOUR
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    lost = f"{today() - 40 * DAY}..{start.date()}"
    text = f"r: {lost} can't be read by the hour any more, or not all of it"
    assert [record.getMessage() for record in warnings] == [text]


@pytest.mark.parametrize(
    ("days", "is_complete"), [(None, True), (3, True), (30, False)]
)
def test_starting_over_after_a_pause_leaves_a_gap(
    days: int | None,
    is_complete: bool,  # noqa: FBT001
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tap-adstage")
    state = days and {
        "bookmarks": {
            "r": {
                "replication_key": "start_time",
                "replication_key_value": f"{today() - days * DAY}T23:00:00Z",
                "aggregate_by": "hour",
                "question": [
                    ["source", "spotify_ads"],
                    ["entity_level", "ad_accounts"],
                    ["fields", ["clicks"]],
                ],
            }
        }
    }
    early = settings | {"start_date": str(today() - 40 * DAY)}
    sync(early, state=state or None, streams=["r"])
    assert ("starting over" in caplog.text) is bool(days)
    assert ("The run is not complete" in caplog.messages[-1]) is not is_complete


def test_the_lookback_is_cut_without_a_word(
    sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = {
        "bookmarks": {
            "r": {
                "replication_key": "start_time",
                "replication_key_value": f"{today() - 2 * DAY}T23:00:00Z",
                "aggregate_by": "hour",
            }
        }
    }
    early = settings | {"start_date": str(today() - 40 * DAY)}
    messages = sync(early, state=state, streams=["r"])
    now = dt.datetime.now(UTC)
    for request in first_pages(sandbox):
        start = request["report_start"][0]
        assert start >= (now - 14 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert messages.bookmark("r") == f"{today() - DAY}T23:00:00Z"
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_hours_to_come_are_not_asked_for(
    sandbox: SpotifyAdsSandbox, settings: dict[str, Any], sync: Sync
) -> None:
    sync(settings | {"reports": [report(date_range="2 days to now")]}, streams=["r"])
    now = dt.datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for request in first_pages(sandbox):
        assert request["report_end"][0] <= now
        assert request["report_end"][0].endswith(":00:00Z")


def test_a_bookmark_by_day_starts_over_by_the_hour(
    settings: dict[str, Any], sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    daily = report(aggregate_by="day", date_range="last 3 days")
    first = sync(settings | {"reports": [daily]}, streams=["r"])
    hourly = report(date_range="last 3 days")
    sync(settings | {"reports": [hourly]}, state=first.state, streams=["r"])
    assert "is of slices of a day, and the report has slices of an hour" in caplog.text


def test_a_502_names_the_fields(
    sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    sync: Sync,
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.switches.hourly_revenue = False
    revenue = report(fields=["IMPRESSIONS", "REVENUE"], date_range="yesterday")
    with pytest.raises(IncompleteRunError):
        sync(settings | {"reports": [revenue], "max_retry_seconds": 2}, streams=["r"])
    assert waits
    assert "The request asks for IMPRESSIONS, REVENUE; Spotify may" in caplog.text
    assert "can't give one of these fields." in caplog.text


def test_hours_that_an_account_lost_while_it_refused_are_a_warning(
    sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused, *others = [account.id for account in sandbox.world.ad_accounts]
    place = today() - 20 * DAY
    state = {
        "bookmarks": {
            "r": {
                "replication_key": "start_time",
                "replication_key_value": f"{today() - 2 * DAY}T23:00:00Z",
                "aggregate_by": "hour",
                "accounts": joined_digests(map(digest, others)),
                "catch_up": [[str(place), digest(refused)]],
            }
        }
    }
    sync(settings, state=state, streams=["r"])
    warning, last = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert last.getMessage() == "The run is not complete; incomplete: r"
    assert refused in warning.getMessage()
    oldest = oldest_hour(dt.datetime.now(UTC)).date()
    text = f"{place + DAY}..{oldest} can't be read by the hour any more"
    assert text in warning.getMessage()
