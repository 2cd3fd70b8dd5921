"""Weeks, months and days that are left out until they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.exceptions import ConfigError
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.singer import Messages, Sync

MONTHLY: dict[str, Any] = {
    "name": "monthly",
    "entity_level": "accounts",
    "aggregate_by": "month",
    "date_range": "2023-12-20..2024-06-30",
    "fields": ["clicks"],
}
DAILY: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "date_range": "3 days to now",
    "fields": ["CLICKS"],
}
TOTAL: dict[str, Any] = {
    "name": "total",
    "entity_level": "campaigns",
    "aggregate_by": "total",
    "date_range": "3 days to now",
    "fields": ["CLICKS"],
}


def days(messages: Messages, stream: str) -> list[str]:
    """Each first and last day of a slice that has rows."""
    records = messages.records(stream)
    return sorted({f"{r['date']}..{r.get('date_end', r['date'])}" for r in records})


def state_of(messages: Messages) -> dict[str, Any]:
    """The last state."""
    return dict(messages.of("STATE")[-1]["value"])


def test_a_month_comes_once_it_is_over(sync: Sync, settings: dict[str, Any]) -> None:
    every = settings | {"reports": [MONTHLY]}
    complete = every | {"complete_slices": True}
    messages = sync(complete, streams=["monthly"])
    # the range begins on 2023-12-20
    assert days(messages, "monthly") == [
        "2024-01-01..2024-01-31",
        "2024-02-01..2024-02-29",
    ]
    whole = sync(every, streams=["monthly"]).records("monthly")
    assert messages.records("monthly") == [
        r for r in whole if r["date"] in ("2024-01-01", "2024-02-01")
    ]
    state = state_of(messages)
    assert state["bookmarks"]["monthly"]["replication_key_value"] == "2024-02-01"
    later = sync(
        complete | {"as_of": "2024-04-02", "lookback_days": 0},
        state=state,
        streams=["monthly"],
    )
    assert days(later, "monthly") == [
        "2024-02-01..2024-02-29",
        "2024-03-01..2024-03-31",
    ]


def test_a_report_decides_for_itself(sync: Sync, settings: dict[str, Any]) -> None:
    reports = [MONTHLY | {"complete_slices": False}]
    config = settings | {"complete_slices": True, "reports": reports}
    found = days(sync(config, streams=["monthly"]), "monthly")
    assert (found[0], found[-1]) == ("2023-12-01..2023-12-31", "2024-03-01..2024-03-31")


def test_spotify_s_current_day_comes_tomorrow(
    sync: Sync, spotify_settings: dict[str, Any]
) -> None:
    config = spotify_settings | {"complete_slices": True, "reports": [DAILY]}
    messages = sync(config, streams=["daily"])
    assert days(messages, "daily") == [
        "2024-03-18..2024-03-18",
        "2024-03-19..2024-03-19",
    ]
    bookmark = state_of(messages)["bookmarks"]["daily"]
    assert bookmark["replication_key_value"] == "2024-03-19"


def test_a_run_without_a_complete_slice_says_so(
    sync: Sync, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tap-adstage")
    report = MONTHLY | {"date_range": "month to date", "complete_slices": True}
    messages = sync(settings | {"reports": [report]}, streams=["monthly"])
    assert messages.of("RECORD") == []
    assert (
        "monthly: nothing to request: as of 2024-03-20 no month of the range is "
        "complete (complete_slices)"
    ) in caplog.text


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ("adstage", {}),
        ("spotify_ads", {}),
        (
            "spotify_ads",
            {"entity_level": "AGE", "aggregate_by": None, "date_range": None},
        ),
    ],
)
def test_a_total_can_t_leave_out_slices(source: str, keys: dict[str, Any]) -> None:
    report = TOTAL | keys | {"complete_slices": True}
    config = {"source": source, "access_token": "x", "reports": [report]}
    with pytest.raises(
        ConfigError,
        match=r"reports\[0\]\.complete_slices: true is not allowed with aggregate_by "
        "total; a total has a single slice",
    ):
        TapAdStage(config=config, setup_mapper=False)


def test_the_setting_leaves_totals_alone(sync: Sync, settings: dict[str, Any]) -> None:
    config = settings | {"complete_slices": True, "reports": [TOTAL]}
    found = days(sync(config, streams=["total"]), "total")
    assert found == ["2024-03-18..2024-03-20"]
