"""The SDK's setting `batch_config`: its form, which the SDK itself doesn't check.

It would be read only after the first messages are written.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tap_adstage.config.schema_errors import schema_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("jsonl", "parquet")
COMPRESSIONS = ("none", "gzip")

_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["encoding", "storage"],
    "properties": {
        "encoding": {
            "type": "object",
            "additionalProperties": False,
            "required": ["format"],
            "properties": {
                "format": {"type": "string", "enum": [*FORMATS]},
                "compression": {"type": "string", "enum": [*COMPRESSIONS]},
            },
        },
        "storage": {
            "type": "object",
            "additionalProperties": False,
            "required": ["root"],
            "properties": {
                "root": {
                    "type": "string",
                    "minLength": 1,
                    "x-takes": "the URL of a folder, such as file:///srv/batches",
                },
                "prefix": {"type": "string"},
                # Arguments of the file system, such as keys: not to be quoted.
                "params": {"type": "object", "secret": True},
            },
        },
        "batch_size": {"type": "integer", "minimum": 1},
    },
}


def batch_errors(batch_config: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Find what is wrong with the setting `batch_config`.

    Args:
        batch_config: The setting as given; empty counts as omitted.

    Yields:
        One line for each error.
    """
    if not batch_config and isinstance(batch_config, dict):
        return
    errors = [*schema_errors(batch_config, _SCHEMA, "batch_config")]
    yield from errors
    if (
        not errors
        and batch_config["encoding"]["format"] == "parquet"
        and find_spec("pyarrow") is None
    ):
        yield (
            'batch_config.encoding.format: "parquet" needs the package pyarrow; '
            "install tap-adstage[parquet]"
        )
