"""The config of Fivetran's Spotify Ads connector is converted for AdStage."""

from __future__ import annotations

import copy
import json
import os
import stat
import subprocess
import sys
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

from tap_adstage.adstage.resources import TABLES
from tap_adstage.config.parsing import parse
from tap_adstage.config.report_defaults import ALL_TIME, TIMEFRAME_MONTHS
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran import Conversion, convert
from tap_adstage.fivetran.counterparts import REPORT_KEYS, Counterpart
from tap_adstage.fivetran.to_adstage import (
    CREDENTIAL_REMARK,
    DIMENSIONS,
    FIELDS,
    GRANULARITIES,
    KEYS,
)
from tap_adstage.sandbox.world.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.singer import Sync

    from tap_adstage.sandbox.server import Sandbox

PAGE = ROOT / "docs" / "fivetran-adstage.md"

REPORT = {
    "table": "campaigns",
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


def converted(document: object, *, with_auth: bool = False) -> Conversion:
    auth: Literal["require", "drop"] = "require" if with_auth else "drop"
    return convert(document, to="adstage", now=NOW, stream_names=TABLES, auth=auth)


def of_reports(*reports: dict[str, Any]) -> Conversion:
    return converted({"report_list": [REPORT | report for report in reports]})


def refusal(document: object, *, with_auth: bool = False) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        converted(document, with_auth=with_auth)
    return caught.value.errors


# --- what becomes of what ---


def test_a_config_is_converted_to_the_tap_s() -> None:
    assert converted(CONNECTION).config == {
        "sync_mode": "ALL_ACCOUNTS",
        "timeframe_months": "TWELVE",
        "networks": ["spotify"],
        "reports": [
            {
                "name": "campaigns",
                "entity_level": "campaigns",
                "aggregate_by": "day",
                "fields": [
                    "impressions",
                    "clicks",
                    "account_name",
                    "remote_account_id",
                    "campaign_name",
                    "remote_campaign_id",
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    "document",
    [
        CONFIG,
        {"config": CONFIG, "auth": AUTH},
        {"code": "Success", "data": CONNECTION | {"id": "a_b", "status": {}}},
        {"config": json.dumps(CONFIG), "auth": json.dumps(AUTH)},
        {
            "connection_id": "a_b",
            "config": {
                **CONFIG,
                "accounts": None,
                "report_list": [REPORT | {"x": None}],
            },
            "auth": None,
        },
    ],
    ids=["alone", "with auth", "answered", "Terraform's texts", "Terraform's nulls"],
)
def test_each_documented_form_gives_the_same(document: dict[str, Any]) -> None:
    assert converted(document).config == converted(CONNECTION).config


def test_chosen_accounts_become_entity_ids() -> None:
    conversion = converted(
        CONFIG | {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": ["03561a07-cb0a", "7"]}
    )
    assert conversion.config["sync_mode"] == "SPECIFIC_ACCOUNTS"
    assert conversion.config["accounts"] == [
        "/network/spotify/account/03561a07-cb0a",
        "/network/spotify/account/7",
    ]


@pytest.mark.parametrize("timeframe", [*TIMEFRAME_MONTHS, ALL_TIME])
def test_timeframes_are_the_same(timeframe: str) -> None:
    conversion = converted(CONFIG | {"timeframe_months": timeframe})
    assert conversion.config["timeframe_months"] == timeframe


def test_omitted_keys_get_the_tap_s_defaults() -> None:
    assert set(converted({"report_list": [REPORT]}).config) == {"networks", "reports"}


@pytest.mark.parametrize(
    ("dimension", "level"),
    [
        ("AD_ACCOUNT", "accounts"),
        ("CAMPAIGN", "campaigns"),
        ("AD_SET", "ad_groups"),
        ("AD", "ads"),
    ],
)
def test_dimensions_become_entity_levels(dimension: str, level: str) -> None:
    conversion = of_reports({"dimension": dimension})
    (report,) = conversion.config["reports"]
    assert report["entity_level"] == level
    assert f"remote_{level.removesuffix('s')}_id" in report["fields"]
    assert not conversion.dropped


@pytest.mark.parametrize("dimension", ["AGE", "COUNTRY", "GENDER", "GENRE", "PLATFORM"])
def test_a_report_by_audience_is_dropped_and_named(dimension: str) -> None:
    conversion = of_reports({}, {"table": "audience", "dimension": dimension})
    assert [report["name"] for report in conversion.config["reports"]] == ["campaigns"]
    (line,) = conversion.dropped
    assert line.startswith(
        f'report_list[1].dimension: "{dimension}" dropped; AdStage does not break '
        "down its cross-network reports by audience"
    )


def test_an_hourly_report_is_daily_and_named() -> None:
    conversion = of_reports({"granularity": "HOUR"})
    assert conversion.config["reports"][0]["aggregate_by"] == "day"
    (line,) = conversion.dropped
    assert line == (
        'report_list[0].granularity: "HOUR" dropped; AdStage imports daily data, so '
        "the report becomes daily"
    )


def test_a_lifetime_becomes_the_whole_range() -> None:
    conversion = of_reports({"granularity": "LIFETIME"})
    assert conversion.config["reports"][0]["aggregate_by"] == "total"
    assert not conversion.dropped
    (line,) = conversion.changed
    assert line.startswith(
        'report_list[0].granularity: "LIFETIME" changed to total; it covers'
    )


def test_a_report_without_granularity_is_daily() -> None:
    report = {key: value for key, value in REPORT.items() if key != "granularity"}
    conversion = converted({"report_list": [report]})
    assert conversion.config["reports"][0]["aggregate_by"] == "day"
    assert not conversion.dropped


@pytest.mark.parametrize("name", DOCUMENTED_FIELDS)
def test_each_documented_field_is_a_metric_of_spotify_s_or_named(name: str) -> None:
    conversion = of_reports({"fields": ["CLICKS", name]})
    (report,) = conversion.config["reports"]
    known = [field for field in report["fields"] if field in METRICS]
    if FIELDS[name].value is None:
        assert known == ["clicks"]
        (line,) = conversion.dropped
        assert line.startswith(
            f'report_list[0].fields: "{name}" dropped; {FIELDS[name].remark[:20]}'
        )
    else:
        assert known == [*dict.fromkeys(("clicks", *FIELDS[name].values))]
        assert all("spotify" in METRICS[metric].networks for metric in known)
        assert not conversion.dropped


def test_the_fields_are_those_that_fivetran_documents() -> None:
    assert set(FIELDS) == set(DOCUMENTED_FIELDS)


@pytest.mark.parametrize(
    ("field", "hint"),
    [("CLIKS", "did you mean CLICKS?"), ("LEADS", ", ".join(FIELDS))],
)
def test_an_undocumented_field_is_named(field: str, hint: str) -> None:
    (line,) = of_reports({"fields": ["CLICKS", field]}).dropped
    start, reason, suggestion = line.split("; ")
    assert start == f'report_list[0].fields: "{field}" dropped'
    assert reason == "Fivetran does not document this value"
    assert hint in suggestion


def test_a_report_without_any_counterpart_is_dropped_and_named() -> None:
    conversion = of_reports({}, {"table": "streams", "fields": ["STREAMS"]})
    assert [report["name"] for report in conversion.config["reports"]] == ["campaigns"]
    assert conversion.dropped[-1] == (
        "report_list[1]: dropped; none of its fields has a counterpart"
    )


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("Daily Report", "daily_report"),
        ("_x", "x"),
        ("2024 ads", "report_2024_ads"),
        ("Ünï", "n_"),
        ("!", "report"),
        ("accounts", "accounts_2"),
        ("Folders", "folders_2"),
    ],
)
def test_a_table_gets_a_valid_report_name(table: str, name: str) -> None:
    conversion = of_reports({"table": table})
    assert conversion.config["reports"][0]["name"] == name
    (line,) = conversion.changed
    assert line.startswith(f'report_list[0].table: "{table}" changed to {name}; ')


def test_duplicate_tables_get_a_number() -> None:
    conversion = of_reports({"table": "a b"}, {"table": "a_b"}, {"table": "a_b"})
    names = [report["name"] for report in conversion.config["reports"]]
    assert names == ["a_b", "a_b_2", "a_b_3"]
    assert conversion.changed[1:] == [
        'report_list[1].table: "a_b" changed to a_b_2; another report has this name',
        'report_list[2].table: "a_b" changed to a_b_3; another report has this name',
    ]


def test_a_connection_without_reports_gives_a_config_without_reports() -> None:
    conversion = converted({"sync_mode": "ALL_ACCOUNTS"})
    assert conversion.config["reports"] == []
    (line,) = conversion.changed
    assert line.startswith("report_list: omitted or empty, so the config has no")


@pytest.mark.parametrize("key", [key for key, each in KEYS.items() if not each.value])
def test_each_key_without_counterpart_is_named(key: str) -> None:
    (line,) = converted({key: "x", "config": CONFIG}).dropped
    assert line == f"{key}: dropped; {KEYS[key].remark}"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({**CONFIG, "brand_new": 1}, "brand_new"),
        ({"report_list": [REPORT | {"segments": []}]}, "report_list[0].segments"),
    ],
)
def test_an_undocumented_key_is_named(document: dict[str, Any], path: str) -> None:
    assert converted(document).dropped == [
        f"{path}: dropped; Fivetran does not document this key"
    ]


def test_keys_that_only_describe_a_connection_are_ignored() -> None:
    descriptive = {
        "id": "a_b",
        "status": {"setup_state": "connected"},
        "succeeded_at": "x",
    }
    conversion = converted({"data": {**CONNECTION, **descriptive, "auth": {}}})
    assert (conversion.dropped, conversion.changed) == ([], [])


# --- credentials ---


def test_credentials_are_dropped_and_named() -> None:
    conversion = converted(CONNECTION)
    assert not conversion.config.keys() & {
        "client_id",
        "client_secret",
        "refresh_token",
    }
    assert [line.partition(":")[0] for line in conversion.dropped] == [
        "auth.client_access.client_id",
        "auth.client_access.client_secret",
        "auth.refresh_token",
    ]
    assert all("a Spotify application" in line for line in conversion.dropped)


def test_with_auth_converts_the_credentials() -> None:
    conversion = converted(CONNECTION, with_auth=True)
    config = parse(conversion.config, now=NOW, stream_names=TABLES)
    assert config.oauth is not None
    assert config.oauth.client_id == "spotify-app"
    assert config.oauth.client_secret == CLIENT_SECRET
    assert config.oauth.refresh_token == REFRESH_TOKEN
    assert not conversion.dropped
    assert all("AdStage's own application" in line for line in conversion.changed)


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({}, "access_token: not given; give access_token, or all of client_id"),
        ({"refresh_token": REFRESH_TOKEN}, "client_id, client_secret: not given"),
        (AUTH | {"refresh_token": "******"}, "auth.refresh_token: masked"),
    ],
)
def test_with_auth_requires_all_credentials(auth: dict[str, Any], message: str) -> None:
    (line,) = refusal(CONNECTION | {"auth": auth}, with_auth=True)
    assert line.startswith(message)


# --- what is refused ---


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the document is not an object"),
        ({}, "the document has none of the keys sync_mode, accounts, report_list"),
        (
            {"code": "NotFound_Connection", "message": "…"},
            "the document has none of the keys sync_mode",
        ),
        ({"config": "{"}, "config: the text is not a valid JSON document"),
        ({"config": [CONFIG]}, "config: not an object"),
        (
            CONNECTION | {"service": "facebook_ads"},
            'service: "facebook_ads" is not allowed; it takes one of spotify_ads',
        ),
        (
            CONFIG | {"sync_mode": "SOME"},
            'sync_mode: "SOME" is not allowed; it takes one of ALL_ACCOUNTS, SPECIFIC',
        ),
        (
            CONFIG | {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": []},
            "accounts: not given; sync_mode SPECIFIC_ACCOUNTS takes a list",
        ),
        (
            CONFIG | {"accounts": ["a b"]},
            'accounts[0]: "/network/spotify/account/a b" is not allowed',
        ),
        (CONFIG | {"accounts": [7]}, "accounts[0]: 7 is not allowed; it takes a text"),
        (
            CONFIG | {"timeframe_months": "TWO"},
            'timeframe_months: "TWO" is not allowed; it takes one of THREE, SIX',
        ),
        (
            {"report_list": [{"table": "a"}]},
            "report_list[0]: dimension, fields missing",
        ),
        (
            {"report_list": [REPORT | {"granularity": "WEEK"}]},
            'report_list[0].granularity: "WEEK" is not allowed; it takes one of DAY, ',
        ),
        (
            {"report_list": [REPORT | {"fields": "CLICKS"}]},
            'report_list[0].fields: "CLICKS" is not allowed; it takes a list',
        ),
        (
            CONNECTION | {"auth": {"client_access": CLIENT_SECRET}},
            "auth.client_access: (hidden) is not allowed; it takes an object",
        ),
        (
            CONNECTION | {"schema": f"x{CLIENT_SECRET}"},
            "auth: one of its secrets also stands outside auth; remove it there",
        ),
    ],
)
def test_an_invalid_document_is_refused_with_the_reason(
    document: object, message: str
) -> None:
    (line,) = refusal(document)
    assert line.startswith(message)


def test_a_config_none_of_whose_reports_has_a_counterpart_is_refused() -> None:
    lines = refusal(
        {"report_list": [REPORT | {"dimension": "AGE"}, REPORT | {"fields": ["SKIPS"]}]}
    )
    assert [line.partition(":")[0] for line in lines] == [
        "report_list[0].dimension",
        "report_list[1].fields",
        "report_list[1]",
        "report_list",
    ]


# --- any config ---

SECRETS = st.text('abcXYZ019-_+/=~"\\ é', min_size=8).map("s3cr3t".__add__)
REPORTS = st.fixed_dictionaries(
    {
        "table": st.text(min_size=1),
        "dimension": st.sampled_from([*DIMENSIONS]),
        "fields": st.lists(st.sampled_from([*FIELDS])),
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
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*KEYS, *REPORT_KEYS, "config", "auth", "client_access", "data", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def secrets_in(auth: Mapping[str, Any]) -> list[str]:
    values = (
        auth.get("client_access", {}).get("client_secret"),
        auth.get("refresh_token"),
    )
    return [value for value in values if value]


@given(config=CONFIGS, auth=AUTHS)
@pytest.mark.parametrize("encode", [json.dumps, copy.deepcopy])
@pytest.mark.parametrize("with_auth", [True, False])
def test_any_documented_config_gives_a_valid_one_or_the_reason(
    encode: Callable[[object], object],
    with_auth: bool,  # noqa: FBT001
    config: dict[str, Any],
    auth: dict[str, Any],
) -> None:
    document = {"config": encode(config), "auth": encode(auth)}
    before = copy.deepcopy(document)
    try:
        conversion = converted(document, with_auth=with_auth)
    except ConfigError as error:
        lines = error.errors
        assert lines
    else:
        lines = conversion.dropped + conversion.changed
        token = {} if with_auth else {"access_token": "t"}
        parse(conversion.config | token, now=NOW, stream_names=TABLES)
        if not with_auth:
            text = json.dumps(conversion.config, ensure_ascii=False)
            assert not [secret for secret in secrets_in(auth) if secret in text]
    assert not [line for line in lines if "\n" in line or not line]
    assert not [s for s in secrets_in(auth) for line in lines if s in line]
    assert document == before


@given(document=JSON)
def test_any_document_gives_a_valid_config_or_the_reason(document: object) -> None:
    try:
        conversion = converted(document)
    except ConfigError:
        return
    token = {"access_token": "t"}
    parse(conversion.config | token, now=NOW, stream_names=TABLES)


# --- the command ---


def run(
    *arguments: str | Path, stdin: str = "", cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    command = ("-m", "tap_adstage.fivetran", "--to", "adstage", *arguments)
    return commands.run(*command, stdin=stdin, cwd=cwd)


@pytest.fixture
def given_file(tmp_path: Path) -> Path:
    file = tmp_path / "fivetran.json"
    file.write_text(json.dumps({"data": CONNECTION}))
    return file


def test_the_command_writes_the_config_to_stdout_and_all_else_to_stderr(
    given_file: Path,
) -> None:
    done = run(given_file)
    conversion = converted(CONNECTION)
    assert done.returncode == 0
    assert json.loads(done.stdout) == conversion.config
    lines = done.stderr.splitlines()
    assert lines[:-2] == conversion.dropped + conversion.changed
    assert lines[-2] == "1 report written; 3 items dropped, 0 changed"
    assert "TAP_ADSTAGE_ACCESS_TOKEN" in lines[-1]


def test_the_command_writes_a_file_for_the_user_alone(
    given_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "adstage.json"
    output.write_text("old")
    output.chmod(0o644)
    done = run(given_file, "--output", output, "--with-auth")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(output.read_text())["client_secret"] == CLIENT_SECRET
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert sorted(tmp_path.iterdir()) == [output, given_file]


@pytest.mark.parametrize("options", [[], ["--with-auth"]])
def test_the_command_writes_no_secret_to_stderr(
    given_file: Path, options: list[str]
) -> None:
    done = run(given_file, *options)
    assert CLIENT_SECRET not in done.stderr
    assert REFRESH_TOKEN not in done.stderr
    assert (CLIENT_SECRET in done.stdout) == (options == ["--with-auth"])


def test_the_command_reads_stdin() -> None:
    done = run("-", stdin="\ufeff" + json.dumps(CONFIG))
    assert json.loads(done.stdout) == converted(CONFIG).config


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        ("{", "<stdin>: not a single valid JSON document"),
        ("[" * 200_000, "<stdin>: not a single valid JSON document"),
        ("{}", "the document has none of the keys"),
        (
            json.dumps({"auth": "client-secret"}),
            "auth: the text is not a valid JSON document",
        ),
    ],
)
def test_the_command_prints_why_the_document_can_t_be_converted(
    stdin: str, message: str
) -> None:
    done = run("-", stdin=stdin)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {message}")
    assert "Traceback" not in done.stderr
    assert "client-secret" not in done.stderr


def test_the_command_names_a_file_that_can_t_be_written(
    given_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "nowhere" / "adstage.json"
    done = run(given_file, "--output", output)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"--output: could not write {output} (No such file" in done.stderr


# --- with the real tap ---


def spotify_accounts(sandbox: Sandbox) -> list[str]:
    accounts = sandbox.world.entities("accounts")
    return [each.remote_id for each in accounts if each.network == "spotify"]


def test_the_config_loads_rows_of_the_chosen_accounts(
    sandbox: Sandbox, settings: dict[str, Any], sync: Sync
) -> None:
    chosen, *others = spotify_accounts(sandbox)
    assert others
    reports = [
        REPORT
        | {"table": dimension, "dimension": dimension, "fields": DOCUMENTED_FIELDS}
        for dimension in DIMENSIONS
    ]
    conversion = converted(
        {
            "sync_mode": "SPECIFIC_ACCOUNTS",
            "accounts": [chosen],
            "timeframe_months": "THREE",
            "report_list": [*reports, REPORT | {"granularity": "LIFETIME"}],
        }
    )
    messages = sync(settings | conversion.config)
    names = [report["name"] for report in conversion.config["reports"]]
    assert names == ["ad_account", "campaign", "ad_set", "ad", "campaigns"]
    for name in names:
        records = messages.records(name)
        assert records
        assert {record["remote_account_id"] for record in records} == {chosen}
        assert sum(record["impressions"] or 0 for record in records) > 0


def test_the_file_and_the_environment_make_a_run(
    sandbox: Sandbox, given_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "adstage.json"
    assert run(given_file, "--output", output).returncode == 0
    ended = subprocess.run(  # noqa: S603 - the tap itself
        [
            *(sys.executable, "-m", "tap_adstage"),
            *("--config", str(output), "--config=ENV"),
        ],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ
        | {
            "TAP_ADSTAGE_API_URL": sandbox.api_url,
            "TAP_ADSTAGE_ACCESS_TOKEN": sandbox.token,
            "TAP_ADSTAGE_AS_OF": "2024-03-20",
        },
    )
    messages = map(json.loads, ended.stdout.splitlines())
    records = [
        message["record"]
        for message in messages
        if (message["type"], message.get("stream")) == ("RECORD", "campaigns")
    ]
    assert {record["network"] for record in records} == {"spotify"}
    assert {record["remote_account_id"] for record in records} == set(
        spotify_accounts(sandbox)
    )


# --- the page ---


@pytest.mark.parametrize(
    ("section", "column", "rows"),
    [
        ("keys", "setting", key_table(KEYS, CREDENTIAL_REMARK)),
        ("dimensions", "`entity_level`", DIMENSIONS),
        ("granularity", "`aggregate_by`", GRANULARITIES),
        ("fields", "metric", FIELDS),
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
        PAGE,
        "tests/wire/test_fivetran_adstage.py",
        section,
        expected,
        update=update_golden,
    )


def test_the_page_s_example_is_what_the_command_prints(tmp_path: Path) -> None:
    (connection,) = blocks(PAGE, "json")
    (tmp_path / "fivetran.json").write_text(connection)
    config, messages = blocks(PAGE, "text")
    shown = run("fivetran.json", cwd=tmp_path)
    assert shown.stdout == config
    assert "******" not in shown.stdout + shown.stderr
    written = run("fivetran.json", "--output", "adstage.json", cwd=tmp_path)
    assert (tmp_path / "adstage.json").read_text() == config
    assert written.stderr == messages
