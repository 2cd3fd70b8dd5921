"""Pages on trial: their blocks are run from top to bottom, as a reader would.

All pages run in one shell and one folder, so that a page which spoils something for a
later one is found. What a page needs, it must bring itself: it may neither leave a
variable to the next one, nor read a file that an earlier one wrote.
"""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from os import killpg
from typing import TYPE_CHECKING

from .page_trial import PageTrial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.markdown import Page

TIMEOUT = 900


@dataclass(frozen=True)
class Place:
    """Where pages are run.

    Attributes:
        clone: A copy of the clone, which the pages may change.
        stage: An empty folder for what the trial itself writes.
        environment: All environment variables.
        around: A command that runs the shell, which is given to it.
    """

    clone: Path
    stage: Path
    environment: Mapping[str, str]
    around: Sequence[str] = ()


def run(pages: Sequence[Page], place: Place) -> None:
    """Run pages.

    Args:
        pages: The pages, in their order.
        place: The shell and the folder for them.

    Raises:
        AssertionError: A block is not of its language, a command fails, or it doesn't
            print what its page shows, or a page leans on another. The text names all
            that is wrong, with page and line.
    """
    trials = [PageTrial(page, place.stage / page.path.name) for page in pages]
    errors: list[str] = []
    waiting = trials
    while waiting:  # a shell for all pages, and one more after each that ends it
        code = execute(waiting, place)
        begun = [trial for trial in waiting if trial.has_begun]
        assert begun, f"the shell ended with {code}, before any page"
        if not begun[-1].is_done:
            errors.append(begun[-1].failure(code))
        waiting = waiting[len(begun) :]
    earlier: set[str] = set()
    for trial in trials:
        if trial.is_done:
            errors += trial.errors(earlier)
        earlier |= trial.files
    assert not errors, "\n\n".join(errors)


def execute(trials: Sequence[PageTrial], place: Place) -> int:
    """Run the pages' scripts in one shell, and end whatever it left running.

    Returns:
        Its exit code.
    """
    script = place.stage / "pages.sh"
    script.write_text("\n".join(trial.script for trial in trials))
    with subprocess.Popen(  # noqa: S603 - the pages' own commands
        [*place.around, "bash", "-eo", "pipefail", script],
        cwd=place.clone,
        env=dict(place.environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as shell:
        try:
            return shell.wait(TIMEOUT)
        finally:
            with suppress(ProcessLookupError):
                killpg(shell.pid, signal.SIGKILL)
