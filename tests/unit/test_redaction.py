from __future__ import annotations

import html
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from tap_adstage.runtime.redaction import Secrets, clean, excerpt, redact

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "57a0/82a0+de5d==\"9e'ba&2d<65>80 \\a3é☃😀b1a7"


# --- texts of the tap's own ---


@pytest.mark.parametrize(
    "text",
    [
        "https://x/a?access_token=57a082&limit=1",
        "https://x/a?limit=1&ACCESS_TOKEN=57a082",
        "https://x/a?limit=1&amp;access_token=57a082",
        r'{"href": "/a?limit=1\u0026access_token=57a082"}',
        "https://x/?to=https%3A%2F%2Fy%3Faccess_token%3D57a082",
        "https://x/a?access%5Ftoken=57a082",
        "refresh_token=57a082&client_secret=57a082",
        '{"access_token": "57a082", "token_type": "Bearer"}',
        '{"access_token": "57a082',
        '{"access_token": "1\\"57a082"}',
        r"{\"access_token\": \"57a082\"}",
        '{"accessToken":"57a082"}',
        '{"access_token"=>"57a082"}',
        "{'refresh_token': '57a082'}",
        "Authorization: Bearer 57a082",
        "bearer 57a082.x-y_z~+/=",
        "http://robin:57a082@proxy.example:3128/",
        "http://57a082@proxy.example",
    ],
)
def test_a_secret_is_hidden_wherever_it_has_a_name(text: str) -> None:
    redacted = redact(text)
    assert "57a082" not in redacted
    assert "***" in redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "https://x/a?limit=1&page_token=g3Q&order=asc the token is wrong",
        "look at the setting access_token",
        "access_token: not given; give access_token, or all of client_secret and …",
        'oauth_token_file: "/a/b" is not allowed',
        "to robin@example.com",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text, Secrets(["57a082a0"])) == text


def a_json_text(secret: str) -> str:
    return json.dumps(secret)[1:-1]


WAYS_TO_WRITE: list[Callable[[str], str]] = [
    str,
    a_json_text,
    lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    lambda secret: a_json_text(secret).replace("/", r"\/"),
    lambda secret: a_json_text(secret).replace("&", r"\u0026").replace("<", r"\u003C"),
    lambda secret: a_json_text(a_json_text(secret)),
    lambda secret: repr(secret)[1:-1],
    quote,
    lambda secret: quote(secret, safe=""),
    lambda secret: quote(secret, safe="").lower(),
    lambda secret: quote(quote(secret, safe="")),
    quote_plus,
    lambda secret: a_json_text(quote(secret)),
    html.escape,
    lambda secret: html.escape(secret).replace("&#x27;", "&#39;"),
    lambda secret: html.escape(html.escape(secret)),
]


@pytest.mark.parametrize("write", WAYS_TO_WRITE)
def test_a_known_secret_is_hidden_in_whatever_form_it_is_written(
    write: Callable[[str], str],
) -> None:
    text = f"x{write(SECRET)}y"
    assert redact(text, Secrets([SECRET])) == "x***y"
    assert Secrets([SECRET]).are_in(text)


def test_a_secret_that_begins_with_another_one_is_hidden_whole() -> None:
    secrets = Secrets(["rotated-1"])
    secrets.add("rotated-1-and-2", "rotated-1-and-2-and-3")
    text = "rotated-1-and-2-and-3 rotated-1-and-2 rotated-1"
    assert redact(text, secrets) == "*** *** ***"


def test_a_short_secret_is_hidden_where_it_is_a_word() -> None:
    text = "token r0 is revoked; r01, ror0"
    assert redact(text, Secrets(["r0"])) == "token *** is revoked; r01, ror0"


def test_an_empty_secret_is_none() -> None:
    assert redact("a b", Secrets([""])) == "a b"


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("a\n  b\tc") == "a b c"
    assert len(excerpt("x" * 5000)) == 201
    assert "57a082" not in excerpt("y" * 190 + " 57a082", Secrets(["57a082"]))


# --- documents ---


def cleaned(document: Any, *secrets: str) -> Any:  # noqa: ANN401 - any JSON value
    return clean(document, json.dumps(document, default=str), Secrets(secrets))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x/a?access_token=t", "https://x/a"),
        ("https://x/a?access_token=t&limit=1", "https://x/a?limit=1"),
        ("https://x/a?limit=1&access_token=t", "https://x/a?limit=1"),
        ("https://x/a?a=1&access_token=t&b=2", "https://x/a?a=1&b=2"),
        ("https://x/a?Access_Token=t#top", "https://x/a#top"),
        ("https://x/a#access_token=t", "https://x/a"),
        ("https://x/a?access%5Ftoken=t%26u&limit=1", "https://x/a?limit=1"),
        ("see https://x/a?access_token=t or <a href='/b?access_token=t'>", None),
        (
            "https://x/?to=https%3A%2F%2Fy%3Faccess_token%3Dt",
            "https://x/?to=https%3A%2F%2Fy",
        ),
        ("/?to=%2Fy%3Faccess_token%3Dt%26a%3D1&b=2", "/?to=%2Fy%3Fa%3D1&b=2"),
        ("/?to=%2Fy%3Fa%3D1%26access_token%3Dt&b=2", "/?to=%2Fy%3Fa%3D1&b=2"),
        ("/?to=%252Fy%253Faccess_token%253Dt%2523top", "/?to=%252Fy%2523top"),
        ("https://x/a?", "https://x/a?"),
        ("What? No access_token & no URL", "What? No access_token & no URL"),
    ],
)
def test_a_url_loses_its_token_and_nothing_else(url: str, expected: str | None) -> None:
    assert cleaned(url) == (expected or "see https://x/a or <a href='/b'>")


def test_secrets_are_taken_out_at_any_depth_and_other_values_stay() -> None:
    value = {
        "a": [{"b": "/x?access_token=t"}, 1, None, True],
        "c": Decimal("1.50"),
        "my s3cret-word": ["as3cret-worda", {"s3cret-word": "s3cret"}],
    }
    assert cleaned(value, "s3cret-word") == {
        "a": [{"b": "/x"}, 1, None, True],
        "c": Decimal("1.50"),
        "my ***": ["a***a", {"***": "s3cret"}],
    }


def test_numbers_and_what_looks_like_a_short_secret_are_data() -> None:
    value = {"clicks": 12345678, "id": "12345678", "name": "r0", "r0": 1}
    assert cleaned(value, "12345678", "r0") == {**value, "id": "***"}


@pytest.mark.parametrize("write", WAYS_TO_WRITE)
def test_a_secret_is_taken_out_of_data_in_whatever_form_it_is_written(
    write: Callable[[str], str],
) -> None:
    for text in (json.dumps(write(SECRET)), f'"{a_json_text(write(SECRET))}"'):
        assert clean(json.loads(text), text, Secrets([SECRET])) == "***"


def test_a_document_without_secrets_is_not_even_copied() -> None:
    document = {"access": "token", "page_token": "57a082"}
    assert cleaned(document, "57a082a0") is document
