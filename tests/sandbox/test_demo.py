"""The demo: what it runs, where the output goes, and what it shows."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from click import ClickException
from click.testing import CliRunner
from harness.paths import ROOT
from rich.console import Console

from tap_adstage.sandbox.cli import demo, demo_results, demo_texts
from tap_adstage.sandbox.cli.command import main
from tap_adstage.sandbox.cli.demo_log import last_lines, open_log
from tap_adstage.sandbox.cli.demo_reports import REPORTS
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.service.request_log import ReceivedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import RenderableType


class Meltano:
    """Records its calls and writes a log instead of running."""

    def __init__(self, code: int = 0, log: str = "") -> None:
        self.code = code
        self.log = log
        self.calls: list[tuple[Sequence[str], Mapping[str, str]]] = []

    def __call__(
        self, command: Sequence[str], environment: Mapping[str, str], output: int
    ) -> int:
        self.calls.append((command, environment))
        os.write(output, self.log.encode())
        return self.code


def install_demo(meltano: Meltano, home: Path, *, verbose: bool = False) -> None:
    settings = {"TAP_ADSTAGE_API_URL": "http://127.0.0.1:1/api"}
    sandbox = Sandbox(today=dt.date(2024, 6, 15))
    with open_log(home, "adstage", verbose=verbose) as log:
        stage = demo.Stage(
            sandbox=sandbox,
            reports=REPORTS["adstage"],
            dsn="postgresql://",
            settings=settings,
            project=home,
            meltano="meltano",
            log=log,
        )
        demo.Demo(stage, meltano, home).install()


def test_the_demo_keeps_out_of_the_users_own_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAP_ADSTAGE_REFRESH_TOKEN", "the user's own")
    monkeypatch.setenv("TARGET_POSTGRES_SQLALCHEMY_URL", "postgresql://warehouse")
    monkeypatch.setenv("MELTANO_DATABASE_URI", "sqlite:////the/users/own.db")
    meltano = Meltano(log="Installed.\n")
    install_demo(meltano, tmp_path)
    ((command, settings),) = meltano.calls
    assert command[-3:] == ["install", "tap-adstage", "target-postgres"]
    assert (tmp_path / "empty.env").read_text() == ""
    assert f"--env-file={tmp_path / 'empty.env'}" in command
    assert settings["MELTANO_DATABASE_URI"] == f"sqlite:///{tmp_path}/meltano.db"
    assert settings["TAP_ADSTAGE_API_URL"] == "http://127.0.0.1:1/api"
    assert settings["TAP_ADSTAGE_AS_OF"] == "2024-06-15"
    assert "TAP_ADSTAGE_REFRESH_TOKEN" not in settings
    assert "TARGET_POSTGRES_SQLALCHEMY_URL" not in settings
    assert capfd.readouterr() == ("", "")


def test_the_demos_log_is_the_last_demos_alone(tmp_path: Path) -> None:
    for text in ("the first demo, with a longer log\n", "the second\n"):
        with open_log(tmp_path, "adstage", verbose=False) as log:
            os.write(log.descriptor, text.encode())
    (file,) = (tmp_path / ".meltano" / "logs").iterdir()
    assert (file.name, file.read_text()) == ("demo-adstage.log", "the second\n")


def test_a_log_that_can_t_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / ".meltano").touch()
    with (
        pytest.raises(ClickException, match=r"log .*/demo-adstage\.log: Not a dir"),
        open_log(tmp_path, "adstage", verbose=False),
    ):
        pass


def test_a_verbose_demo_logs_to_stderr_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    install_demo(Meltano(log="Installed.\n"), tmp_path, verbose=True)
    assert capfd.readouterr() == ("", "Installed.\n")
    assert not (tmp_path / ".meltano").exists()


def test_the_demo_shows_the_end_of_its_log_if_meltano_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"line {number}" for number in range(99)]
    with pytest.raises(demo.DemoError) as caught:
        install_demo(Meltano(code=3, log="\n".join([*lines, "Why."])), tmp_path)
    assert str(caught.value).splitlines() == [
        (
            "`meltano install tap-adstage target-postgres` ended with 3; the end of "
            "its log, .meltano/logs/demo-adstage.log:"
        ),
        "",
        *lines[-15:],
        "Why.",
    ]


def test_the_end_of_a_log_with_long_lines_fits_on_a_screen() -> None:
    shown = last_lines(["early", "a word " * 200, "late"])
    assert len(shown) == 16
    assert shown[-1] == "late"
    assert max(map(len, shown)) <= 100


def test_a_verbose_demo_that_fails_points_to_its_output(tmp_path: Path) -> None:
    with pytest.raises(demo.DemoError, match=r"ended with 3; see its output above"):
        install_demo(Meltano(code=3), tmp_path, verbose=True)


@pytest.mark.parametrize("source", ["adstage", "spotify_ads"])
def test_the_demo_says_first_what_it_does_and_leaves_and_last_what_to_do_next(
    source: str,
) -> None:
    reports = REPORTS[source]
    before = demo_texts.opening(reports, "a/demo.log")
    assert f"from {reports.api} into Postgres with Meltano" in before
    assert f"It takes {reports.duration}" in before
    assert before.endswith("plugins and a log stay behind:\n  a/demo.log")
    assert demo_texts.opening(reports, None).endswith("plugins stay behind.")
    after = demo_texts.closing(reports, "a/demo.log").plain
    assert f"\n{demo_texts.SHELL}\n" in (ROOT / "README.md").read_text()
    assert f"\n    {demo_texts.SHELL}\n" in after
    assert reports.next_page in after
    assert after.endswith("logged: a/demo.log")
    assert "logged" not in demo_texts.closing(reports, None).plain


def test_the_demo_reports_that_meltano_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(demo.DemoError, match="pip install meltano"):
        demo.find_meltano()


def test_the_demo_reports_that_it_needs_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "a/b/c/d/demo.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(demo.DemoError, match="run it in a clone"):
        demo.find_project()


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("tap_adstage.sandbox.cli.demo")
    monkeypatch.delitem(sys.modules, "tap_adstage.sandbox.cli.demo")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert result.output == "Error: This needs psycopg; install tap-adstage[demo]\n"


def test_the_demo_loads_days_that_a_lookback_fetches_again() -> None:
    settings = REPORTS["adstage"].tap_settings(dt.date(2024, 6, 15))
    assert settings["TAP_ADSTAGE_START_DATE"] == "2024-04-16"
    assert settings["TAP_ADSTAGE_LOOKBACK_DAYS"] == "14"
    levels = [
        report["entity_level"] for report in json.loads(settings["TAP_ADSTAGE_REPORTS"])
    ]
    assert levels == ["accounts", "campaigns", "ad_groups"]


def report_request(level: str, date_range: str) -> ReceivedRequest:
    body = {"date_range": date_range, "sources": {"metrics": {"entity_level": level}}}
    path = "/api/v2/organizations/40/report"
    return ReceivedRequest("POST", path, {}, body, 200)


def test_the_first_requested_day_of_each_report_is_found() -> None:
    found = REPORTS["adstage"].first_days(
        [
            ReceivedRequest("GET", "/api/me", {}, None, 200),
            report_request("campaigns", "2024-05-11..2024-05-20"),
            report_request("campaigns", "2024-05-01..2024-05-10"),
            report_request("accounts", "2024-05-21..2024-05-30"),
        ]
    )
    assert found == {
        "campaign_performance": dt.date(2024, 5, 1),
        "account_performance": dt.date(2024, 5, 21),
    }


def test_the_first_days_of_spotify_s_reports_are_not_those_of_what_else_is_read() -> (
    None
):
    path = "/ads/v3/ad_accounts/1/aggregate_reports"
    first = {"entity_type": "AD_SET", "report_start": "2024-05-01T00:00:00Z"}
    fields = (("fields", "CLICKS"), ("fields", "REACH"))
    found = REPORTS["spotify_ads"].first_days(
        [
            ReceivedRequest("GET", "/ads/v3/businesses", {}, None, 200),
            ReceivedRequest("GET", path, first, None, 200, parameters=fields),
            ReceivedRequest("GET", path, first, None, 200, parameters=fields[:1]),
            ReceivedRequest("GET", path, {"continuation_token": "x"}, None, 200),
        ]
    )
    assert found == {"ad_set_performance": dt.date(2024, 5, 1)}


def test_bookmarks_are_read_from_meltanos_state() -> None:
    bookmark = {"replication_key": "date", "replication_key_value": "2024-06-14"}
    streams = {"campaign_performance": bookmark, "folders": {}}
    state = {"singer_state": {"bookmarks": streams}}
    names = ("campaign_performance", "ad_performance")
    assert demo.read_bookmarks(state, names) == {"campaign_performance": "2024-06-14"}
    assert demo.read_bookmarks({}, names) == {}


def demo_run(day: int, conversions: str | None) -> demo_results.Run:
    date = dt.date(2024, 6, day)
    bookmark = str(date - dt.timedelta(days=1))
    names = [f"{level}_performance" for level in ("account", "campaign", "ad_group")]
    rows = {"accounts": 18, **dict.fromkeys(names, 1000 * day)}
    return demo_results.Run(
        date,
        seconds=1.6,
        first_days=dict.fromkeys(names, dt.date(2024, 4, 16)),
        bookmarks=dict.fromkeys(names, bookmark),
        rows=rows,
        conversions=Decimal(conversions) if conversions else None,
    )


def test_the_days_read_again_are_those_whose_late_conversions_are_counted() -> None:
    text = demo_texts.describe_lookback(demo_run(15, "1000.0"), demo_run(18, "1200.5"))
    assert text == (
        "Loaded in 2 s. Each report read 2024-05-31 to 2024-06-14 again: the "
        "bookmark's day and the 14 days before it (lookback_days). Conversions of "
        "these days: 1,000 in the first run, 1,200 now. 200 came late and were picked "
        "up."
    )


def test_where_no_conversions_come_late_none_are_described() -> None:
    text = demo_texts.describe_lookback(demo_run(15, None), demo_run(18, None))
    assert text.endswith("before it (lookback_days).")


def printed(table: RenderableType, width: int = 80) -> list[str]:
    """The lines of a table in a pipe."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_tables_of_the_runs_have_all_rows_then_those_of_reports() -> None:
    reports = REPORTS["adstage"]
    first, second = demo_run(15, None), demo_run(18, None)
    head, _, *rows = printed(demo_results.first_run_table(reports, first))
    assert head.split("  ")[1].strip() == "table"
    assert [row.split() for row in rows] == [
        *(
            [f"{name}_performance", "15,000", "2024-04-16", "2024-06-14", "60"]
            for name in ("account", "campaign", "ad_group")
        ),
        ["accounts", "18"],
    ]
    _, _, *rows = printed(demo_results.second_run_table(reports, first, second))
    assert [row.split() for row in rows] == [
        [f"{name}_performance", "18,000", "3,000", "2024-04-16", "2024-06-17", "63"]
        for name in ("account", "campaign", "ad_group")
    ]


def test_spend_has_a_heading_for_each_currency_and_bars_that_compare_in_it() -> None:
    spends = [
        demo_results.Spend("EUR", "adwords", 1000.4),
        demo_results.Spend("EUR", "quora", 500.0),
        demo_results.Spend("JPY", "adwords", 90_000.0),
    ]
    assert printed(demo_results.spend_table(spends)) == [
        "  EUR",
        "    adwords  1,000 ████████████",
        "    quora      500 █████▉",
        "  JPY",
        "    adwords 90,000 ████████████",
    ]


@pytest.mark.parametrize(
    ("sizes", "columns"),
    [
        ([4, 10], [[4, 10]]),
        ([5, 10], [[5], [10]]),
        ([20], [[20]]),
        ([2, 1, 2, 2, 2, 1, 1, 2, 5], [[2, 1, 2, 2, 2], [1, 1, 2, 5]]),
    ],
)
def test_currencies_that_are_too_many_for_a_screen_are_in_two_columns(
    sizes: list[int], columns: list[list[int]]
) -> None:
    groups = [[demo_results.Spend(str(n), "x", 1.0)] * n for n in sizes]
    found = demo_results.in_columns(groups)
    assert [[len(group) for group in column] for column in found] == columns
