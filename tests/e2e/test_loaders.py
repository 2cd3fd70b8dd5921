"""What the loaders of docs/loaders.md make of the tap's messages.

Each loads a full run and an incremental one three days later, between which an account
was unlinked and a field was added. Before them, it loads a report with more digits than
a float holds, and what only Spotify has.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from harness.clock import wait_until
from harness.loaders import (
    PAGE,
    CsvLoader,
    DuckdbLoader,
    JsonlLoader,
    Loader,
    LoaderError,
    PostgresLoader,
    plugins,
    query_duckdb,
)
from harness.pipeline import FIRST, LOOKBACK, SECOND, START, small_world
from harness.singer import Messages

from tap_adstage.sandbox.cli.environment import loader_settings
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_httpserver import HTTPServer

# --- what the tap writes ---


class Run(NamedTuple):
    """The lines of a run, and what they say."""

    lines: list[str]
    messages: Messages

    @classmethod
    def of(cls, lines: Iterable[str]) -> Run:
        """Read the lines of a run."""
        lines = [*lines]
        decode = json.JSONDecoder(parse_float=Decimal).decode
        return cls(lines, Messages([decode(line) for line in lines]))


def run_tap(settings: dict[str, Any], streams: set[str], state: Any = None) -> Run:  # noqa: ANN401
    """Run the tap for some of its streams."""
    tap = TapAdStage(config=settings, state=state)
    for name, stream in tap.streams.items():
        stream.selected = name in streams
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        tap.sync_all()
    return Run.of(stdout.getvalue().splitlines(keepends=True))


NUMBERS = {
    "clicks": ["3589", "0"],
    "impressions": ["12345678901234567", "9007199254740993"],
    "spend": ["12345678901234567.25", "0.1"],
}
METRICS = ", ".join(f'"{name}": [{", ".join(each)}]' for name, each in NUMBERS.items())
ANSWER = """{
  "type": "timeseries",
  "time": {"timestamps": ["2024-03-18T00:00:00Z", "2024-03-19T00:00:00Z"]},
  "_embedded": {"results": [{
    "summary": {"meta": {"entity_id": "/network/adwords/campaign/1",
                         "network": "adwords", "campaign_name": "a\\u0000b\\ud83d",
                         "account_name": ""}},
    "series": {"metrics": {METRICS}, "calculated": {}}}]}
}""".replace("METRICS", METRICS)


@pytest.fixture
def exact_settings(httpserver: HTTPServer) -> dict[str, Any]:
    """Settings that read an API with numbers that no float holds."""
    answers = {
        "/organizations/40": '{"fetch_id": 40}',
        "/metric_descriptors": json.dumps([{"id": name} for name in NUMBERS]),
        "/organizations/40/metric_descriptors": '[{"id": "ctr"}]',
        "/v2/organizations/40/report": ANSWER,
    }
    for path, text in answers.items():
        request = httpserver.expect_request(f"/api{path}")
        request.respond_with_data(text, content_type="application/json")
    report = {
        "name": "exact",
        "entity_level": "campaigns",
        "fields": [*NUMBERS, "campaign_name", "account_name", "tracking_params"],
        "date_range": "2024-03-18..2024-03-19",
    }
    return {
        "api_url": httpserver.url_for("/api"),
        "access_token": "s3cret",
        "organization_id": 40,
        "as_of": "2024-03-20",
        "import_policy": "ignore",
        "reconcile": "off",
        "reports": [report],
    }


@pytest.fixture(scope="module")
def spotify() -> Run:
    """A run of the other source: lists of objects, and conversions that it hides."""
    report = {
        "name": "hidden",
        "entity_level": "ad_sets",
        "fields": ["IMPRESSIONS", "PURCHASES"],
        "date_range": "2024-03-18..2024-03-19",
    }
    with SpotifyAdsSandbox(today=FIRST) as sandbox:
        settings = {
            "source": "spotify_ads",
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "as_of": FIRST.isoformat(),
            "reports": [report],
        }
        run = run_tap(settings, {"ad_sets", "hidden"})
    assert any(row["below_threshold"] for row in run.messages.records("hidden"))
    return run


@pytest.fixture
def once(exact_settings: dict[str, Any], spotify: Run) -> Run:
    """What is loaded once: those numbers, and Spotify's rows, without a state."""
    lines = [*run_tap(exact_settings, {"exact"}).lines, *spotify.lines]
    return Run.of(line for line in lines if '"type":"STATE"' not in line)


class Runs(NamedTuple):
    """A full run and an incremental one.

    Attributes:
        full: With all accounts.
        incremental: Three days later, without one of them, and with one field more.
        truth: The day, the entity, clicks and spend of all rows, as last read.
        gone: The remote id of the account that the second run doesn't have.
    """

    full: Run
    incremental: Run
    truth: list[tuple[Any, ...]]
    gone: str


def days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.fixture(scope="module")
def runs() -> Runs:
    world = small_world()
    accounts = world.entities("accounts")
    gone = accounts[0]
    with Sandbox(world=world, today=FIRST) as sandbox:
        settings = {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "start_date": START.isoformat(),
            "lookback_days": LOOKBACK,
            "import_policy": "ignore",
            "backfill": "off",
            "emit_activate_version_messages": True,
        }
        grouped = {
            "name": "spend_by_currency",
            "entity_level": "accounts",
            "group_by": "currency_code",
            "fields": ["spend"],
        }

        def run(day: dt.date, fields: list[str], state: Any = None) -> Run:  # noqa: ANN401
            sandbox.today = day
            daily = {"name": "daily", "entity_level": "accounts", "fields": fields}
            changes = {"as_of": day.isoformat(), "reports": [daily, grouped]}
            return run_tap(settings | changes, {*KEYS}, state)

        full = run(FIRST, ["clicks", "spend"])
        # The second that a run began in is the version of its rows.
        version = full.messages.of("ACTIVATE_VERSION")[0]["version"]
        wait_until(lambda: time.time() >= version + 1)
        world.unlinked = frozenset({gone.entity_id})
        incremental = run(
            SECOND, ["clicks", "spend", "conversions"], full.messages.state
        )

    reread = FIRST - dt.timedelta(days=1 + LOOKBACK)
    truth = []
    for account in accounts:
        is_gone = account.entity_id == gone.entity_id
        for day in days(START, (FIRST if is_gone else SECOND) - dt.timedelta(days=1)):
            seen = FIRST if is_gone or day < reread else SECOND
            clicks, spend = (
                world.metric(account, field, day, today=seen)
                for field in ("clicks", "spend")
            )
            truth.append(
                {
                    "date": day,
                    "entity_id": account.entity_id,
                    "clicks": clicks,
                    "spend": spend,
                }
            )
    return Runs(full, incremental, metrics(truth), gone.remote_id)


KEYS = {
    "accounts": ("network", "remote_id"),
    "daily": ("date", "entity_id"),
    "folder_campaigns": ("folder_id", "network", "remote_campaign_id"),
    "folders": ("fetch_id",),
    "import_status": ("network", "name"),
    "spend_by_currency": ("date", "currency_code"),
}
"""The streams that are loaded, and their keys."""

# --- what the page says of each loader ---


def in_utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


Conversions = dict[str, "Callable[[Any], Any]"]
CONVERSIONS: dict[str, Conversions] = {
    "target-jsonl": {},
    "target-csv": {
        "number": str,
        "integer": str,
        "boolean": str,
        "array": str,
        "object": str,
        "date-time": lambda text: str(in_utc(text)),
    },
    "target-duckdb": {
        "number": float,
        "integer": str,  # so DuckDB's command line shows a `hugeint` in JSON
        "string": lambda text: text or None,
        "date-time": lambda text: str(in_utc(text).replace(tzinfo=None)),
    },
    "target-postgres": {
        "number": Decimal,
        "date": dt.date.fromisoformat,
        "date-time": lambda text: in_utc(text).replace(tzinfo=None),
    },
}
"""What becomes of a value that is not null, by its format or its type."""


def kind(schema: Mapping[str, Any]) -> str:
    """Return the format of a property, or else its type."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return str(schema.get("format") or next(name for name in types if name != "null"))


def converted(
    loader: Loader, stream: str, schema: Mapping[str, Any], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a record as the page says that a loader loads it."""
    null = "" if loader.name == "target-csv" else None
    conversions = {
        name: CONVERSIONS[loader.name].get(kind(each), same)
        for name, each in schema["properties"].items()
    }
    # Stream maps make JSON of lists and objects.
    maps = loader.settings.get("stream_maps", {}).get(stream, {})
    conversions |= dict.fromkeys(maps, json.dumps)
    return {
        name: null if record.get(name) is None else convert(record[name])
        for name, convert in conversions.items()
    }


def schema_of(run: Run, stream: str) -> dict[str, Any]:
    schema: dict[str, Any] = run.messages.of("SCHEMA", stream)[0]["schema"]
    return schema


def same(value: Any) -> Any:  # noqa: ANN401
    return value


def expected(loader: Loader, stream: str, *runs: Run) -> list[list[dict[str, Any]]]:
    """Return each run's records of a stream as the page says they are loaded."""
    return [
        [
            converted(loader, stream, schema_of(run, stream), record)
            for record in run.messages.records(stream)
        ]
        for run in runs
    ]


# --- the loaders ---


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def loader(request: pytest.FixtureRequest, tmp_path: Path) -> Loader:
    """A loader with its settings in `meltano.yml` or on the page, or by default."""
    name, _, variant = request.param.partition(" ")
    settings = dict(plugins()[name]["config"])
    (tmp_path / "output").mkdir()
    if name == "target-jsonl":
        return JsonlLoader(name, settings, tmp_path)
    if name == "target-csv":
        return CsvLoader(name, settings, tmp_path)
    if name == "target-duckdb":
        settings["path"] = str(tmp_path / "output" / "warehouse.duckdb")
        return DuckdbLoader(name, settings, tmp_path)
    server = request.getfixturevalue("postgres")
    if variant:
        settings = {"default_target_schema": "defaults"}
    connection: dict[str, Any] = {
        key.removeprefix("TARGET_POSTGRES_").lower(): value
        for key, value in loader_settings(server).items()
    }
    connection["port"] = int(connection["port"])
    return PostgresLoader(name, settings | connection, tmp_path, server)


def load_all(loader: Loader, once: Run, runs: Runs) -> None:
    """Load the runs, see where the loader says each ended, and what is loaded once."""
    assert loader.load([*once.lines, *runs.full.lines]) == runs.full.messages.state
    # Loaders name the files of a run by the second.
    loaded = int(time.time())
    wait_until(lambda: time.time() >= loaded + 1)
    state = loader.load(runs.incremental.lines)
    assert state == runs.incremental.messages.state
    for stream in ("exact", "ad_sets", "hidden"):
        (rows,) = expected(loader, stream, once)
        assert in_order(loader.rows(stream)) == in_order(rows), stream


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return rows without the loaders' own columns and without nulls, in an order."""
    return sorted(
        json.dumps(
            {
                name: value
                for name, value in row.items()
                if not name.startswith("_sdc_") and value is not None
            },
            sort_keys=True,
            default=repr,
        )
        for row in rows
    )


@pytest.mark.parametrize(
    "loader",
    ["target-duckdb", "target-postgres", "target-postgres by default"],
    indirect=True,
)
def test_tables_hold_each_row_once_with_its_newest_values(
    loader: Loader, once: Run, runs: Runs
) -> None:
    load_all(loader, once, runs)
    for stream, keys in KEYS.items():
        newest = {
            tuple(row[key] for key in keys): row
            for run in expected(loader, stream, runs.full, runs.incremental)
            for row in run
        }
        assert in_order(loader.rows(stream)) == in_order([*newest.values()]), stream
    assert metrics(loader.rows("daily")) == runs.truth
    if isinstance(loader, PostgresLoader):
        deleted = [
            row["remote_id"]
            for row in loader.rows("accounts")
            if row["_sdc_deleted_at"] is not None
        ]
        assert deleted == [runs.gone]
        assert {*loader.json_types("exact", "tracking_params")} == {"null"}


@pytest.mark.parametrize("loader", ["target-jsonl", "target-csv"], indirect=True)
def test_files_hold_every_version_and_the_page_s_query_reads_the_newest(
    loader: Loader, once: Run, runs: Runs
) -> None:
    load_all(loader, once, runs)
    for stream in KEYS:
        full, incremental = expected(loader, stream, runs.full, runs.incremental)
        assert in_order(loader.rows(stream)) == in_order([*full, *incremental]), stream
    query = PAGE.block_run_by(
        "test_files_hold_every_version_and_the_page_s_query_reads_the_newest"
    ).text
    if loader.name == "target-csv":
        query = query.replace("read_json", "read_csv").replace(".jsonl", ".csv")
    own = {name for name in loader.rows("daily")[0] if name.startswith("_sdc_")}
    assert ("_sdc_extracted_at" in own) is (loader.name == "target-csv")
    newest = query_duckdb(":memory:", query, loader.folder)
    assert metrics(newest) == runs.truth


@pytest.fixture
def batch(exact_settings: dict[str, Any], tmp_path: Path) -> Run:
    """A run whose records are in a file, which a message names."""
    batches = {
        "encoding": {"format": "jsonl", "compression": "none"},
        "storage": {"root": (tmp_path / "batches").as_uri()},
    }
    run = run_tap(exact_settings | {"batch_config": batches}, {"exact"})
    assert len(run.messages.of("BATCH")) == 1
    return run


@pytest.mark.parametrize("loader", ["target-csv", "target-postgres"], indirect=True)
def test_every_digit_arrives_from_batch_files(loader: Loader, batch: Run) -> None:
    loader.load(batch.lines)
    rows = loader.rows("exact")
    for name, texts in NUMBERS.items():
        assert sorted(str(row[name]) for row in rows) == sorted(texts)
    assert [row["campaign_name"] for row in rows] == ["a\ufffdb\ufffd"] * 2


@pytest.mark.parametrize("loader", ["target-duckdb", "target-jsonl"], indirect=True)
def test_loaders_that_read_no_batch_files_fail(loader: Loader, batch: Run) -> None:
    with pytest.raises(LoaderError, match=r"BATCH|parse_message"):
        loader.load(batch.lines)


def metrics(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return day, entity, clicks and spend of the rows of a report."""
    return sorted(
        (
            str(row["date"]),
            row["entity_id"],
            *(
                row[name] if row[name] is None else float(row[name])
                for name in ("clicks", "spend")
            ),
        )
        for row in rows
    )
