"""The command `python -m tap_adstage.date_ranges`."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from harness.commands import run

from tap_adstage.date_ranges import parse_date_range

if TYPE_CHECKING:
    import subprocess


def date_ranges(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "tap_adstage.date_ranges", *arguments)


def test_the_command_prints_every_form_with_its_days() -> None:
    done = date_ranges(
        "--as-of", "2019-06-15T23:00:00Z", "--time-zone", "Europe/Berlin"
    )
    assert (done.returncode, done.stderr) == (0, "")
    head, line, *rows = done.stdout.splitlines()
    assert head.split(" | ")[1] == "days on 2019-06-16 |"
    assert re.fullmatch(r"\| --- +\| --- \|", line)
    days = dict(re.findall(r"^\| `(.+?)` +\| (.+?) \|$", "\n".join(rows), re.MULTILINE))
    assert days["previous_period last month"] == "2019-04-01..2019-04-30"
    assert days["day to date"] == "2019-06-16..2019-06-15 (no day yet)"
    units = ("day", "week", "month", "quarter", "year")
    assert set(days) > {
        "today",
        "yesterday",
        *(f"2 {unit}s ago" for unit in units),
        *(f"{unit} to date" for unit in units),
        *(f"2 {unit}s to date" for unit in units),
        *(f"{unit} to now" for unit in units),
        *(f"2 {unit}s to now" for unit in units),
        *(f"this {unit}" for unit in units),
        *(f"this 2 {unit}s" for unit in units),
        *(f"last {unit}" for unit in units),
        *(f"last 2 {unit}s" for unit in units),
        *(f"previous_{unit} last month" for unit in units),
    }
    for text, shown in days.items():
        found = parse_date_range(text, today=dt.date(2019, 6, 16))
        assert str(found) == shown.partition(" ")[0]


def test_the_command_prints_the_days_of_a_range() -> None:
    done = date_ranges("last 2 months", "--as-of", "2019-06-15")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2019-04-01..2019-05-31\n"


@pytest.mark.parametrize("time", ["00:00:00Z", "23:59:59Z"])
def test_the_command_counts_days_in_utc_unless_told_otherwise(time: str) -> None:
    done = date_ranges("today", "--as-of", f"2019-06-15T{time}")
    assert done.stdout == "2019-06-15..2019-06-15\n"


def test_the_command_counts_days_in_the_time_zone() -> None:
    zone = ["--time-zone", "Pacific/Kiritimati"]
    done = date_ranges("today", "--as-of", "2019-06-15T10:00:00Z", *zone)
    assert done.stdout == "2019-06-16..2019-06-16\n"


def test_the_command_counts_from_now_by_itself() -> None:
    before = dt.datetime.now(dt.timezone.utc).date()
    done = date_ranges("today")
    after = dt.datetime.now(dt.timezone.utc).date()
    assert done.stdout in {f"{before}..{before}\n", f"{after}..{after}\n"}


def test_the_command_notes_an_empty_range_on_stderr() -> None:
    done = date_ranges("month to date", "--as-of", "2019-06-01")
    assert done.returncode == 0
    assert done.stdout == "2019-06-01..2019-05-31\n"
    assert "empty" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["last 2 fortnights"], "'fortnights'"),
        (["-1 days ago"], "'-1'"),
        ([""], "''"),
        (["last\nlightyear"], "'lightyear'"),
        (["today", "--as-of", "2019-02-30"], "'2019-02-30'"),
        (["today", "--as-of", "2019-02-28T25:00"], "'T25:00'"),
        (["today", "--time-zone", "Mars/Base"], "'Mars/Base'"),
        (["today", "--time-zone", ""], "''"),
    ],
)
def test_the_command_refuses_with_one_line_that_names_the_bad_part(
    arguments: list[str], part: str
) -> None:
    done = date_ranges(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{part} is not " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_package_stands_alone() -> None:
    script = (
        "import sys, tap_adstage.date_ranges;"
        "print([name for name in sys.modules if name.startswith("
        "('singer_sdk', 'requests', 'tap_adstage.'))])"
    )
    done = run("-c", script)
    assert done.stdout == "['tap_adstage.date_ranges']\n"
