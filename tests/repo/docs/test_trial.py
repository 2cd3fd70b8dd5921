"""The trial of a page fails if the page is wrong."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .markdown import Page
from .trial import Place, first_missing, run

if TYPE_CHECKING:
    from collections.abc import Callable

TEST_OF_NO_PAGE = (
    "tests/wire/test_tls.py::test_an_authority_of_the_user_s_own_is_trusted"
)


@pytest.fixture
def try_page(tmp_path: Path) -> Callable[[str], Path]:
    """Try a page in an empty clone; returns the clone."""

    def check(text: str) -> Path:
        page, clone, stage = (tmp_path / name for name in ("page.md", "clone", "stage"))
        page.write_text(text)
        clone.mkdir()
        stage.mkdir()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        settings = {"api_url": "http://127.0.0.1:9/api", "as_of": "2024-03-20"}
        place = Place(clone, stage, os.environ | {"PATH": path}, {"adstage": settings})
        run(Page(page), place)
        return clone

    return check


def test_a_page_is_right_whose_commands_print_what_it_shows(
    try_page: Callable[[str], Path],
) -> None:
    clone = try_page(
        """
<!-- file: folder/config.json -->
```json
{"start_date": "2024-01-01"}
```

```sh
export WORD=good
cp folder/config.json own.json
```

- In a list:

  ```sh
  uv run python -c 'print("a\\n12:30 all is", "'$WORD'", "b")'
  ```

  ```text
  … all is good
  ```

```python
print("of Python")
```

```text
of Python
```

```mermaid
flowchart LR
```
""",
    )
    assert json.loads((clone / "own.json").read_text()) == {
        "start_date": "2024-01-01",
        "api_url": "http://127.0.0.1:9/api",
        "as_of": "2024-03-20",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```sh\ntrue\n```\n\n```sh\necho no; false\n```\n", r"page.md:5 ended .*\nno"),
        ("```sh\nfalse | true\n```\n", "page.md:1 ended with 1"),
        ("```sh\nuv run no-such-command\n```\n", "page.md:1 ended with 127"),
        ("```python\nraise SystemExit(3)\n```\n", "page.md:1 ended with 3"),
        ("```sh\necho a\n```\n```text\nb\n```\n", "page.md:4: 'b' is not in"),
        ("```text\nb\n```\n", "page.md:1: there is no command"),
        ("```\nls\n```\n", "page.md:1: unknown language ''"),
        ("Text.\n\n    ls\n", "page.md:3: unknown language ''"),
        ("```bash\nls\n```\n", "page.md:1: unknown language 'bash'"),
        ('```json\n{"start_dat": "2024-01-01"}\n```\n', "page.md:1: no config"),
        ('```json\n{"start_date": "now"}\n```\n', "page.md:1: .*'now'"),
        ('```json\n{"start_date": \n```\n', "page.md:1: Expecting value"),
        ('```json\n{"bookmarks": {"a": {}}}\n```\n', "page.md:1: no bookmark"),
        ("```yaml\nplugin: {}\n```\n", "page.md:1: .*'plugin' was unexpected"),
        (
            """```yaml
plugins:
  extractors:
  - name: tap-adstage
    config: {page_size: 0}
```""",
            "page.md:1: .*page_size",
        ),
        ("<!-- file: a -->\n```sh\nls\n```\n", "page.md:2: .* is not a file"),
        ("<!-- fill: a -->\n```json\n{}\n```\n", "page.md:2: .*fill"),
        ("<!-- run by: tests/no.py::test_a -->\n```sh\nls\n```\n", "page.md:2: tests"),
        (
            "<!-- run by: tests/repo/docs/test_trial.py::test_no -->\n```sh\nls\n```\n",
            "page.md:2: tests/repo/docs/test_trial.py::test_no doesn't run it",
        ),
        (
            f"<!-- run by: {TEST_OF_NO_PAGE} -->\n```sh\nls\n```\n",
            f"page.md:2: {TEST_OF_NO_PAGE} doesn't run it",
        ),
        ("<!-- run by: .ci/run -->\n```sh\nls -l\n```\n", "page.md:2: .ci/run"),
    ],
)
def test_a_page_is_wrong(
    try_page: Callable[[str], Path],
    text: str,
    message: str,
) -> None:
    with pytest.raises(AssertionError, match=message):
        try_page(text)


@pytest.mark.parametrize(
    "reference",
    [
        ".ci/run",
        "tests/repo/docs/test_trial.py::test_a_block_that_another_test_runs_is_left_to_it",
    ],
)
def test_a_block_that_another_test_runs_is_left_to_it(
    try_page: Callable[[str], Path],
    reference: str,
) -> None:
    try_page(f"<!-- run by: {reference} -->\n```sh\nuv run pytest\n```\n")


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("first\nlast", None),
        ("last\nfirst", "first"),
        ("first\nfirst", "first"),
        ("two … words", None),
        ("two words", "two words"),
        ("…", None),
        ("l.st", "l.st"),
    ],
)
def test_lines_are_found_in_their_order(shown: str, missing: str | None) -> None:
    printed = "first\nthese are two or three words\nlast\n"
    assert first_missing(shown, printed) == missing


def test_a_page_knows_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        "# A `page`'s name\n\nTo [it](#its) and ![a](a.png).\n\n"
        "## Again\n\nWithin.\n\n### Below\n\n## Again\n\n| [b](b.md#c) |\n| --- |\n"
    )
    page = Page(path)
    assert page.links == ["#its", "a.png", "b.md#c"]
    assert page.anchors == {"a-pages-name", "again", "below", "again-1"}
    assert page.section("### Below") == "\n"
