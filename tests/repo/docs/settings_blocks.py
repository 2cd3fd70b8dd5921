"""Blocks of settings that no command reads: what each is, and whether it is right."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml

from tap_adstage.adstage.resources import TABLES
from tap_adstage.config.parsing import parse
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.markdown import Block


def check(block: Block) -> None:
    """Check a config, a report, a state, or a part of meltano.yml.

    Args:
        block: In JSON or YAML.

    Raises:
        ValueError: If it is none of these, or a wrong one.
    """
    if block.language == "yaml":
        check_project(yaml.safe_load(block.text))
        return
    value = json.loads(block.text)
    if is_config(value):
        check_config(value)
    elif "entity_level" in value:
        check_config({"reports": [value]})
    elif {*value} == {"bookmarks"}:
        check_state(value)
    else:
        raise ValueError(f"no config, report or state: {block.text}")


def is_config(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether these are settings of the tap, the SDK's own among them."""
    schema = dict(TapAdStage.config_jsonschema)
    TapAdStage.append_builtin_config(schema)
    return isinstance(value, dict) and set(value) <= set(schema["properties"])


def check_config(config: dict[str, Any]) -> None:
    """Check settings of the tap; the credentials may be omitted."""
    now = dt.datetime(2024, 3, 20, tzinfo=dt.timezone.utc)
    parse({"sandbox": True, **config}, now=now, stream_names=TABLES)


def check_state(state: dict[str, Any]) -> None:
    """Check a state of reports."""
    for name, bookmark in state["bookmarks"].items():
        if {*bookmark} != {"replication_key", "replication_key_value", "aggregate_by"}:
            raise ValueError(f"no bookmark of {name}: {bookmark}")


def check_project(part: dict[str, Any]) -> None:
    """Check a part of meltano.yml by Meltano's own schema, and the tap's settings."""
    files = importlib.resources.files("meltano.schemas")
    schema = json.loads(files.joinpath("meltano.schema.json").read_text())
    jsonschema.validate(part, schema)
    for plugin in part.get("plugins", {}).get("extractors", []):
        if "tap-adstage" in (plugin["name"], plugin.get("inherit_from")):
            check_config(plugin.get("config", {}))
