"""The config of Fivetran's Spotify Ads connector is converted for Spotify itself."""

from __future__ import annotations

import copy
import json
import stat
from typing import TYPE_CHECKING, Any, Literal

import pytest
from harness import commands
from harness.fivetran import (
    AUTH,
    CLIENT_SECRET,
    DOCUMENTED_FIELDS,
    NOW,
    REFRESH_TOKEN,
    blocks,
    check_table,
    key_table,
    table,
)
from harness.paths import ROOT
from hypothesis import given
from hypothesis import strategies as st

from tap_adstage.config.parsing import parse
from tap_adstage.config.report_defaults import ALL_TIME, TIMEFRAME_MONTHS
from tap_adstage.config.spotify_ads import AUDIENCES, FIELDS
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran import Conversion, convert
from tap_adstage.fivetran.counterparts import CREDENTIALS, Counterpart
from tap_adstage.fivetran.schedules import cron_expression
from tap_adstage.fivetran.to_spotify_ads import (
    CREDENTIAL_REMARK,
    DIMENSIONS,
    GRANULARITIES,
    KEYS,
    METRICS,
)
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.world import World
from tap_adstage.spotify_ads.resources import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.singer import Sync

PAGE = ROOT / "docs" / "fivetran.md"

ACCOUNT = "03561a07-cb0a-4354-b751-88512a6f4d79"
REPORT = {
    "table": "campaigns_daily",
    "dimension": "CAMPAIGN",
    "granularity": "DAY",
    "fields": ["IMPRESSIONS", "CLICKS"],
}
CONFIG = {
    "sync_mode": "ALL_ACCOUNTS",
    "timeframe_months": "TWELVE",
    "report_list": [REPORT],
}
CONNECTION = {"service": "spotify_ads", "config": CONFIG, "auth": AUTH}

DOCUMENTED_DIMENSIONS = {
    "AD_ACCOUNT": "ad_accounts",
    "CAMPAIGN": "campaigns",
    "AD_SET": "ad_sets",
    "AD": "ads",
    "AGE": "AGE",
    "COUNTRY": "COUNTRY",
    "GENDER": "GENDER",
    "GENRE": "GENRE",
    "PLATFORM": "PLATFORM",
}
BARRED = [name for name in DOCUMENTED_FIELDS if not FIELDS[name].in_audiences]

NOT_BY_AUDIENCE = "Spotify doesn't report it by audience"
Auth = Literal["drop", "keep", "require"]


def converted(document: object, auth: Auth = "drop") -> Conversion:
    return convert(document, now=NOW, stream_names=TABLES, auth=auth)


def of_reports(*reports: dict[str, Any]) -> Conversion:
    return converted({"report_list": [REPORT | report for report in reports]})


def refusal(document: object, auth: Auth = "drop") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        converted(document, auth)
    return caught.value.errors


# --- what becomes of what ---


def test_a_config_is_converted_to_the_tap_s() -> None:
    conversion = converted(CONNECTION, "keep")
    assert conversion == Conversion(
        {
            "source": "spotify_ads",
            "client_id": "spotify-app",
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "sync_mode": "ALL_ACCOUNTS",
            "timeframe_months": "TWELVE",
            "reports": [
                {
                    "name": "campaigns_daily",
                    "entity_level": "campaigns",
                    "aggregate_by": "day",
                    "fields": ["IMPRESSIONS", "CLICKS"],
                }
            ],
        }
    )


def test_chosen_accounts_stay_what_they_are() -> None:
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [ACCOUNT]}
    conversion = converted(CONFIG | chosen)
    assert {key: conversion.config[key] for key in chosen} == chosen
    assert not conversion.changed


@pytest.mark.parametrize("timeframe", [*TIMEFRAME_MONTHS, ALL_TIME])
def test_timeframes_are_the_same(timeframe: str) -> None:
    conversion = converted(CONFIG | {"timeframe_months": timeframe})
    assert conversion.config["timeframe_months"] == timeframe


def test_omitted_keys_get_the_tap_s_defaults() -> None:
    assert set(converted({"report_list": [REPORT]}).config) == {"source", "reports"}


@pytest.mark.parametrize(("dimension", "level"), DOCUMENTED_DIMENSIONS.items())
def test_each_dimension_has_a_counterpart(dimension: str, level: str) -> None:
    conversion = of_reports({"dimension": dimension, "granularity": "LIFETIME"})
    (report,) = conversion.config["reports"]
    assert (report["entity_level"], report["aggregate_by"]) == (level, "total")
    assert (conversion.dropped, conversion.changed) == ([], [])


@pytest.mark.parametrize(
    ("granularity", "length"), [("DAY", "day"), ("HOUR", "hour"), ("LIFETIME", "total")]
)
def test_each_granularity_has_a_counterpart(granularity: str, length: str) -> None:
    conversion = of_reports({"granularity": granularity})
    assert conversion.config["reports"][0]["aggregate_by"] == length
    assert (conversion.dropped, conversion.changed) == ([], [])


@pytest.mark.parametrize("granularity", ["DAY", "HOUR"])
def test_an_audience_is_total_and_named(granularity: str) -> None:
    conversion = of_reports({"dimension": "AGE", "granularity": granularity})
    assert conversion.config["reports"][0]["aggregate_by"] == "total"
    assert conversion.changed == [
        (
            f'report_list[0].granularity: "{granularity}" changed to total; Spotify '
            "reports audiences over the whole lifetime alone"
        )
    ]


@pytest.mark.parametrize(("dimension", "length"), [("AD", "day"), ("AGE", "total")])
def test_a_report_without_granularity_has_the_tap_s_default(
    dimension: str, length: str
) -> None:
    report = {key: value for key, value in REPORT.items() if key != "granularity"}
    conversion = converted({"report_list": [report | {"dimension": dimension}]})
    assert conversion.config["reports"][0]["aggregate_by"] == length
    assert (conversion.dropped, conversion.changed) == ([], [])


@pytest.mark.parametrize("name", DOCUMENTED_FIELDS)
def test_each_documented_field_stays_what_it_is(name: str) -> None:
    conversion = of_reports({"fields": [name]})
    assert conversion.config["reports"][0]["fields"] == [name]
    assert not conversion.dropped
    assert bool(conversion.changed) == (name == "E_CPM")


def test_the_field_that_spotify_no_longer_has_is_named() -> None:
    assert of_reports({"fields": ["E_CPM"]}).changed == [
        (
            'report_list[0].fields: "E_CPM" kept; Spotify no longer has it; the tap '
            "computes 1000 * SPEND / IMPRESSIONS"
        )
    ]


@pytest.mark.parametrize(
    "dimension", [name for name in DOCUMENTED_DIMENSIONS if name in AUDIENCES]
)
def test_an_audience_loses_the_fields_that_it_can_not_have(dimension: str) -> None:
    report = {"dimension": dimension, "granularity": "LIFETIME"}
    conversion = of_reports(report | {"fields": DOCUMENTED_FIELDS})
    (converted_report,) = conversion.config["reports"]
    assert {*converted_report["fields"]} == {*DOCUMENTED_FIELDS} - {*BARRED}
    assert len(converted_report["fields"]) == 31 - 8
    assert conversion.dropped == [
        f'report_list[0].fields: "{name}" dropped; {NOT_BY_AUDIENCE}' for name in BARRED
    ]


def test_a_field_that_is_given_twice_is_written_once() -> None:
    (report,) = of_reports({"fields": ["CLICKS", "CLICKS"]}).config["reports"]
    assert report["fields"] == ["CLICKS"]


def test_fields_that_spotify_has_besides_are_kept() -> None:
    conversion = of_reports({"fields": ["LEADS", "REVENUE"]})
    assert conversion.config["reports"][0]["fields"] == ["LEADS", "REVENUE"]
    assert not conversion.dropped


@pytest.mark.parametrize(
    ("field", "hint"), [("CLIKS", "did you mean CLICKS?"), ("X", "there are IMPRESS")]
)
def test_an_unknown_field_is_named(field: str, hint: str) -> None:
    (line,) = of_reports({"fields": ["CLICKS", field]}).dropped
    start, reason, suggestion = line.split("; ")
    assert start == f'report_list[0].fields: "{field}" dropped'
    assert reason == "Fivetran does not document this value"
    assert suggestion.startswith(hint)


def test_a_report_without_any_counterpart_is_dropped_and_named() -> None:
    conversion = of_reports({}, {"dimension": "GENRE", "fields": ["SPEND"]})
    assert len(conversion.config["reports"]) == 1
    assert conversion.dropped == [
        f'report_list[1].fields: "SPEND" dropped; {NOT_BY_AUDIENCE}',
        "report_list[1]: dropped; none of its fields has a counterpart",
    ]


@pytest.mark.parametrize(
    ("table", "name", "reason"),
    [
        ("Daily Report", "daily_report", "a name has lower-case letters, digits and _"),
        ("ads", "ads_2", "one of the tap's own streams has this name"),
        ("ad_accounts", "ad_accounts_2", "one of the tap's own streams has this name"),
    ],
)
def test_a_table_gets_a_valid_report_name(table: str, name: str, reason: str) -> None:
    conversion = of_reports({"table": table})
    assert conversion.config["reports"][0]["name"] == name
    (line,) = conversion.changed
    start = f'report_list[0].table: "{table}" changed to {name}; {reason}'
    assert line.startswith(start)


def test_a_connection_without_reports_gives_a_config_without_reports() -> None:
    conversion = converted({"sync_mode": "ALL_ACCOUNTS"})
    assert conversion.config["reports"] == []
    assert conversion.changed == [
        (
            "report_list: omitted or empty, so the config has no reports; remove its "
            "`reports` to get the tap's four default ones"
        )
    ]


def test_a_config_none_of_whose_reports_has_a_counterpart_is_refused() -> None:
    lines = refusal({"report_list": [REPORT | {"dimension": "CITY"}]})
    assert lines[0].startswith('report_list[0].dimension: "CITY" dropped; Fivetran')
    assert lines[1:] == ["report_list: no report has a counterpart"]


@pytest.mark.parametrize("key", [key for key, each in KEYS.items() if not each.value])
def test_each_key_without_counterpart_is_named(key: str) -> None:
    (line,) = converted({key: "x", "config": CONFIG}).dropped
    assert line == f"{key}: dropped; {KEYS[key].remark}"


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ([], "accounts: not given; sync_mode SPECIFIC_ACCOUNTS takes a list of ids"),
        (["7"], 'accounts[0]: "7" is not allowed; it takes the id of an ad account'),
    ],
)
def test_accounts_that_the_tap_does_not_take_are_refused(
    accounts: list[str], message: str
) -> None:
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": accounts}
    (line,) = refusal(CONFIG | chosen)
    assert line.startswith(message)


# --- the schedule and the set-up test ---


@pytest.mark.parametrize(
    ("minutes", "time", "cron"),
    [
        (1, "00:00", "* * * * *"),
        (5, "00:00", "*/5 * * * *"),
        (15, "00:00", "*/15 * * * *"),
        (30, "00:00", "*/30 * * * *"),
        (60, "00:00", "0 * * * *"),
        ("120", "00:00", "0 */2 * * *"),
        (180, "00:00", "0 */3 * * *"),
        (360, "05:00", "0 */6 * * *"),
        (480, "00:00", "0 */8 * * *"),
        (720, "00:00", "0 */12 * * *"),
        (1440, "00:00", "0 0 * * *"),
        (1440, "03:00", "0 3 * * *"),
        ("1440", "23:00", "0 23 * * *"),
        (7, "00:00", None),
        (True, "00:00", None),
        (1440, "24:00", None),
        (1440, "03:30", None),
        ([], {}, None),
    ],
)
def test_a_frequency_is_a_cron_expression(
    minutes: object, time: object, cron: str | None
) -> None:
    assert cron_expression(minutes, time) == cron


@pytest.mark.parametrize(
    ("keys", "shown", "cron"),
    [
        ({"sync_frequency": 60}, "sync_frequency: 60", "0 * * * *"),
        ({"schedule_type": "auto"}, 'schedule_type: "auto"', "0 */6 * * *"),
        ({"paused": False}, "paused: false", "0 */6 * * *"),
        (
            {"daily_sync_time": "14:00", "sync_frequency": 1440},
            'sync_frequency: 1440, daily_sync_time: "14:00"',
            "0 14 * * *",
        ),
    ],
)
def test_a_schedule_is_shown_as_meltano_s(
    keys: dict[str, Any], shown: str, cron: str
) -> None:
    conversion = converted({**keys, "config": CONFIG})
    assert conversion.dropped == []
    assert conversion.changed == [
        (
            f"{shown} changed to a Meltano schedule; with the config in a plugin of "
            "its own, meltano job add spotify-ads --tasks 'spotify spotify-postgres' "
            f"&& meltano schedule add spotify-ads --job spotify-ads --interval '{cron}'"
        )
    ]


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ({"schedule_type": "manual"}, 'schedule_type: "manual"'),
        ({"paused": True, "sync_frequency": 5}, "sync_frequency: 5, paused: true"),
    ],
)
def test_a_connection_that_does_not_run_by_itself_has_no_schedule(
    keys: dict[str, Any], shown: str
) -> None:
    conversion = converted({**keys, "config": CONFIG})
    assert conversion.changed == [
        (
            f"{shown} changed to no schedule; start each run with meltano run "
            "spotify spotify-postgres"
        )
    ]


def test_a_schedule_that_fivetran_does_not_have_is_named() -> None:
    conversion = converted({"sync_frequency": 7, "config": CONFIG})
    assert conversion.changed == []
    assert conversion.dropped == [
        "sync_frequency: 7 dropped; Fivetran does not document this schedule"
    ]


def test_the_set_up_test_is_an_option_of_the_tap() -> None:
    assert converted({"run_setup_tests": True, "config": CONFIG}).changed == [
        (
            "run_setup_tests: changed to a command of its own, tap-adstage --config "
            "FILE --test"
        )
    ]


# --- credentials ---


def test_credentials_are_dropped_unless_they_are_asked_for() -> None:
    conversion = converted(CONNECTION)
    assert not conversion.config.keys() & {*CREDENTIALS.values()}
    reason = "only --with-auth writes it to stdout, and --output writes it to a file"
    assert conversion.dropped == [f"{path}: dropped; {reason}" for path in CREDENTIALS]


@pytest.mark.parametrize("auth", ["keep", "require"])
def test_credentials_stay_what_they_are(auth: Auth) -> None:
    conversion = converted(CONNECTION, auth)
    oauth = parse(conversion.config, now=NOW, stream_names=TABLES).oauth
    assert oauth is not None
    assert oauth.client_id == "spotify-app"
    assert (oauth.client_secret, oauth.refresh_token) == (CLIENT_SECRET, REFRESH_TOKEN)
    assert oauth.token_url == "https://accounts.spotify.com/api/token"
    assert (conversion.dropped, conversion.changed) == ([], [])


def test_other_credentials_are_named_without_their_values() -> None:
    auth = {**AUTH, "access_token": "s3cr3t"}
    conversion = converted({**CONNECTION, "auth": auth}, "keep")
    assert conversion.dropped[-1:] == [
        "auth.access_token: dropped; Fivetran does not document this key"
    ]


def test_credentials_that_fivetran_masks_are_left_out_and_named() -> None:
    conversion = converted(
        CONNECTION | {"auth": AUTH | {"refresh_token": "***"}}, "keep"
    )
    assert not conversion.config.keys() & {*CREDENTIALS.values()}
    together = "the tap takes all three credentials or none"
    assert conversion.dropped == [
        f"auth.client_access.client_id: dropped; {together}",
        f"auth.client_access.client_secret: dropped; {together}",
        "auth.refresh_token: dropped; Fivetran's API masks it",
    ]


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({}, "access_token: not given; give access_token, or all of client_id"),
        ({"refresh_token": REFRESH_TOKEN}, "client_id, client_secret: not given"),
        (AUTH | {"refresh_token": "******"}, "auth.refresh_token: masked"),
    ],
)
def test_credentials_that_are_required_have_to_be_there(
    auth: dict[str, Any], message: str
) -> None:
    (line,) = refusal(CONNECTION | {"auth": auth}, "require")
    assert line.startswith(message)


# --- any config ---

SECRETS = st.text('abcXYZ019-_+/=~"\\ é', min_size=8).map("s3cr3t".__add__)
REPORTS = st.fixed_dictionaries(
    {
        "table": st.text(min_size=1),
        "dimension": st.sampled_from([*DIMENSIONS]),
        "fields": st.lists(st.sampled_from([*METRICS])),
    },
    optional={"granularity": st.sampled_from([*GRANULARITIES])},
)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "sync_mode": st.sampled_from(["ALL_ACCOUNTS", "SPECIFIC_ACCOUNTS"]),
        "accounts": st.lists(st.uuids().map(str) | st.text(min_size=1)),
        "report_list": st.lists(REPORTS),
        "timeframe_months": st.sampled_from([*TIMEFRAME_MONTHS, ALL_TIME]),
        "schema": st.text(),
        "sync_frequency": st.integers() | st.text(),
        "daily_sync_time": st.text(),
    },
)
AUTHS = st.fixed_dictionaries(
    {},
    optional={
        "client_access": st.fixed_dictionaries(
            {}, optional={"client_id": st.text(), "client_secret": SECRETS}
        ),
        "refresh_token": SECRETS,
    },
)


@given(config=CONFIGS, auth=AUTHS)
@pytest.mark.parametrize("treatment", ["drop", "keep", "require"])
def test_any_documented_config_gives_a_valid_one_or_the_reason(
    treatment: Auth, config: dict[str, Any], auth: dict[str, Any]
) -> None:
    document = {"config": config, "auth": auth}
    before = copy.deepcopy(document)
    secrets = [
        secret
        for secret in (
            auth.get("client_access", {}).get("client_secret"),
            auth.get("refresh_token"),
        )
        if secret
    ]
    try:
        conversion = converted(document, treatment)
    except ConfigError as error:
        lines = error.errors
        assert lines
    else:
        lines = conversion.dropped + conversion.changed
        token = {} if treatment == "require" else {"access_token": "t"}
        parse(conversion.config | token, now=NOW, stream_names=TABLES)
        if treatment == "drop":
            text = json.dumps(conversion.config, ensure_ascii=False)
            assert not [secret for secret in secrets if secret in text]
    assert not [line for line in lines if "\n" in line or not line]
    assert not [secret for secret in secrets for line in lines if secret in line]
    assert document == before


# --- the command ---


def run(*arguments: str | Path, stdin: str = "", cwd: Path = ROOT) -> Any:  # noqa: ANN401
    command = ("-m", "tap_adstage.fivetran", *arguments)
    return commands.run(*command, stdin=stdin, cwd=cwd)


@pytest.fixture
def given_file(tmp_path: Path) -> Path:
    file = tmp_path / "fivetran.json"
    file.write_text(json.dumps({"data": CONNECTION}))
    return file


def test_stdout_has_no_credentials_unless_they_are_asked_for(given_file: Path) -> None:
    done = run(given_file)
    conversion = converted(CONNECTION)
    assert done.returncode == 0
    assert json.loads(done.stdout) == conversion.config
    lines = done.stderr.splitlines()
    assert lines[:-2] == conversion.dropped + conversion.changed
    assert lines[-2] == "1 report written; 3 items dropped, 0 changed"
    assert lines[-1] == (
        "The config has no credentials. Set TAP_ADSTAGE_CLIENT_ID, "
        "TAP_ADSTAGE_CLIENT_SECRET and TAP_ADSTAGE_REFRESH_TOKEN to those of your "
        "Spotify application, and run: tap-adstage --config FILE --config=ENV"
    )
    with_auth = run(given_file, "--with-auth")
    assert json.loads(with_auth.stdout)["refresh_token"] == REFRESH_TOKEN
    for secret in (CLIENT_SECRET, REFRESH_TOKEN):
        assert secret not in done.stdout + done.stderr + with_auth.stderr


def test_a_file_has_them_and_is_for_the_user_alone(
    given_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "spotify.json"
    output.write_text("old")
    output.chmod(0o644)
    done = run(given_file, "--output", output)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(output.read_text()) == converted(CONNECTION, "keep").config
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert done.stderr.splitlines() == [
        "1 report written; 0 items dropped, 0 changed",
        f"Test it: tap-adstage --config {output} --test",
    ]


# --- with the real tap ---


def test_the_whole_connector_runs_on_the_sandbox(sync: Sync) -> None:
    reports = [
        REPORT
        | {
            "table": f"{dimension}_{granularity}",
            "dimension": dimension,
            "granularity": granularity,
            "fields": DOCUMENTED_FIELDS,
        }
        for dimension in DOCUMENTED_DIMENSIONS
        for granularity in GRANULARITIES
        if dimension not in AUDIENCES or granularity == "LIFETIME"
    ]
    # It is today, as Spotify has hours of the last 14 days alone.
    with SpotifyAdsSandbox(world=World(shape=((1, 4, 1),))) as sandbox:
        account = sandbox.world.ad_accounts[0].id
        conversion = converted(
            {
                "config": {
                    "sync_mode": "SPECIFIC_ACCOUNTS",
                    "accounts": [account],
                    "timeframe_months": "THREE",
                    "report_list": reports,
                },
                "auth": {
                    "client_access": {
                        "client_id": "sandbox-client",
                        "client_secret": "sandbox-secret",
                    },
                    "refresh_token": "sandbox-refresh",
                },
            },
            "require",
        )
        address = {"api_url": sandbox.api_url, "oauth_token_url": sandbox.token_url}
        messages = sync(conversion.config | address)
    assert [line.rpartition("; ")[2] for line in conversion.dropped] == (
        [NOT_BY_AUDIENCE] * len(BARRED) * 5
    )
    for report in conversion.config["reports"]:
        records = messages.records(report["name"])
        assert records, report["name"]
        assert {record["ad_account_id"] for record in records} == {account}
        columns = {name.lower() for name in report["fields"]}
        assert all(columns <= record.keys() for record in records)


# --- the page ---


@pytest.mark.parametrize(
    ("section", "column", "rows"),
    [
        ("keys", "setting", key_table(KEYS, CREDENTIAL_REMARK)),
        ("dimensions", "`entity_level`", DIMENSIONS),
        ("granularity", "`aggregate_by`", GRANULARITIES),
    ],
)
def test_the_page_s_tables_are_the_module_s(
    section: str,
    column: str,
    rows: Mapping[str, Counterpart],
    update_golden: bool,  # noqa: FBT001
) -> None:
    expected = table(column, rows)
    check_table(
        PAGE, "tests/wire/test_fivetran.py", section, expected, update=update_golden
    )


def test_the_page_s_example_is_what_the_command_prints(tmp_path: Path) -> None:
    connection, *_ = blocks(PAGE, "json")
    (tmp_path / "fivetran.json").write_text(connection)
    config, messages, *_ = blocks(PAGE, "text")
    shown = run("fivetran.json", cwd=tmp_path)
    assert shown.stdout == config
    written = run("fivetran.json", "--output", "spotify.json", cwd=tmp_path)
    assert written.stderr == messages
    assert json.loads((tmp_path / "spotify.json").read_text()).items() >= (
        json.loads(config).items()
    )
