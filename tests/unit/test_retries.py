from __future__ import annotations

import datetime as dt
import logging

import pytest

from tap_adstage.exceptions import ApiError, TooSlowError, TransientError
from tap_adstage.http.retries import retry_after, retrying

NOW = dt.datetime(2024, 3, 20, 12, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("Wed, 20 Mar 2024 12:00:30 GMT", 30),
        ("Wed, 20 Mar 2024 14:01:00 +0200", 60),
        ("Wed, 20 Mar 2024 12:00:30 -0000", 30),
        ("Wed, 20 Mar 2024 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    header: str | None,
    seconds: float | None,
) -> None:
    assert retry_after(header, now=NOW) == seconds


def test_waits_double_up_to_a_minute_and_half_of_each_is_random(
    waits: list[float],
) -> None:
    def fail() -> None:
        if len(waits) == 9:
            raise ApiError("enough")
        raise TransientError("not yet")

    with pytest.raises(ApiError):
        retrying(fail, max_seconds=3600, logger=logging.getLogger())
    longest = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    for wait, most in zip(waits, longest, strict=True):
        assert most / 2 <= wait <= most
    assert len(set(waits)) == len(waits)


def test_the_last_reason_is_the_one_that_is_raised(waits: list[float]) -> None:
    def fail() -> None:
        raise TransientError(f"failure {len(waits)}", retry_after=25)

    with pytest.raises(TransientError, match="failure 2"):
        retrying(fail, max_seconds=60, logger=logging.getLogger())
    assert waits[0] == 25


def test_each_wait_is_told(
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail_once() -> str:
        if waits:
            return "done"
        raise TransientError("the server is busy.", retry_after=7)

    assert retrying(fail_once, max_seconds=60, logger=logging.getLogger()) == "done"
    assert "the server is busy. Trying again in 7.0 seconds." in caplog.text


def fail_for_size(waits: list[float], *, then: str = "") -> str:
    if then and len(waits) == 2:
        return then
    raise TooSlowError("504")


def test_what_can_be_asked_in_parts_is_given_up_after_two_tries(
    waits: list[float],
) -> None:
    with pytest.raises(TooSlowError):
        retrying(
            lambda: fail_for_size(waits),
            max_seconds=600,
            logger=logging.getLogger(),
            can_split=True,
        )
    assert len(waits) == 1


def test_what_can_not_be_asked_in_parts_is_tried_as_long_as_may_be(
    waits: list[float],
) -> None:
    answer = retrying(
        lambda: fail_for_size(waits, then="done"),
        max_seconds=600,
        logger=logging.getLogger(),
    )
    assert answer == "done"


def test_two_failures_for_size_count_only_in_a_row(waits: list[float]) -> None:
    failures = [TooSlowError("504"), TransientError("500"), TooSlowError("504")]

    def fail() -> str:
        if len(waits) < len(failures):
            raise failures[len(waits)]
        return "done"

    answer = retrying(
        fail,
        max_seconds=600,
        logger=logging.getLogger(),
        can_split=True,
    )
    assert answer == "done"
