"""The plugins of meltano.yml are complete."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from harness.paths import ROOT


@pytest.fixture(scope="module")
def plugins() -> dict[str, Any]:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    return {
        plugin["name"]: plugin
        for plugins in project["plugins"].values()
        for plugin in plugins
    }


def test_no_plugin_needs_the_hub(plugins: dict[str, Any]) -> None:
    assert set(plugins) == {"tap-adstage", "target-postgres", "target-duckdb"}
    for plugin in plugins.values():
        assert {"namespace", "pip_url", "executable", "settings"} <= set(plugin)


def test_the_loader_is_set_to_load_fast_and_exactly(plugins: dict[str, Any]) -> None:
    loader = plugins["target-postgres"]
    assert "use_copy" not in loader["config"]
    assert loader["config"]["validate_records"] is False
    sensitive = {e["name"] for e in loader["settings"] if e.get("sensitive")}
    assert {"password", "sqlalchemy_url"} <= sensitive


def test_loaders_declare_what_they_are_set_to(plugins: dict[str, Any]) -> None:
    for name in ("target-postgres", "target-duckdb"):
        declared = {entry["name"] for entry in plugins[name]["settings"]}
        assert set(plugins[name]["config"]) <= declared
