"""How the documentation and Meltano show a setting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_adstage.config.declarations import Setting


def settings_table(settings: Sequence[Setting]) -> str:
    """A Markdown table of settings."""
    rows = [
        f"| `{setting.name}` | {_values(setting)} | {_default(setting)} | "
        f"{setting.description} |"
        for setting in settings
    ]
    return "\n".join(["| name | type | default | meaning |", "| --- " * 4 + "|", *rows])


def _values(setting: Setting) -> str:
    schema = setting.schema
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = {"array": "list"}.get(schema["type"], schema["type"])
    limits = [f"{schema[key]}" for key in ("minimum", "maximum") if key in schema]
    text = f"{kind} {' to '.join(limits)}{'' if 'maximum' in schema else ' or more'}"
    return (text if limits else kind) + (" (secret)" if setting.secret else "")


def _default(setting: Setting) -> str:
    if setting.default is None:
        return ""
    text = setting.default
    return f"`{text if isinstance(text, str) else json.dumps(text)}`"


def meltano_setting(
    name: str, schema: Mapping[str, Any], settings: Sequence[Setting]
) -> dict[str, Any]:
    """A setting of the tap, or of the SDK, in Meltano's words."""
    types = {schema["type"]} if isinstance(schema["type"], str) else {*schema["type"]}
    (kind,) = types - {"null"}
    entry = {"name": name, "label": schema["title"], "kind": kind}
    own = {setting.name: setting for setting in settings}.get(name)
    if own:
        entry["kind"] = own.kind
    if own and own.options:
        entry["options"] = [{"label": own.options[v], "value": v} for v in own.options]
    if schema.get("secret"):
        entry["sensitive"] = True
    if "default" in schema:
        entry["value"] = schema["default"]
    return entry | {"description": schema["description"]}
