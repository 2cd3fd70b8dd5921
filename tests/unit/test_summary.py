"""The summary of a run, in the form that each reader needs."""

from __future__ import annotations

import dataclasses
import json
import logging
import multiprocessing
import re
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt
from singer_sdk.logging import StructuredFormatter

from tap_adstage.exceptions import TapError
from tap_adstage.runtime.redaction import Secrets
from tap_adstage.runtime.statistics import (
    COMPLETED,
    FAILED,
    INCOMPLETE,
    NOT_STARTED,
    SET_UP,
    STOPPED,
    RunStats,
    StreamStats,
)
from tap_adstage.runtime.summary import (
    append,
    headline,
    log_summary,
    outcome,
    summary_fields,
    summary_line,
    summary_markdown,
    summary_table,
)

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret-t0ken_of_mine"
REPORT = StreamStats(
    "by_day",
    status=COMPLETED,
    windows=6,
    pages=12,
    rows=1216,
    requests=15,
    retries=3,
    waited=4.25,
    bookmark_before="2024-03-07",
    bookmark="2024-03-19",
    warnings=5,
    texts=["one", "two", "three"],
)
LIST = StreamStats("accounts", status=COMPLETED, pages=1, rows=18, requests=1)
START = StreamStats(SET_UP, status=COMPLETED, requests=4)
LATER = StreamStats("by_week", status=NOT_STARTED)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (
            REPORT,
            (
                "by_day: completed; windows: 6, pages: 12, rows: 1216, requests: 15, "
                "retries: 3, waited: 4.2 s, bookmark: 2024-03-07 → 2024-03-19, "
                "warnings: 5"
            ),
        ),
        (LIST, "accounts: completed; pages: 1, rows: 18, requests: 1"),
        (START, "set-up: completed; requests: 4"),
        (LATER, "by_week: not started"),
        (
            StreamStats(
                "r", status=STOPPED, duplicates_skipped=7, bookmark="2024-03-01"
            ),
            "r: stopped; rows: 0, duplicates: 7, bookmark: none → 2024-03-01",
        ),
        (StreamStats("r", status=FAILED), "r: failed; rows: 0"),
        (
            StreamStats("r", status=FAILED, missing=["403: no\n such account"]),
            "r: failed; rows: 0; 403: no such account",
        ),
        (
            StreamStats("r", status=INCOMPLETE, rows=9, missing=["a", "b", "c"]),
            "r: incomplete; rows: 9; a and 2 more",
        ),
    ],
)
def test_a_line_has_the_counts_that_are_not_zero(
    counts: StreamStats, expected: str
) -> None:
    assert summary_line(counts) == expected


def test_fields_say_all_of_it() -> None:
    assert summary_fields(REPORT) == {
        "stream": "by_day",
        "status": "completed",
        "reason": None,
        "windows": 6,
        "pages": 12,
        "rows": 1216,
        "duplicates_skipped": 0,
        "requests": 15,
        "retries": 3,
        "seconds_waited": 4.2,
        "bookmark_before": "2024-03-07",
        "bookmark": "2024-03-19",
        "warnings": 5,
    }


def test_a_complete_run_is_a_headline_and_a_table_with_straight_columns() -> None:
    headline, blank, head, *rows = summary_table([START, LIST, REPORT]).splitlines()
    assert headline == "The run read everything, with 5 warnings: 2 streams, 1,234 rows"
    assert blank == ""
    assert head.split() == [
        *("stream", "status", "rows", "warnings", "bookmark"),
        *("windows", "requests", "retries", "waited"),
    ]
    assert [" ".join(row.split()) for row in rows] == [
        "set-up completed - - - - 4 - -",
        "accounts completed 18 - - - 1 - -",
        "by_day completed 1,216 5 2024-03-07 → 2024-03-19 6 15 3 4.2 s",
    ]
    for name in ("rows", "warnings", "windows", "requests"):
        end = head.index(name) + len(name)
        assert all(row[end - 1] != " " and row[end] == " " for row in rows)
    for name in ("status", "bookmark"):
        start = head.index(name)
        assert all(row[start - 1] == " " and row[start] != " " for row in rows)


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ([START, LIST], "The run is complete: 1 stream, 18 rows"),
        ([START], "The run is complete: 0 streams, 0 rows"),
        (
            [StreamStats(SET_UP, status=COMPLETED, warnings=2)],
            "The run read nothing, with 2 warnings: 0 streams, 0 rows",
        ),
        (
            [LIST, StreamStats("r", status=COMPLETED, rows=1, warnings=1)],
            "The run read everything, with 1 warning: 2 streams, 19 rows",
        ),
        ([LIST, LATER], "The run is not complete; not started: by_week"),
    ],
)
def test_a_run_is_called_complete_if_nothing_is_missing_and_nobody_warned(
    streams: list[StreamStats], expected: str
) -> None:
    assert headline(streams) == expected


def test_a_failed_stream_names_its_error_before_what_else_is_missing() -> None:
    stats = StreamStats("r", missing=["backfill is off"])
    stats.fail(TapError("answered 403"))
    assert stats.reason == "answered 403 and 1 more"


def test_columns_that_hold_nothing_are_omitted() -> None:
    head = summary_table([LIST, LATER]).splitlines()[-3]
    assert head.split() == ["stream", "status", "rows", "requests"]
    some = StreamStats("r", status=COMPLETED, rows=10, duplicates_skipped=3)
    assert "duplicates" in summary_table([LIST, some])
    assert "| duplicates |" in summary_markdown("tap", [LIST, some], Secrets())


def test_a_table_of_usual_length_fits_on_a_screen() -> None:
    report = dataclasses.replace(
        REPORT, name="ad_group_performance", rows=1_234_567, retries=0, waited=0.0
    )
    lines = summary_table([START, *[report] * 5, *[LIST] * 10]).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


def test_markdown_is_a_headline_a_table_and_the_first_warnings() -> None:
    names = "stream status rows warnings bookmark windows requests retries waited"
    range_ = "2024-03-07 → 2024-03-19"
    assert summary_markdown("tap-adstage", [START, REPORT], Secrets()).splitlines() == [
        "",
        "## tap-adstage",
        "",
        r"**The run read everything, with 5 warnings\: 1 stream, 1,216 rows**",
        "",
        f"| {names.replace(' ', ' | ')} |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |",
        "| set-up | completed | - | - | - | - | 4 | - | - |",
        rf"| by\_day | completed | 1,216 | 5 | {range_} | 6 | 15 | 3 | 4.2 s |",
        "",
        "Warnings:",
        "",
        r"- by\_day\: one",
        r"- by\_day\: two",
        r"- by\_day\: three",
        r"- by\_day\: 2 more",
    ]


def test_markdown_keeps_the_end_of_a_warning() -> None:
    text = f"{'account ' * 50}; link it again"
    stats = StreamStats("r", status=COMPLETED, warnings=1, texts=[text])
    assert summary_markdown("t", [stats], Secrets()).endswith("; link it again\n")


def test_a_warning_that_begins_with_its_stream_does_not_name_it_twice() -> None:
    stats = StreamStats("r", status=COMPLETED, warnings=1, texts=["r: one"])
    assert summary_markdown("t", [stats], Secrets()).splitlines()[-1] == r"- r\: one"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (FAILED, r"**The run is not complete; failed\: r; not started\: by\_week**"),
        (STOPPED, r"**The run is not complete; stopped\: r; not started\: by\_week**"),
    ],
)
def test_markdown_says_where_a_run_ended_before_its_time(
    status: str,
    expected: str,
) -> None:
    text = summary_markdown(
        "tap", [START, StreamStats("r", status=status), LATER], Secrets()
    )
    assert text.splitlines()[3] == expected


REFUSED = StreamStats("a_live", status=FAILED, missing=["403:\n no | access"])
PARTIAL = StreamStats("groups", status=INCOMPLETE, rows=9, missing=["one", "two"])


def test_what_is_missing_stands_first_and_in_fields() -> None:
    assert summary_table([LIST, REFUSED, PARTIAL]).splitlines() == [
        "The run is not complete; failed: a_live; incomplete: groups",
        "  a_live failed: 403: no | access",
        "  groups incomplete: one and 1 more",
        "",
        "stream    status      rows  requests",
        "a_live    failed         0         -",
        "groups    incomplete     9         -",
        "accounts  completed     18         1",
    ]
    assert summary_fields(PARTIAL)["reason"] == "one and 1 more"


def test_markdown_names_first_what_is_not_complete_and_why() -> None:
    lines = summary_markdown("tap", [LIST, REFUSED, PARTIAL], Secrets()).splitlines()
    assert lines[3:9] == [
        r"**The run is not complete; failed\: a\_live; incomplete\: groups**",
        "",
        r"- a\_live failed\: 403\: no \| access",
        r"- groups incomplete\: one and 1 more",
        "",
        "| stream | status | rows | requests |",
    ]


def test_markdown_is_what_github_takes_it_for() -> None:
    text = summary_markdown("tap", [REPORT, REFUSED], Secrets())
    html = MarkdownIt("commonmark").enable("table").render(text)
    for tag, number in (("h2", 1), ("strong", 1), ("table", 1), ("tr", 3), ("li", 5)):
        assert html.count(f"<{tag}>") == number
    assert "\\" not in html
    assert "<td>by_day</td>" in html


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ([START, LIST], None),
        ([START, LIST, PARTIAL], "The run is not complete; incomplete: groups"),
        (
            [REFUSED, PARTIAL, StreamStats("r", status=STOPPED), LATER],
            (
                "The run is not complete; failed: a_live; incomplete: groups; "
                "stopped: r; not started: by_week"
            ),
        ),
    ],
)
def test_the_last_line_of_a_run_names_what_is_not_complete(
    streams: list[StreamStats], expected: str | None
) -> None:
    assert outcome(streams) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a | b",
        "<img src=x>",
        "[a](https://example.com)",
        "www.example.com @octocat #1 :tada: $x$",
        "`code` *bold* _it_ ~no~ \\| &lt;",
        "two\n\n# lines",
    ],
)
def test_nothing_in_a_text_is_markup(text: str) -> None:
    counts = StreamStats("a|b_c", status=COMPLETED, warnings=1, texts=[text])
    *_, head, rule, row, _, _, _, bullet = summary_markdown(
        "t", [counts], Secrets()
    ).splitlines()
    for line in (rule, row):
        assert len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r"\|", head))
    written = bullet.removeprefix(r"- a\|b\_c\: ")
    assert not re.search(r"(?<!\\)[`*_\[\]<>|&~#@$:]", written.replace(r"\\", ""))
    assert re.sub(r"\\(.)", r"\1", written) == " ".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://api/me?access_token={SECRET}&x=1 answered 500",
        f"Bearer {SECRET}",
        f"it is {SECRET}",
        f'"refresh_token": "{SECRET}',
    ],
)
def test_markdown_shows_no_secret(text: str) -> None:
    counts = StreamStats(f"r {SECRET}", status=FAILED, warnings=1, texts=[text])
    written = summary_markdown("tap", [counts, REPORT], Secrets([SECRET]))
    assert "s3cret" not in written
    assert "mine" not in written
    assert r"- by\_day\: three" in written


def test_a_section_is_added_in_one_piece_whoever_writes_beside(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    sections = [f"{letter * 20_000}\n" for letter in "abcd"]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(append, [(str(path), section) for section in sections])
    first, *rest = path.read_text().splitlines(keepends=True)
    assert first == "before\n"
    assert sorted(rest) == sections


def test_each_stream_is_a_record_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log_summary([START, REPORT], logging.getLogger("tap-adstage"), as_table=False)
    form = StructuredFormatter()
    start, report, last = (json.loads(form.format(r)) for r in caplog.records)
    assert last["message"] == headline([START, REPORT])
    assert (start["message"], start["stream_name"]) == (summary_line(START), None)
    assert start["extra"]["summary"] == summary_fields(START)
    assert (report["message"], report["stream_name"]) == (
        summary_line(REPORT),
        "by_day",
    )
    assert report["extra"]["summary"] == summary_fields(REPORT)


def test_a_table_is_one_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log_summary([START, REPORT], logging.getLogger("tap-adstage"), as_table=True)
    table = summary_table([START, REPORT])
    assert caplog.messages == [f"Summary of the run:\n{table}"]


# --- the stats ---


def test_what_is_done_counts_for_the_stream_that_is_read() -> None:
    stats = RunStats(lambda: 0.0)
    stats.count_request()
    stats.count_warning("w")
    stats.begin("a").rows += 2
    stats.count_request()
    stats.count_retry(1.5)
    stats.count_pause(2.0)
    stats.begin("b")
    stats.count_request()
    stats.end(["a", "b", "c"], STOPPED)
    assert stats.all == [
        StreamStats(SET_UP, status=COMPLETED, requests=1, warnings=1, texts=["w"]),
        StreamStats("a", status=COMPLETED, rows=2, requests=1, retries=1, waited=3.5),
        StreamStats("b", status=STOPPED, requests=1),
        StreamStats("c", status=NOT_STARTED),
    ]


def test_a_run_that_ends_before_its_first_stream_ended_in_the_set_up() -> None:
    stats = RunStats(lambda: 0.0)
    stats.end(["a"], FAILED)
    assert [(stream.name, stream.status) for stream in stats.all] == [
        (SET_UP, FAILED),
        ("a", NOT_STARTED),
    ]


def test_what_is_missing_makes_a_stream_incomplete_unless_it_failed() -> None:
    stats = RunStats(lambda: 0.0)
    stats.begin("a").add_error(TapError("one\ntwo"))
    stats.begin("b").missing.append("rows")
    stats.begin("c").fail(TapError("all"))
    stats.end(["a", "b", "c"])
    assert {stream.name: stream.status for stream in stats.all} == {
        SET_UP: COMPLETED,
        "a": INCOMPLETE,
        "b": INCOMPLETE,
        "c": FAILED,
    }
    assert [*map(str, stats.errors)] == ["one\ntwo", "all"]
    assert stats.all[1].reason == "one; two"


def test_of_many_warnings_the_first_are_kept() -> None:
    stats = RunStats(lambda: 0.0)
    for number in range(10):
        stats.count_warning(str(number))
    assert (stats.current.warnings, stats.current.texts) == (10, ["0", "1", "2"])
