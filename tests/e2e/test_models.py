"""The dbt models for real: sandbox, Meltano, loader, dbt; see docs/models.md."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from harness.environment import clean_environment, link_plugins
from harness.loaders import query_duckdb
from harness.markdown import Page
from harness.once import cache_folder, make_once
from harness.paths import ROOT, SCRIPTS
from repo.docs.page_trial import first_missing

from e2e.bar_chart import bar_chart
from tap_adstage.config.default_reports import identifying_fields
from tap_adstage.sandbox.cli.environment import loader_settings
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.world import World as SpotifyWorld
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from harness.markdown import Block

    from tap_adstage.sandbox.world.entities import Entity

MODELS = ROOT / "examples" / "dbt"
PAGE = Page(ROOT / "docs" / "models.md")
CHART = ROOT / "docs" / "images" / "spend_by_network.svg"
DAY = dt.timedelta(days=1)
MICRO = Decimal("0.000001")
LEVELS = ("accounts", "campaigns", "ads")
FINAL_DAY = dt.date(2024, 2, 1)
WITHOUT_FIRST_DAY, NOT_IMPORTED = "twitter", "quora"
"""Networks of which the first day, and all days, have no row."""
QUIET = {"DBT_LOG_LEVEL_FILE": "none", "DBT_WRITE_JSON": "false"}
"""Less work for dbt, and the same results."""


@pytest.fixture(scope="session")
def dbt() -> Path:
    """A project of Meltano's with dbt as the page installs it, kept for later runs."""
    requirements = (MODELS / "requirements.txt").read_text()
    plugin = (MODELS / "dbt.meltano.yml").read_text()
    key = (requirements, plugin, sys.base_prefix, sys.version)

    def install(project: Path) -> None:
        copy_project(project)
        subprocess.run(  # noqa: S603 - Meltano itself
            [SCRIPTS / "meltano", "install", "utility", "dbt-duckdb"],
            cwd=project,
            env=clean_environment(),
            check=True,
            timeout=600,
            capture_output=True,
        )

    return make_once(cache_folder("dbt", *key), install)


@pytest.fixture
def project(plugins: Path, dbt: Path, tmp_path: Path) -> Path:
    """A project with the models and all plugins that they need."""
    project = tmp_path / "project"
    project.mkdir()
    copy_project(project)
    (project / "output").mkdir()
    link_plugins(plugins, project)
    utilities = project / ".meltano" / "utilities"
    utilities.symlink_to(dbt / ".meltano" / "utilities")
    return project


def copy_project(project: Path) -> None:
    shutil.copy(ROOT / "meltano.yml", project)
    shutil.copytree(MODELS, project / "examples" / "dbt")


def blocks(test: str) -> Iterator[tuple[Block, Block | None]]:
    """The page's commands that a test runs, each with the output shown below it."""
    found = [b for b in PAGE.blocks if b.marks.get("run by", "").endswith(f"::{test}")]
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.language == "sh":
            shown = following if following and following.language == "text" else None
            yield block, shown


def run(
    script: str, project: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the page's own commands
        ["bash", "-ec", script.replace("uv run ", "")],  # noqa: S607
        cwd=project,
        env=clean_environment()
        | QUIET
        | {"MELTANO_DATABASE_URI": f"sqlite:///{project.parent / 'meltano.db'}"}
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


SANDBOX = re.compile(r"tap-adstage-sandbox --as-of (\S+).* run .*\\\n +(?=meltano)")
"""The beginning of a command that starts a sandbox of its own, which keeps no state."""


def load(
    script: str, project: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of the page on a sandbox that is running, and on its day."""
    (day,) = SANDBOX.findall(script)
    command = SANDBOX.sub("", script)
    return run(command, project, **environment, TAP_ADSTAGE_AS_OF=day)


def reports(**ranges: str) -> str:
    """The default reports that the models read, some of them over fewer days."""
    return json.dumps(
        [
            {
                "name": f"{level.removesuffix('s')}_performance",
                "entity_level": level,
                "fields": [
                    *("clicks", "impressions", "spend", "conversions"),
                    *identifying_fields(level),
                ],
                **({"date_range": ranges[level]} if level in ranges else {}),
            }
            for level in LEVELS
        ]
    )


# --- the truth ---


def days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


def spend_of_adstage(
    world: World, period: list[dt.date], without: Collection[str] = ()
) -> dict[tuple[Any, ...], Decimal]:
    """Spend by month, source, network and currency."""
    spend: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for account in world.entities("accounts"):
        for day in period:
            if account.network not in without:
                key = (
                    day.replace(day=1),
                    "adstage",
                    account.network,
                    account.currency[0],
                )
                spend[key] += Decimal(world.metric(account, "spend", day) or 0)
    return spend


def spend_of_spotify(
    world: SpotifyWorld, period: list[dt.date]
) -> dict[tuple[Any, ...], Decimal]:
    spend: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    accounts = world.entities("AD_ACCOUNT")
    for row in world.days(accounts, ("SPEND",), period[0], period[-1]):
        month = row.start.date().replace(day=1)
        key = (month, "spotify_ads", "spotify", row.entity.currency)
        spend[key] += Decimal(repr(row.value("SPEND")))
    return spend


def conversions(
    world: World, period: list[dt.date], today: dt.date
) -> dict[dt.date, Decimal]:
    """Conversions of all accounts by day, as they are known on a day."""
    return {
        day: sum(
            (
                Decimal(world.metric(account, "conversions", day, today=today) or 0)
                for account in world.entities("accounts")
            ),
            Decimal(),
        )
        for day in period
    }


# --- on DuckDB ---


def test_the_models_answer_what_the_page_asks(
    project: Path,
    update_golden: bool,  # noqa: FBT001
) -> None:
    first_day, first, second = (
        dt.date(2024, 1, 1),
        dt.date(2024, 3, 13),
        dt.date(2024, 3, 20),
    )
    (load_first, _), (load_second, _), *questions = blocks(
        "test_the_models_answer_what_the_page_asks"
    )
    with Sandbox(today=first) as sandbox:
        world = sandbox.world
        environment = {
            "TAP_ADSTAGE_API_URL": sandbox.api_url,
            "TAP_ADSTAGE_ACCESS_TOKEN": sandbox.token,
            "TAP_ADSTAGE_REPORTS": reports(ads="last 3 days"),
        }
        ended = load(load_first.text, project, **environment)
        assert ended.returncode == 0, ended.stdout
        campaign = change_rows(project, world)
        sandbox.today = second
        asked = len(sandbox.requests)
        # On another computer, where the clock is behind that of the first.
        environment["TZ"] = "America/Los_Angeles"
        ended = load(load_second.text, project, **environment)
        assert ended.returncode == 0, ended.stdout
    # The second run was incremental.
    ranges = [
        request.body["date_range"]
        for request in list(sandbox.requests)[asked:]
        if request.path.endswith("/report")
    ]
    assert min(ranges)[:10] == "2024-02-11"

    def rows(query: str) -> list[dict[str, Any]]:
        return query_duckdb("output/warehouse.duckdb", query, project)

    period = days(first_day, second - DAY)
    spend = rows(
        "select month, source, network, currency_code, spend::text as spend"
        " from ads.spend_by_currency"
    )
    true_spend = spend_of_adstage(world, period)
    for key, amount in spend_of_adstage(world, [first_day]).items():
        true_spend[key] -= amount if key[2] == WITHOUT_FIRST_DAY else 0
    assert {
        (dt.date.fromisoformat(str(month)), *key): Decimal(amount)
        for month, *key, amount in (row.values() for row in spend)
    } == true_spend
    # A network without a row on some day has that day loaded, too.
    months = rows("select distinct first_day, last_day from ads.spend_by_currency")
    assert {tuple(row.values()) for row in months} == {
        ("2024-01-01", "2024-01-31"),
        ("2024-02-01", "2024-02-29"),
        ("2024-03-01", "2024-03-19"),
    }
    before, now = (conversions(world, period, today) for today in (first, second))
    late = {day: now[day] - before[day] for day in days(first_day, first - DAY)}
    late[FINAL_DAY] += Decimal(world.metric(campaign, "conversions", FINAL_DAY) or 0)
    changes = rows(
        "select date, sum(conversions_change)::text as conversions"
        " from ads.late_changes group by date"
    )
    assert {
        dt.date.fromisoformat(row["date"]): Decimal(row["conversions"])
        for row in changes
    } == {day: number for day, number in late.items() if number}
    (total,) = rows(
        "select (select sum(spend)::text from ads.campaign_performance_daily) as daily,"
        " (select sum(spend)::text from ads.campaign_history"
        " where dbt_valid_to is null) as history"
    )
    assert total["daily"] == total["history"]
    # The page's warehouse has all rows from the beginning.
    rows(f"delete from ads.late_changes where date = '{FINAL_DAY}' returning date")  # noqa: S608
    assert_not_final(rows("from ads.not_final_yet"), world, second - DAY)
    printed = [run(block.text, project) for block, _ in questions]
    for (block, shown), ended in zip(questions, printed, strict=True):
        assert ended.returncode == 0, ended.stdout
        assert shown is not None
        missing = first_missing(shown.text, ended.stdout)
        assert missing is None, f"line {block.line}: {ended.stdout}"
    ended = run("meltano invoke dbt-duckdb:freshness", project)
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count("PASS freshness of adstage.") == 5
    chart = draw_spend(printed[0].stdout)
    if update_golden:
        CHART.write_text(chart)
    assert CHART.read_text() == chart


def change_rows(project: Path, world: World) -> Entity:
    """Make the tables of the first run what networks make of them, now and then.

    An ad belongs to no campaign, accounts don't deliver on a day, and the campaign that
    is returned has no row of a day at first.
    """
    campaign = next(c for c in world.entities("campaigns") if c.network == "adwords")
    statements = f"""
        insert into adstage.ad_performance by name
        select * replace (
          null as remote_campaign_id, null as remote_ad_group_id,
          '1' as remote_ad_id, '/network/adwords/ad/1' as entity_id
        )
        from adstage.ad_performance where date = '2024-03-10' limit 1
        returning date;
        delete from adstage.account_performance
        where network = '{WITHOUT_FIRST_DAY}' and date = '2024-01-01' returning date;
        delete from adstage.campaign_performance
        where network = '{WITHOUT_FIRST_DAY}' and date = '2024-01-01' returning date;
        delete from ads.campaign_history
        where campaign_id = '{campaign.remote_id}' and date = '{FINAL_DAY}'
        returning date"""  # noqa: S608 - names and ids of the sandbox
    for statement in statements.split(";"):
        assert query_duckdb("output/warehouse.duckdb", statement, project)
    return campaign


def assert_not_final(
    rows: list[dict[str, Any]], world: World, last_day: dt.date
) -> None:
    """The last thirty days, and earlier ones of the account that can't be imported."""
    accounts = {(a.network, a.remote_id): a for a in world.entities("accounts")}
    unfinished = {
        ((row["network"], row["account_id"]), row["date"])
        for row in rows
        if row["is_import_unfinished"]
    }
    days_of = {
        accounts[key].position: sorted(
            day for account, day in unfinished if account == key
        )
        for key in {account for account, _ in unfinished}
    }
    # The sandbox imports one account no longer, and is importing two more.
    assert {position: (found[0], found[-1]) for position, found in days_of.items()} == {
        3: ("2024-03-19", "2024-03-19"),
        7: ("2024-02-28", "2024-03-19"),
        12: ("2024-03-19", "2024-03-19"),
    }
    lookback = {day.isoformat() for day in days(last_day - 30 * DAY, last_day)}
    assert {
        (row["network"], row["account_id"], row["date"])
        for row in rows
        if row["is_in_lookback"]
    } == {(*key, day) for key in accounts for day in lookback}


def draw_spend(table: str) -> str:
    """The picture of the first question, from the table that DuckDB printed."""
    groups: dict[str, dict[str, float]] = {}
    for network, month, spend in re.findall(
        r"│ (\w+) +│ (\d{4}-\d\d)-01 │ +([\d.]+) │", table
    ):
        groups.setdefault(network, {})[month] = float(spend)
    assert len(groups) == 5
    return bar_chart("Spend in US dollars by network and month, to 2024-03-19", groups)


# --- on Postgres ---


def test_models_are_made_only_if_no_rows_are_missing(project: Path) -> None:
    today, second = dt.date(2024, 3, 20), dt.date(2024, 3, 23)
    first_day = dt.date(2024, 3, 14)
    (load_dropped, shown), (job, _) = blocks(
        "test_models_are_made_only_if_no_rows_are_missing"
    )
    world = World(campaigns_per_account=3, ad_groups_per_campaign=2, ads_per_ad_group=2)
    spotify_world = SpotifyWorld(shape=((1, 2, 2),))
    with (
        Postgres() as postgres,
        Sandbox(world=world, today=today, drop_rows=2) as sandbox,
        SpotifyAdsSandbox(world=spotify_world, today=second) as spotify,
    ):
        environment = {
            **loader_settings(postgres),
            "ADSTAGE_API_URL": sandbox.api_url,
            "ADSTAGE_ACCESS_TOKEN": sandbox.token,
            "ADSTAGE_REPORTS": reports(),
            "ADSTAGE_NETWORKS": json.dumps(
                sorted({a.network for a in world.entities("accounts")} - {NOT_IMPORTED})
            ),
            "ADSTAGE_START_DATE": first_day.isoformat(),
            "SPOTIFY_ADS_API_URL": spotify.api_url,
            "SPOTIFY_ADS_ACCESS_TOKEN": spotify.token,
            "SPOTIFY_ADS_START_DATE": first_day.isoformat(),
            "SPOTIFY_ADS_AS_OF": second.isoformat(),
        }
        ended = load(load_dropped.text, project, **environment)
        assert ended.returncode != 0
        assert shown is not None
        assert first_missing(shown.text, ended.stdout) is None, ended.stdout
        assert tables(postgres) == set()
        sandbox.drop_rows, sandbox.today = 0, second
        ended = run(job.text, project, **environment, ADSTAGE_AS_OF=second.isoformat())
        assert ended.returncode == 0, ended.stdout
        with psycopg.connect(postgres.dsn) as connection:
            loaded = connection.execute(
                "select month, source, network, currency_code, spend"
                " from ads.spend_by_currency"
            ).fetchall()
            levels = [
                connection.execute(
                    f"select source, currency_code, sum(spend), sum(completes)"  # noqa: S608 - names of tables
                    f" from ads.{level}_performance_daily group by 1, 2 order by 1, 2"
                ).fetchall()
                for level in ("account", "campaign", "ad")
            ]
            changing = connection.execute(
                "select count(*) from ads.not_final_yet where source = 'spotify_ads'"
            ).fetchone()
            without_rows = connection.execute(
                "select distinct network, import_code from ads.not_final_yet"
                " where is_import_unfinished and network = %s",
                [NOT_IMPORTED],
            ).fetchall()
    period = days(first_day, second - DAY)
    truth = spend_of_adstage(world, period, without={"spotify", NOT_IMPORTED})
    truth |= spend_of_spotify(spotify_world, period)
    assert {tuple(key): amount.quantize(MICRO) for *key, amount in loaded} == {
        key: amount.quantize(MICRO) for key, amount in truth.items()
    }
    assert levels[0] == levels[1] == levels[2]
    assert changing == (len(period),)
    assert without_rows == [(NOT_IMPORTED, "currently_importing")]


def tables(postgres: Postgres) -> set[str]:
    """The models' tables."""
    with psycopg.connect(postgres.dsn) as connection:
        rows = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'ads'"
        ).fetchall()
    return {name for (name,) in rows}
