"""Spotify Ads for real: from its sandbox through the tap into Postgres.

The tap runs in this process, or in one of its own to be killed. It is loaded by the
real target-postgres, or into tables in memory where a test is of the tap alone. What
lands is held against the sandbox's truth, which knows nothing of the tap. Hours are
counted back from the real moment, so the days are real ones, too.
"""

from __future__ import annotations

import abc
import contextlib
import copy
import datetime as dt
import json
import signal
import subprocess
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from harness.clock import wait_until
from harness.environment import clean_environment
from harness.paths import SCRIPTS
from psycopg import sql

from tap_adstage.exceptions import IncompleteRunError
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.service.faults import FAULTS
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.audiences import (
    audience_rows,
    insight_obstacle,
)
from tap_adstage.sandbox.spotify_ads.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tap_adstage.sandbox.spotify_ads.world.entities import Entity
    from tap_adstage.sandbox.spotify_ads.world.world import WorldRow

UTC = dt.timezone.utc
DAY = dt.timedelta(days=1)
SECOND = dt.datetime.now(UTC).date()
FIRST = SECOND - 3 * DAY
START = FIRST - 9 * DAY
LOOKBACK = 4
FIELDS = (
    *("IMPRESSIONS", "CLICKS", "SPEND", "REACH", "PURCHASES", "REVENUE"),
    *("CTR", "FREQUENCY", "E_CPM"),
)
LEVELS = {"ad_accounts": "AD_ACCOUNT", "campaigns": "CAMPAIGN", "ads": "AD"}
REPORTS = [
    *(
        {"name": f"{level}_by_day", "entity_level": level, "fields": [*FIELDS]}
        for level in LEVELS
    ),
    {
        "name": "ad_sets_by_hour",
        "entity_level": "ad_sets",
        "aggregate_by": "hour",
        "fields": [*FIELDS],
    },
    {
        "name": "ads_in_total",
        "entity_level": "ads",
        "aggregate_by": "total",
        "fields": [*FIELDS],
    },
    {
        "name": "campaigns_last_week",
        "entity_level": "campaigns",
        "aggregate_by": "total",
        "date_range": "last 7 days",
        "fields": [*FIELDS],
    },
    {"name": "ages", "dimension": "age", "fields": ["IMPRESSIONS", "PURCHASES"]},
]


SERIES = [r for r in REPORTS if r["name"] in {"ads_by_day", "ad_sets_by_hour"}]


def small_world() -> World:
    """Three ad accounts, of which the second has more ads than fit in a request."""
    return World(shape=((2, 3, 3), (1, 2, 26), (1, 1, 2)))


def settings(sandbox: SpotifyAdsSandbox, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "source": "spotify_ads",
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "as_of": sandbox.today.isoformat(),
        "start_date": START.isoformat(),
        "lookback_days": LOOKBACK,
        "window_days": 5,
        "reports": REPORTS,
        **changes,
    }


@dataclass
class Tables(abc.ABC):
    """Tables, and what runs of the tap have left there.

    Attributes:
        folder: Where files go.
        state: The state after the last run.
    """

    folder: Path
    state: dict[str, Any] = field(default_factory=dict)

    def run(self, config: dict[str, Any]) -> None:
        """Run the tap to its end in this process, and load what it wrote."""
        messages = self.folder / "messages.jsonl"
        try:
            with messages.open("w") as out, contextlib.redirect_stdout(out):
                TapAdStage(config=config, state=copy.deepcopy(self.state)).sync_all()
        finally:
            for line in messages.read_text().splitlines():
                if line.startswith('{"type":"STATE"'):
                    self.state = json.loads(line)["value"]
            self.load(messages)

    @abc.abstractmethod
    def load(self, messages: Path) -> None:
        """Load the messages of a file."""

    @abc.abstractmethod
    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return these columns of all rows of a table."""

    def metrics(
        self, table: str, *times: str, fields: tuple[str, ...] = FIELDS
    ) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """Return the metrics of a report's rows by their keys."""
        keys = ("ad_account_id", "entity_id", *times)
        columns = [name.lower() for name in fields]
        found = {}
        for row in self.rows(table, *keys, "below_threshold", *columns):
            key, hidden, values = row[: len(keys)], row[len(keys)], row[len(keys) + 1 :]
            assert key not in found
            numbers = (None if v is None else Decimal(str(v)) for v in values)
            found[key] = ({*hidden}, *numbers)
        return found


@dataclass
class Memory(Tables):
    """Tables in memory, in which a record takes the place of one with the same key."""

    _tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(
        default_factory=dict
    )

    def load(self, messages: Path) -> None:
        keys: dict[str, list[str]] = {}
        for line in messages.read_text().splitlines():
            message = json.loads(line, parse_float=Decimal)
            if message["type"] == "SCHEMA":
                keys[message["stream"]] = message["key_properties"]
            elif message["type"] == "RECORD":
                stream, record = message["stream"], message["record"]
                key = tuple(record[name] for name in keys[stream])
                self._tables.setdefault(stream, {})[key] = record

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        return [
            tuple(
                MEMORY_TYPES[name](row[name]) if name in MEMORY_TYPES else row[name]
                for name in columns
            )
            for row in self._tables[table].values()
        ]


MEMORY_TYPES: dict[str, Callable[[str], Any]] = {
    "date": dt.date.fromisoformat,
    "date_end": dt.date.fromisoformat,
    "start_time": lambda text: dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ"),  # noqa: DTZ007 - as Postgres has it
}
"""How a text is read as what Postgres returns, by column."""


@dataclass
class Warehouse(Tables):
    """Tables of a Postgres, which target-postgres loads."""

    postgres: Postgres = field(kw_only=True)

    def load(self, messages: Path) -> None:
        with messages.open() as stdin:
            subprocess.run(self.loader(), stdin=stdin, check=True, timeout=300)  # noqa: S603

    def loader(self) -> list[str]:
        """Return the command that loads messages."""
        config = self.folder / "target.json"
        database = {
            "host": self.postgres.host,
            "port": self.postgres.port,
            "user": self.postgres.user,
            "password": self.postgres.password,
            "database": self.postgres.database,
            "default_target_schema": "spotify_ads",
            "validate_records": False,
        }
        config.write_text(json.dumps(database))
        return [str(SCRIPTS / "target-postgres"), "--config", str(config)]

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL("select {} from spotify_ads.{}")
        with psycopg.connect(self.postgres.dsn) as connection:
            return connection.execute(
                query.format(names, sql.Identifier(table))
            ).fetchall()


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Postgres() as postgres:
        yield Warehouse(tmp_path, postgres=postgres)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


# --- the truth ---


def expected(row: WorldRow, fields: Iterable[str]) -> tuple[Any, ...]:
    """What a row's metrics are in a table, after the names of those that are hidden."""
    fields = [*fields]
    hidden = {
        name.lower() for name in fields if name != "E_CPM" and row.is_hidden(name)
    }
    return hidden, *(_value(row, name, hidden) for name in fields)


def _value(row: WorldRow, name: str, hidden: set[str]) -> Decimal | None:
    if name == "E_CPM":
        impressions = Decimal(repr(row.value("IMPRESSIONS")))
        thousandfold = 1000 * Decimal(repr(row.value("SPEND")))
        return Context(15).divide(thousandfold, impressions) if impressions else None
    return None if name.lower() in hidden else Decimal(repr(row.value(name)))


TRUE_FIELDS = FIELDS[:-1]
"""What the API itself has."""


TIMES: dict[str, Callable[[WorldRow], tuple[Any, ...]]] = {
    "day": lambda row: (row.start.date(),),
    "hour": lambda row: (row.start.replace(tzinfo=None),),
    "range": lambda row: (row.start.date(), (row.end - DAY).date()),
    "life": lambda _: (),
}
"""What the keys of a table have of a row's time."""


def keyed(rows: Iterable[WorldRow], *, by: str) -> dict[tuple[Any, ...], Any]:
    times = TIMES[by]
    return {
        (row.entity.account.id, row.entity.id, *times(row)): expected(row, FIELDS)
        for row in rows
    }


def day_truth(
    world: World, kind: str, account: Entity, first: dt.date, last: dt.date
) -> dict[tuple[Any, ...], Any]:
    rows = world.days(world.entities(kind, account), TRUE_FIELDS, first, last)
    return keyed(rows, by="day")


def hour_truth(
    world: World, account: Entity, first: dt.date, last: dt.date
) -> dict[tuple[Any, ...], Any]:
    start, end = (
        dt.datetime.combine(day, dt.time(hour), UTC)
        for day, hour in ((first, 0), (last, 23))
    )
    ad_sets = world.entities("AD_SET", account)
    return keyed(world.hours(ad_sets, TRUE_FIELDS, start, end), by="hour")


def assert_series(
    warehouse: Tables,
    world: World,
    last_days: dict[str, dt.date],
    levels: Iterable[str] = LEVELS,
) -> None:
    """Assert that the tables by day and hour have the truth.

    Args:
        warehouse: What was loaded.
        world: The truth.
        last_days: For each ad account that was there, the last day that was read.
        levels: Of the tables by day.
    """
    accounts = {world.entity(key): last for key, last in last_days.items()}
    for level in levels:
        kind = LEVELS[level]
        truth: dict[tuple[Any, ...], Any] = {}
        for account, last in accounts.items():
            truth |= day_truth(world, kind, account, START, last)
        assert warehouse.metrics(f"{level}_by_day", "date") == truth
    hours: dict[tuple[Any, ...], Any] = {}
    for account, last in accounts.items():
        hours |= hour_truth(world, account, START, last)
    assert warehouse.metrics("ad_sets_by_hour", "start_time") == hours


def assert_totals(
    warehouse: Tables, world: World, today: dt.date, accounts: list[Entity]
) -> None:
    """Assert that the tables without bookmark have the truth of these accounts."""
    ids = {account.id for account in accounts}
    ads = [ad for account in accounts for ad in world.entities("AD", account)]
    lifetimes = world.lifetimes(ads, TRUE_FIELDS, today)
    found = warehouse.metrics("ads_in_total")
    truth = keyed(lifetimes, by="life")
    assert {key: row for key, row in found.items() if key[0] in ids} == truth

    campaigns = [c for account in accounts for c in world.entities("CAMPAIGN", account)]
    first, last = today - 7 * DAY, today - DAY
    found = warehouse.metrics("campaigns_last_week", "date", "date_end")
    assert {
        key: row for key, row in found.items() if key[0] in ids and key[3] == last
    } == keyed(world.totals(campaigns, TRUE_FIELDS, first, last), by="range")

    fields = ("IMPRESSIONS", "PURCHASES")
    found = warehouse.metrics("ages", "age", fields=fields)
    assert {key: row for key, row in found.items() if key[0] in ids} == {
        (account.id, ad_set.id, row.audience): expected(row, fields)
        for account in accounts
        for ad_set in world.entities("AD_SET", account)
        if insight_obstacle(ad_set, today) is None
        for row in audience_rows(ad_set, "AGE", fields, today)
    }


# --- what lands ---


def test_a_full_run_and_an_incremental_one_load_exactly_the_truth(
    warehouse: Warehouse,
) -> None:
    world = small_world()
    stays, leaves, joins = world.ad_accounts
    with SpotifyAdsSandbox(
        world=world, today=FIRST, hidden_accounts=[joins.id]
    ) as sandbox:
        warehouse.run(settings(sandbox))
        last = FIRST - DAY
        assert_series(warehouse, world, {stays.id: last, leaves.id: last})
        assert_totals(warehouse, world, FIRST, [stays, leaves])
        ads = [ad for a in (stays, leaves) for ad in world.entities("AD", a)]
        assert {*warehouse.rows("ads", "id")} == {(ad.id,) for ad in ads}
        names = ("entity_id", "entity_name", "parent_id", "parent_name")
        assert {*warehouse.rows("ads_in_total", *names, "currency_code")} == {
            (ad.id, ad.name, ad.parent.id, ad.parent.name, ad.account.currency)
            for ad in ads
            if ad.parent is not None
        }

        archived = [e for k in ("CAMPAIGN", "AD") for e in world.entities(k, stays)[:2]]
        for entity in archived:
            world.archive(entity.id, dt.datetime.combine(SECOND, dt.time(1), UTC))
        sandbox.today = SECOND
        sandbox.switches.hidden_accounts = {leaves.id}
        sandbox.requests.clear()
        warehouse.run(settings(sandbox))

    later = SECOND - DAY
    assert_series(warehouse, world, {stays.id: later, leaves.id: last, joins.id: later})
    assert_totals(warehouse, world, SECOND, [stays, joins])
    statuses = dict(warehouse.rows("ads", "id", "status"))
    assert {statuses[ad.id] for ad in archived[2:]} == {"ARCHIVED"}
    # Only the account that joined is read from the start, the other one looks back.
    days = {
        (account.id, request.query["report_start"][:10])
        for request in sandbox.requests
        for account in (stays, joins)
        if request.query.get("granularity") == "DAY" and account.id in request.path
    }
    lookback = (last - LOOKBACK * DAY).isoformat()
    assert min(day for account, day in days if account == stays.id) == lookback
    assert (joins.id, START.isoformat()) in days


def test_an_api_that_fails_every_fifth_time_changes_nothing(
    memory: Memory, waits: list[float]
) -> None:
    world = small_world()
    with SpotifyAdsSandbox(world=world, today=SECOND, fault_rate=0.2) as sandbox:
        memory.run(settings(sandbox, page_size=20, reconcile="fail"))
    failed = [request.fault for request in sandbox.requests if request.fault]
    assert len(failed) > 30
    assert len({*failed}) > len(FAULTS) / 2
    assert len(waits) > len(failed) / 2
    last_days = {account.id: SECOND - DAY for account in world.ad_accounts}
    assert_series(memory, world, last_days)
    assert_totals(memory, world, SECOND, world.ad_accounts)


def test_an_account_that_refuses_is_caught_up_later(memory: Memory) -> None:
    world = small_world()
    refused, *others = world.ad_accounts
    with SpotifyAdsSandbox(
        world=world, today=FIRST, refused_accounts=[refused.id]
    ) as sandbox:
        with pytest.raises(IncompleteRunError, match="ads_by_day"):
            memory.run(settings(sandbox, reports=SERIES))
        last_days = {account.id: FIRST - DAY for account in others}
        assert_series(memory, world, last_days, levels=["ads"])

        sandbox.today = SECOND
        sandbox.switches.refused_accounts = frozenset()
        memory.run(settings(sandbox, reports=SERIES))

    last_days = {account.id: SECOND - DAY for account in world.ad_accounts}
    assert_series(memory, world, last_days, levels=["ads"])


@pytest.mark.parametrize("level", ["campaigns", "ad_sets", "ads"])
def test_reconciling_finds_a_row_that_is_missing(
    level: str, caplog: pytest.LogCaptureFixture
) -> None:
    fields = ["IMPRESSIONS", "SPEND"]
    report = {"name": "daily", "entity_level": level, "fields": fields}
    with SpotifyAdsSandbox(world=small_world(), today=SECOND) as sandbox:
        config = settings(sandbox, reports=[report], reconcile="fail")
        TapAdStage(config=config).sync_all()
        assert "IMPRESSIONS" not in caplog.text

        sandbox.switches.drop_rows = 1
        with pytest.raises(IncompleteRunError, match="failed: daily"):
            TapAdStage(config=config).sync_all()

    (error,) = {r.message for r in caplog.records if r.levelname == "ERROR"}
    assert "IMPRESSIONS" in error


# --- kills ---


class Pipe:
    """The tap and target-postgres in processes of their own, as a shell joins them."""

    def __init__(self, warehouse: Warehouse, config: dict[str, Any]) -> None:
        """Start them."""
        folder = warehouse.folder
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "state.json").write_text(json.dumps(warehouse.state))
        command = [str(SCRIPTS / "tap-adstage"), "--config", "config.json"]
        self._warehouse = warehouse
        self.tap = subprocess.Popen(  # noqa: S603 - the tap itself
            [*command, "--state", "state.json"],
            cwd=folder,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._states = (folder / "states").open("w+")
        self.target = subprocess.Popen(  # noqa: S603 - the real target-postgres
            warehouse.loader(), stdin=self.tap.stdout, stdout=self._states
        )
        assert self.tap.stdout is not None
        self.tap.stdout.close()  # the target's alone

    def wait_for_reports(self, sandbox: SpotifyAdsSandbox, number: int) -> None:
        """Wait until so many reports have been requested in all."""

        def is_done() -> bool:
            assert self.tap.poll() is None, "the run ended too early"
            return number <= sum("_reports" in r.path for r in [*sandbox.requests])

        wait_until(is_done)

    def end(self) -> tuple[int, int]:
        """Wait for both, keep the last state, and return their exit codes."""
        _, errors = self.tap.communicate(timeout=120)
        codes = (self.tap.returncode, self.target.wait(timeout=120))
        assert codes[0] != 1, errors
        self._states.seek(0)
        for line in self._states.read().splitlines():
            self._warehouse.state = json.loads(line)
        self._states.close()
        return codes


def test_a_run_that_is_stopped_or_killed_is_made_good_by_the_next(
    warehouse: Warehouse,
) -> None:
    world = small_world()
    with SpotifyAdsSandbox(world=world, today=SECOND, latency=0.05) as sandbox:
        config = settings(sandbox, reports=SERIES, window_days=2, lookback_days=0)

        stopped = Pipe(warehouse, config)
        stopped.wait_for_reports(sandbox, 30)
        stopped.tap.send_signal(signal.SIGTERM)
        assert stopped.end() == (128 + signal.SIGTERM, 0)
        bookmark = warehouse.state["bookmarks"]["ad_sets_by_hour"]

        sandbox.requests.clear()
        killed = Pipe(warehouse, config)
        killed.wait_for_reports(sandbox, 20)
        killed.target.kill()
        killed.tap.kill()
        killed.end()
        assert warehouse.state["bookmarks"]["ad_sets_by_hour"] == bookmark

        sandbox.requests.clear()
        assert Pipe(warehouse, config).end() == (0, 0)
        hours = [
            request.query["report_start"]
            for request in sandbox.requests
            if request.query.get("granularity") == "HOUR"
        ]
    last_days = {account.id: SECOND - DAY for account in world.ad_accounts}
    assert_series(warehouse, world, last_days, levels=["ads"])
    finished = dt.date.fromisoformat(bookmark["replication_key_value"][:10])
    assert START < finished < SECOND - DAY
    assert min(hours) == f"{finished}T00:00:00Z"
