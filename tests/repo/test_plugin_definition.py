"""The definitions of the tap for Meltano and its hub agree with the tap."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import textwrap
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from harness.markdown import Page
from harness.paths import ROOT
from harness.pipeline import meltano
from jsonschema.validators import validator_for

from repo.definitions import meltano_setting
from tap_adstage.config.parsing import parse
from tap_adstage.config.settings import CREDENTIALS, OAUTH
from tap_adstage.config.source_settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MELTANO = ROOT / "meltano.yml"
HUB = ROOT / "meltano-hub" / "tap-adstage.yml"
HUB_HEADING = """\
# The definition for Meltano Hub, in its form and order; and for your own project:
# `meltano add tap-adstage --from-ref tap-adstage.yml`. Put where your copy of the
# repository is at YOUR_ORGANIZATION, thrice. The settings are written by
# tests/repo/test_plugin_definition.py from the fields in tap_adstage/config.
"""
NOW = dt.datetime(2024, 3, 20, tzinfo=dt.timezone.utc)
OWNER = "YOUR_ORGANIZATION"
REPOSITORY = f"https://github.com/{OWNER}/tap-adstage"


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    """The output of `--about`."""
    ended = subprocess.run(
        [sys.executable, "-m", "tap_adstage", "--about", "--format", "json"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def definition(about: Mapping[str, Any]) -> dict[str, Any]:
    """The definition that any Meltano project needs, except the tap's source."""
    summary = metadata.metadata("tap-adstage")["Summary"]
    heading = "Singer tap for AdStage and Spotify Ads: "
    description = summary.removeprefix(heading).removesuffix(".")
    return {
        "name": about["name"],
        "namespace": about["name"].replace("-", "_"),
        "label": "AdStage and Spotify Ads",
        "executable": about["name"],
        "description": description[0].upper() + description[1:],
        "log_parser": "singer-sdk",
        "capabilities": sorted(about["capabilities"]),
        "settings_group_validation": [list(group) for group in CREDENTIALS],
        "settings": [
            meltano_setting(name, schema, SETTINGS)
            for name, schema in about["settings"]["properties"].items()
        ],
    }


def hub_definition(about: Mapping[str, Any]) -> dict[str, Any]:
    """The definition as the hub takes it: all of it, in the hub's order."""
    shared = definition(about)
    return {
        **shared,
        "variant": OWNER.lower(),
        "repo": REPOSITORY,
        "pip_url": f"tap-adstage[sandbox]@git+{REPOSITORY}.git",
        "domain_url": "https://www.adstage.io",
        "logo_url": "/assets/logos/extractors/adstage.png",
        "keywords": ["adstage", "api", "meltano_sdk", "spotify_ads"],
        "maintenance_status": development_status(),
        "quality": "silver",  # of taps on the SDK that few use yet
        "supported_python_versions": about["supported_python_versions"],
        "settings": sorted(shared["settings"], key=lambda entry: str(entry["name"])),
        "settings_group_validation": [
            sorted(group) for group in shared["settings_group_validation"]
        ],
    }


def development_status() -> str:
    """How far the tap is, in the hub's words."""
    classifiers = metadata.metadata("tap-adstage").get_all("Classifier") or []
    (status,) = (c for c in classifiers if c.startswith("Development Status :: "))
    return {"4 - Beta": "beta", "5 - Production/Stable": "active"}[status[22:]]


def dump(value: object, *, sort_keys: bool) -> str:
    """YAML as Meltano and its hub write it."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=sort_keys, width=88)


def project_plugin() -> dict[str, Any]:
    """The tap in the project's own meltano.yml."""
    (plugin,) = yaml.safe_load(MELTANO.read_text())["plugins"]["extractors"]
    found: dict[str, Any] = plugin
    return found


# --- the one definition ---


def test_a_setting_is_called_by_its_name_in_words() -> None:
    labels = {setting.name: setting.label for setting in SETTINGS}
    assert labels["access_token"] == "Access token"
    assert labels["client_id"] == "Client ID"
    assert labels["oauth_token_url"] == "OAuth token URL"
    assert labels["api_url"] == "API URL"
    assert labels["shard"] == "Shard"


def test_each_value_that_a_form_offers_has_a_name_of_its_own() -> None:
    for setting in SETTINGS:
        assert list(setting.options) == setting.schema.get("enum", []), setting.name
        assert len({*setting.options.values()}) == len(setting.options), setting.name


def test_about_says_of_each_setting_what_its_definition_does(
    about: dict[str, Any],
) -> None:
    properties = about["settings"]["properties"]
    for setting in SETTINGS:
        shown = properties[setting.name]
        assert shown["title"] == setting.label
        assert shown["description"] == setting.description
        assert shown.get("default") == setting.default
        assert shown.get("secret", False) == setting.secret


# --- meltano.yml and the hub's file ---


def test_meltano_yml_is_the_definition(
    about: dict[str, Any],
    update_golden: bool,  # noqa: FBT001
) -> None:
    expected = definition(about)
    if update_golden:
        before, _, rest = MELTANO.read_text().partition("    settings:\n")
        settings = textwrap.indent(dump(expected["settings"], sort_keys=False), "    ")
        after = rest[rest.index("\n  loaders:\n") :]
        MELTANO.write_text(f"{before}    settings:\n{settings}{after}")
    assert project_plugin() == {**expected, "pip_url": "-e .[sandbox]"}


def test_the_hub_s_file_is_the_definition(
    about: dict[str, Any],
    update_golden: bool,  # noqa: FBT001
) -> None:
    expected = HUB_HEADING + dump(hub_definition(about), sort_keys=True)
    if update_golden:
        HUB.write_text(expected)
    assert HUB.read_text() == expected


MELTANO_SCHEMA = json.loads(
    (resources.files("meltano") / "schemas" / "meltano.schema.json").read_text(),
)
HUB_SCHEMA = {
    "required": ["name", "namespace", "variant", "label", "quality"],
    "properties": {
        "domain_url": {"type": "string", "pattern": "^https://"},
        "keywords": {"type": "array", "items": {"type": "string"}},
        "maintenance_status": {
            "enum": ["active", "beta", "development", "inactive", "unknown"],
        },
        "quality": {"enum": ["gold", "silver", "bronze", "unknown"]},
        "supported_python_versions": {
            "type": "array",
            "items": {"type": "string", "pattern": r"^3\.\d+$"},
        },
    },
}
"""What the hub asks for beyond Meltano's own schema."""


def schema_errors(schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    validator = validator_for(schema)(schema)
    return [error.message for error in validator.iter_errors(document)]


def test_meltano_yml_is_valid_for_meltano_s_own_schema() -> None:
    project = yaml.safe_load(MELTANO.read_text())
    assert schema_errors(MELTANO_SCHEMA, project) == []
    project["plugins"]["extractors"][0]["settings"][0]["kind"] = "text"
    assert schema_errors(MELTANO_SCHEMA, project)


def test_the_hub_s_file_is_valid_for_meltano_and_its_hub() -> None:
    plugin = yaml.safe_load(HUB.read_text())
    assert schema_errors(HUB_SCHEMA, plugin) == []
    hub_s_own = HUB_SCHEMA["properties"]
    for_meltano = {key: plugin[key] for key in plugin if key not in hub_s_own}
    project = {"plugins": {"extractors": [for_meltano]}}
    assert schema_errors(MELTANO_SCHEMA, project) == []
    assert schema_errors(HUB_SCHEMA, {**plugin, "quality": "platinum"})
    for_meltano["maintainer"] = "nobody"
    assert schema_errors(MELTANO_SCHEMA, project)


def test_the_names_that_meltano_asks_for_are_settings() -> None:
    plugin = yaml.safe_load(HUB.read_text())
    names = [setting["name"] for setting in plugin["settings"]]
    assert len(names) == len({*names})
    for group in plugin["settings_group_validation"]:
        assert set(group) <= set(names)
    sensitive = {s["name"] for s in plugin["settings"] if s.get("sensitive")}
    assert sensitive == {"access_token", *OAUTH} - {"client_id"}


# --- Meltano itself ---


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A project that has added the tap by the hub's file, and installed the wheel."""
    folder = tmp_path_factory.mktemp("added")
    (folder / "meltano.yml").write_text(
        "project_id: added\nsend_anonymous_usage_stats: false\n"
        "cli:\n  disable_version_check: true\n",
    )
    plugin = yaml.safe_load(HUB.read_text())
    plugin["pip_url"] = f"tap-adstage[sandbox]@{wheel.as_uri()}"
    (folder / "tap-adstage.yml").write_text(dump(plugin, sort_keys=True))
    meltano(folder, "add", "tap-adstage", "--from-ref", "tap-adstage.yml")
    return folder


@pytest.fixture(scope="module")
def own_project(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A project with the project's own meltano.yml, but the wheel."""
    folder = tmp_path_factory.mktemp("own")
    own = MELTANO.read_text()
    assert own.count("pip_url: -e .[sandbox]\n") == 1
    installed = own.replace("-e .[sandbox]", f"tap-adstage[sandbox]@{wheel.as_uri()}")
    (folder / "meltano.yml").write_text(installed)
    meltano(folder, "install", "extractor", "tap-adstage")
    return folder


def test_meltano_knows_each_setting_of_a_plugin_added_by_the_hub_s_file(
    project: Path,
) -> None:
    listed = meltano(project, "config", "list", "tap-adstage", "--all")
    for group in CREDENTIALS:
        assert f": {', '.join(sorted(group))}\n" in listed
    for setting in SETTINGS:
        assert f"[env: TAP_ADSTAGE_{setting.name.upper()}]" in listed
        assert setting.label in listed


@pytest.mark.parametrize("how", ["project", "own_project"])
def test_meltano_tells_how_grave_each_line_of_the_tap_is(
    how: str,
    request: pytest.FixtureRequest,
) -> None:
    output = meltano(
        request.getfixturevalue(how),
        "--log-format=json",
        "invoke",
        "tap-adstage",
        "--test",
        TAP_ADSTAGE_SANDBOX="true",
        TAP_ADSTAGE_REPORTS="[]",
    )
    lines = [json.loads(line) for line in output.splitlines()]
    logged = {line["event"]: line for line in lines}
    warning = logged["sandbox: on, so all data are generated; none are real"]
    assert (warning["level"], warning["plugin_logger"]) == ("warning", "tap-adstage")
    step = logged["token: ok, the sandbox needs none"]
    assert (step["level"], step["plugin_logger"]) == ("info", "tap-adstage")


def test_fields_are_found_through_meltano_though_a_report_is_wrong(
    project: Path,
) -> None:
    output = meltano(
        project,
        "invoke",
        "tap-adstage",
        "--fields",
        "sales leads",
        TAP_ADSTAGE_SANDBOX="true",
        TAP_ADSTAGE_REPORTS='[{"name": "r", "entity_level": "ads", "fields": ["x"]}]',
    )
    found = [line for line in output.splitlines() if line.startswith('{"id": ')]
    assert json.loads(found[0])["id"] == "custom_conversions:14:conversions"


def test_meltano_keeps_secrets_out_of_what_it_lists(project: Path) -> None:
    listed = meltano(
        project,
        "config",
        "list",
        "tap-adstage",
        "--all",
        TAP_ADSTAGE_ACCESS_TOKEN="a57a082a",
        TAP_ADSTAGE_CLIENT_SECRET="c57a082c",
        TAP_ADSTAGE_REFRESH_TOKEN="r57a082r",
    )
    assert "57a082" not in listed
    assert listed.count("redacted") >= 3


def test_one_project_reads_both_sources_as_the_page_shows(own_project: Path) -> None:
    page = Page(ROOT / "docs" / "meltano.md")
    file = {"file": "spotify.meltano.yml"}
    (block,) = (block for block in page.blocks if block.marks == file)
    folder = own_project.parent / "both"
    folder.mkdir()
    both = yaml.safe_load((own_project / "meltano.yml").read_text())
    inheriting = yaml.safe_load(block.text)["plugins"]["extractors"]
    both["plugins"]["extractors"] += inheriting
    (folder / "meltano.yml").write_text(dump(both, sort_keys=False))
    variables = {f"SPOTIFY_{name.upper()}": "s" for name in OAUTH}
    name = inheriting[-1]["name"]
    printed = meltano(
        folder, "config", "print", name, ADS_ACCESS_TOKEN="t", **variables
    )
    settings = json.loads(printed[printed.index("{") :])
    config = parse(settings, now=NOW, stream_names=())
    assert (config.source, config.access_token) == ("spotify_ads", None)
    assert config.oauth is not None
