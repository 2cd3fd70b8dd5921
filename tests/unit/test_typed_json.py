"""JSON decoded into types: which texts are plain, and what is wrong with the others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tap_adstage.exceptions import ResponseError
from tap_adstage.http.typed_json import TypedDecoder, is_plain, plain_numbers
from tap_adstage.runtime.redaction import Secrets

SECRETS = Secrets(["s3cret-token"])
BLOCK = 2**18


@pytest.mark.parametrize(
    "text",
    [
        "[1,-2,0.5,1.0e-05,1E+22,339.460006713867,null]",
        '["12345678901234567890", "a9e-123", "Erdő"]',
        '{"2024-03-18T00:00:00Z": 1, "id": "4e12345678-9e-1"}',
        "[1.5e300]",
        "[1.0410353535353536,-0.30000000000000004]",
    ],
)
def test_ordinary_texts_are_plain(text: str) -> None:
    assert is_plain(text.encode(), SECRETS)


ODD = [
    "[0.12345678901234567]",
    "[1.0410353535353536, 0.12345678901234567]",
    "[0.12345678901234567, 1.0410353535353536]",
    "[212345678912345678]",
    "[-12345678901234567.5]",
    "[8505639734821493e-2]",
    "[1e-310]",
    "[1E-999]",
    r'["\u0000"]',
    r'["\ud83d"]',
    r'["\uD83D"]',
    '["https://x/?access_token=abc"]',
    '["https://x/?ACCESS%5FTOKEN=abc"]',
    r'["https://x/?access_token\u003dabc"]',
    '["s3cret-token"]',
]


@pytest.mark.parametrize("text", ODD)
def test_what_would_be_lost_or_shown_makes_a_text_odd(text: str) -> None:
    assert not is_plain(text.encode(), SECRETS)


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("shift", range(-60, 61, 7))
def test_it_is_found_wherever_a_text_is_cut(text: str, shift: int) -> None:
    padding = '"' + "x" * (BLOCK + shift) + '",'
    content = f"[{padding}{text},{padding}1]".encode()
    assert not is_plain(content, SECRETS)


def raw(*texts: str) -> list[msgspec.Raw]:
    return [msgspec.Raw(text.encode()) for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "-5",
        "1.50",
        "1E5",
        "1.0e-05",
        "0.1234567890123456",
        "null",
        "1234567890123456789",
    ],
)
def test_numbers_apart_are_decoded(text: str) -> None:
    assert plain_numbers(raw("2.5", text)) == [2.5, msgspec.json.decode(text)]


@pytest.mark.parametrize(
    "text",
    ["0.12345678901234567", "1e-310", "1E-310", '"5"', "[5]", "true"],
)
def test_numbers_apart_that_floats_may_not_hold_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"too long|Expected"):
        plain_numbers(raw("2.5", text))


def lists_of(number: Any) -> Any:  # noqa: ANN401 - types
    return list[number]


def by_name(value: Any) -> Any:  # noqa: ANN401 - types
    return dict[str, value]


DECODER: TypedDecoder[Any] = TypedDecoder(
    lambda number: msgspec.defstruct(
        "Row",
        [("metrics", by_name(lists_of(number))), ("name", str | None, None)],
    ),
)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "row.metrics is missing"),
        ([], "row is not an object"),
        ({"metrics": 5}, "row.metrics is not an object"),
        ({"metrics": {}, "name": 5}, "row.name is not a text"),
    ],
)
def test_an_error_names_the_place(document: object, reason: str) -> None:
    with pytest.raises(ResponseError, match=f"^{reason}$"):
        DECODER.convert(document, "row")


@pytest.mark.parametrize("field", ["clicks", "budget.value", "a[0]", "x:1:y"])
def test_an_error_about_a_number_names_its_place(field: str) -> None:
    decoder: TypedDecoder[Any] = TypedDecoder(
        lambda number: msgspec.defstruct(
            "Row", [("metric", lists_of(number))], rename={"metric": field}
        ),
    )
    with pytest.raises(ResponseError) as error:
        decoder.convert({field: [1, "two"]}, "row")
    assert str(error.value).startswith(f"row.{field}[1]")
    assert str(error.value).endswith("is not a number")
