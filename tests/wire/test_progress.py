"""The progress of a report, logged on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from harness.paths import ROOT

from tap_adstage.runtime.progress import Progress, Snapshot, duration, seconds_left
from tap_adstage.runtime.statistics import RunStats
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.singer import Sync

    from tap_adstage.sandbox.server import Sandbox

PAGE = ROOT / "docs" / "runs.md"
REPORT = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks"],
    "date_range": "last 12 days",
    "window_days": 3,
}


@dataclass
class Clock:
    """A clock that goes on by so much whenever it is looked at."""

    step: float = 0.0
    now: float = 100.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Snapshot(1, 12, 0, 0, 0.0, None), "window 1 of 12, 0 rows, 0 rows/s"),
        (
            Snapshot(3, 12, 45_000, 2, 30.0, 190.0),
            "window 3 of 12, 45000 rows, 1500 rows/s, retries: 2, about 3 min left",
        ),
    ],
)
def test_a_line_is_readable(step: Snapshot, line: str) -> None:
    assert step.progress_line == line


def test_the_line_of_the_page_is_one_that_is_told() -> None:
    step = Snapshot(3, 12, 45_000, 2, 30.0, 190.0)
    assert f"\n```text\nby_day: {step.progress_line}\n```\n" in PAGE.read_text()


def test_fields_say_the_same() -> None:
    assert Snapshot(3, 12, 45_000, 2, 30.0, 190.04).progress_fields == {
        "window": 3,
        "windows": 12,
        "rows": 45_000,
        "rows_per_second": 1500.0,
        "retries": 2,
        "seconds": 30.0,
        "seconds_left": 190.0,
    }
    assert Snapshot(1, 2, 0, 0, 0.0, None).progress_fields["seconds_left"] is None


@pytest.mark.parametrize(
    ("done", "seconds_of_done", "now", "seconds_of_current", "later", "left"),
    [
        (0, 0.0, 3, 9.0, 9, None),  # no window is done
        (3, 6.0, 3, 0.0, 6, 18.0),
        (3, 6.0, 3, 4.0, 6, 14.0),
        (3, 6.0, 3, 60.0, 6, 12.0),  # what comes later, at least
        (9, 18.0, 3, 1.0, 0, 5.0),
        (9, 18.0, 3, 60.0, 0, None),  # the last one takes longer than any
        (4, 8.0, 1, 0.0, 7, 16.0),  # smaller windows from here on
    ],
)
def test_the_time_left_is_that_of_the_windows_done(
    done: int,
    seconds_of_done: float,
    now: int,
    seconds_of_current: float,
    later: int,
    left: float | None,
) -> None:
    estimate = seconds_left(
        done=done,
        seconds_of_done=seconds_of_done,
        current=now,
        seconds_of_current=seconds_of_current,
        later=later,
    )
    assert estimate == left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 s"),
        (12.4, "12 s"),
        (59.9, "1 min"),
        (89, "1 min"),
        (95, "2 min"),
        (3599, "1 h 0 min"),
        (3600, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_duration_is_round(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_report_knows_how_far_it_is() -> None:
    clock = Clock()
    stats = RunStats(clock)
    clock.now += 50
    stats.begin("daily")
    progress = Progress(stats, slices=9)
    progress.begin(1, 3, 3)
    clock.now += 6
    stats.current.rows += 12
    assert progress.snapshot == Snapshot(1, 3, 12, 0, 6.0, None)
    progress.finish()
    progress.begin(2, 3, 3)
    clock.now += 2
    stats.count_retry(1.0)
    assert progress.snapshot == Snapshot(2, 3, 12, 1, 8.0, 10.0)
    assert stats.current.windows == 1


def test_a_line_is_due_every_five_seconds_whatever_the_stream() -> None:
    clock = Clock()
    stats = RunStats(clock)
    logged = []
    for second in range(13):
        clock.now = 100.0 + second
        stats.begin(f"stream {second}")
        if stats.is_progress_due():
            logged.append(second)
    assert logged == [5, 10]


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of the lines of progress."""
    logged = [
        record.__dict__ for record in caplog.records if "progress" in vars(record)
    ]
    assert all(fields["stream_name"] == "daily" for fields in logged)
    assert all(fields["levelname"] == "INFO" for fields in logged)
    return [fields["progress"] for fields in logged]


def test_a_short_sync_logs_no_progress(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    sync({**settings, "reports": [REPORT]}, streams=["daily"])
    assert lines(caplog) == []
    assert "window 1 of" not in caplog.text


def test_each_window_is_told_at_level_debug(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    sync({**settings, "reports": [REPORT]}, streams=["daily"])
    logged = [
        text for text in caplog.messages if re.match(r"daily: window .*\.\.", text)
    ]
    assert logged == [
        "daily: window 1 of 4, 2024-03-08..2024-03-10",
        "daily: window 2 of 4, 2024-03-11..2024-03-13",
        "daily: window 3 of 4, 2024-03-14..2024-03-16",
        "daily: window 4 of 4, 2024-03-17..2024-03-19",
    ]


def test_a_long_sync_logs_its_progress_also_in_the_middle_of_a_window(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    clock = Clock(step=0.7)
    monkeypatch.setattr("tap_adstage.tap.RunStats", lambda _: RunStats(clock))
    report = {**REPORT, "window_days": 6}
    messages = sync(
        {**settings, "page_size": 10, "reports": [report]},
        streams=["daily"],
    )
    logged = lines(caplog)
    pages = -(-len(sandbox.world.entities("campaigns")) // 10)
    windows = [fields["window"] for fields in logged]
    assert {fields["windows"] for fields in logged} == {2}
    assert windows == sorted(windows)
    assert windows.count(1) > 1
    assert windows.count(2) > 1
    assert len(logged) < pages
    assert all((e["seconds_left"] is None) == (e["window"] == 1) for e in logged[:-1])
    rows = [fields["rows"] for fields in logged]
    assert rows == sorted(set(rows))
    assert rows[-1] < len(messages.records("daily"))
    assert all(count % 60 == 0 for count in rows)
    assert all(
        fields["rows_per_second"] == round(fields["rows"] / fields["seconds"], 1)
        for fields in logged
    )


def test_the_tap_s_clock_is_the_system_s(waits: list[float]) -> None:
    tap = TapAdStage(config={"sandbox": True, "reports": []})
    before = tap._stats.seconds  # noqa: SLF001
    waits.append(40.0)
    assert tap._stats.seconds - before >= 40  # noqa: SLF001
