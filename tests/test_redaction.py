from __future__ import annotations

import pytest

from tap_adstage.redaction import excerpt, redact, without_token


@pytest.mark.parametrize(
    "text",
    [
        "https://x/a?access_token=57a082&limit=1",
        "https://x/a?limit=1&ACCESS_TOKEN=57a082",
        "refresh_token=57a082&client_secret=57a082",
        '{"access_token": "57a082", "token_type": "Bearer"}',
        "{'refresh_token': '57a082'}",
        "Authorization: Bearer 57a082",
        "bearer 57a082.x-y_z~+/=",
    ],
)
def test_a_secret_is_hidden_wherever_it_has_a_name(text: str) -> None:
    assert "57a082" not in redact(text)
    assert "***" in redact(text)


def test_what_is_no_secret_stays() -> None:
    text = "https://x/a?limit=1&order=asc the token is wrong"
    assert redact(text) == text


def test_a_known_secret_is_hidden_also_without_a_name() -> None:
    assert redact("token r0 is revoked", {"r0"}) == "token *** is revoked"


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("a\n  b\tc") == "a b c"
    assert len(excerpt("x" * 5000)) == 201
    assert "57a082" not in excerpt("y" * 190 + " 57a082", {"57a082"})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x/a?access_token=t", "https://x/a"),
        ("https://x/a?access_token=t&limit=1", "https://x/a?limit=1"),
        ("https://x/a?limit=1&access_token=t", "https://x/a?limit=1"),
        ("https://x/a?a=1&access_token=t&b=2", "https://x/a?a=1&b=2"),
        ("https://x/a?Access_Token=t#top", "https://x/a#top"),
        ("https://x/a#access_token=t", "https://x/a"),
        ("https://x/a?", "https://x/a?"),
        ("What? No token & no URL", "What? No token & no URL"),
    ],
)
def test_a_url_loses_its_token_and_nothing_else(url: str, expected: str) -> None:
    assert without_token(url) == expected


def test_tokens_are_taken_out_at_any_depth_and_other_values_stay() -> None:
    value = {"a": [{"b": "/x?access_token=t"}, 1, None, True], "c": 1.5}
    assert without_token(value) == {"a": [{"b": "/x"}, 1, None, True], "c": 1.5}
