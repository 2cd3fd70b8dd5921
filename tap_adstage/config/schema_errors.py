"""Errors of a JSON schema, in words that help.

Each line names the place, its value and what is allowed. A value that its schema marks
as secret is not quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import TYPES, did_you_mean, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


def schema_errors(
    document: object, schema: Mapping[str, Any], path: str = ""
) -> Iterator[str]:
    """Find all that is wrong with the form of a document.

    Args:
        document: The document.
        schema: Its JSON schema. `x-takes` is a value's form in words, `x-check` a
            function that raises a ValueError for a wrong text, `x-hints` are reasons
            for refused values, which are in lower case.
        path: Path of the document, such as the name of a setting.

    Yields:
        One line for each error.
    """
    errors = _VALIDATOR(schema).iter_errors(document)
    # jsonschema has an error for each missing key, a line names all of them
    yield from dict.fromkeys(line for error in errors for line in _lines(error, path))


def worst_error(document: object, schema: Mapping[str, Any]) -> str | None:
    """Find the most important error in the form of a document."""
    error = best_match(_VALIDATOR(schema).iter_errors(document))
    return None if error is None else "; ".join(_lines(error, ""))


def _check(
    _: object, check: Callable[[str], object], value: object, __: object
) -> Iterator[jsonschema.ValidationError]:
    if not isinstance(value, str) or not value:
        return
    try:
        check(value)
    except ValueError as error:
        yield jsonschema.ValidationError(str(error).removeprefix(f"{value!r}: "))


_VALIDATOR: Any = jsonschema.validators.create(
    Draft202012Validator.META_SCHEMA,
    {**Draft202012Validator.VALIDATORS, "x-check": _check},
    type_checker=Draft202012Validator.TYPE_CHECKER,
)

_PHRASES: Sequence[tuple[str, Callable[[Mapping[str, Any]], str]]] = (
    ("enum", lambda schema: f"one of {', '.join(map(str, schema['enum']))}"),
    (
        "maximum",
        lambda schema: f"an integer from {schema['minimum']} to {schema['maximum']}",
    ),
    ("minimum", lambda schema: f"an integer, {schema['minimum']} or more"),
    ("x-takes", lambda schema: str(schema["x-takes"])),
    (
        "minItems",
        lambda schema: (
            f"a list with at least one value, each {_takes(schema['items'])}"
        ),
    ),
    ("type", lambda schema: _types(schema["type"])),
)
"""Words for what a schema allows; the first keyword that it has counts."""


def _lines(error: jsonschema.ValidationError, path: str) -> Iterator[str]:
    place = path + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path
    )
    place = place.removeprefix(".") or "the document"
    schema: Any = error.schema
    value: Any = error.instance
    if error.validator == "additionalProperties":
        allowed = sorted(schema["properties"])
        for name in sorted({*value} - {*allowed}):
            yield f"{place}.{name}: unknown key; {did_you_mean(name, allowed)}"
    elif error.validator == "required":
        missing = [name for name in schema["required"] if name not in value]
        yield f"{place}: {', '.join(missing)} missing"
    elif error.validator == "uniqueItems":
        yield f"{place}: {_shown(value, schema)} is not allowed; give each value once"
    else:
        takes = f"{_takes(schema)}{_reason(error)}"
        yield f"{place}: {_shown(value, schema)} is not allowed; it takes {takes}"


def _shown(value: Any, schema: Mapping[str, Any]) -> str:  # noqa: ANN401 - JSON
    if _is_hidden(value, schema):
        return "(hidden)" if value else "(empty)"
    return excerpt(json_text(value))


def _is_hidden(value: Any, schema: Mapping[str, Any]) -> bool:  # noqa: ANN401 - JSON
    """Whether it is a secret, or a URL that may have one, by its `@`, `?` or `#`."""
    may_have_secrets = schema.get("format") == "http-url" and isinstance(value, str)
    return bool(schema.get("secret")) or (
        may_have_secrets and any(sign in value for sign in "@?#")
    )


def _takes(schema: Mapping[str, Any]) -> str:
    return next(phrase(schema) for key, phrase in _PHRASES if key in schema)


def _types(kinds: str | Sequence[str]) -> str:
    return " or ".join(
        TYPES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    )


def _reason(error: jsonschema.ValidationError) -> str:
    schema: Any = error.schema
    value: Any = error.instance
    hints = schema.get("x-hints", {})
    if isinstance(value, str) and value.lower() in hints:
        return f". {hints[value.lower()]}"
    if error.validator == "x-check" and not _is_hidden(value, schema):
        return f": {error.message}"
    return ""
