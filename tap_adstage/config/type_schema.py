"""msgspec's JSON schema of a type, in the form that the SDK and Meltano take."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import msgspec
from msgspec import Meta


def type_schema(hint: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
    """Make the JSON schema of a type.

    Definitions are inlined. Values and keys are in the order of their declaration. Null
    is not a value: it counts as omitted. Checks of texts are functions, under
    `x-check`.
    """
    schema = msgspec.json.schema(hint)
    definitions = schema.pop("$defs", {})
    schema.pop("description", None)
    types = [*_types_in(hint)]
    orders = {frozenset(order): order for part in types if (order := _order(part))}
    checks = {form: check for part in types for form, check in _checks(part)}
    result: dict[str, Any] = _simplified(schema, definitions, orders, checks)
    return result


def _types_in(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
    """List a type and all that it is made of."""
    yield hint
    if get_origin(hint) is Literal:
        return
    members = get_type_hints(hint, include_extras=True) if is_typeddict(hint) else {}
    for part in (*get_args(hint), *members.values()):
        yield from _types_in(part)


def _order(part: Any) -> list[Any]:  # noqa: ANN401 - a type
    """List the values of a literal, or the keys of a dictionary, as declared."""
    if get_origin(part) is Literal:
        return [*get_args(part)]
    return [*part.__annotations__] if is_typeddict(part) else []


def _checks(part: Any) -> Iterator[tuple[str, Callable[[str], object]]]:  # noqa: ANN401 - a type
    """List the checks of texts by their format."""
    for mark in getattr(part, "__metadata__", ()):
        if isinstance(mark, Meta) and mark.extra and "check" in mark.extra:
            yield (mark.extra_json_schema or {})["format"], mark.extra["check"]


def _simplified(
    schema: Any,  # noqa: ANN401 - a part of a JSON schema
    definitions: Mapping[str, Any],
    orders: Mapping[frozenset[Any], list[Any]],
    checks: Mapping[str, Callable[[str], object]],
) -> Any:  # noqa: ANN401 - a part of a JSON schema
    if not isinstance(schema, Mapping):
        return schema
    others = (definitions, orders, checks)
    result = {key: _simplified(value, *others) for key, value in schema.items()}
    if "$ref" in schema:
        definition = definitions[schema["$ref"].rpartition("/")[2]]
        keys = orders[frozenset(definition["properties"])]
        return {
            "type": "object",
            "properties": {
                key: _simplified(definition["properties"][key], *others) for key in keys
            },
            "required": [key for key in keys if key in definition["required"]],
            "additionalProperties": False,
        }
    if "anyOf" in schema:
        (value,) = (part for part in schema["anyOf"] if part != {"type": "null"})
        del result["anyOf"]
        result = _simplified(value, *others) | result
    if "enum" in schema:
        values = orders[frozenset(schema["enum"]) - {None}]
        kind = "string" if isinstance(values[0], str) else "integer"
        result |= {"type": kind, "enum": values}
    if schema.get("format") in checks:
        result["x-check"] = checks[schema["format"]]
    return result
