"""A Fivetran connection, in the forms that it comes in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_adstage.config.schema_errors import schema_errors
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran.counterparts import GRANULARITIES, SERVICE
from tap_adstage.runtime.redaction import Secrets
from tap_adstage.runtime.wording import TYPES, json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


def read(document: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Find the keys of a connection, and check the form of their values.

    Args:
        document: A connection as Fivetran's REST API takes or answers it, as its
            Terraform provider has it, or a connection's `config` alone.

    Returns:
        The connection's keys and those of its `config` beside each other, none null.
        The values that this tap has too are left to its own checks.

    Raises:
        ConfigError: If it is none, or a value has another form than Fivetran documents.
            No secret is quoted.
    """
    if isinstance(document, dict) and isinstance(document.get("data"), dict):
        document = document["data"]
    if not isinstance(document, dict):
        raise ConfigError([f"the document is not {TYPES['object']}"])
    connection = {key: _decoded(key, value) for key, value in document.items()}
    config = connection.pop("config", None) or {}
    if not isinstance(config, dict):
        raise ConfigError([f"config: it is not {TYPES['object']}"])
    merged: dict[str, Any] = _without_nulls({**connection, **config})
    if not merged.keys() & _CONFIG_KEYS:
        raise ConfigError(
            [f"the document has none of the keys {', '.join(_CONFIG_KEYS)}"]
        )
    # From here on values are quoted in what is said of them.
    others = {key: value for key, value in merged.items() if key != "auth"}
    secrets = Secrets(
        text for text in _texts(merged.get("auth")) if not is_masked(text)
    )
    if secrets.are_in(json_text(others)):
        raise ConfigError(["auth: a secret of it stands in another place too"])
    if errors := [*schema_errors(merged, _SCHEMA)]:
        raise ConfigError(errors)
    return merged


def is_masked(value: str) -> bool:
    """Whether Fivetran's API has put stars in the place of a secret."""
    return not value.strip("*")


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """What stands in an `auth`, apart from a `client_id`, which is no secret."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "client_id":
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (str, int, float)):
        yield str(value)


def _decoded(key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A value; an object that Terraform's `jsonencode` made a text is one again."""
    if key not in {"config", "auth"} or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ConfigError([f"{key}: the text is no JSON document"]) from None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A value without nulls: Terraform writes one for each key that isn't given."""
    if isinstance(value, dict):
        return {
            key: _without_nulls(item) for key, item in value.items() if item is not None
        }
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


_CONFIG_KEYS = ("sync_mode", "accounts", "report_list", "timeframe_months", "schema")
_ANY_TEXT = {"type": "string"}
_TEXT = {**_ANY_TEXT, "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT}


def _object(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON schemas
    return {"type": "object", "properties": properties}


def _one_of(values: Collection[str]) -> dict[str, Any]:
    return {"type": "string", "enum": [*values]}


def _secret(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "secret": True}


_REPORT = _object(
    table=_TEXT,
    dimension=_TEXT,
    granularity=_one_of(GRANULARITIES),
    fields=_TEXTS,
)
_SCHEMA = _object(
    service=_one_of([SERVICE]),
    accounts=_TEXTS,
    report_list={
        "type": "array",
        "items": _REPORT | {"required": ["table", "dimension", "fields"]},
    },
    auth=_secret(
        _object(
            client_access=_secret(
                _object(client_id=_secret(_ANY_TEXT), client_secret=_secret(_ANY_TEXT))
            ),
            refresh_token=_secret(_ANY_TEXT),
        )
    ),
)
