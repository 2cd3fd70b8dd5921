"""One page on trial: the script of its blocks, and what is wrong once it has run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from harness.paths import ROOT

from .settings_blocks import check

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from harness.markdown import Block, Page

COMMANDS = {"sh", "python"}
WRITES = {"file", "adds to"}
FILES = {"json", "yaml", "python"}
LANGUAGES = COMMANDS | FILES | {"text", "mermaid"}
CHANGED_BY_THE_SHELL = {"_", "OLDPWD"}


class PageTrial:
    """A page on trial.

    Attributes:
        page: The page.
        blocks: Those that no other test runs.
    """

    def __init__(self, page: Page, stage: Path) -> None:
        """Write what the shell is to run into a folder.

        Args:
            page: The page.
            stage: The folder, which is made.

        Raises:
            AssertionError: A block is not of its language.
        """
        self.page = page
        self.blocks = [b for b in page.blocks if not is_run_elsewhere(page, b)]
        self._stage = stage
        stage.mkdir()
        for block in self.blocks:
            check_form(page, block)
            text = block.text
            if block.language in COMMANDS and not block.marks:
                text = re.sub(r"\buv run (?!-)", "", text)
            (stage / str(block.line)).write_text(text)

    @property
    def script(self) -> str:
        """What the shell is to run, if it has stopped in no earlier page."""
        stage = shlex.quote(str(self._stage))
        newer = f"-newer {stage}/begun -type f -print"
        lines = [
            f"touch {stage}/begun",
            f"export -p >{stage}/before",
            "sleep 0.02  # the clock of files ticks more slowly than the shell runs",
            *(line for block in self.blocks for line in self._steps(block)),
            f"find . -path ./.meltano -prune -o {newer} >{stage}/files",
            f"export -p >{stage}/after",
        ]
        return "\n".join(lines)

    @property
    def has_begun(self) -> bool:
        """Whether the shell has reached the page."""
        return (self._stage / "begun").exists()

    @property
    def is_done(self) -> bool:
        """Whether the shell has reached the page's end."""
        return (self._stage / "after").exists()

    @property
    def files(self) -> set[str]:
        """Paths of the files that the page has written."""
        if not self.is_done:
            return set()
        lines = (self._stage / "files").read_text().splitlines()
        return {line.removeprefix("./") for line in lines}

    def failure(self, code: int) -> str:
        """Describe the block that the shell ended with."""
        begun = [block for block in self.blocks if self._output(block).exists()]
        return (
            f"{where(self.page, begun[-1])} ended with {code}:\n"
            f"{last_lines(self._output(begun[-1]))}"
        )

    def errors(self, earlier: Collection[str]) -> Iterator[str]:
        """Find what is wrong with a page that is done.

        Args:
            earlier: Paths of the files that earlier pages have written.
        """
        for command, shown in shown_outputs(self.page, self.blocks):
            output = self._output(command)
            missing = first_missing(shown.text, output.read_text())
            if missing is not None:
                yield (
                    f"{where(self.page, shown)}: {missing!r} is not in the output:\n"
                    f"{last_lines(output)}"
                )
        before, after = (
            {*(self._stage / name).read_text().splitlines()}
            for name in ("before", "after")
        )
        names = re.findall(
            r"^declare -x (\w+)", "\n".join(before ^ after), re.MULTILINE
        )
        for name in sorted({*names} - CHANGED_BY_THE_SHELL):
            yield f"{self.page.path.name}: {name} outlives the page; set it in a file"
        commands = "".join(b.text for b in self.blocks if b.language in COMMANDS)
        for name in sorted({*earlier} - self.files):
            if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w./-])", commands):
                yield f"{self.page.path.name}: {name} is of an earlier page"

    def _steps(self, block: Block) -> Iterator[str]:
        source = shlex.quote(str(self._stage / str(block.line)))
        if "adds to" in block.marks:
            yield f"cat {source} >>{shlex.quote(block.marks['adds to'])}"
        elif "file" in block.marks:
            name = block.marks["file"]
            folder = shlex.quote(name.rpartition("/")[0] or ".")
            yield f"mkdir -p {folder}"
            yield f"cp {source} {shlex.quote(name)}"
        elif block.language in COMMANDS:
            run = "." if block.language == "sh" else "python"
            yield f"{run} {source} >{shlex.quote(str(self._output(block)))} 2>&1"

    def _output(self, block: Block) -> Path:
        return self._stage / f"{block.line}.out"


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
        assert {*block.marks} <= WRITES, f"{where(page, block)}: {block.marks}"
        assert block.language in FILES, (
            f"{where(page, block)}: a block of this language is not a file"
        )
    elif block.language in {"json", "yaml"}:
        try:
            check(block)
        except Exception as error:
            raise AssertionError(f"{where(page, block)}: {error}") from error


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
            assert command, f"{where(page, block)}: no command is above it"
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
