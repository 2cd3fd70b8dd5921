"""The DAG of the example runs in a real Airflow, as docs/scale-out.md sets it up."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from harness.environment import clean_environment
from harness.once import cache_folder, make_once
from harness.paths import ROOT
from harness.pipeline import FIRST, LEVELS, PLUGINS, commands
from meltano.core.job.job import HEARTBEAT_VALID_MINUTES

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from harness.pipeline import Pipeline

INSTALL, RUN = commands("scale-out.md", "With Airflow")
AIRFLOW = ROOT / "examples" / "airflow"
DESCRIBE = """
import datetime as dt, json, runpy, types

dag = runpy.run_path("examples/airflow/dags/adstage.py")["adstage"]()
triggered = dt.datetime(2024, 3, 21, 9, 30)
runs = {
    "scheduled": types.SimpleNamespace(
        data_interval_end=dt.datetime(2024, 3, 20, 6), run_after=triggered
    ),
    "by hand": types.SimpleNamespace(data_interval_end=None, run_after=triggered),
}
tasks = [dag.get_task(name) for name in ("tables", "load")]
envs = [getattr(task, "env", None) or task.partial_kwargs["env"] for task in tasks]
templates = [
    dag.get_template_env().from_string(env["TAP_ADSTAGE_AS_OF"]) for env in envs
]
print(json.dumps({
    "catchup": dag.catchup,
    "max_active_runs": dag.max_active_runs,
    "retries": [[task.retries, task.retry_delay.total_seconds()] for task in dag.tasks],
    "as_of": {
        name: [template.render(dag_run=run) for template in templates]
        for name, run in runs.items()
    },
}))
"""
MIGRATE = "airflow/bin/airflow db migrate\n"
OFFLINE = {"AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False"}


@pytest.fixture(scope="session")
def installed() -> Path:
    """A folder with Airflow as the page installs it, kept for later runs too."""
    requirements = AIRFLOW / "requirements.txt"
    key = (INSTALL, requirements.read_text(), sys.base_prefix, sys.version)

    def install(folder: Path) -> None:
        shutil.copytree(AIRFLOW, folder / "examples" / "airflow")
        subprocess.run(  # noqa: S603 - the page's own commands
            ["bash", "-ec", INSTALL],  # noqa: S607
            cwd=folder,
            env=clean_environment() | {"UV_PYTHON": sys.executable},
            check=True,
            timeout=600,
        )

    return make_once(cache_folder("airflow", *key), install)


@pytest.fixture
def airflow(pipeline: Pipeline, installed: Path) -> Pipeline:
    """A pipeline whose project has the examples, and an Airflow of its own."""
    shutil.copytree(AIRFLOW, pipeline.project / "examples" / "airflow")
    home = pipeline.project / "airflow"
    home.mkdir()
    for part in (installed / "airflow").iterdir():
        (home / part.name).symlink_to(part)
    return pipeline


def run(pipeline: Pipeline, day: dt.date, shards: int) -> subprocess.Popen[str]:
    """Start a run of the DAG that is due on a day, the first in a new database."""
    assert MIGRATE in RUN
    has_database = (pipeline.project / "airflow" / "airflow.db").exists()
    script = (
        RUN.replace("SHARDS=3\n", f"SHARDS={shards}\n")
        .replace("YOUR_TOKEN", pipeline.sandbox.token)
        .replace("2024-03-20", day.isoformat())
        .replace(MIGRATE, "" if has_database else MIGRATE)
    )
    return pipeline.start(
        *("bash", "-ec", script), day=day, TAP_ADSTAGE_AS_OF="never", **OFFLINE
    )


def output(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=400)
    assert process.returncode == 0, text
    return text


def test_a_killed_run_and_its_retry_equal_a_run_without_shards(
    airflow: Pipeline,
) -> None:
    dag_run = run(airflow, FIRST, shards=2)
    of_one_shard = 4 * 4  # windows of the daily reports
    airflow.await_questions(dag_run, of_one_shard + 8)
    main = psutil.Process(dag_run.pid)
    processes = [main, *main.children(recursive=True)]
    (state_id,) = {
        word
        for process in processes
        for word in process.cmdline()
        if word.startswith("adstage-shard-")
    }
    for process in processes:
        process.kill()
    dag_run.communicate(timeout=60)
    same = airflow.start("meltano", "el", "--state-id", state_id, *PLUGINS, day=FIRST)
    refused, _ = same.communicate(timeout=60)
    assert "already running" in refused
    assert same.returncode != 0
    six_minutes_pass(airflow)
    asked = len(airflow.questions())
    log = output(run(airflow, FIRST, shards=2))
    assert sorted(re.findall(r"end task task_id=load map_index=(\d)", log)) == [*"01"]
    for secret in (airflow.sandbox.token, airflow.postgres.password):
        assert secret not in log
    # The killed shard requests all that it had not loaded, up to the same day; the one
    # that was completed requests its lookback only.
    ranges = airflow.daily_ranges(asked)
    assert ranges.count("2024-03-01..2024-03-05") == len(LEVELS)
    assert ranges.count("2024-03-12..2024-03-16") == len(LEVELS)
    assert max(ranges) == "2024-03-17..2024-03-19"
    airflow.run_whole(FIRST)
    assert airflow.tables() == airflow.tables("whole")


def six_minutes_pass(pipeline: Pipeline) -> None:
    """Set the last heartbeat of all of Meltano's runs to six minutes ago."""
    path = pipeline.environment["MELTANO_DATABASE_URI"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "update runs set last_heartbeat_at = datetime('now', '-6 minutes') "
            "where state = 'RUNNING'"
        )


@pytest.fixture(scope="module")
def described(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - JSON
    """What the DAG is in an Airflow that has read it, and when its runs ask."""
    ended = subprocess.run(  # noqa: S603 - the Airflow of this test
        [installed / "airflow" / "bin" / "python", "-c", DESCRIBE],
        cwd=installed,
        env=clean_environment()
        | OFFLINE
        | {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow"))},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def test_retries_wait_for_longer_than_meltano_holds_a_killed_run_for_alive(
    described: Any,  # noqa: ANN401 - JSON
) -> None:
    assert not described["catchup"]
    assert described["max_active_runs"] == 1
    assert len(described["retries"]) == 3
    for number, seconds in described["retries"]:
        assert number > 0
        assert seconds > HEARTBEAT_VALID_MINUTES * 60


def test_a_run_asks_as_of_its_interval_s_end_or_else_of_when_it_was_triggered(
    described: Any,  # noqa: ANN401 - JSON
) -> None:
    """A run that is triggered by hand has no data interval in its context."""
    assert described["as_of"] == {
        "scheduled": ["2024-03-20T06:00:00", "2024-03-20T06:00:00"],
        "by hand": ["2024-03-21T09:30:00", "2024-03-21T09:30:00"],
    }


def test_the_pins_name_no_address_and_every_version() -> None:
    lines = (AIRFLOW / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 100
    for line in pins:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line), line
