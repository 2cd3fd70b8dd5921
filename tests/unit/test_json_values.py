# ruff: noqa: ANN401 (JSON is anything)
"""What a column takes of the values that AdStage gives."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tap_adstage.exceptions import ResponseError
from tap_adstage.http.json_values import conform, moment

TEXT = {"type": ["string", "null"]}
WHOLE = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
YES_OR_NO = {"type": ["boolean", "null"]}
TIME = {"type": ["string", "null"], "format": "date-time"}
TEXTS = {"type": ["array", "null"], "items": {"type": ["string"]}}
COUNTS = {
    "type": ["object", "null"],
    "properties": {"totals": WHOLE},
    "additionalProperties": WHOLE,
}
RECORD = {
    "type": "object",
    "properties": {"id": {"type": ["string"]}, "name": TEXT},
    "required": ["id"],
}


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        *((None, schema, None) for schema in (TEXT, WHOLE, NUMBER, YES_OR_NO, TIME)),
        ("007", TEXT, "007"),
        ("", TEXT, ""),
        (7, TEXT, "7"),
        (10**30, TEXT, "1" + "0" * 30),
        (Decimal("1.50"), TEXT, "1.50"),
        (7, WHOLE, 7),
        ("-7", WHOLE, -7),
        ("007", WHOLE, 7),
        (Decimal("7.0"), WHOLE, 7),
        (Decimal("1E+3"), WHOLE, 1000),
        (2**63 - 1, WHOLE, 2**63 - 1),
        (-(2**63), WHOLE, -(2**63)),
        (7, NUMBER, 7),
        (10**30, NUMBER, 10**30),
        (Decimal("1E+30"), NUMBER, Decimal("1E+30")),
        (False, YES_OR_NO, False),
        ("2018-01-01T08:30:00Z", TIME, "2018-01-01T08:30:00Z"),
        (["a", 7], TEXTS, ["a", "7"]),
        ({"totals": "7", "new": 1}, COUNTS, {"totals": 7, "new": 1}),
        ({"id": 7, "other": {}}, RECORD, {"id": "7"}),
        ({"other": [{}]}, {"type": "object"}, {"other": [{}]}),
    ],
)
def test_a_value_stays_what_it_says(value: Any, schema: Any, expected: Any) -> None:
    conformed = conform(value, schema, "field")
    assert conformed == expected
    assert type(conformed) is type(expected)


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        (True, TEXT, "field is True, not a text"),
        ({"a": 1}, TEXT, "field is {'a': 1}, not a text"),
        ([], TEXT, r"field is \[\], not a text"),
        (None, {"type": ["string"]}, "field is None, not a text"),
        (True, WHOLE, "field is True, not a whole number"),
        (Decimal("7.5"), WHOLE, "field is 7.5, not a whole number"),
        ("7.0", WHOLE, "field is '7.0', not a whole number"),
        ("\u0667", WHOLE, "not a whole number"),
        ("", WHOLE, "field is '', not a whole number"),
        (2**63, WHOLE, "not a whole number of at most 64 bits"),
        (Decimal("1E+999999999"), WHOLE, "not a whole number"),
        ("9" * 5000, WHOLE, "not a whole number"),
        ("7.5", NUMBER, "field is '7.5', not a number"),
        (False, NUMBER, "field is False, not a number"),
        (0, YES_OR_NO, "field is 0, not true or false"),
        ("false", YES_OR_NO, "field is 'false', not true or false"),
        ("soon", TIME, "field is 'soon', not a time such as"),
        (1514795400, TIME, "field is 1514795400, not a time such as"),
        ("a", TEXTS, "field is 'a', not a list"),
        (["a", None], TEXTS, r"field\[1\] is None, not a text"),
        ([], COUNTS, r"field is \[\], not an object"),
        ({"totals": "all"}, COUNTS, "field.totals is 'all', not a whole number"),
        ({"new": {}}, COUNTS, "field.new is {}, not a whole number"),
    ],
)
def test_a_value_of_another_type_is_an_error_that_names_the_field(
    value: Any,
    schema: Any,
    message: str,
) -> None:
    with pytest.raises(ResponseError, match=message):
        conform(value, schema, "field")


@pytest.mark.parametrize(
    ("record", "message"),
    [({}, "^id is None, not a text"), ({"id": "7", "name": []}, r"^name is \[\]")],
)
def test_a_record_s_fields_go_by_their_own_names(record: Any, message: str) -> None:
    with pytest.raises(ResponseError, match=message):
        conform(record, RECORD, "")


def test_an_error_quotes_little_of_a_large_value_and_no_token() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    for value in (deep, ["x" * 10**6] * 10**3, ["a?access_token=57a082a0"]):
        with pytest.raises(ResponseError) as error:
            conform(value, TEXT, "field")
        assert len(str(error.value)) < 250
        assert "57a082a0" not in str(error.value)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.decimals(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from([TEXT, WHOLE, NUMBER, YES_OR_NO, TIME, TEXTS, COUNTS, RECORD]),
)
def test_what_is_not_an_error_is_valid(value: Any, schema: Any) -> None:
    try:
        conformed = conform(value, schema, "field")
    except ResponseError:
        return
    Draft202012Validator(schema).validate(conformed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-01-01T08:30:00Z", "2018-01-01T08:30:00+00:00"),
        ("2018-01-01 08:30", "2018-01-01T08:30:00+00:00"),
        ("2018-01-01T08:30:00.25+02:00", "2018-01-01T06:30:00.250000+00:00"),
        ("2018-01-01T08:30:00-0130", "2018-01-01T10:00:00+00:00"),
        *(
            (text, None)
            for text in (
                *("", "now", "1:", "03:00", "2018-01-01", "P1Y", f"P{'9' * 30}Y"),
                *("2018-02-30T00:00:00Z", "2018-01-01T25:00:00Z", "9" * 5000),
                *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"),
                *("2018-01-01T08:30:00Z\n", "2018-01-01T08:30:00+99:99"),
            )
        ),
    ],
)
def test_a_time_is_a_day_and_a_time_of_day(
    text: str,
    expected: str | None,
) -> None:
    time = moment(text)
    assert (time and time.isoformat()) == expected


@given(
    st.from_regex(
        r"\d{1,5}-\d{1,3}-\d\d[T ]\d\d:\d\d(:\d\d(\.\d*)?)?(Z|[+-]\d\d:?\d\d)?",
        fullmatch=True,
    )
    | st.text(alphabet="0123456789-:.TZPWY/+ "),
)
def test_a_text_is_a_time_or_none(text: str) -> None:
    time = moment(text)
    assert time is None or time.utcoffset() == dt.timedelta(0)
