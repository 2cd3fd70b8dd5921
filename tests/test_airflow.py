"""The DAG of examples/airflow runs in a real Airflow, as docs/scale-out.md sets it up."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from meltano.core.job.job import HEARTBEAT_VALID_MINUTES
from pipeline import FIRST, ROOT, SECOND, START, commands

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from pipeline import Pipeline

INSTALL, RUN = commands("scale-out.md", "With Airflow")
AIRFLOW = ROOT / "examples" / "airflow"
OFFLINE = {"AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False"}


@pytest.fixture(scope="session")
def installed(plugins: Path) -> Path:
    """The Meltano project with the examples, and an empty `airflow/` beside them."""
    shutil.copytree(AIRFLOW, plugins / "examples" / "airflow")
    return plugins


@pytest.fixture
def airflow(pipeline: Pipeline, installed: Path) -> Pipeline:
    """A pipeline in whose project Airflow is installed."""
    if not (installed / "airflow").exists():
        pipeline.run_script(INSTALL, FIRST)
    return pipeline


def run(pipeline: Pipeline, day: dt.date, shards: int = 3) -> subprocess.Popen[str]:
    """Start a run of the DAG that is due on a day."""
    script = (
        RUN
        .replace("SHARDS=3\n", f"SHARDS={shards}\n")
        .replace("YOUR_TOKEN", pipeline.sandbox.token)
        .replace("2024-03-20", day.isoformat())
    )
    return pipeline.start(
        *("bash", "-ec", script), day=day, TAP_ADSTAGE_AS_OF="never", **OFFLINE
    )


def output(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=400)
    assert process.returncode == 0, said
    return said


def asked_days(pipeline: Pipeline, asked: int) -> dict[tuple[str, ...], set[str]]:
    """By the accounts asked for, the ranges of daily reports since so many questions."""
    ranges: dict[tuple[str, ...], set[str]] = {}
    for question in pipeline.questions()[asked:]:
        if len(question["fields"]) == 7:
            accounts = tuple(sorted(question["sources"]["metrics"]["targets"]))
            ranges.setdefault(accounts, set()).add(question["date_range"])
    return ranges
