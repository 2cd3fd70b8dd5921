"""The workflows are sound, and the steps of the examples load everything."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from harness.environment import link_plugins
from harness.once import make_once
from harness.paths import ROOT
from harness.pipeline import OUTPUT_SIZE, small_world
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from psycopg import sql
from psycopg.rows import dict_row

from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLES = ROOT / "examples" / "github-actions"
FILES = sorted([*ROOT.glob(".github/workflows/*.yml"), *EXAMPLES.glob("*.yml")])
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def workflow(file: Path) -> dict[str, Any]:
    # YAML 1.1 takes `on` for true.
    return {str(key): value for key, value in yaml.safe_load(file.read_text()).items()}


LOAD = workflow(EXAMPLES / "adstage.yml")
SHARDS = workflow(EXAMPLES / "adstage-shards.yml")


# --- the files ---


def used() -> Iterator[tuple[str, str, str]]:
    """Each action that a workflow uses: its name, its commit, its version."""
    for file in FILES:
        for line in file.read_text().splitlines():
            if "uses:" in line and "uses: $/" not in line:
                match = re.fullmatch(
                    r" *-? *uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line
                )
                assert match, f"{file.name}: {line}"
                yield match[1], match[2], match[3]


def test_each_action_is_pinned_to_one_commit_that_names_its_version() -> None:
    pins = set(used())
    assert {name for name, *_ in pins} == {
        "actions/checkout",
        "actions/download-artifact",
        "actions/upload-artifact",
        "astral-sh/setup-uv",
        "pypa/gh-action-pypi-publish",
    }
    assert len(pins) == 5


def test_every_supported_python_is_tested() -> None:
    project = PYPROJECT["project"]
    named = [
        text.rpartition(" ")[2]
        for text in project["classifiers"]
        if re.search(r":: 3\.\d+$", text)
    ]
    supported = SpecifierSet(project["requires-python"])
    assert (
        named == [f"3.{n}" for n in range(100) if f"3.{n}" in supported][: len(named)]
    )
    jobs = workflow(ROOT / ".github" / "workflows" / "test.yml")["jobs"]
    for job in ("test", "wheel"):
        assert jobs[job]["strategy"]["matrix"]["python"] == named
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + named[0].replace(
        ".", ""
    )


def test_the_examples_install_the_meltano_that_is_tested() -> None:
    pinned = {
        str(requirement.specifier)
        for requirement in map(
            Requirement, PYPROJECT["tool"]["uv"]["constraint-dependencies"]
        )
        if requirement.name == "meltano"
    }
    installed = {
        version
        for file in EXAMPLES.glob("*.yml")
        for version in re.findall(r"'meltano\[\w+\](==[\d.]+)'", file.read_text())
    }
    assert installed == pinned


def test_a_dry_run_is_given_no_secret_and_is_never_a_load_as_well() -> None:
    dry_run, load = LOAD["jobs"]["dry-run"], LOAD["jobs"]["load"]
    assert not re.search(r"secrets|vars", yaml.safe_dump(dry_run))
    assert "environment" not in dry_run
    assert dry_run["if"] == "github.event_name == 'pull_request' || inputs.dry_run"
    assert load["if"] == "github.event_name != 'pull_request' && !inputs.dry_run"


def test_no_two_loads_run_at_once_and_none_is_cancelled_for_another() -> None:
    assert SHARDS["concurrency"] == {
        "group": "adstage-load",
        "cancel-in-progress": False,
    }
    group = LOAD["concurrency"]["group"]
    dry_run = LOAD["jobs"]["dry-run"]["if"]
    assert group == f"adstage-${{{{ ({dry_run}) && github.run_id || 'load' }}}}"
    assert LOAD["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize(
    ("tag", "heading", "error"),
    [
        ("v1.2.3", "## [1.2.3] - 2026-01-31", ""),
        ("v1.2.4", "## [1.2.4] - 2026-01-31", "it takes v1.2.3"),
        ("1.2.3", "## [1.2.3] - 2026-01-31", "it takes v1.2.3"),
        ("v1.2.3", "## [Unreleased]", "no heading '## [1.2.3] - YYYY-MM-DD'"),
        ("v1.2.3", "## [1.2.30] - 2026-01-31", "no heading"),
        ("v1.2.3", "## [1x2.3] - 2026-01-31", "no heading"),
    ],
)
def test_a_tag_is_released_if_version_and_changelog_agree_with_it(
    tmp_path: Path, tag: str, heading: str, error: str
) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "pyproject.toml").write_text('[project]\nname="a"\nversion="1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n")
    ended = subprocess.run(  # noqa: S603 - the project's own script
        [str(tmp_path / ".ci" / "version"), tag],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode == 0) == (error == ""), ended.stderr
    assert error in ended.stderr


# --- the steps of the examples ---

FIRST, SECOND = dt.date(2024, 3, 20), dt.date(2024, 3, 23)
CONFIG = {
    "start_date": "2024-03-01",
    "lookback_days": 7,
    "window_days": 5,
    "reports": [
        {"name": f"daily_{level}", "entity_level": level, "fields": ["clicks", "spend"]}
        for level in ("accounts", "campaigns", "ads")
    ]
    + [
        {
            "name": "by_network",
            "entity_level": "accounts",
            "aggregate_by": "month",
            "group_by": "network",
            "fields": ["spend"],
        }
    ],
}
Tables = dict[str, list[str]]
_FLAGS = ("--noprofile", "--norc", "-eo", "pipefail", "-c")


@dataclass
class Runner:
    """A GitHub runner, as far as the steps of a workflow can tell.

    Attributes:
        workspace: Where the repository is checked out.
        environment: What the machine's own environment variables are.
        values: What `${{ … }}` stands for.
    """

    workspace: Path
    environment: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)

    def start(
        self, workflow: dict[str, Any], job: str, step: str, *, without: str = ""
    ) -> subprocess.Popen[str]:
        """Start a step as GitHub does, without a part of its script."""
        (found,) = (
            each for each in workflow["jobs"][job]["steps"] if each.get("name") == step
        )
        variables = {
            name: self._text(str(value))
            for each in (workflow, workflow["jobs"][job], found)
            for name, value in each.get("env", {}).items()
        }
        script = self._text(found["run"])
        assert without in script
        return subprocess.Popen(  # noqa: S603 - a step of the project's own
            ["/usr/bin/env", "bash", *_FLAGS, script.replace(without, "")],
            cwd=self.workspace,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pipesize=OUTPUT_SIZE,
            start_new_session=True,
        )

    def run(self, workflow: dict[str, Any], job: str, step: str) -> str:
        return succeed(self.start(workflow, job, step))

    def _text(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda match: self.values[match[1]], text)


def succeed(step: subprocess.Popen[str]) -> str:
    output, _ = step.communicate(timeout=500)
    assert step.returncode == 0, output
    return output


@pytest.fixture(scope="session")
def installed(session: Path) -> Runner:
    """A machine on which the step that installs has run."""
    folder = session / "runner"
    prefixes = ("AWS_", "GITHUB_", "MELTANO_", "TAP_ADSTAGE_", "TARGET_POSTGRES_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}
    environment |= {
        "UV_PYTHON": sys.executable,
        "UV_TOOL_DIR": str(folder / "tools"),
        "UV_TOOL_BIN_DIR": str(folder / "bin"),
        "PATH": f"{folder / 'bin'}:{environment['PATH']}",
    }
    runner = Runner(folder, environment)

    def install(_: Path) -> None:
        project = yaml.safe_load((ROOT / "meltano.yml").read_text())
        extractors = project["plugins"]["extractors"]
        extractors[0]["pip_url"] = f"{ROOT}[demo]"
        # as the page on Meltano has it
        extractors += [{"name": "ads", "inherit_from": "tap-adstage", "config": CONFIG}]
        (folder / "meltano.yml").write_text(yaml.safe_dump(project))
        runner.run(LOAD, "load", "Install")

    make_once(folder, install)
    return runner


def test_every_job_of_the_examples_installs_alike() -> None:
    steps = [
        step["run"]
        for each in (LOAD, SHARDS)
        for job in each["jobs"].values()
        for step in job["steps"]
        if step.get("name") == "Install"
    ]
    assert len(steps) == 4
    assert len(set(steps)) == 1


@dataclass
class Account:
    """The API, the warehouse and the state of one repository's jobs.

    Attributes:
        sandbox: The API.
        postgres: The warehouse.
        installed: What each new machine is like.
        folder: Has the state, and the machines.
    """

    sandbox: Sandbox
    postgres: Postgres
    installed: Runner
    folder: Path

    def runner(self, day: dt.date, shard: str = "") -> Runner:
        """Return a new machine, without the files of those before it."""
        workspace = Path(tempfile.mkdtemp(dir=self.folder))
        shutil.copy(self.installed.workspace / "meltano.yml", workspace)
        link_plugins(self.installed.workspace, workspace)
        environment = {
            **self.installed.environment,
            "TAP_ADSTAGE_API_URL": self.sandbox.api_url,
            "TAP_ADSTAGE_AS_OF": day.isoformat(),
        }
        values = {
            "vars.MELTANO_STATE_BACKEND_URI": self.state.as_uri(),
            "secrets.AWS_ACCESS_KEY_ID": "",
            "secrets.AWS_SECRET_ACCESS_KEY": "",
            "secrets.TAP_ADSTAGE_ACCESS_TOKEN": self.sandbox.token,
            "secrets.TARGET_POSTGRES_HOST": self.postgres.host,
            "secrets.TARGET_POSTGRES_PORT": str(self.postgres.port),
            "secrets.TARGET_POSTGRES_USER": self.postgres.user,
            "secrets.TARGET_POSTGRES_PASSWORD": self.postgres.password,
            "secrets.TARGET_POSTGRES_DATABASE": self.postgres.database,
            "matrix.shard": shard,
        }
        self.sandbox.today = day
        return Runner(workspace, environment, values)

    @property
    def state(self) -> Path:
        """The folder that stands for the bucket."""
        return self.folder / "state"

    def first_days(self) -> list[str]:
        """The first day of each report request so far."""
        return [
            request.body["date_range"].partition("..")[0]
            for request in list(self.sandbox.requests)
            if request.path.endswith("/report")
        ]

    def tables(self) -> Tables:
        """Every row of every table, without what the loader adds."""
        with psycopg.connect(self.postgres.dsn, row_factory=dict_row) as connection:
            names = connection.execute(
                "select table_name from information_schema.tables"
                " where table_schema = 'adstage'"
            ).fetchall()
            return {
                name["table_name"]: sorted(
                    str({k: v for k, v in row.items() if not k.startswith("_sdc_")})
                    for row in connection.execute(
                        sql.SQL("select * from adstage.{}").format(
                            sql.Identifier(name["table_name"])
                        )
                    )
                )
                for name in names
            }


@pytest.fixture
def account(installed: Runner, tmp_path: Path) -> Iterator[Account]:
    with (
        Sandbox(world=small_world(seed=2), today=FIRST) as sandbox,
        Postgres() as postgres,
    ):
        yield Account(sandbox, postgres, installed, tmp_path)


@pytest.fixture(scope="session")
def loaded(installed: Runner, session: Path) -> Tables:
    """The tables after one load of everything."""

    def load(folder: Path) -> None:
        with (
            Sandbox(world=small_world(seed=2), today=FIRST) as sandbox,
            Postgres() as postgres,
        ):
            account = Account(sandbox, postgres, installed, folder)
            account.runner(FIRST).run(LOAD, "load", "Load")
            tables = account.tables()
        for level in ("accounts", "campaigns", "ads"):
            expected = len(sandbox.world.entities(level)) * 19
            assert len(tables[f"daily_{level}"]) == expected
        (folder / "tables.json").write_text(json.dumps(tables))

    folder = make_once(session / "loaded", load)
    tables: Tables = json.loads((folder / "tables.json").read_text())
    return tables


def test_a_dry_run_reads_generated_data_and_writes_to_no_real_database(
    account: Account,
) -> None:
    runner = account.runner(FIRST)
    real = {
        name.partition(".")[2]: value
        for name, value in runner.values.items()
        if name.startswith("secrets.")
    }
    # Even if the machine has the settings of the real ones.
    runner.environment = {
        **runner.environment,
        **real,
        "TAP_ADSTAGE_START_DATE": "2024-03-18",
    }
    output = runner.run(LOAD, "dry-run", "Load generated data")
    assert "daily_campaigns" in output
    assert list(account.sandbox.requests) == []
    assert account.tables() == {}
    assert not account.state.exists()


def test_the_next_job_resumes_from_the_state_that_the_last_one_kept(
    account: Account, loaded: Tables
) -> None:
    account.runner(FIRST).run(LOAD, "load", "Load")
    assert account.tables() == loaded
    asked = len(account.first_days())
    account.runner(SECOND).run(LOAD, "load", "Load")
    assert set(account.first_days()[asked:]) == {
        "2024-03-01",  # of the month that is not over
        "2024-03-12",
        "2024-03-17",
        "2024-03-22",
    }
    for level in ("accounts", "campaigns", "ads"):
        expected = len(account.sandbox.world.entities(level)) * 22
        assert len(account.tables()[f"daily_{level}"]) == expected


def test_the_next_job_after_killed_ones_loads_every_row_once(
    account: Account, loaded: Tables
) -> None:
    runner = account.runner(FIRST)
    kill_after(8, runner, account)
    refused = runner.start(LOAD, "load", "Load", without="--force ")
    assert "already running" in refused.communicate(timeout=120)[0]
    assert refused.returncode != 0
    kill_after(8, account.runner(FIRST), account)  # a new machine, with the same state
    runner.run(LOAD, "load", "Load")
    assert account.tables() == loaded


def kill_after(report_requests: int, runner: Runner, account: Account) -> None:
    """Start a load, and kill it once it has sent so many report requests."""
    number = len(account.first_days()) + report_requests
    job = runner.start(LOAD, "load", "Load")
    deadline = time.monotonic() + 600
    while len(account.first_days()) < number:
        assert job.poll() is None, "the run ended too early"
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.01)
    os.killpg(job.pid, signal.SIGKILL)
    job.communicate(timeout=60)


def test_a_load_that_would_forget_its_state_is_refused(account: Account) -> None:
    runner = account.runner(FIRST)
    runner.values = {**runner.values, "vars.MELTANO_STATE_BACKEND_URI": ""}
    job = runner.start(LOAD, "load", "Load")
    assert "where the state is kept" in job.communicate(timeout=60)[0]
    assert job.returncode != 0
    assert list(account.sandbox.requests) == []


def test_all_shards_at_once_load_what_one_load_of_everything_does(
    account: Account, loaded: Tables
) -> None:
    account.runner(FIRST).run(SHARDS, "tables", "Create the tables")
    assert account.tables() == {name: [] for name in loaded}
    load = SHARDS["jobs"]["load"]
    assert load["needs"] == "tables"
    jobs = [
        account.runner(FIRST, shard).start(SHARDS, "load", "Load")
        for shard in load["strategy"]["matrix"]["shard"]
    ]
    for job in jobs:
        succeed(job)
    assert account.tables() == loaded
    assert len(list(account.state.iterdir())) == len(jobs) == 4
