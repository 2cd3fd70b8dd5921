"""The trial of a page fails if the page is wrong."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.markdown import Page

from .page_trial import first_missing
from .trial import Place, run

if TYPE_CHECKING:
    from collections.abc import Callable

TEST_OF_NO_PAGE = (
    "tests/wire/test_tls.py::test_an_authority_of_the_user_s_own_is_trusted"
)


@pytest.fixture
def try_pages(tmp_path: Path) -> Callable[..., Path]:
    """Try pages in an empty clone, `page0.md` first; returns the clone."""

    def check(*texts: str) -> Path:
        clone, stage = (tmp_path / name for name in ("clone", "stage"))
        pages = []
        for number, text in enumerate(texts):
            page = tmp_path / f"page{number}.md"
            page.write_text(text)
            pages.append(Page(page))
        clone.mkdir()
        stage.mkdir()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        run(pages, Place(clone, stage, os.environ | {"PATH": path}))
        return clone

    return check


def test_a_page_is_right_whose_commands_print_what_it_shows(
    try_pages: Callable[..., Path],
) -> None:
    clone = try_pages(
        """
<!-- file: folder/config.json -->
```json
{"start_date": "2024-01-01"}
```

```sh
WORD=good
cp folder/config.json own.json
```

<!-- adds to: lines -->
```yaml
- a
```

<!-- adds to: lines -->
```yaml
- b
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
    assert (clone / "lines").read_text() == "- a\n- b\n"
    assert json.loads((clone / "own.json").read_text()) == {"start_date": "2024-01-01"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "```sh\ntrue\n```\n\n```sh\necho no; false\n```\n",
            r"page0.md:5 ended .*\nno",
        ),
        ("```sh\nfalse | true\n```\n", "page0.md:1 ended with 1"),
        ("```sh\nuv run no-such-command\n```\n", "page0.md:1 ended with 127"),
        ("```python\nraise SystemExit(3)\n```\n", "page0.md:1 ended with 3"),
        ("```sh\necho a\n```\n```text\nb\n```\n", "page0.md:4: 'b' is not in"),
        ("```text\nb\n```\n", "page0.md:1: no command is above it"),
        ("```\nls\n```\n", "page0.md:1: unknown language ''"),
        ("Text.\n\n    ls\n", "page0.md:3: unknown language ''"),
        ("```bash\nls\n```\n", "page0.md:1: unknown language 'bash'"),
        ('```json\n{"start_dat": "2024-01-01"}\n```\n', "page0.md:1: no config"),
        ('```json\n{"start_date": "now"}\n```\n', "page0.md:1: .*'now'"),
        ('```json\n{"start_date": \n```\n', "page0.md:1: Expecting value"),
        ('```json\n{"bookmarks": {"a": {}}}\n```\n', "page0.md:1: no bookmark"),
        ("```yaml\nplugin: {}\n```\n", "page0.md:1: .*'plugin' was unexpected"),
        (
            """```yaml
plugins:
  extractors:
  - name: tap-adstage
    config: {page_size: 0}
```""",
            "page0.md:1: .*page_size",
        ),
        ("<!-- file: a -->\n```sh\nls\n```\n", "page0.md:2: .* is not a file"),
        ("<!-- fill: a -->\n```json\n{}\n```\n", "page0.md:2: .*fill"),
        ("<!-- run by: tests/no.py::test_a -->\n```sh\nls\n```\n", "page0.md:2: tests"),
        (
            "<!-- run by: tests/repo/docs/test_trial.py::test_no -->\n```sh\nls\n```\n",
            "page0.md:2: tests/repo/docs/test_trial.py::test_no doesn't run it",
        ),
        (
            f"<!-- run by: {TEST_OF_NO_PAGE} -->\n```sh\nls\n```\n",
            f"page0.md:2: {TEST_OF_NO_PAGE} doesn't run it",
        ),
        ("<!-- run by: .ci/run -->\n```sh\nls -l\n```\n", "page0.md:2: .ci/run"),
    ],
)
def test_a_page_is_wrong(
    try_pages: Callable[..., Path],
    text: str,
    message: str,
) -> None:
    with pytest.raises(AssertionError, match=message):
        try_pages(text)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["```sh\nexport WORD=a\n```\n"], "page0.md: WORD outlives the page"),
        (["```sh\nunset HOME\n```\n"], "page0.md: HOME outlives the page"),
        (["```sh\nmkdir a; cd a\n```\n"], "page0.md: PWD outlives the page"),
        (
            ["```sh\nmkdir a; echo > a/b.c\n```\n", "```sh\ncat a/b.c\n```\n"],
            "page1.md: a/b.c is of an earlier page",
        ),
        (
            ["```sh\nexit 3\n```\n", "```sh\nfalse\n```\n", "```sh\ntrue\n```\n"],
            "(?s)page0.md:1 ended with 3.*page1.md:1 ended with 1",
        ),
    ],
)
def test_a_page_leans_on_no_other(
    try_pages: Callable[..., Path], texts: list[str], message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        try_pages(*texts)


def test_pages_may_use_the_same_names(try_pages: Callable[..., Path]) -> None:
    page = "```sh\nWORD=a sh -c 'echo $WORD' > a\n(cd /; export B=b)\ncat a\n```\n"
    try_pages(page, page.replace("cat a", "cat a b.a || true"))


@pytest.mark.parametrize(
    "reference",
    [
        ".ci/run",
        "tests/repo/docs/test_trial.py::test_a_block_that_another_test_runs_is_left_to_it",
    ],
)
def test_a_block_that_another_test_runs_is_left_to_it(
    try_pages: Callable[..., Path],
    reference: str,
) -> None:
    try_pages(f"<!-- run by: {reference} -->\n```sh\nuv run --group test pytest\n```\n")


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
