"""The files of `--state` and `--catalog`, good and bad, through the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.forked import Ended, ForkedTap
    from harness.singer import Sync

    from tap_adstage.sandbox.server import Sandbox

BOOKMARK = {
    "replication_key": "date",
    "replication_key_value": "2024-03-17",
    "aggregate_by": "day",
}
STATE: dict[str, Any] = {"bookmarks": {"daily": BOOKMARK}}


@pytest.fixture
def config(settings: dict[str, Any]) -> dict[str, Any]:
    """One report, which goes on two days before its bookmark."""
    report = {"name": "daily", "entity_level": "accounts", "fields": ["clicks"]}
    return {
        **settings,
        "reports": [{**report, "date_range": "2024-03-01..2024-03-19"}],
        "lookback_days": 2,
    }


@pytest.fixture
def run(
    forked: ForkedTap,
    tmp_path: Path,
    config: dict[str, Any],
) -> Callable[..., Ended]:
    """Run the command line with the config, and with what files hold."""

    def run(**files: object) -> Ended:
        arguments = []
        for option, content in {"config": config, **files}.items():
            path = tmp_path / option
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                text = content if isinstance(content, str) else json.dumps(content)
                path.write_text(text)
            arguments += [f"--{option}", str(path)]
        return forked.run(tmp_path, *arguments)

    return run


def asked(sandbox: Sandbox) -> str:
    """First and last day of all that was asked for."""
    ranges = [
        request.body["date_range"] for request in sandbox.requests if request.body
    ]
    return f"{min(ranges)[:10]}..{max(ranges)[-10:]}"


@pytest.mark.parametrize(
    ("state", "days"),
    [
        (STATE, "2024-03-15..2024-03-19"),
        ({"type": "STATE", "value": STATE}, "2024-03-15..2024-03-19"),
        ("\ufeff" + json.dumps(STATE), "2024-03-15..2024-03-19"),
        ({}, "2024-03-01..2024-03-19"),
        ({"bookmarks": {}}, "2024-03-01..2024-03-19"),
        ({"bookmarks": {"daily": {}}}, "2024-03-01..2024-03-19"),
        # what other versions of the SDK and of the tap leave
        (
            {
                "currently_syncing": "daily",
                "bookmarks": {
                    "daily": {
                        **BOOKMARK,
                        "replication_key_signpost": "2024-03-01",
                        "starting_replication_value": "2024-03-10",
                        "progress_markers": {
                            "replication_key": "date",
                            "replication_key_value": "2024-03-19",
                        },
                        "partitions": [{"context": {"a": n}} for n in range(2)],
                    },
                },
            },
            "2024-03-15..2024-03-19",
        ),
        (
            {"bookmarks": {"daily": {"replication_key_value": "2024-03-17T00:00:00Z"}}},
            "2024-03-15..2024-03-19",
        ),
    ],
)
def test_a_state_is_gone_on_from(
    sandbox: Sandbox,
    run: Callable[..., Ended],
    state: object,
    days: str,
) -> None:
    ended = run(state=state)
    assert ended.code == 0, ended.stderr
    assert asked(sandbox) == days
    ranges = [
        request.body["date_range"] for request in sandbox.requests if request.body
    ]
    assert len({*ranges}) == len(ranges)


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("state", "", "not a single valid JSON document"),
        ("state", json.dumps(STATE)[:-9], "not a single valid JSON document"),
        (
            "state",
            f"{json.dumps(STATE)}\n" * 2,
            "not a single valid JSON document (Extra data",
        ),
        ("state", b'{"bookmarks": {"\xff": {}}}', "not a single valid JSON document"),
        ("state", "null", "the document: null is not allowed; it takes an object"),
        ("state", [STATE], "it takes an object"),
        ("state", '"2024-03-17"', "it takes an object"),
        (
            "state",
            {"singer_state": STATE},
            'bookmarks missing, there is only "singer_state"',
        ),
        ("state", {"last_updated": "2024-03-17"}, 'only "last_updated"'),
        (
            "state",
            {"bookmarks": []},
            "bookmarks: [] is not allowed; it takes an object",
        ),
        (
            "state",
            {"bookmarks": None},
            "bookmarks: null is not allowed; it takes an object",
        ),
        (
            "state",
            {"bookmarks": {"daily": "2024-03-17"}},
            'bookmarks.daily: "2024-03-17" is not allowed; it takes an object',
        ),
        (
            "state",
            {"bookmarks": {"daily": {**BOOKMARK, "replication_key": "updated_at"}}},
            'bookmarks.daily.replication_key is "updated_at", not date',
        ),
        (
            "state",
            {"bookmarks": {"daily": {**BOOKMARK, "replication_key_value": "soon"}}},
            'bookmarks.daily.replication_key_value is "soon"; it takes a date',
        ),
        (
            "state",
            {"bookmarks": {"daily": {**BOOKMARK, "replication_key_value": 20240317}}},
            "bookmarks.daily.replication_key_value is 20240317; it takes a date",
        ),
        ("catalog", "", "not a single valid JSON document"),
        ("catalog", '{"streams": [', "not a single valid JSON document"),
        ("catalog", "null", "it takes an object"),
        ("catalog", [], "it takes an object"),
        ("catalog", {}, "the document: streams missing"),
        ("catalog", {"streams": []}, "has no stream of this tap;"),
        (
            "catalog",
            {"streams": [{"tap_stream_id": "customers", "schema": {}}]},
            "has no stream of this tap;",
        ),
        ("catalog", {"streams": {}}, "streams: {} is not allowed; it takes a list"),
        ("catalog", {"streams": ["daily"]}, 'streams[0]: "daily" is not allowed'),
        ("catalog", {"streams": [{}]}, "streams[0]: tap_stream_id, schema missing"),
        (
            "catalog",
            {"streams": [{"tap_stream_id": "daily"}]},
            "streams[0]: schema missing",
        ),
        (
            "catalog",
            {"streams": [{"tap_stream_id": "daily", "schema": []}]},
            "streams[0].schema: [] is not allowed; it takes an object",
        ),
        (
            "catalog",
            {"streams": [{"tap_stream_id": "d", "schema": {}, "metadata": [{}]}]},
            "streams[0].metadata[0]: breadcrumb, metadata missing",
        ),
    ],
)
def test_what_can_not_be_used_is_one_clear_line_before_anything_is_written(
    run: Callable[..., Ended],
    option: str,
    content: object,
    message: str,
) -> None:
    ended = run(**{option: content})
    assert (ended.code, ended.stdout) == (1, "")
    (line,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert option in line
    assert message in line
    assert "Traceback" not in ended.stderr


def test_a_bookmark_that_no_report_has_is_told_and_kept(
    sync: Sync,
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = {"replication_key": "updated_at", "replication_key_value": "now"}
    state = {"bookmarks": {**STATE["bookmarks"], "customers": other}}
    messages = sync(config, state=state, streams=["daily"])
    assert messages.state["bookmarks"]["customers"] == other
    assert "state: kept the bookmarks of unknown streams: customers" in caplog.text
    assert "daily" not in caplog.text.partition("unknown streams:")[2].splitlines()[0]


@pytest.mark.parametrize("bookmark", ["2099-01-01", "9999-12-31"])
def test_a_bookmark_after_today_skips_no_day_and_comes_back(
    sandbox: Sandbox,
    sync: Sync,
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    bookmark: str,
) -> None:
    state = {"bookmarks": {"daily": {**BOOKMARK, "replication_key_value": bookmark}}}
    messages = sync(config, state=state, streams=["daily"])
    assert asked(sandbox) == "2024-03-01..2024-03-19"
    assert f"starting over, as the bookmark {bookmark} is after today" in caplog.text
    assert messages.bookmark("daily") == "2024-03-19"


def test_a_bookmark_after_a_past_day_that_is_repeated_skips_no_day_and_stays(
    sandbox: Sandbox,
    sync: Sync,
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    bookmark = {**BOOKMARK, "replication_key_value": "2024-03-21"}
    messages = sync(config, state={"bookmarks": {"daily": bookmark}}, streams=["daily"])
    assert asked(sandbox) == "2024-03-01..2024-03-19"
    assert "the bookmark stays at 2024-03-21" in caplog.text
    assert messages.bookmark("daily") == "2024-03-21"


@pytest.mark.parametrize(
    ("aggregate_by", "bookmark", "days"),
    [
        ("week", "2024-03-13", "2024-03-11..2024-03-20"),  # a Wednesday
        ("month", "2024-03-17", "2024-03-01..2024-03-20"),
        ("day", "0001-01-01", "2024-03-01..2024-03-19"),
    ],
)
def test_a_bookmark_written_by_hand_skips_no_day(
    sandbox: Sandbox,
    sync: Sync,
    config: dict[str, Any],
    aggregate_by: str,
    bookmark: str,
    days: str,
) -> None:
    config["reports"][0]["aggregate_by"] = aggregate_by
    config["start_date"] = "2024-03-01"
    saved = {"replication_key_value": bookmark, "aggregate_by": aggregate_by}
    sync(config, state={"bookmarks": {"daily": saved}}, streams=["daily"])
    assert asked(sandbox) == days
