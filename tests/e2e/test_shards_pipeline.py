"""Shards that load at once, as docs/scale-out.md has it, equal a run without them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from harness.pipeline import FIRST, SECOND, START, commands

if TYPE_CHECKING:
    from harness.pipeline import Pipeline

(SHELL,) = commands("scale-out.md", "In a shell")
(TWICE,) = commands("scale-out.md", "Another number of shards")

THIRD = dt.date(2024, 3, 26)


def of(number: int, script: str) -> str:
    assert script.startswith("shards=4\n")
    return script.replace("shards=4\n", f"shards={number}\n")


def test_shards_that_load_at_once_equal_a_whole_run_whatever_their_number(
    pipeline: Pipeline,
) -> None:
    world = pipeline.sandbox.world
    accounts = [account.entity_id for account in world.entities("accounts")]
    world.unlinked = frozenset(accounts[0:3])
    # Into an empty database.
    pipeline.run_script(of(2, SHELL), FIRST)
    pipeline.run_whole(FIRST)
    assert pipeline.tables() == pipeline.tables("whole")
    assert len(pipeline.tables()) == 14
    # Another number of shards that moves accounts between shards starts over.
    asked = len(pipeline.questions())
    output = pipeline.run_script(of(1, SHELL), SECOND)
    assert "starting over, as the bookmark 2024-03-19 is of shard 1/2" in output
    assert f"{START}..2024-03-05" in pipeline.daily_ranges(asked)
    pipeline.run_whole(SECOND, "anew")
    assert pipeline.tables() == pipeline.tables("anew")
    # Twice as many do not, with the states of those before.
    world.unlinked = frozenset(accounts[2:5])
    asked = len(pipeline.questions())
    output = pipeline.run_script(of(1, TWICE) + of(2, SHELL), THIRD)
    again = {*pipeline.daily_ranges(asked)}
    pipeline.run_whole(THIRD, "anew")
    assert pipeline.tables() == pipeline.tables("anew")
    # Only one starts over whose rows are of several accounts, as some joined.
    lines = [line for line in output.splitlines() if "starting over" in line]
    assert all("monthly_by_network: starting over" in line for line in lines)
    assert again == {
        # The earlier days of accounts that joined.
        "2024-03-01..2024-03-05",
        "2024-03-06..2024-03-10",
        "2024-03-11..2024-03-14",
        # The days of all of them.
        "2024-03-15..2024-03-19",
        "2024-03-20..2024-03-24",
        "2024-03-25..2024-03-25",
    }
