"""The benchmark at a size that takes seconds: its table, not its times."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
import pytest
from harness.paths import TESTS

if TYPE_CHECKING:
    from pathlib import Path

BENCHMARKS = TESTS / "benchmarks"
SMALL = {
    "entities": "8",
    "days": "4",
    "window-days": "2",
    "page-size": "4",
    "latency": "0.01",
    "pairs": "1",
}
NUMBER = r"\*\*[0-9,.]+\*\*"
FASTER = f"{NUMBER} times as fast as a plain SDK tap"
CPU = f"{NUMBER} times the CPU time of a plain SDK tap"
BARE = f"{NUMBER} times the time of a bare loop"
MEMORY = f"{NUMBER} MB of memory at its peak"
START = f"{NUMBER} times the time of a plain SDK tap"
AT_16 = "10 ms an answer, 16 requests at once"
PAGE: dict[str, Any] = {
    "_embedded": {
        "results": [
            {
                "series": {
                    "metrics": {
                        "ctr": [0.0123, 0.0, 0.5],
                        "cpc": [3.1, None, 0.25],
                        "conversions": [1, 0, 2],
                    },
                },
            },
        ]
        * 2,
    },
}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (  # one style of each report
            ["--style=exponents", "--style=total", "--style=v1", "--style=v1-total"],
            [
                ("1", "numbers such as `1.0e-05`", FASTER),
                ("1", "numbers such as `1.0e-05`", CPU),
                ("1", "numbers such as `1.0e-05`", BARE),
                ("1", "numbers such as `1.0e-05`", MEMORY),
                ("1", "`total`", FASTER),
                ("1", "`total`", CPU),
                ("1", "`total`", MEMORY),
                ("1", "API V1", FASTER),
                ("1", "API V1", CPU),
                ("1", "API V1", MEMORY),
                ("1", "API V1, `total`", FASTER),
                ("1", "API V1, `total`", CPU),
                ("1", "API V1, `total`", MEMORY),
            ],
        ),
        (
            [f"--only={number}" for number in (2, 3, 4, 5, 6)],
            [
                ("2", "10 ms an answer", FASTER),
                ("2", AT_16, FASTER),
                ("2", AT_16, f"{NUMBER} times the least possible"),
                ("3", "peak memory", f"{NUMBER} MB"),
                (
                    "3",
                    "peak memory",
                    f"{NUMBER} times as much for ten times the windows",
                ),
                ("4", "`--version`", START),
                ("4", "`--about`", START),
                ("4", "`--discover`", START),
                ("6", "batches, the tap alone", f"{NUMBER} times as fast as records"),
            ],
        ),
    ],
    ids=["styles", "others"],
)
def test_the_benchmark_shows_each_figure_once_all_wrote_the_same_records(
    options: list[str],
    expected: list[tuple[str, str, str]],
) -> None:
    ended = subprocess.run(  # noqa: S603 - the benchmark itself
        [
            sys.executable,
            str(BENCHMARKS / "run.py"),
            *(f"--{name}={value}" for name, value in SMALL.items()),
            "--no-warm-up",
            "--no-loads",
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in ended.stdout.splitlines()
        if line.startswith("| ")
    ]
    for row, (figure, what, result) in zip(rows[2:], expected, strict=True):
        assert row[:2] == [figure, what]
        assert re.fullmatch(result, row[2])
    assert "8 campaigns, 4 days, 10 metrics" in ended.stdout


def test_the_benchmark_of_spotify_shows_its_figures() -> None:
    command = [sys.executable, str(BENCHMARKS / "spotify.py"), "--style=spotify"]
    ended = subprocess.run(  # noqa: S603 - the benchmark itself
        [*command, "--days=1", "--pairs=1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    for result in (FASTER, CPU, MEMORY):
        assert re.search(
            rf"^\| 7 \| Spotify, [0-9]+ rows \| {result} ", ended.stdout, re.MULTILINE
        )


@pytest.fixture
def styles(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The benchmark's styles of pages."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    found: dict[str, Any] = import_module("page_styles").STYLES
    return found


def rewritten(style: Any) -> bytes:  # noqa: ANN401 - of the benchmark
    """The page in a style."""
    content: bytes = style.rewrite(json.dumps(PAGE).encode())
    return content


def test_a_page_with_spaces_has_them_after_all_separators(
    styles: dict[str, Any],
) -> None:
    page = rewritten(styles["spaces"])
    assert b'"ctr": [0.0123, 0.0, 0.5], "cpc": [' in page
    assert json.loads(page) == PAGE


def test_each_series_with_an_exponent_has_one_as_rails_writes_it(
    styles: dict[str, Any],
) -> None:
    page = rewritten(styles["exponents"])
    assert b'"ctr":[1.0e-05,0.0,0.5]' in page
    assert b'"ctr":[0.0123,2.1e-05,0.5]' in page


def test_unknown_members_are_in_each_row_and_each_series(
    styles: dict[str, Any],
) -> None:
    page = json.loads(rewritten(styles["unknown-members"]))
    for row, original in zip(
        page["_embedded"]["results"], PAGE["_embedded"]["results"], strict=True
    ):
        assert row.keys() - original.keys()
        assert row["series"].keys() - original["series"].keys()
        assert row["series"]["metrics"] == original["series"]["metrics"]


def test_long_numbers_have_17_digits_and_more(styles: dict[str, Any]) -> None:
    page = rewritten(styles["long-numbers"])
    assert b'"cpc":[1.1234567891234567,null,0.25]' in page
    assert b'"conversions":[1,212345678912345678,2]' in page


@pytest.mark.parametrize(
    ("check", "other"),
    [
        ("check_same_records", '"spend":5.01'),
        ("check_same_records", '"spend":null'),
        ("check_same_lines", '"spend":5'),
    ],
)
def test_the_benchmark_refuses_records_that_differ(
    tmp_path: Path,
    check: str,
    other: str,
) -> None:
    checks = runpy.run_path(str(BENCHMARKS / "outputs.py"))
    line = '{"type":"RECORD","record":{"clicks":1,%s},"time_extracted":"%s"}\n'
    one, same, different = (tmp_path / name for name in ("one", "same", "different"))
    one.write_text(line % ('"spend":5.0', "10:00"))
    same.write_text(line % ('"spend":5.0', "11:00"))
    different.write_text(line % (other, "10:00"))
    checks[check]([one, same])
    with pytest.raises(click.ClickException, match="different"):
        checks[check]([one, same, different])


def test_the_benchmark_refuses_a_run_that_wrote_too_little(tmp_path: Path) -> None:
    checks = runpy.run_path(str(BENCHMARKS / "outputs.py"))
    stdout = tmp_path / "stdout"
    stdout.write_text('{"type":"SCHEMA"}\n{"type":"RECORD","record":{}}\n')
    checks["check_count"](stdout, 1)
    with pytest.raises(click.ClickException, match="1 records and not 2"):
        checks["check_count"](stdout, 2)
