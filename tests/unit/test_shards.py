"""Which part of the accounts a run reads, and that all parts together are the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_adstage.config.shards import Shard

shards = st.integers(1, 60).flatmap(
    lambda count: st.builds(Shard, st.integers(1, count), st.just(count)),
)


def test_a_shard_reads_as_it_is_written() -> None:
    assert Shard.parse("3/8") == Shard(3, 8)
    assert str(Shard(3, 8)) == "3/8"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "two numbers with /"),
        ("3", "two numbers with /"),
        ("0/8", "the first of 8 parts is 1/8"),
        ("9/8", "9 is more than 8"),
        ("3/0", "at least one part"),
        ("0/0", "at least one part"),
        ("-1/8", "two numbers with /"),
        ("3 / 8", "without spaces"),
        ("3/8\n", "without spaces"),
        ("03/8", "leading zeros"),
        ("1\N{ARABIC-INDIC DIGIT ONE}/20", "two numbers with /"),
        ("a/b", "two numbers with /"),
        ("3/8/9", "two numbers with /"),
    ],
)
def test_what_is_no_shard_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Shard.parse(text)


@given(st.text(), st.integers(1, 50))
def test_each_account_is_in_one_shard(entity_id: str, count: int) -> None:
    parts = [Shard(number, count) for number in range(1, count + 1)]
    assert sum(part.has(entity_id) for part in parts) == 1


def test_an_account_s_shard_is_the_same_on_every_machine() -> None:
    ids = [f"/network/spotify/account/{number}" for number in range(6)]
    first, second = Shard(1, 3), Shard(2, 3)
    assert [first.has(each) for each in ids] == [False, False, True, True, True, False]
    assert [second.has(each) for each in ids] == [True, True, False, False, False, True]


def test_accounts_are_dealt_about_evenly() -> None:
    ids = [f"/network/adwords/account/{number}" for number in range(4000)]
    sizes = [sum(Shard(number, 8).has(each) for each in ids) for number in range(1, 9)]
    assert sum(sizes) == 4000
    assert min(sizes) > 400
    assert max(sizes) < 600


@given(shards, shards, st.text())
def test_a_shard_that_covers_another_has_its_accounts(
    one: Shard,
    other: Shard,
    entity_id: str,
) -> None:
    if one.covers(other) and other.has(entity_id):
        assert one.has(entity_id)


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        ("1/1", "3/8", True),
        ("3/4", "3/8", True),
        ("3/4", "7/8", True),
        ("3/8", "3/8", True),
        ("3/4", "4/8", False),
        ("3/8", "4/8", False),
        ("3/8", "3/4", False),
        ("3/8", "1/1", False),
        ("1/2", "1/3", False),
    ],
)
def test_a_shard_covers_its_own_parts(one: str, other: str, covers: bool) -> None:  # noqa: FBT001
    assert Shard.parse(one).covers(Shard.parse(other)) is covers
