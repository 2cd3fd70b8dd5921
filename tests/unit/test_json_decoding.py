"""AdStage's JSON, well-formed and not, to values that can be loaded as they are."""

from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_adstage.http.json_decoding import check_utf8, decode_json

UNSTORABLE = {"\x00", *map(chr, range(0xD800, 0xE000))}


def storable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value with U+FFFD for what no database holds, character by character."""
    if isinstance(value, str):
        return "".join("\ufffd" if c in UNSTORABLE else c for c in value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


# --- UTF-8 ---

LONG = "Zürich 😀" * 50_000


@pytest.mark.parametrize("cut", range(8))
def test_long_texts_are_utf_8_wherever_a_piece_ends(cut: int) -> None:
    check_utf8(("x" * cut + LONG).encode())


@pytest.mark.parametrize("wrong", [b"\xff", b"\xf0\x9f", b"\xed\xa0\x80"])
@pytest.mark.parametrize("before", [0, 2**14 - 1, 400_000])
@pytest.mark.parametrize("after", [b"", b"x", LONG.encode()])
def test_what_is_not_utf_8_is_an_error_with_its_place(
    before: int, wrong: bytes, after: bytes
) -> None:
    content = b"x" * before + wrong + after
    with pytest.raises(UnicodeDecodeError) as expected:
        content.decode()
    with pytest.raises(UnicodeDecodeError) as raised:
        check_utf8(content)
    assert str(raised.value) == str(expected.value)


def test_a_text_is_checked_in_less_memory_than_its_own() -> None:
    content = LONG.encode()
    tracemalloc.start()
    try:
        check_utf8(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(content) / 4


# --- texts ---


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r'"a\u0000b"', "a\ufffdb"),
        (r'"a\ud83d"', "a\ufffd"),
        (r'"\uDE00a"', "\ufffda"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (r'"\uD83D\uDE00"', "😀"),
        (r'"\\u0000 \\\u0000"', "\\u0000 \\\ufffd"),
        (r'"\u0000\u0041\n\u00e9"', "\ufffdA\né"),
        ('"Zürich 😀"', "Zürich 😀"),
    ],
)
def test_what_no_database_holds_is_replaced(written: str, text: str) -> None:
    assert decode_json(written) == text
    assert decode_json(f'{{{written}: [{{"a": {written}}}]}}') == {text: [{"a": text}]}


TEXTS = st.text(st.characters() | st.sampled_from([*'\x00\\u0d8"', "\ud83d", "\ude00"]))
TREES = st.recursive(
    TEXTS | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner, max_size=1),
    max_leaves=8,
)


@given(TREES)
@example("\\\x00\\\\\ud83d\\\\u0000")
def test_all_else_is_as_it_was(tree: Any) -> None:  # noqa: ANN401 - any JSON value
    escaped = json.dumps(tree)
    document = json.loads(escaped)  # in which two halves that meet are one character
    plain = "".join(
        f"\\u{ord(c):04x}" if c in UNSTORABLE else c
        for c in json.dumps(document, ensure_ascii=False)
    )
    assert decode_json(escaped) == decode_json(plain) == storable(document)


def test_a_malformed_escape_is_not_made_a_good_one() -> None:
    with pytest.raises(ValueError, match="escape"):
        decode_json(r'{"a\u0000": "\ud8"}')


# --- numbers ---


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0.1", Decimal("0.1")),
        ("0.10", Decimal("0.10")),
        ("1e-7", Decimal("1e-7")),
        ("-0", 0),
        ("1" + "0" * 30, 10**30),
        ("1E+30", Decimal("1E+30")),
        ("9" * 308, 10**308 - 1),
        ("123456789012345678901234567890.12", None),
        ("-1e307", Decimal("-1e307")),
    ],
)
def test_numbers_are_exactly_those_that_were_written(
    written: str,
    number: int | Decimal | None,
) -> None:
    (decoded,) = decode_json(f"[{written}]")
    assert decoded == (Decimal(written) if number is None else number)
    if isinstance(decoded, Decimal):
        assert decoded.as_tuple() == Decimal(written).as_tuple()


@pytest.mark.parametrize(
    "written",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "9e308",
        "-1E400",
        "1e-400",
        "1" + "0" * 308,
        "1" * 5000,
        "1e9999999999999999999999",
        "1e-9999999999999999999999",
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        '{"clicks": 7, "spend": %s, "cpc": 1}',
        '{"series": {"clicks": [4], "spend" : [1, "a", %s ]}, "cpc": 1}',
    ],
)
def test_a_number_that_could_not_be_loaded_is_an_error_that_names_its_field(
    written: str,
    place: str,
) -> None:
    with pytest.raises(ValueError, match=r"^spend: ") as error:
        decode_json(place % written)
    assert written[:30] in str(error.value)
    assert len(str(error.value)) < 200


def test_a_number_in_no_field_is_an_error_too() -> None:
    with pytest.raises(ValueError, match=r"^1e400 can't be loaded"):
        decode_json("[1e400]")


# --- objects ---


def test_of_a_duplicate_name_in_an_object_the_last_value_counts() -> None:
    assert decode_json('{"a": [1], "b": 2, "a": [3]}') == {"a": [3], "b": 2}


@pytest.mark.parametrize("depth", [101, 500, 900, 5_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_without_end_is_an_error(
    depth: int,
    opening: str,
    closing: str,
) -> None:
    with pytest.raises(ValueError, match="nested"):
        decode_json(opening * depth + "1" + closing * depth)


def test_what_is_nested_as_no_document_of_adstage_is_still_read() -> None:
    document = decode_json("[" * 100 + "]" * 100)
    for _ in range(99):
        (document,) = document
    assert document == []
