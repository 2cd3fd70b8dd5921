"""README and meltano.yml say what the one definition of the settings says."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_adstage.config import parse
from tap_adstage.date_ranges import parse_date_range
from tap_adstage.entity_ids import CROSS_NETWORKS
from tap_adstage.reports.meta_fields import META_FIELDS
from tap_adstage.resources.streams import RESOURCE_STREAMS
from tap_adstage.sandbox.__main__ import main
from tap_adstage.settings import FILTER_OPERATORS, REPORT_KEYS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_adstage.settings import Setting

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def table(settings: Sequence[Setting]) -> str:
    """A Markdown table of settings."""
    rows = [
        f"| `{setting.name}` | {values(setting)} | {default(setting)} | "
        f"{setting.description} |"
        for setting in settings
    ]
    return "\n".join(["| name | type | default | meaning |", "| --- " * 4 + "|", *rows])


def values(setting: Setting) -> str:
    schema = setting.schema
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = {"array": "list"}.get(schema["type"], schema["type"])
    limits = [f"{schema[key]}" for key in ("minimum", "maximum") if key in schema]
    text = f"{kind} {' to '.join(limits)}{'' if 'maximum' in schema else ' or more'}"
    return (text if limits else kind) + (" (secret)" if setting.secret else "")


def default(setting: Setting) -> str:
    if setting.default is None:
        return ""
    if setting.name == "networks":
        return "all nine"
    text = setting.default
    return f"`{text if isinstance(text, str) else json.dumps(text)}`"


def check_section(section: str, expected: str, *, update: bool) -> None:
    """Hold a marked section of README against a text, or write it anew."""
    start = f"<!-- {section}: kept by tests/test_documentation.py -->\n"
    end = f"<!-- end of {section} -->"
    text = README.read_text()
    if update:
        before, after = text.split(start)[0], text.split(end)[1]
        README.write_text(f"{before}{start}{expected}\n{end}{after}")
        text = README.read_text()
    assert text.split(start)[1].split(end)[0] == expected + "\n"


@pytest.mark.parametrize(
    ("section", "settings"),
    [("settings", SETTINGS), ("report keys", REPORT_KEYS)],
)
def test_readme_s_table_is_the_definition(
    section: str,
    settings: Sequence[Setting],
    update_golden: bool,  # noqa: FBT001
) -> None:
    check_section(section, table(settings), update=update_golden)


def test_readme_s_meta_fields_are_the_documented_ones(
    update_golden: bool,  # noqa: FBT001
) -> None:
    listed = ", ".join(f"`{name}`" for name in sorted(META_FIELDS))
    check_section("meta fields", listed, update=update_golden)


def test_readme_s_networks_are_the_ones_that_there_are() -> None:
    (line,) = re.findall(r"^\*\*Networks\*\* are .+$", README.read_text(), re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", line)) == CROSS_NETWORKS


def test_readme_s_filters_are_the_ones_that_there_are() -> None:
    (line,) = re.findall(r"^\*\*Filters\*\* .+$", README.read_text(), re.MULTILINE)
    assert set(FILTER_OPERATORS) <= set(re.findall(r"`(\w+)`", line))


def test_readme_s_streams_are_the_tap_s() -> None:
    section = README.read_text().split("## Streams")[1].split("## Reports")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", section, flags=re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", key)) for name, key in rows} == {
        name: stream.key for name, stream in RESOURCE_STREAMS.items()
    }


def test_readme_s_options_of_the_sandbox_are_its_own() -> None:
    section = README.read_text().split("## Testing a pipeline")[1].split("## Errors")[0]
    rows = re.findall(r"^\| (`-.+?) \| (.+?) \|$", section, flags=re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"--[a-z0-9-]+", str(row))}
    assert {option for each in main.params for option in each.opts} <= listed


def test_readme_s_date_ranges_are_right() -> None:
    section = README.read_text().split("### Date ranges")[1].split("## State")[0]
    rows = re.findall(r"^\| `(.+?)` \| (\S+) \|$", section, flags=re.MULTILINE)
    assert len(rows) == 11
    for text, expected in rows:
        assert str(parse_date_range(text, today=dt.date(2019, 6, 15))) == expected


def test_readme_s_config_is_valid() -> None:
    blocks = re.findall(
        r"^```json\n(\{.+?\})\n```", README.read_text(), re.MULTILINE | re.DOTALL
    )
    configs = [json.loads(block) for block in blocks if "access_token" in block]
    (config,) = configs
    parsed = parse(
        config,
        now=dt.datetime(2024, 3, 20, tzinfo=dt.timezone.utc),
        stream_names=RESOURCE_STREAMS,
    )
    assert [report.name for report in parsed.reports] == [
        "campaigns_daily",
        "spend_by_currency_monthly",
        "last_30_days",
    ]


def test_readme_s_control_totals_are_what_the_sandbox_says(tmp_path: Path) -> None:
    section = README.read_text().split("### Control totals")[1].split("\n### ")[0]
    (command,) = re.findall(r"^```sh\n(.+?)^```", section, re.MULTILINE | re.DOTALL)
    (line,) = re.findall(r"^```text\n(.+?)\n```", section, re.MULTILINE | re.DOTALL)
    scripts = sysconfig.get_path("scripts")
    ended = subprocess.run(  # noqa: S603 - README's own command
        ["bash", "-ec", command.replace("uv run ", "")],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
    )
    assert line in ended.stderr
    assert (tmp_path / "records.jsonl").stat().st_size > 0


def test_readme_s_reports_are_valid() -> None:
    blocks = re.findall(
        r"^```json\n(\{.+?\})\n```", README.read_text(), re.MULTILINE | re.DOTALL
    )
    reports = [report for block in blocks if "name" in (report := json.loads(block))]
    parsed = parse(
        {"sandbox": True, "reports": reports},
        now=dt.datetime(2024, 3, 20, tzinfo=dt.timezone.utc),
        stream_names=RESOURCE_STREAMS,
    )
    assert [report.provider for report in parsed.reports] == ["facebook"]


def test_the_line_for_a_real_account_fits_into_the_sample() -> None:
    sample = (ROOT / "sample_config.json").read_text()
    line = '"sandbox": true,'
    assert f"`{line}`" in README.read_text()
    assert sample.count(line) == 1
    own = json.loads(sample.replace(line, '"access_token": "YOUR_TOKEN",'))
    assert "sandbox" not in own


# --- meltano.yml ---


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


def test_the_loader_is_set_to_load_fast_and_whole(plugins: dict[str, Any]) -> None:
    loader = plugins["target-postgres"]
    assert loader["config"]["use_copy"] is True
    assert loader["config"]["validate_records"] is False
    assert loader["config"]["sanitize_null_text_characters"] is True
    names = {entry["name"] for entry in loader["settings"]}
    assert set(loader["config"]) <= names
    sensitive = {e["name"] for e in loader["settings"] if e.get("sensitive")}
    assert {"password", "sqlalchemy_url"} <= sensitive
