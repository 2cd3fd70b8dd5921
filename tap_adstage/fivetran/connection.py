"""Reading a Fivetran connection, in each of its documented forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_adstage.config.schema_errors import schema_errors
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran.counterparts import CREDENTIALS, GRANULARITIES, SERVICE
from tap_adstage.runtime.redaction import Secrets
from tap_adstage.runtime.wording import TYPES, json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


def read(document: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Read a connection's keys, and check the types of their values.

    Args:
        document: A connection as Fivetran's REST API takes or answers it, as its
            Terraform provider writes it, or a connection's `config` alone.

    Returns:
        The connection's keys merged with those of its `config`, without nulls.
        Values that this tap's config has too are left to the tap's own checks.

    Raises:
        ConfigError: If the document is not a connection, or a value has a type that
            Fivetran doesn't document. It quotes no secret.
    """
    if isinstance(document, dict) and isinstance(document.get("data"), dict):
        document = document["data"]
    if not isinstance(document, dict):
        raise ConfigError([f"the document is not {TYPES['object']}"])
    connection = {key: _decoded(key, value) for key, value in document.items()}
    config = connection.pop("config", None) or {}
    if not isinstance(config, dict):
        raise ConfigError([f"config: not {TYPES['object']}"])
    merged: dict[str, Any] = _without_nulls({**connection, **config})
    if not merged.keys() & _CONFIG_KEYS:
        raise ConfigError(
            [f"the document has none of the keys {', '.join(_CONFIG_KEYS)}"]
        )
    # From here on messages quote values.
    others = {key: value for key, value in merged.items() if key != "auth"}
    secrets = Secrets(
        text for text in _texts(merged.get("auth")) if not is_masked(text)
    )
    if secrets.are_in(json_text(others)):
        raise ConfigError(
            ["auth: one of its secrets also stands outside auth; remove it there"]
        )
    if errors := [*schema_errors(merged, _SCHEMA)]:
        raise ConfigError(errors)
    return merged


def is_masked(value: str) -> bool:
    """Return whether Fivetran's API has replaced a secret by stars."""
    return not value.strip("*")


def credentials_in(connection: Mapping[str, Any]) -> dict[str, str]:
    """Collect a connection's credentials by their paths."""
    credentials = {}
    for path in CREDENTIALS:
        value: Any = connection
        for key in path.split("."):
            value = value.get(key, {})
        if value:
            credentials[path] = value
    return credentials


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Yield the values in `auth`, except `client_id`, which is not a secret."""
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
    """Decode `config` and `auth` if they are texts of Terraform's `jsonencode`."""
    if key not in {"config", "auth"} or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ConfigError([f"{key}: the text is not a valid JSON document"]) from None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Remove nulls, which Terraform writes for each omitted key."""
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
