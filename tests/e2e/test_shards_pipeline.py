"""Shards that load at once, as docs/scale-out.md has it, equal a run without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from harness.pipeline import FIRST, SECOND, START, commands, small_world

if TYPE_CHECKING:
    from harness.pipeline import Pipeline

    from tap_adstage.sandbox.world.world import World

(SHELL,) = commands("scale-out.md", "In a shell")
(TWICE,) = commands("scale-out.md", "Another number of shards")


@pytest.fixture
def world() -> World:
    return small_world()


def of(number: int, script: str) -> str:
    assert script.startswith("shards=4\n")
    return script.replace("shards=4\n", f"shards={number}\n")


def test_shards_that_load_at_once_into_an_empty_database_equal_a_whole_run(
    pipeline: Pipeline,
) -> None:
    pipeline.run_script(of(3, SHELL), FIRST)
    pipeline.run_whole(FIRST)
    assert pipeline.tables() == pipeline.tables("whole")
    assert len(pipeline.tables()) == 14
    # Another number of shards that moves accounts between shards starts over.
    asked = len(pipeline.questions())
    output = pipeline.run_script(of(2, SHELL), SECOND)
    assert "starting over, as the bookmark 2024-03-19 is of shard 2/3" in output
    assert f"{START}..2024-03-05" in pipeline.daily_ranges(asked)
    pipeline.run_whole(SECOND, "anew")
    assert pipeline.tables() == pipeline.tables("anew")


def test_no_shard_starts_over_where_there_are_twice_as_many(
    pipeline: Pipeline,
) -> None:
    world = pipeline.sandbox.world
    accounts = [account.entity_id for account in world.entities("accounts")]
    for unlinked, day, script in (
        (accounts[0:3], FIRST, of(1, SHELL)),
        (accounts[2:5], SECOND, of(1, TWICE) + of(2, SHELL)),
    ):
        world.unlinked = frozenset(unlinked)
        asked = len(pipeline.questions())
        output = pipeline.run_script(script, day)
        pipeline.run_whole(day)
    assert pipeline.tables() == pipeline.tables("whole")
    # Only one starts over whose rows are of several accounts, as some joined.
    again = [line for line in output.splitlines() if "starting over" in line]
    assert all("monthly_by_network: starting over" in line for line in again)
    assert {*pipeline.daily_ranges(asked)} == {
        # The earlier days of accounts that joined.
        "2024-03-01..2024-03-05",
        "2024-03-06..2024-03-10",
        "2024-03-11..2024-03-11",
        # The days of all of them.
        "2024-03-12..2024-03-16",
        "2024-03-17..2024-03-21",
        "2024-03-22..2024-03-22",
    }
