"""The main job for real: the sandbox, through Meltano, into Postgres."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import signal
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from harness.environment import clean_environment
from harness.markdown import README, Page
from harness.paths import ROOT
from harness.pictures import check_picture
from harness.pipeline import (
    FIELDS,
    FIRST,
    LEVELS,
    LOOKBACK,
    SECOND,
    SETTINGS,
    START,
    Pipeline,
    small_world,
)

from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.service.faults import FAULTS
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tap_adstage.sandbox.world.world import World

DRAWN = "COLUMNS=84 FORCE_COLOR=1"
"""The demo as a terminal shows it."""

# --- the truth ---


def days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]


def daily_truth(world: World, level: str, seen: dict[dt.date, dt.date]) -> list[Any]:
    """What the table holds when each day was last fetched on another day."""
    rows = [
        (
            day,
            entity.entity_id,
            entity.network,
            *(world.metric(entity, field, day, today=on) for field in FIELDS),
        )
        for entity in world.entities(level)
        for day, on in seen.items()
    ]
    return sorted(rows, key=repr)


def assert_equals_truth(pipeline: Pipeline, seen: dict[dt.date, dt.date]) -> None:
    """Hold every table against the sandbox's own truth.

    Args:
        pipeline: Loaded.
        seen: For each day the day on which it was last fetched.
    """
    world = pipeline.sandbox.world
    for level in LEVELS:
        columns = ("date", "entity_id", "network", *FIELDS)
        loaded = pipeline.table(f"daily_{level}", columns)
        truth = daily_truth(world, level, seen)
        assert numbers(loaded) == numbers(truth), level
    accounts = world.entities("accounts")
    last = max(seen.values())
    months = [(START, dt.date(2024, 3, 31))]
    assert numbers(
        pipeline.table("monthly_by_network", ("date", "date_end", "network", "spend")),
    ) == numbers(
        sorted(
            [
                (
                    first,
                    end,
                    network,
                    sum(
                        world.metric(account, "spend", day, today=last) or 0
                        for account in accounts
                        if account.network == network
                        for day in days(first, min(end, last))
                    ),
                )
                for network in {account.network for account in accounts}
                for first, end in months
            ],
            key=repr,
        ),
    )
    assert pipeline.table("accounts", ("entity_id", "name")) == sorted(
        [(account.entity_id, account.name) for account in accounts],
        key=repr,
    )
    assert pipeline.table("account_groups", ("id", "name")) == sorted(
        [(group.id, group.name) for group in world.account_groups],
        key=repr,
    )
    assert pipeline.table(
        "account_group_accounts",
        ("account_group_id", "entity_id"),
    ) == sorted(
        [
            (g.id, account.entity_id)
            for g in world.account_groups
            for account in g.accounts
        ],
        key=repr,
    )
    assert pipeline.table("folders", ("fetch_id", "name")) == sorted(
        [(str(folder.fetch_id), folder.name) for folder in world.folders],
        key=repr,
    )
    assert pipeline.table(
        "folder_campaigns",
        ("folder_id", "network", "remote_campaign_id"),
    ) == sorted(
        [
            (str(folder.fetch_id), campaign.network, campaign.remote_id)
            for folder in world.folders
            for campaign in folder.campaigns
        ],
        key=repr,
    )
    assert pipeline.table("import_status", ("network", "name")) == sorted(
        [(account.network, account.name) for account in accounts],
        key=repr,
    )
    assert len(pipeline.table("users", ("id",))) == 1
    assert len(pipeline.table("organizations", ("fetch_id",))) == 1
    descriptors = pipeline.table("metric_descriptors", ("provider", "id"))
    assert len(set(descriptors)) == len(descriptors) > 20


def numbers(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows whose numbers compare by value, whatever their type and trailing zeros."""
    return sorted(
        (
            tuple(
                value
                if value is None or isinstance(value, (str, dt.date))
                else value + 0
                for value in row
            )
            for row in rows
        ),
        key=lambda row: [str(value) for value in row[:3]],
    )


FIRST_RUN = dict.fromkeys(days(START, dt.date(2024, 3, 19)), FIRST)
BOTH_RUNS = FIRST_RUN | dict.fromkeys(
    days(dt.date(2024, 3, 12), dt.date(2024, 3, 22)), SECOND
)


PAGE_SIZE = 50
"""Rows on a page, so that ads and keywords take several."""


def test_a_full_run_and_an_incremental_one_load_exactly_the_truth(
    pipeline: Pipeline,
) -> None:
    pipeline.environment["TAP_ADSTAGE_PAGE_SIZE"] = str(PAGE_SIZE)
    pipeline.run(FIRST)
    assert_equals_truth(pipeline, FIRST_RUN)
    asked = len(pipeline.questions())
    pipeline.run(SECOND)
    assert_equals_truth(pipeline, BOTH_RUNS)
    later = [
        q["date_range"] for q in pipeline.questions()[asked:] if len(q["fields"]) == 7
    ]
    assert {text.partition("..")[0] for text in later} == {
        "2024-03-12",
        "2024-03-17",
        "2024-03-22",
    }


def test_runs_that_are_killed_with_all_their_processes_are_made_good_by_the_next(
    pipeline: Pipeline,
) -> None:
    # For five minutes Meltano takes a killed run for one that is still running.
    for report_requests in (3, 12):
        meltano = pipeline.started_run(FIRST, report_requests, "--force")
        os.killpg(meltano.pid, signal.SIGKILL)
        meltano.communicate(timeout=60)
    pipeline.run(FIRST, "--force")
    assert_equals_truth(pipeline, FIRST_RUN)


def test_a_run_whose_tap_is_killed_resumes_from_the_last_finished_window(
    pipeline: Pipeline,
) -> None:
    pipeline.environment["TAP_ADSTAGE_PAGE_SIZE"] = str(PAGE_SIZE)
    meltano = pipeline.started_run(FIRST, 10)
    (tap,) = [
        process
        for process in psutil.Process(meltano.pid).children(recursive=True)
        if "tap-adstage" in " ".join(process.cmdline())
    ]
    tap.kill()
    output, _ = meltano.communicate(timeout=120)
    assert meltano.returncode != 0, output
    asked = len(pipeline.questions())
    pipeline.run(FIRST)
    assert_equals_truth(pipeline, FIRST_RUN)
    resumed = [q["date_range"] for q in pipeline.questions()[asked:]]
    assert min(text.partition("..")[0] for text in resumed) == START.isoformat()
    assert len(resumed) < asked_by_a_full_run(pipeline)


def test_breakdowns_and_snapshots_of_v1_load_with_all_their_keys(
    pipeline: Pipeline,
) -> None:
    world = pipeline.sandbox.world
    account = next(a for a in world.entities("accounts") if a.network == "facebook")
    reports = [
        {
            "name": "by_age",
            "provider": "facebook",
            "targets": [account.entity_id],
            "entity_level": "accounts",
            "dimensions": ["age", "publisher_platform"],
            "fields": ["clicks", "spend"],
            "date_range": "last 3 days",
        },
        {
            "name": "last_week_so_far",
            "api_version": 1,
            "entity_level": "accounts",
            "aggregate_by": "total",
            "fields": ["spend"],
            "date_range": "last 7 days",
        },
    ]
    pipeline.environment["TAP_ADSTAGE_REPORTS"] = json.dumps(reports)
    pipeline.environment["TAP_ADSTAGE_RECONCILE"] = "fail"
    for day in (FIRST, SECOND):
        pipeline.run_whole(day, "adstage")
    keys = ("date", "entity_id", "age", "publisher_platform", "clicks")
    rows = pipeline.table("by_age", keys)
    assert len({row[:4] for row in rows}) == len(rows)
    assert {"(none)", "18-24"} <= {row[2] for row in rows}
    assert {
        day: sum(row[4] or 0 for row in rows if row[0] == day)
        for day in days(dt.date(2024, 3, 17), dt.date(2024, 3, 22))
    } == {
        day: world.provider_metric("facebook", account, "clicks", day, today=SECOND)
        for day in days(dt.date(2024, 3, 17), dt.date(2024, 3, 22))
    }
    snapshots = pipeline.table("last_week_so_far", ("date", "date_end", "entity_id"))
    first, second = (
        (day - dt.timedelta(days=7), day - dt.timedelta(days=1))
        for day in (FIRST, SECOND)
    )
    assert snapshots == sorted(
        [
            (*span, each.entity_id)
            for span in (first, second)
            for each in world.entities("accounts")
        ],
        key=repr,
    )


def test_a_run_over_an_api_that_fails_every_fifth_time_loads_exactly_the_truth(
    tmp_path: Path,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages, target = tmp_path / "messages.jsonl", tmp_path / "target.json"
    with Sandbox(
        world=small_world(seed=2), today=FIRST, fault_rate=0.2, slow_seconds=3
    ) as sandbox:
        tap = TapAdStage(
            config=settings_of(sandbox)
            | {
                "page_size": 3,
                "request_timeout": 1,
                "reconcile": "fail",
            },
        )
        with messages.open("w") as stdout, contextlib.redirect_stdout(stdout):
            tap.sync_all()
    failed = [request for request in sandbox.requests if request.fault]
    assert len(sandbox.requests) - len(failed) > 200
    assert {request.fault for request in failed} == {*FAULTS}
    assert len(waits) > len(failed) / 2  # a window that fails twice is halved at once
    monkeypatch.undo()  # from here on time passes as it does
    with Postgres() as postgres:
        load(messages, postgres, target)
        assert_equals_truth(Pipeline(sandbox, postgres, {}, tmp_path), FIRST_RUN)


def test_batches_load_exactly_the_truth(tmp_path: Path) -> None:
    messages = tmp_path / "messages.jsonl"
    with Sandbox(world=small_world(seed=2), today=FIRST) as sandbox:
        config = settings_of(sandbox) | {
            "batch_config": {
                "encoding": {"format": "jsonl", "compression": "gzip"},
                "storage": {"root": (tmp_path / "batches").as_uri()},
                "batch_size": 700,
            },
        }
        with messages.open("w") as stdout, contextlib.redirect_stdout(stdout):
            TapAdStage(config=config).sync_all()
    lines = messages.read_text().splitlines()
    assert not [line for line in lines if '"type":"RECORD"' in line]
    with Postgres() as postgres:
        load(messages, postgres, tmp_path / "target.json")
        assert_equals_truth(Pipeline(sandbox, postgres, {}, tmp_path), FIRST_RUN)


def settings_of(sandbox: Sandbox) -> dict[str, Any]:
    """The settings of the pipelines, for a tap of this process."""
    settings = {
        name.removeprefix("TAP_ADSTAGE_").lower(): json.loads(value)
        if value.startswith(("[", "{"))
        else value
        for name, value in SETTINGS.items()
    }
    return settings | {
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "as_of": FIRST.isoformat(),
        "lookback_days": LOOKBACK,
        "window_days": 5,
    }


def load(messages: Path, postgres: Postgres, config: Path) -> None:
    """Load a run's messages with the real target-postgres."""
    database = {
        "host": postgres.host,
        "port": postgres.port,
        "user": postgres.user,
        "password": postgres.password,
        "database": postgres.database,
        "default_target_schema": "adstage",
        "validate_records": False,
    }
    config.write_text(json.dumps(database))
    command = Path(sysconfig.get_path("scripts")) / "target-postgres"
    with messages.open() as stdin:
        subprocess.run(  # noqa: S603 - the real target-postgres
            [str(command), "--config", str(config)],
            stdin=stdin,
            check=True,
            timeout=300,
        )


def test_the_demo_shows_what_landed(
    update_golden: bool,  # noqa: FBT001
) -> None:
    block = Page(README).block_run_by("test_the_demo_shows_what_landed")
    command = block.text.replace("uv run ", "").replace(
        # The day of README's picture; the other source's demo runs as it stands.
        "tap-adstage-sandbox demo\n",
        f"{DRAWN} tap-adstage-sandbox --as-of 2024-03-20 demo\n",
    )
    assert DRAWN in command
    ended = subprocess.run(  # noqa: S603 - README's own command
        ["bash", "-ec", command],  # noqa: S607
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    adstage, spotify_ads = re.split(r"(?=This demo loads)", ended.stdout)[1:]
    assert "came late and were picked up" in " ".join(adstage.split())
    assert "  ad_set_performance  " in spotify_ads
    for screen in re.split(r"\n(?=./4 )", spotify_ads):
        lines = screen.splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 100
    assert "\x1b" not in spotify_ads
    for source in ("adstage", "spotify_ads"):
        log = ROOT / ".meltano" / "logs" / f"demo-{source}.log"
        assert log.read_text().count("Run completed") == 2
    _, picture, _ = re.split(r"\n(?=.{0,4}3/4 )|\n\n(?=.{0,4}What next)", adstage)
    check_picture(
        "demo",
        "uv run tap-adstage-sandbox demo",
        re.sub(r"Loaded in \d+ s", "Loaded in 9 s", picture),
        update=update_golden,
    )


def asked_by_a_full_run(pipeline: Pipeline) -> int:
    """Report requests of a run from nothing: windows of five days, and pages."""
    windows = 4
    pages = sum(
        -(-len(pipeline.sandbox.world.entities(level)) // PAGE_SIZE) for level in LEVELS
    )
    return windows * pages + 1
