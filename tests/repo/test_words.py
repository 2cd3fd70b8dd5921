"""The linter of words finds what nobody would say aloud, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from harness.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def check(path: Path, text: str) -> tuple[int, str]:
    path.write_text(text)
    done = subprocess.run(  # noqa: S603 - the linter itself
        [sys.executable, ROOT / ".ci" / "words", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("text", "line", "phrase"),
    [
        ("It is_no_number.", 1, "is_no_number"),
        ("Rows\nare_told twice.", 2, "are_told"),
        ("What is_said", 1, "is_said"),
        ("Where_it fails, stop.", 1, "Where_it"),
        ("rows of_before", 1, "of_before"),
        ("a row that comes_again", 1, "comes_again"),
        ("OAuth goes_before it", 1, "goes_before"),
        ("    # It is\n    # no_number.", 1, "is_no_number"),
        ('    "It is "\n    f"no_number."', 1, "is_no_number"),
    ],
)
def test_a_phrase_is_found_with_its_line(
    tmp_path: Path, text: str, line: int, phrase: str
) -> None:
    path = tmp_path / "page.md"
    # Phrases have _ above, so that the linter finds none in this file.
    code, printed = check(path, text.replace("_", " "))
    assert code == 1
    assert printed.startswith(f"{path}:{line}: {phrase.replace('_', ' ')!r}; write ")
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "There is no token, and it is no longer needed.",
        "If it fails, it says no more; the token is not a text.",
        "where_it_fails = is_no_number",
    ],
)
def test_plain_english_passes(tmp_path: Path, text: str) -> None:
    assert check(tmp_path / "page.md", text) == (0, "")
