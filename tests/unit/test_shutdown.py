"""Signals to this process, as the tap takes them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import time

import pytest
import singer_sdk.singerlib as singer
from harness.clock import SOON

from tap_adstage.runtime.shutdown import Shutdown, Stopped
from tap_adstage.runtime.statistics import RunStats
from tap_adstage.streams.message_writer import MessageWriter


def test_a_step_that_has_to_be_whole_is(shutdown: Shutdown) -> None:
    done = []

    def step() -> None:
        with shutdown.deferred():
            with shutdown.deferred():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("a step within the step")
            done.append("the step")

    with pytest.raises(Stopped, match="143"):
        step()
    assert done == ["a step within the step", "the step"]


def test_a_wait_ends_within_seconds(shutdown: Shutdown) -> None:
    del shutdown
    began = time.monotonic()
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Stopped) as stopped:
        time.sleep(60)
    assert time.monotonic() - began < SOON
    assert (stopped.value.reason, stopped.value.code) == ("SIGTERM", 143)


class InterruptedStdout(io.StringIO):
    """Standard output on which a signal interrupts each line."""

    def write(self, text: str) -> int:
        half = len(text) // 2
        super().write(text[:half])
        os.kill(os.getpid(), signal.SIGTERM)
        return half + super().write(text[half:])


def test_a_line_is_whole_and_the_last_one_is_the_last_state(
    shutdown: Shutdown,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer, stdout = MessageWriter(RunStats(time.monotonic)), InterruptedStdout()
    shutdown.last_step = writer.shutdown.last_step
    writer.shutdown = shutdown
    with contextlib.redirect_stdout(io.StringIO()):
        writer.write_message(singer.StateMessage({"bookmarks": {"a": {}}}))
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(Stopped):
        writer.write_message(singer.RecordMessage("a", {"id": 1}))
    record, state = map(json.loads, stdout.getvalue().splitlines())
    assert record["record"] == {"id": 1}
    assert state["value"] == {"bookmarks": {"a": {}}}
