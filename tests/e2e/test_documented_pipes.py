"""The documentation's pipes report a failure, and keep the state through it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from harness.environment import clean_environment
from harness.markdown import README, Block, Page, pages
from harness.pipeline import FIRST, SECOND, small_world

from tap_adstage.sandbox.cli.environment import loader_settings
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PIPE = re.compile(r"\| *(uv run )?target-\w+")
PIPES = [
    pytest.param(block, id=f"{path.name}:{block.line}")
    for path in pages()
    for block in Page(path).blocks
    if block.language == "sh" and PIPE.search(block.text)
]
BOOKMARK = {
    "replication_key": "date",
    "replication_key_value": "2024-03-19",
    "aggregate_by": "day",
}


def bash(
    block: Block, folder: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a block as it stands, as a script of its own."""
    script = re.sub(r"\buv run (?!-)", "", block.text)
    return subprocess.run(  # noqa: S603 - the page's own commands
        ["bash", "-c", script],  # noqa: S607
        cwd=folder,
        env={**clean_environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_there_are_pipes() -> None:
    assert len(PIPES) >= 4


@pytest.mark.parametrize("block", PIPES)
@pytest.mark.parametrize(("tap", "loader"), [(1, 0), (0, 1), (0, 0)])
def test_every_pipe_ends_with_the_code_of_what_failed(
    tmp_path: Path, block: Block, tap: int, loader: int
) -> None:
    state = json.dumps({"bookmarks": {}})
    (tmp_path / "states.jsonl").write_text(f"{state}\n")
    commands = {
        "tap-adstage": f'[[ " $* " == *" --test "* ]] || exit {tap}',
        "target-postgres": f"cat > loaded; exit {loader}",
        "tap-adstage-sandbox": 'while [ "$1" != --postgres ]; do shift; done; "${@:2}"',
    }
    path = tmp_path / "bin"
    path.mkdir()
    for name, script in commands.items():
        (path / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (path / name).chmod(0o755)
    search = {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    ended = bash(block, tmp_path, search)
    assert ended.returncode == tap + loader, ended.stderr
    assert (tmp_path / "loaded").exists()
    assert (tmp_path / "states.jsonl").read_text() == f"{state}\n"


def readme_pipe() -> Block:
    (block,) = (each for each in Page(README).blocks if PIPE.search(each.text))
    return block


@pytest.mark.parametrize("down", ["the API", "the database"])
def test_readme_s_pipe_resumes_after_a_night_that_failed(
    tmp_path: Path, down: str
) -> None:
    pipe = readme_pipe()

    def load(sandbox: Sandbox, **changes: Any) -> int:  # noqa: ANN401 - settings
        settings = {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "as_of": sandbox.today.isoformat(),
            "start_date": "2024-03-10",
            "lookback_days": 2,
            "max_retry_seconds": 0,
            "import_policy": "ignore",
            "reports": [
                {"name": "daily", "entity_level": "accounts", "fields": ["clicks"]}
            ],
        }
        (tmp_path / "config.json").write_text(json.dumps(settings | changes))
        return bash(pipe, tmp_path, database).returncode

    def saved() -> dict[str, Any]:
        lines = (tmp_path / "states.jsonl").read_text().splitlines()
        state: dict[str, Any] = json.loads(lines[-1])["bookmarks"]["daily"]
        return state

    with (
        Sandbox(world=small_world(), today=FIRST) as sandbox,
        Postgres() as postgres,
    ):
        database = loader_settings(postgres)
        assert load(sandbox) == 0
        assert saved()["replication_key_value"] == "2024-03-19"
        if down == "the API":
            assert load(sandbox, api_url="http://127.0.0.1:9/api") != 0
        else:
            database = {**loader_settings(postgres), "TARGET_POSTGRES_PORT": "9"}
            assert load(sandbox) != 0
            database = loader_settings(postgres)
        assert saved()["replication_key_value"] == "2024-03-19"
        sandbox.today = SECOND
        before = len(sandbox.requests)
        assert load(sandbox) == 0
        asked = [
            request.body["date_range"]
            for request in [*sandbox.requests][before:]
            if request.path.endswith("/report")
        ]
        assert asked == ["2024-03-17..2024-03-22"]
        assert saved()["replication_key_value"] == "2024-03-22"
