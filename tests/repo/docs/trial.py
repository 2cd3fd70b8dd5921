"""A page on trial: its blocks are run from top to bottom, as a reader would.

Commands run in one shell, so that what a block exports holds for the next one.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from os import killpg
from typing import TYPE_CHECKING, Any

from .markdown import ROOT
from .settings_blocks import check, is_config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .markdown import Block, Page

COMMANDS = {"sh", "python"}
FILES = {"json", "yaml", "python"}
LANGUAGES = COMMANDS | FILES | {"text", "mermaid"}
TIMEOUT = 300


@dataclass(frozen=True)
class Place:
    """Where a page is run.

    Attributes:
        clone: A copy of the clone, which the page may change.
        stage: An empty folder for what the trial itself writes.
        environment: All environment variables.
        settings: What is added to the tap's config files, by their source.
    """

    clone: Path
    stage: Path
    environment: Mapping[str, str]
    settings: Mapping[str, dict[str, Any]]


def run(page: Page, place: Place) -> None:
    """Run a page.

    Args:
        page: The page.
        place: Where the page is run.

    Raises:
        AssertionError: A block is not of its language, a command fails, or it doesn't
            print what the page shows; the text names page and line.
    """
    blocks = [block for block in page.blocks if not is_run_elsewhere(page, block)]
    for block in blocks:
        check_form(page, block)
    script = [line for block in blocks for line in steps(block, place)]
    if any(block.language in COMMANDS for block in blocks):
        execute(page, blocks, script, place)
    for command, shown in shown_outputs(page, blocks):
        missing = first_missing(shown.text, output(command, place).read_text())
        assert missing is None, (
            f"{where(page, shown)}: {missing!r} is not in the output:\n"
            f"{last_lines(output(command, place))}"
        )


def where(page: Page, block: Block) -> str:
    return f"{page.path.name}:{block.line}"


def is_run_elsewhere(page: Page, block: Block) -> bool:
    """Whether another test of the page, or a script, runs a block; it must exist."""
    reference = block.marks.get("run by")
    if reference is None:
        return False
    name, _, test = reference.partition("::")
    text = (ROOT / name).read_text() if (ROOT / name).is_file() else ""
    if test:
        found = f"\ndef {test}(" in text and page.path.stem in text
    else:
        found = {*block.text.splitlines()} <= {*text.splitlines()}
    assert found, f"{where(page, block)}: {reference} doesn't run it"
    return True


def check_form(page: Page, block: Block) -> None:
    """Refuse what nothing would run or read."""
    assert block.language in LANGUAGES, (
        f"{where(page, block)}: unknown language {block.language!r}; "
        f"use one of {', '.join(sorted(LANGUAGES))}"
    )
    if block.marks:
        assert {*block.marks} == {"file"}, f"{where(page, block)}: {block.marks}"
        assert block.language in FILES, (
            f"{where(page, block)}: a block of this language is not a file"
        )
    elif block.language in {"json", "yaml"}:
        try:
            check(block)
        except Exception as error:
            raise AssertionError(f"{where(page, block)}: {error}") from error


def steps(block: Block, place: Place) -> list[str]:
    """What the shell is to do for a block."""
    source = place.stage / str(block.line)
    name = block.marks.get("file")
    if name is not None:
        source.write_text(completed(block, place))
        folder = shlex.quote(name.rpartition("/")[0] or ".")
        return [f"mkdir -p {folder}", f"cp {source} {shlex.quote(name)}"]
    if block.language not in COMMANDS:
        return []
    source.write_text(re.sub(r"\buv run (?!-)", "", block.text))
    run = "." if block.language == "sh" else "python"
    return [f"{run} {source} >{output(block, place)} 2>&1"]


def output(block: Block, place: Place) -> Path:
    return place.stage / f"{block.line}.out"


def completed(block: Block, place: Place) -> str:
    """What goes into a file: a config of the tap reads the sandbox of its source."""
    if block.language != "json" or not is_config(config := json.loads(block.text)):
        return block.text
    return json.dumps(place.settings[config.get("source", "adstage")] | config)


def execute(page: Page, blocks: list[Block], script: list[str], place: Place) -> None:
    """Run the script, and end whatever it left running."""
    with subprocess.Popen(  # noqa: S603 - the page's own commands
        ["bash", "-eo", "pipefail", "-c", "\n".join(script)],  # noqa: S607
        cwd=place.clone,
        env=dict(place.environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as shell:
        try:
            code = shell.wait(TIMEOUT)
        finally:
            with suppress(ProcessLookupError):
                killpg(shell.pid, signal.SIGKILL)
    begun = [block for block in blocks if output(block, place).exists()]
    assert code == 0, (
        f"{where(page, begun[-1])} ended with {code}:\n"
        f"{last_lines(output(begun[-1], place))}"
    )


def last_lines(path: Path) -> str:
    """The end of an output, short enough to be read."""
    lines = path.read_text().splitlines()[-20:]
    return "\n".join([*(line[:200] for line in lines), f"(all of it: {path})"])


def shown_outputs(page: Page, blocks: list[Block]) -> list[tuple[Block, Block]]:
    """Each block of output, with the command above it."""
    pairs = []
    command = None
    for block in blocks:
        if block.language in COMMANDS and not block.marks:
            command = block
        elif block.language == "text":
            assert command, f"{where(page, block)}: there is no command above it"
            pairs.append((command, block))
    return pairs


def first_missing(shown: str, printed: str) -> str | None:
    """The first line that was not printed in its order; `…` stands for any text."""
    lines = iter(printed.splitlines())
    for expected in filter(None, map(str.strip, shown.splitlines())):
        pattern = ".*".join(map(re.escape, expected.split("…")))
        if not any(re.search(pattern, line) for line in lines):
            return expected
    return None
