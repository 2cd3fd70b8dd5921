"""What is handed out: the wheel and the sdist, built and installed for real."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.once import make_once
from harness.paths import ROOT

if TYPE_CHECKING:
    from harness.distributions import Distributions

VERSION = metadata.version("tap-adstage")
DIST_INFO = f"tap_adstage-{VERSION}.dist-info"


def package_files() -> set[str]:
    """The files of the package, as they are in the clone."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tap_adstage").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


def test_the_wheel_holds_the_package_and_its_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = archive.read(f"{DIST_INFO}/entry_points.txt").decode()
        licence = archive.read(f"{DIST_INFO}/licenses/LICENSE")
        about_it = archive.read(f"{DIST_INFO}/METADATA").decode()
    about = {
        f"{DIST_INFO}/{name}"
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")
    }
    assert {*names} == package_files() | about | {f"{DIST_INFO}/licenses/LICENSE"}
    assert "tap_adstage/py.typed" in names
    assert entry_points.splitlines() == [
        "[console_scripts]",
        "tap-adstage = tap_adstage.__main__:main",
        "tap-adstage-sandbox = tap_adstage.sandbox.cli.command:main",
    ]
    assert licence == (ROOT / "LICENSE").read_bytes()
    assert "\nLicense-Expression: Apache-2.0\n" in about_it
    assert "\nRequires-Python: >=3.10\n" in about_it
    assert about_it.partition("\n\n")[2] == (ROOT / "README.md").read_text()


def test_the_sdist_holds_what_its_tests_read(built: Distributions) -> None:
    with tarfile.open(built.sdist) as archive:
        names = [Path(name) for name in archive.getnames()]
    top = {name.parts[1] for name in names}
    assert top == {
        *(".ci", ".github", ".gitignore", "docs", "examples", "meltano-hub", "tests"),
        *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"),
        *("PKG-INFO", "meltano.yml", "pyproject.toml", "sample_config.json"),
        "tap_adstage",
    }
    assert not [name for name in names if name.suffix == ".pyc"]


@pytest.fixture(scope="module")
def installed(session: Path, wheel: Path, uv: Path) -> Path:
    """The commands of the wheel, installed without extras and alone."""

    def install(environment: Path) -> None:
        pip = ["pip", "install", "--quiet", "--python", str(environment), str(wheel)]
        for arguments in (["venv", "--quiet", "--clear", str(environment)], pip):
            subprocess.run([uv, *arguments], check=True, timeout=300)  # noqa: S603 - uv itself

    environment = make_once(session / "wheel-alone", install)
    return environment / ("Scripts" if os.name == "nt" else "bin")


def run(
    commands: Path,
    *arguments: str,
    cwd: Path,
    name: str = "tap-adstage",
) -> subprocess.CompletedProcess[str]:
    keep = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    return subprocess.run(  # noqa: S603 - the tap itself
        [str(commands / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
        env=keep,
    )


def test_the_wheel_alone_describes_itself(installed: Path, tmp_path: Path) -> None:
    version = run(installed, "--version", cwd=tmp_path)
    assert version.returncode == 0, version.stderr
    assert f"tap-adstage v{VERSION}" in version.stdout
    about = run(installed, "--about", "--format", "json", cwd=tmp_path)
    assert about.returncode == 0, about.stderr
    described = json.loads(about.stdout)
    assert (described["name"], described["version"]) == ("tap-adstage", VERSION)
    assert "access_token" in described["settings"]["properties"]


@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"]])
def test_the_wheel_alone_names_the_extra_that_the_sandbox_needs(
    installed: Path,
    tmp_path: Path,
    mode: list[str],
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"sandbox": True}))
    ended = run(installed, "--config", str(config), *mode, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "install tap-adstage[sandbox]" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_sandbox_s_command_alone_names_its_extra(
    installed: Path,
    tmp_path: Path,
) -> None:
    ended = run(installed, "--port", "0", cwd=tmp_path, name="tap-adstage-sandbox")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "install tap-adstage[sandbox]" in ended.stderr
    assert "Traceback" not in ended.stderr
