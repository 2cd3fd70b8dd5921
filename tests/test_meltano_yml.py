"""meltano.yml says what the one definition of the settings says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tap_adstage.settings import SETTINGS
from tap_adstage.tap import TapAdStage

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def plugins() -> dict[str, Any]:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    return {
        plugin["name"]: plugin
        for plugins in project["plugins"].values()
        for plugin in plugins
    }


def test_no_plugin_needs_the_hub(plugins: dict[str, Any]) -> None:
    assert set(plugins) == {"tap-adstage", "target-postgres"}
    for plugin in plugins.values():
        assert {"namespace", "pip_url", "executable", "settings"} <= set(plugin)


def test_meltano_knows_every_setting_as_it_is(plugins: dict[str, Any]) -> None:
    listed = {entry["name"]: entry for entry in plugins["tap-adstage"]["settings"]}
    schema = dict(TapAdStage.config_jsonschema)
    TapAdStage.append_builtin_config(schema)
    assert list(listed) == list(schema["properties"])
    for setting in SETTINGS:
        entry = listed[setting.name]
        assert entry["kind"] == setting.kind, setting.name
        assert entry["description"] == setting.description, setting.name
        assert entry.get("sensitive", False) == setting.secret, setting.name
        options = [option["value"] for option in entry.get("options", [])]
        assert options == setting.schema.get("enum", []), setting.name


def test_the_loader_is_set_to_load_fast_and_whole(plugins: dict[str, Any]) -> None:
    loader = plugins["target-postgres"]
    assert loader["config"]["use_copy"] is True
    assert loader["config"]["validate_records"] is False
    assert loader["config"]["sanitize_null_text_characters"] is True
    names = {entry["name"] for entry in loader["settings"]}
    assert set(loader["config"]) <= names
    sensitive = {e["name"] for e in loader["settings"] if e.get("sensitive")}
    assert {"password", "sqlalchemy_url"} <= sensitive
