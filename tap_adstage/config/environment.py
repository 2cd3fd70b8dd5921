"""Settings in environment variables, as `--config=ENV` reads them.

The SDK reads them; this finds those that it can't read, or would ignore.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_adstage.config.sandbox_shell import SANDBOXES
from tap_adstage.runtime.wording import did_you_mean, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


_BOOLEANS = {"true", "1", "yes", "on", "false", "0", "no", "off"}


def _boolean(text: str) -> str:
    """Refuse a value that is not a boolean; the SDK would take it for false."""
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return text


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "integer": (int, "an integer"),
    "boolean": (_boolean, "true or false"),
    "array": (json.loads, "a list, as JSON"),
    "object": (json.loads, "an object, as JSON"),
}
"""For each type, a reader of variables, and a noun for its values."""


def unknown_variables(
    environment: Iterable[str],
    prefix: str,
    known: Iterable[str],
) -> list[str]:
    """Find environment variables that look like settings and are unknown.

    Args:
        environment: Names of environment variables.
        prefix: What the tap's variables start with, such as `TAP_ADSTAGE_`.
        known: All valid names of settings.

    Returns:
        One line for each, with the nearest names. Meltano's own, which have a second
        `_` after the prefix, the SDK's log level and the sandboxes' are skipped.
    """
    names = [f"{prefix}{name.upper()}" for name in sorted(known)]
    return [
        f"{variable}: unknown setting; {did_you_mean(variable, names)}"
        for variable in environment
        if variable.startswith(prefix)
        and not variable.startswith(f"{prefix}_")
        and variable not in {*names, f"{prefix}LOGLEVEL", SANDBOXES}
    ]


def unreadable_variables(
    environment: Mapping[str, str],
    prefix: str,
    properties: Mapping[str, Any],
) -> list[str]:
    """Find environment variables that can't be read as their setting's type.

    Args:
        environment: Environment variables.
        prefix: What the tap's variables start with, such as `TAP_ADSTAGE_`.
        properties: JSON schema of each setting, the SDK's among them.

    Returns:
        One error line for each.
    """
    errors = []
    for name, schema in properties.items():
        variable = f"{prefix}{name.upper()}"
        reader = next((_READERS[k] for k in _READERS if k in schema["type"]), None)
        if reader is None or variable not in environment:
            continue
        read, allowed = reader
        try:
            read(environment[variable])
        except ValueError:
            errors.append(
                f"{name}: {json_text(environment[variable])} in the environment "
                f"variable {variable} is not allowed; it takes {allowed}",
            )
    return errors
