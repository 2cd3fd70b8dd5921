"""The documentation's tables and lists agree with their one definition."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from harness.markdown import README, Page
from harness.paths import ROOT

from repo.definitions import settings_table
from tap_adstage.adstage.meta_fields import META_FIELDS
from tap_adstage.adstage.resources import TABLES
from tap_adstage.config.adstage import CROSS_NETWORKS, FILTER_OPERATORS
from tap_adstage.config.source_settings import SETTINGS, SOURCES
from tap_adstage.config.spotify_ads import FIELDS, ReportField
from tap_adstage.date_ranges.__main__ import main as date_ranges_command
from tap_adstage.sandbox.cli.command import main as sandbox_command
from tap_adstage.spotify_ads.resources import TABLES as SPOTIFY_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tap_adstage.config.declarations import Setting

REPORTS = ROOT / "docs" / "reports.md"
DATE_RANGES = ROOT / "docs" / "date-ranges.md"
ERRORS = ROOT / "docs" / "errors.md"
SANDBOX = ROOT / "docs" / "sandbox.md"
SPOTIFY_ADS = ROOT / "docs" / "spotify-ads.md"


def check_section(path: Path, section: str, expected: str, *, update: bool) -> None:
    """Compare a marked section of a page with a text, or rewrite it."""
    start = f"<!-- {section}: kept by tests/repo/test_documentation.py -->\n"
    end = f"<!-- end of {section} -->"
    text = path.read_text()
    if update:
        before, after = text.split(start)[0], text.split(end)[1]
        path.write_text(f"{before}{start}{expected}\n{end}{after}")
        text = path.read_text()
    assert text.split(start)[1].split(end)[0] == expected + "\n"


@pytest.mark.parametrize(
    ("path", "section", "settings"),
    [
        (README, "settings", SETTINGS),
        (REPORTS, "report keys", SOURCES["adstage"].report_keys),
        (SPOTIFY_ADS, "report keys", SOURCES["spotify_ads"].report_keys),
    ],
)
def test_the_tables_of_settings_are_the_definition(
    path: Path,
    section: str,
    settings: Sequence[Setting],
    update_golden: bool,  # noqa: FBT001
) -> None:
    check_section(path, section, settings_table(settings), update=update_golden)


def test_spotify_s_streams_are_the_tap_s(
    update_golden: bool,  # noqa: FBT001
) -> None:
    rows = [
        f"| `{name}` | `{', '.join(t.key)}` |" for name, t in SPOTIFY_TABLES.items()
    ]
    table = "\n".join(["| stream | key |", "| --- | --- |", *rows])
    check_section(SPOTIFY_ADS, "streams", table, update=update_golden)


def test_spotify_s_fields_are_the_tap_s(
    update_golden: bool,  # noqa: FBT001
) -> None:
    names: dict[ReportField, list[str]] = {}
    for name, field in FIELDS.items():
        names.setdefault(field, []).append(f"`{name}`")
    rows = [
        f"| {', '.join(listed)} | "
        + " | ".join(
            "yes" if value else "no"
            for value in (field.in_audiences, field.is_additive, field.is_conversion)
        )
        + " |"
        for field, listed in names.items()
    ]
    heading = "| fields | by audience | add up | hidden if few |"
    table = "\n".join([heading, "| --- " * 4 + "|", *rows])
    check_section(SPOTIFY_ADS, "fields", table, update=update_golden)


def test_the_meta_fields_are_the_documented_ones(
    update_golden: bool,  # noqa: FBT001
) -> None:
    listed = ", ".join(f"`{name}`" for name in sorted(META_FIELDS))
    check_section(REPORTS, "meta fields", listed, update=update_golden)


def test_the_table_of_date_ranges_is_what_the_command_prints(
    update_golden: bool,  # noqa: FBT001
) -> None:
    printed = CliRunner().invoke(date_ranges_command, ["--as-of", "2024-03-20"])
    check_section(
        DATE_RANGES,
        "date ranges",
        printed.stdout.strip(),
        update=update_golden,
    )


def test_all_networks_are_listed_in_their_order() -> None:
    (line,) = re.findall(
        r"^\*\*Networks\*\* are .+$", REPORTS.read_text(), re.MULTILINE
    )
    assert tuple(re.findall(r"`(\w+)`", line)) == CROSS_NETWORKS


def test_all_filter_operators_are_listed() -> None:
    (line,) = re.findall(r"^\*\*Filters\*\* .+$", REPORTS.read_text(), re.MULTILINE)
    assert set(FILTER_OPERATORS) <= set(re.findall(r"`(\w+)`", line))


def test_the_streams_are_the_tap_s() -> None:
    section = Page(README).section("## Streams")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", section, flags=re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", key)) for name, key in rows} == {
        name: stream.key for name, stream in TABLES.items()
    }


def test_the_options_of_the_sandbox_are_its_own() -> None:
    rows = re.findall(r"^\| (`-.+?) \| (.+?) \|$", SANDBOX.read_text(), re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"--[a-z0-9-]+", str(row))}
    assert listed == {
        option for each in sandbox_command.params for option in each.opts
    } | {"--help"}


def test_the_messages_are_the_tap_s_own() -> None:
    section = Page(ERRORS).section("## Messages")
    column = re.findall(r"^\| (`.+?) \| .+ \|$", section, flags=re.MULTILINE)
    messages = [text for cell in column for text in re.findall(r"`(.+?)`", cell)]
    assert len(messages) > 10
    code = "\n".join(texts(ROOT / "tap_adstage"))
    for message in messages:
        for part in filter(None, map(str.strip, message.split("…"))):
            assert part in code, message


def texts(package: Path) -> Iterator[str]:
    """Yield the texts in a package's code; inserted values are omitted."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    v.value if isinstance(v, ast.Constant) else "" for v in node.values
                )
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
