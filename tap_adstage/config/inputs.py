"""The files of the options `--state` and `--catalog`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_adstage.config.schema_errors import worst_error
from tap_adstage.exceptions import InputError, StateError
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import TextIO

_OBJECTS = {"type": "object", "additionalProperties": {"type": "object"}}
_STATE = {"type": "object", "properties": {"bookmarks": _OBJECTS}}
_CATALOG = {
    "type": "object",
    "required": ["streams"],
    "properties": {
        "streams": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tap_stream_id", "schema"],
                "properties": {
                    "tap_stream_id": {"type": "string"},
                    "schema": {
                        "type": "object",
                        "properties": {"properties": _OBJECTS},
                    },
                    "key_properties": {
                        "type": ["array", "null"],
                        "items": {"type": "string"},
                    },
                    "metadata": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["breadcrumb", "metadata"],
                            "properties": {
                                "breadcrumb": {
                                    "type": "array",
                                    "items": {"type": "string"},
                                },
                                "metadata": {"type": "object"},
                            },
                        },
                    },
                },
            },
        },
    },
}


def read_document(option: str, file: TextIO) -> Any:  # noqa: ANN401 - any JSON value
    """Read a file's JSON document.

    Args:
        option: The option of the command line, for an error.
        file: The file, opened.

    Returns:
        The document.

    Raises:
        InputError: If it is not a single JSON document.
    """
    try:
        return json.loads(file.read().removeprefix("\ufeff"))
    except ValueError as error:
        raise InputError(
            f"{option} {file.name}: not a single valid JSON document ({error}); "
            f"{_ADVICE[option]}",
        ) from None


def check_catalog(catalog: Any) -> None:  # noqa: ANN401 - any JSON value
    """Check that a document is a Singer catalog.

    Args:
        catalog: The document of `--catalog`.

    Raises:
        InputError: If it is not a catalog, with the place.
    """
    if wrong := worst_error(catalog, _CATALOG):
        raise InputError(f"--catalog: {wrong}; {_ADVICE['--catalog']}")


def checked_state(state: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Check that a document is a tap's state.

    Args:
        state: The document of `--state`: the value of a STATE message, or the message.

    Returns:
        The value.

    Raises:
        StateError: If it is not a state, with the place.
    """
    if isinstance(state, dict) and state.get("type") == "STATE":
        state = state.get("value")
    wrong = worst_error(state, _STATE)
    if not wrong and state and "bookmarks" not in state:
        names = ", ".join(map(json_text, state))
        wrong = f"bookmarks missing, there is only {excerpt(names)}"
    if wrong:
        raise StateError(f"--state: {wrong}; {_ADVICE['--state']}")
    return dict(state)


def own_parts(
    state: Mapping[str, Any],
    streams: Collection[str],
    keys: Collection[str],
) -> dict[str, Any]:
    """Drop the keys of a run's own bookmarks that the tap doesn't write.

    The SDK would use other keys: it reads a stream once for each of its `partitions`.

    Args:
        state: A tap's state.
        streams: Names of the streams that the run could have.
        keys: The keys that the tap writes into a bookmark.

    Returns:
        A copy, in which the bookmarks of other streams are unchanged.
    """
    return {
        "bookmarks": {
            stream: {
                key: value
                for key, value in bookmark.items()
                if stream not in streams or key in keys
            }
            for stream, bookmark in state.get("bookmarks", {}).items()
        },
    }


def unknown_streams(state: Mapping[str, Any], streams: Collection[str]) -> list[str]:
    """List the streams that have a bookmark and that a run can't have.

    Args:
        state: A tap's state.
        streams: Names of the streams that the run could have.
    """
    return [name for name in state.get("bookmarks", {}) if name not in streams]


_ADVICE = {
    "--state": 'give the value of the last STATE message, {"bookmarks": …}, or no '
    "state to start over",
    "--catalog": "write it anew with --discover",
}
