"""The pace of an answer: steps of ten seconds that bring less than 10 kB add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_adstage.exceptions import TooSlowError
from tap_adstage.http.slow_answers import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable


def seconds_until_given_up(
    pieces: Iterable[tuple[float, int]],
    request_timeout: float = 300,
) -> float | None:
    """Receive pieces, each some seconds after the one before."""
    pace, now = Pace(request_timeout), 1000.0
    for seconds, count in pieces:
        now += seconds
        try:
            pace.receive(count, now)
        except TooSlowError:
            return now - 1000
    return None


def test_a_byte_now_and_then_is_given_up_after_the_time_out() -> None:
    given_up = seconds_until_given_up([(0.5, 1)] * 10_000)
    assert given_up is not None
    assert 300 < given_up <= 311


@pytest.mark.parametrize("seconds", [0.01, 1, 9])
def test_what_comes_fast_enough_may_take_for_ever(seconds: float) -> None:
    pieces = [(seconds, int(seconds * 1000) + 1000)] * 5_000
    assert seconds_until_given_up(pieces) is None


def test_only_slow_steps_count() -> None:
    slow, fast = [(1.0, 1)] * 10, [(1.0, 2_000)] * 10
    given_up = seconds_until_given_up([*slow, *fast] * 100)
    assert given_up is not None
    assert 590 < given_up < 640


def test_long_pauses_count_whole() -> None:
    assert seconds_until_given_up([(0, 1), (165, 100_000), (165, 100_000)]) == 330
    assert seconds_until_given_up([(0, 1), (145, 100_000), (145, 100_000)]) is None


def test_the_wait_for_the_first_byte_is_not_the_answer_s() -> None:
    assert seconds_until_given_up([(299, 1), (290, 1)]) is None


def test_the_error_names_the_pace_and_the_setting() -> None:
    pace = Pace(45)
    pace.receive(5, 0)
    reason = (
        r"less than 10 kB in 10 seconds, for 50 seconds in all, which is longer than "
        r"request_timeout \(45\)"
    )
    with pytest.raises(TooSlowError, match=reason):
        pace.receive(5, 59)
