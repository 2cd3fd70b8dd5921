"""Large accounts: memory that stays as it is, many accounts, many reports."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from harness.singer import Sync

TODAY = dt.date(2024, 3, 20)
ADS_BY_DAY = {"entity_level": "ads", "fields": ["clicks", "spend", "name"]}


MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""
"""Runs a command and writes its peak memory to stderr."""


def peak_memory(settings: dict[str, Any], days: int, folder: Path) -> tuple[int, int]:
    """Run the tap over so many days; return its peak memory and its number of rows."""
    report = {
        **ADS_BY_DAY,
        "name": "ads",
        "date_range": f"last {days} days",
        "window_days": 2,
    }
    config, stdout = folder / "config.json", folder / "stdout"
    config.write_text(json.dumps({**settings, "reports": [report]}))
    tap = [sys.executable, "-m", "tap_adstage", "--config", str(config)]
    with stdout.open("wb") as file:
        ended = subprocess.run(  # noqa: S603 - the tap itself
            [sys.executable, "-c", MEASURED, *tap],
            stdout=file,
            stderr=subprocess.PIPE,
            check=True,
        )
    with stdout.open("rb") as lines:
        rows = sum(
            line.startswith(b'{"type":"RECORD","stream":"ads"') for line in lines
        )
    return int(ended.stderr), rows


def test_memory_does_not_grow_with_the_days(
    settings: dict[str, Any],
    tmp_path: Path,
) -> None:
    little, few = peak_memory(settings, 20, tmp_path)
    much, many = peak_memory(settings, 120, tmp_path)
    assert many == 6 * few > 100_000
    assert much < 1.1 * little


def test_a_thousand_accounts_are_all_reported_on(sync: Sync) -> None:
    world = World(accounts_per_network=112, campaigns_per_account=1)
    with Sandbox(world=world, today=TODAY) as sandbox:
        accounts = [account.entity_id for account in world.entities("accounts")]
        report = {"entity_level": "accounts", "fields": ["clicks"]}
        settings = {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "as_of": TODAY.isoformat(),
            "reports": [{**report, "name": "clicks", "date_range": "yesterday"}],
        }
        assert len(accounts) > 1000
        for chosen in ({}, {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": accounts}):
            messages = sync({**settings, **chosen})
            assert len(messages.records("accounts")) == len(accounts)
            reported = [row["entity_id"] for row in messages.records("clicks")]
            assert sorted(reported) == sorted(accounts)


def test_a_hundred_reports_share_what_is_looked_up(
    sync: Sync,
    sandbox: Sandbox,
    settings: dict[str, Any],
) -> None:
    report = {"entity_level": "accounts", "fields": ["clicks"]}
    names = [f"report_{number}" for number in range(100)]
    settings["reports"] = [
        {**report, "name": name, "date_range": "yesterday"} for name in names
    ]
    messages = sync(settings, streams=names)
    assert {messages.bookmark(name) for name in names} == {"2024-03-19"}
    assert {len(messages.records(name)) for name in names} == {18}
    looked_up = [
        (request.path, *request.query.items())
        for request in sandbox.requests
        if request.method == "GET"
    ]
    assert len(looked_up) == len({*looked_up})
