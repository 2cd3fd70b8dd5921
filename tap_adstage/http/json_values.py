"""JSON values, checked against the types of their columns.

A loader that gets a value of another type than its column's fails in its own way, and
its error mostly does not name the source. So such a value is an error here, unless it
clearly means one of the column's type.
"""

from __future__ import annotations

import datetime as dt
import re
import reprlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_adstage.exceptions import ResponseError
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = Mapping[str, Any]

_KINDS = {
    "string": "a text",
    "integer": "a whole number of at most 64 bits",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "date-time": "a time such as 2018-01-01T08:30:00Z",
}
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_PAST_64_BITS = 2**63
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
    r"(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?",
)


def conform(value: Any, schema: Schema, name: str) -> Any:  # noqa: ANN401 - JSON
    """Check a value against its column, and convert ids between texts and numbers.

    APIs write the same id as a number in one place and as a text in another. A number
    in a column of texts becomes a text with the same digits, a text of digits in a
    column of whole numbers becomes a number. Nothing else is converted.

    Args:
        value: Any decoded JSON value.
        schema: JSON schema of the column: its `type`, its `format`, and the schemas of
            what is in it. If it names no properties, any object is valid.
        name: The field's name, for an error; empty for a whole record.

    Returns:
        The value, valid against the schema; of an object only the properties that the
        schema knows.

    Raises:
        ResponseError: If the value is of another type, with the field and the value.
    """
    types = schema["type"]
    if value is None and "null" in types:
        return None
    kind = schema.get("format", types if isinstance(types, str) else types[0])
    if kind == "object" and isinstance(value, dict):
        return _object(value, schema, name)
    if kind == "array" and isinstance(value, list):
        return [
            conform(item, schema["items"], f"{name}[{position}]")
            for position, item in enumerate(value)
        ]
    scalar = _scalar(value, kind)
    if scalar is None:
        shown = str(value) if isinstance(value, Decimal) else reprlib.repr(value)
        raise ResponseError(f"{name} is {excerpt(shown)}, not {_KINDS[kind]}")
    return scalar


def moment(text: str) -> dt.datetime | None:
    """Read a time.

    Args:
        text: A day and a time of day, in UTC unless it has a zone.

    Returns:
        The time in UTC, or `None` if the text is not a time.
    """
    if not _MOMENT.fullmatch(text):  # pendulum reads more: "now", a time of today
        return None
    import pendulum  # noqa: PLC0415 - slow to import, and not always used

    # Not fromisoformat: before Python 3.11 the SDK puts another in its place.
    try:
        parsed = pendulum.parse(text, exact=True)
    except ValueError:
        return None
    if not isinstance(parsed, pendulum.DateTime) or not 1 < parsed.year < dt.MAXYEAR:
        return None
    return dt.datetime.fromtimestamp(parsed.timestamp(), dt.timezone.utc)


def _object(members: dict[str, Any], schema: Schema, name: str) -> dict[str, Any]:
    """Conform an object: null for what it must have, without unknown properties."""
    if "properties" not in schema:
        return members
    known, other = schema["properties"], schema.get("additionalProperties")
    missing = {key: None for key in schema.get("required", ()) if key not in members}
    return {
        key: item
        if inner is True
        else conform(item, inner, f"{name}.{key}".removeprefix("."))
        for key, item in {**missing, **members}.items()
        if (inner := known.get(key, other)) is not None
    }


def _scalar(value: Any, kind: str) -> Any:  # noqa: ANN401 - JSON
    """Return the value as one of a scalar kind; `None` if it is of another kind."""
    is_text = isinstance(value, str)
    is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    if kind == "string":
        return value if is_text else str(value) if is_number else None
    if kind == "integer":
        if is_number or (is_text and _WHOLE_NUMBER.fullmatch(value)):
            return _whole(Decimal(value))
        return None
    is_of_kind = {
        "number": is_number,
        "boolean": isinstance(value, bool),
        "date-time": is_text and moment(value) is not None,
    }
    return value if is_of_kind.get(kind) else None


def _whole(number: Decimal) -> int | None:
    if -_PAST_64_BITS <= number < _PAST_64_BITS and number == number.to_integral():
        return int(number)
    return None
