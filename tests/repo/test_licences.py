"""Each package that is installed with the tap may be used with it."""

from __future__ import annotations

import itertools
import re
from collections import deque
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

import pytest
from harness.paths import ROOT
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE = ROOT / "docs" / "licences.md"
START = "<!-- licences: kept by tests/repo/test_licences.py -->\n"
END = "<!-- end of licences -->"

PERMITTED = {
    "AFL-2.1",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "MPL-2.0",
    "PSF-2.0",
}
PERMITTED_IN_EXTRAS = PERMITTED | {"LGPL-3.0-only"}
SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "BSD License": "BSD-3-Clause",  # of Jinja2 and ItsDangerous, whose texts it is
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Licences that packages name in other words than SPDX."""

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PLATFORMS = (("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows"))
ENVIRONMENTS = [
    {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": "nt" if platform == "win32" else "posix",
    }
    for python, (platform, system) in itertools.product(PYTHONS, PLATFORMS)
]


class Row(NamedTuple):
    """A package in the page's table."""

    licence: str
    installed_with: str


class Found(NamedTuple):
    """What the tap needs.

    Attributes:
        here: The packages that are installed here, by name.
        elsewhere: The names of those that only other systems need.
    """

    here: dict[str, Row]
    elsewhere: set[str]


def find() -> Found:
    """Follow the requirements of the tap, and of its extras, to their end."""
    found = Found({}, set())
    extras = ("sandbox", "demo", "parquet")
    for extra, label in (("", "the tap"), *((each, f"`{each}`") for each in extras)):
        queue = deque([("tap-adstage", frozenset({extra}))])
        seen = {*queue}
        while queue:
            name, asked = queue.popleft()
            if name != "tap-adstage":
                found.here.setdefault(name, Row(licence(name), label))
            for requirement in map(Requirement, metadata.requires(name) or ()):
                needed = canonicalize_name(requirement.name)
                step = (needed, frozenset(requirement.extras or {""}))
                if not holds(requirement, asked, {}):
                    if any(holds(requirement, asked, each) for each in ENVIRONMENTS):
                        found.elsewhere.add(needed)
                elif step not in seen:
                    seen.add(step)
                    queue.append(step)
    return found


def holds(
    requirement: Requirement,
    extras: Iterable[str],
    environment: Mapping[str, str],
) -> bool:
    """Whether a package with extras has a requirement in an environment."""
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate({**environment, "extra": extra}) for extra in extras
    )


def licence(name: str) -> str:
    """A package's licence as an SPDX expression."""
    about = metadata.metadata(name).json
    prefix = "License :: OSI Approved :: "
    classified = [
        classifier.removeprefix(prefix)
        for classifier in about.get("classifier", ())
        if classifier.startswith(prefix)
    ]
    name_of_licence = str(
        about.get("license_expression") or [*classified, about.get("license")][0]
    )
    return canonicalize_license_expression(SPDX.get(name_of_licence, name_of_licence))


def may_be_used(expression: str, permitted: set[str]) -> bool:
    """Whether one of the licences that an expression offers is permitted."""
    assert "(" not in expression
    return any(
        permitted.issuperset(choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def table() -> dict[str, Row]:
    """The page's table."""
    section = PAGE.read_text().split(START)[1].split(END)[0]
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {name: Row(*values) for name, *values in rows}


def write(rows: Mapping[str, Row]) -> None:
    """Rewrite the page's table."""
    lines = [f"| `{name}` | {' | '.join(rows[name])} |" for name in sorted(rows)]
    head = ["| package | licence | installed with |", "| --- | --- | --- |"]
    before, rest = PAGE.read_text().split(START)
    section = "\n".join([*head, *lines, END])
    PAGE.write_text(before + START + section + rest.split(END)[1])


@pytest.fixture(scope="module")
def found() -> Found:
    return find()


def test_the_page_lists_every_package_that_comes_with_the_tap(
    found: Found,
    update_golden: bool,  # noqa: FBT001
) -> None:
    only_elsewhere = found.elsewhere - {*found.here}
    kept = {name: row for name, row in table().items() if name in only_elsewhere}
    if update_golden:
        write(kept | found.here)
    assert table() == kept | found.here
    assert {*kept} == only_elsewhere


def test_what_the_tap_needs_may_be_used_with_it() -> None:
    rows = table()
    assert {"requests", "singer-sdk", "certifi", "flask", "psycopg"} <= {*rows}
    for name, row in rows.items():
        tap = row.installed_with == "the tap"
        permitted = PERMITTED if tap else PERMITTED_IN_EXTRAS
        assert may_be_used(row.licence, permitted), f"{name}: {row.licence}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("MIT AND PSF-2.0", True),
        ("GPL-2.0-only OR MIT", True),
        ("GPL-3.0-or-later", False),
        ("MIT AND AGPL-3.0-only", False),
        ("LGPL-3.0-only", False),
    ],
)
def test_a_licence_may_be_used_if_one_of_its_choices_may(
    expression: str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert may_be_used(expression, PERMITTED) is expected
