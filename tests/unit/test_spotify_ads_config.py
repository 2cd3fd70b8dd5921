"""Spotify Ads' settings and reports: what they mean, and every mistake in them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.config.adstage_settings import AdStageConfig
from tap_adstage.config.parsing import parse
from tap_adstage.config.source_settings import (
    REPORT_KEYS,
    SETTINGS,
    SOURCES,
    json_schema,
    normalised,
)
from tap_adstage.config.spotify_ads import AUDIENCES, FIELDS, LEVELS
from tap_adstage.config.spotify_ads_settings import (
    SpotifyAdsConfig,
    SpotifyAdsReportConfig,
)
from tap_adstage.exceptions import ConfigError
from tap_adstage.spotify_ads.resources import TABLES

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2024, 3, 20, 23, 30, tzinfo=dt.timezone.utc)
OAUTH = {"client_id": "i", "client_secret": "s", "refresh_token": "r"}
ID = "9a7b6c5d-4e3f-4b21-8c99-bf1c2a3d4e5f"
REPORT: dict[str, Any] = {"name": "r", "entity_level": "ads", "fields": ["CLICKS"]}
AGE: dict[str, Any] = {**REPORT, "entity_level": "AGE"}


def read(settings: dict[str, Any]) -> SpotifyAdsConfig:
    given = {"source": "spotify_ads", "access_token": "t0ken", **settings}
    config = parse(given, now=NOW, stream_names=TABLES)
    assert isinstance(config, SpotifyAdsConfig)
    return config


def read_report(**keys: Any) -> SpotifyAdsReportConfig:  # noqa: ANN401 - settings
    (report,) = read({"reports": [{**REPORT, **keys}]}).reports
    return report


def error_of(settings: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        read(settings)
    return str(error.value)


# --- which source ---


def test_the_source_is_adstage_unless_the_settings_name_another() -> None:
    given = {"access_token": "t"}
    config = parse(given, now=NOW, stream_names=[])
    assert isinstance(config, AdStageConfig)
    assert config == parse({**given, "source": "adstage"}, now=NOW, stream_names=[])


def test_a_source_that_there_is_not_is_an_error_beside_others() -> None:
    text = error_of({"source": "spotify", "page_size": 0})
    assert text.splitlines() == [
        'source: "spotify" is not allowed; it takes one of adstage, spotify_ads',
        "page_size: 0 is not allowed; it takes an integer from 1 to 1000",
    ]


# --- settings ---


def test_the_defaults_are_spotify_s() -> None:
    config = read(OAUTH)
    assert config.api_url == "https://api-partner.spotify.com/ads/v3"
    assert config.oauth is not None
    assert config.oauth.token_url == "https://accounts.spotify.com/api/token"
    assert (config.window_days, config.page_size, config.time_zone) == (30, 50, "UTC")
    assert (config.sync_mode, config.accounts) == ("ALL_ACCOUNTS", None)
    assert (config.timeframe_months, config.lookback_days) == ("SIX", 30)
    assert (config.reconcile, config.backfill) == ("warn", "auto")


def test_only_spotify_takes_credentials_as_http_basic() -> None:
    spotify = read(OAUTH).oauth
    adstage = parse(OAUTH, now=NOW, stream_names=[]).oauth
    assert spotify is not None
    assert adstage is not None
    assert (spotify.basic, adstage.basic) == (True, False)


def test_addresses_that_are_given_are_used() -> None:
    urls = {
        "api_url": "https://mock.example:8443/ads/v3/",
        "oauth_token_url": "https://mock.example/token",
    }
    config = read({**OAUTH, **urls})
    assert config.api_url == "https://mock.example:8443/ads/v3"
    assert config.oauth is not None
    assert config.oauth.token_url == "https://mock.example/token"


def test_accounts_are_ids_of_ad_accounts_in_any_case() -> None:
    config = read({"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [ID.upper()]})
    assert config.accounts == (ID,)
    assert read({"accounts": [ID]}).accounts is None


def test_a_default_that_is_given_is_the_same_as_none() -> None:
    defaults = {s.name: s.default for s in SETTINGS if s.default is not None}
    assert "page_size" not in defaults
    assert read({**defaults, "source": "spotify_ads"}) == read({})


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("page_size", 0, "an integer from 1 to 50"),
        ("page_size", 51, "an integer from 1 to 50"),
        ("window_days", 0, "an integer from 1 to 89"),
        ("window_days", 90, "an integer from 1 to 89"),
        ("time_zone", "Asia/Tokyo", "UTC alone, as Spotify counts days in UTC"),
        ("time_zone", "utc", "UTC alone"),
        ("accounts", [], "at least one value, each the id of an ad account, a UUID"),
        ("accounts", ["/network/spotify/account/1"], "the id of an ad account, a UUID"),
        ("accounts", [ID[1:]], "the id of an ad account, a UUID such as"),
        ("accounts", [f"{ID}\n"], "the id of an ad account, a UUID such as"),
        ("accounts", ID, "a list"),
        ("timeframe_months", "six", "THREE, SIX"),
        ("shard", "9/8", "9 is more than 8"),
        ("max_concurrency", 33, "from 1 to 32"),
        ("reconcile", "error", "off, warn, fail"),
        ("api_url", "api-partner.spotify.com", "https"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_setting_value_and_what_is_allowed(
    setting: str, value: object, allowed: str
) -> None:
    text = error_of({setting: value})
    line = next(line for line in text.splitlines() if line.startswith(setting))
    innermost = value[-1] if isinstance(value, list) and value else value
    assert json.dumps(innermost) in line
    assert allowed in line


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("user_id", 1),
        ("organization_id", 1),
        ("networks", ["spotify"]),
        ("statuses", "all_with_deleted"),
        ("import_policy", "warn"),
    ],
)
def test_a_setting_of_adstage_is_an_error_that_says_whose_it_is(
    setting: str, value: object
) -> None:
    assert error_of({setting: value}) == (
        f"{setting}: {json.dumps(value)} is not allowed; it belongs to AdStage, and "
        "source is spotify_ads"
    )


def test_the_settings_that_belong_to_adstage_alone_are_those() -> None:
    owners = {setting.name: setting.owner for setting in SETTINGS if setting.owner}
    names = ["user_id", "organization_id", "networks", "statuses", "import_policy"]
    assert owners == dict.fromkeys(names, "AdStage")


def test_specific_accounts_take_a_list_of_them() -> None:
    text = error_of({"sync_mode": "SPECIFIC_ACCOUNTS"})
    assert text == (
        "accounts: not given; sync_mode SPECIFIC_ACCOUNTS takes a list of ids of ad "
        "accounts"
    )


@pytest.mark.parametrize("left_out", OAUTH)
def test_oauth_takes_all_three_settings_or_none(left_out: str) -> None:
    oauth = {key: OAUTH[key] for key in OAUTH if key != left_out}
    text = error_of({**oauth, "access_token": None})
    assert text.startswith(f"{left_out}: not given; OAuth takes all of")


def test_credentials_are_needed_but_for_the_sandbox() -> None:
    assert error_of({"access_token": None}).startswith("access_token: not given")
    assert read({"access_token": None, "sandbox": True}).sandbox


def test_a_secret_in_a_report_is_an_error_that_does_not_show_it() -> None:
    oauth = {**OAUTH, "client_secret": "57a082a0"}
    text = error_of({**oauth, "reports": [{**REPORT, "fields": ["57a082a0"]}]})
    assert text.startswith("reports[0].fields[0]: (hidden) is not allowed")
    assert "57a082" not in text


def test_settings_show_no_secret_when_they_are_printed(tmp_path: Path) -> None:
    oauth = {"client_id": "i", "client_secret": "s3cret", "refresh_token": "r3fresh"}
    file = tmp_path / "token.json"
    shown = repr(read({**oauth, "oauth_token_file": str(file)}))
    assert "client_id='i'" in shown
    for secret in ("t0ken", "s3cret", "r3fresh"):
        assert secret not in shown


# --- reports ---


def test_the_default_reports_are_four_daily_ones() -> None:
    found = {
        report.name: (report.entity_level, report.aggregate_by, report.window_days)
        for report in read({}).reports
    }
    assert found == {
        "ad_account_performance": ("ad_accounts", "day", 30),
        "campaign_performance": ("campaigns", "day", 30),
        "ad_set_performance": ("ad_sets", "day", 30),
        "ad_performance": ("ads", "day", 30),
    }
    fields = {
        tuple(field.name for field in report.fields) for report in read({}).reports
    }
    assert fields == {("IMPRESSIONS", "CLICKS", "SPEND", "REACH", "COMPLETES")}


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_has_the_api_s_name_as_an_alias_in_any_case(level: str) -> None:
    alias = LEVELS[level].entity_type
    for text in (level, level.upper(), alias, alias.lower(), alias.title()):
        assert read_report(entity_level=text).entity_level == level
    report = read_report(entity_level=None, dimension=alias)
    assert (report.entity_level, report.audience, report.is_audience) == (
        level,
        None,
        False,
    )


@pytest.mark.parametrize("audience", AUDIENCES)
def test_an_audience_is_a_level_in_any_case_and_is_total(audience: str) -> None:
    for text in (audience, audience.lower(), audience.title()):
        report = read_report(entity_level=text)
        assert (report.entity_level, report.audience) == (audience, audience)
        assert (report.is_audience, report.aggregate_by) == (True, "total")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (None, "day"),
        ("DAY", "day"),
        ("Day", "day"),
        ("hour", "hour"),
        ("HOUR", "hour"),
        ("LIFETIME", "total"),
        ("lifetime", "total"),
        ("Total", "total"),
    ],
)
def test_a_length_of_slices_may_be_in_any_case(text: str | None, length: str) -> None:
    assert read_report(granularity=text).aggregate_by == length
    assert read_report(aggregate_by=text).aggregate_by == length


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_may_be_in_any_case_and_its_column_have_a_name(field: str) -> None:
    named = {"field": field.title(), "column": "mine"}
    for given, column in ((field, None), (field.lower(), None), (named, "mine")):
        (read,) = read_report(fields=[given]).fields
        assert (read.name, read.column) == (field, column)


def test_the_fields_are_the_api_s_and_one_that_it_no_longer_has() -> None:
    assert len(FIELDS) == 49 + 1
    barred = {name for name, field in FIELDS.items() if not field.in_audiences}
    assert barred == {
        "E_CPCL",
        "E_CPM",
        "FREQUENCY",
        "OFF_SPOTIFY_IMPRESSIONS",
        "PAID_LISTENS_FREQUENCY",
        "SKIPS",
        "SPEND",
        "STARTS",
        "UNMUTES",
    }


def test_people_and_ratios_can_not_be_added_up() -> None:
    for field in ("REACH", "FREQUENCY", "LISTENERS", "CTR", "E_CPM", "COST_PER_LEAD"):
        assert not FIELDS[field].is_additive
    for field in ("IMPRESSIONS", "CLICKS", "SPEND", "LEADS", "REVENUE"):
        assert FIELDS[field].is_additive


def test_a_report_overrides_the_settings() -> None:
    report = read_report(time_zone="UTC", lookback_days=0, window_days=89)
    assert (report.lookback_days, report.window_days) == (0, 89)
    report = read({"lookback_days": 3, "window_days": 7, "reports": [REPORT]}).reports[
        0
    ]
    assert (report.lookback_days, report.window_days) == (3, 7)


def test_days_are_counted_in_utc() -> None:
    assert read_report().today == dt.date(2024, 3, 20)
    config = read({"as_of": "2024-03-01T23:00:00-05:00", "reports": [REPORT]})
    assert config.reports[0].today == config.today == dt.date(2024, 3, 2)


def test_an_audience_report_may_have_targets() -> None:
    assert read_report(**{**AGE, "targets": [ID.upper()]}).targets == (ID,)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (
            {"entity_level": "keywords"},
            (
                'entity_level: "keywords" is not allowed; it takes one of ad_accounts, '
                "campaigns, ad_sets, ads, ACT_AND_SET, AGE,"
            ),
        ),
        ({"entity_level": "DEVICE"}, 'entity_level: "DEVICE" is not allowed; it takes'),
        ({"entity_level": None}, "entity_level: not given; every report has one"),
        (
            {"aggregate_by": "week"},
            (
                'aggregate_by: "week" is not allowed; it takes one of day, hour, '
                "total, DAY, HOUR, LIFETIME. Spotify's reach can't be summed up over "
                "days; it takes total"
            ),
        ),
        ({"granularity": "Month"}, 'granularity: "Month" is not allowed; it takes one'),
        ({"granularity": "MONTH"}, "Spotify's reach can't be summed up over days"),
        (
            {"fields": ["CLICKS", "impresions"]},
            (
                'fields[1]: "impresions" is not allowed; it takes a field of '
                'Spotify\'s reports, or {"field": …, "column": …}: did you mean '
            ),
        ),
        (
            {"fields": [{"field": "CLIKS", "column": "c"}]},
            (
                'fields[0].field: "CLIKS" is not allowed; it takes a field of '
                "Spotify's reports: did you mean CLICKS"
            ),
        ),
        (
            {"fields": ["ZZZ"]},
            (
                'fields[0]: "ZZZ" is not allowed; it takes a field of Spotify\'s '
                'reports, or {"field": …, "column": …}: tap-adstage --fields lists all '
                "fields"
            ),
        ),
        ({"fields": ["clicks", 5]}, "fields[1]: 5 is not allowed; it takes a field"),
        ({"fields": ["custom_conversions:*"]}, 'fields[0]: "custom_conversions:*" is'),
        (
            {"fields": ["CLICKS", "REACH", {"field": "clicks", "column": "b"}]},
            "fields: duplicate CLICKS; list each field once",
        ),
        (
            {"fields": []},
            "fields: [] is not allowed; it takes a list with at least",
        ),
        (
            {"targets": ["1"]},
            'targets[0]: "1" is not allowed; it takes the id of a',
        ),
        ({"targets": []}, "targets: [] is not allowed; it takes a list with at least"),
        (
            {"targets": [ID]},
            (
                f'targets: ["{ID}"] is not allowed; only an audience report takes it, '
                "and entity_level ads is a level"
            ),
        ),
        (
            {**AGE, "aggregate_by": "day"},
            (
                'aggregate_by: "day" is not allowed; entity_level AGE is an audience, '
                "which Spotify reports as total alone"
            ),
        ),
        (
            {**AGE, "granularity": "HOUR"},
            'aggregate_by: "hour" is not allowed; entity_level AGE is an audience',
        ),
        (
            {**AGE, "date_range": "last 7 days"},
            (
                'date_range: "last 7 days" is not allowed; entity_level AGE is an '
                "audience, which Spotify reports over an entity's whole life alone"
            ),
        ),
        ({"time_zone": "Europe/Paris"}, 'time_zone: "Europe/Paris" is not allowed; it'),
        (
            {"window_days": 90},
            "window_days: 90 is not allowed; it takes an integer",
        ),
        (
            {"date_range": "last fortnight"},
            'date_range: "last fortnight" is not',
        ),
        ({"feilds": ["x"]}, "feilds: unknown key; did you mean fields"),
        ({"table": "t"}, "name and table mean the same; give one of them"),
        ({"name": "campaigns"}, "the tap's own streams are ad_accounts, ad_sets, ads,"),
    ],
)
def test_a_wrong_report_is_an_error_that_names_key_value_and_what_is_allowed(
    keys: dict[str, Any], line: str
) -> None:
    text = error_of({"reports": [{**REPORT, **keys}]})
    assert text.startswith("reports[0]")
    assert line in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("networks", ["spotify"]),
        ("statuses", "all_active"),
        ("filters", [{"path": "clicks", "op": "gt", "value": 1}]),
        ("group_by", "status"),
        ("sort_by", "entity_id"),
        ("order", "asc"),
        ("ignore_precision", False),
        ("provider", "adstage"),
        ("dimensions", ["age"]),
        ("key_fields", ["campaign_name"]),
        ("api_version", 2),
    ],
)
def test_a_key_of_adstage_s_reports_is_an_error_that_says_whose_it_is(
    key: str, value: object
) -> None:
    assert error_of({"reports": [{**REPORT, key: value}]}) == (
        f"reports[0].{key}: {json.dumps(value)} is not allowed; it belongs to AdStage, "
        "and source is spotify_ads"
    )


def test_the_keys_that_belong_to_adstage_alone_are_tested() -> None:
    tested = test_a_key_of_adstage_s_reports_is_an_error_that_says_whose_it_is
    cases = tested.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {key.name for key in REPORT_KEYS if key.owner} == {case[0] for case in cases}


@pytest.mark.parametrize("audience", AUDIENCES)
def test_an_audience_report_can_not_have_some_fields(audience: str) -> None:
    given = [*FIELDS]
    text = error_of({"reports": [{**AGE, "entity_level": audience, "fields": given}]})
    assert text.splitlines() == [
        f'reports[0].fields[{given.index(name)}]: "{name}" is not allowed; '
        f"entity_level {audience} is an audience, for which Spotify doesn't have it"
        for name in given
        if not FIELDS[name].in_audiences
    ]


@pytest.mark.parametrize(
    "date_range",
    [
        "2024-01-01..2024-03-30",  # 90 days, both ends included
        "last 90 days",
        "2024-01-01",
        "last 2 months",
    ],
)
def test_a_total_with_dates_may_have_90_days(date_range: str) -> None:
    report = read_report(aggregate_by="total", date_range=date_range)
    assert report.date_range == date_range


@pytest.mark.parametrize(
    ("date_range", "days"),
    [
        ("2024-01-01..2024-03-31", "91 days, 2024-01-01..2024-03-31,"),
        ("last 91 days", "91 days, 2023-12-20..2024-03-19,"),
        ("last 3 months", "91 days, 2023-12-01..2024-02-29,"),
        ("last year", "365 days, 2023-01-01..2023-12-31,"),
    ],
)
def test_a_total_with_more_than_90_days_is_an_error(date_range: str, days: str) -> None:
    keys = {"granularity": "LIFETIME", "date_range": date_range}
    text = error_of({"reports": [{**REPORT, **keys}]})
    assert text == (
        f'reports[0].date_range: "{date_range}" is not allowed with aggregate_by '
        f"total; its {days} are more than the 90 that Spotify adds up; omit it for "
        "the whole lifetime"
    )


def test_the_days_of_a_relative_range_are_those_as_of_the_run_s_day() -> None:
    report = {**REPORT, "aggregate_by": "total", "date_range": "last 2 months"}
    settings = {"reports": [report], "as_of": "2024-09-15"}
    assert read({**settings, "as_of": "2024-03-15"}).reports[0].date_range
    assert read(settings).reports[0].date_range
    report["date_range"] = "year to date"
    assert read({**settings, "as_of": "2024-03-15"}).reports[0].date_range
    assert "are more than the 90" in error_of(settings)


def test_other_lengths_may_have_any_number_of_days() -> None:
    assert read_report(date_range="last 2 years").date_range == "last 2 years"


def test_all_errors_are_reported_at_once() -> None:
    text = error_of(
        {
            "networks": ["spotify"],
            "page_size": 1000,
            "reports": [
                {**REPORT, "fields": ["cliks"], "order": "asc"},
                {**REPORT, "name": "s", "granularity": "WEEK", "window_days": 100},
            ],
        }
    )
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "networks",
        "reports[0].order",
        "page_size",
        "reports[0].fields[0]",
        "reports[1].window_days",
        "reports[1].granularity",
    ]


# --- the alias of `reports` ---


@pytest.mark.parametrize("source", SOURCES)
def test_reports_may_be_given_as_report_list(source: str) -> None:
    report = {"table": "t", "dimension": "AD", "granularity": "DAY", "fields": ["ctr"]}
    given = {"source": source, "access_token": "t"}
    by_alias = parse({**given, "report_list": [report]}, now=NOW, stream_names=[])
    by_name = parse({**given, "reports": [report]}, now=NOW, stream_names=[])
    assert by_alias == by_name
    assert [report.name for report in by_alias.reports] == ["t"]


def test_errors_name_reports_as_they_are_given() -> None:
    text = error_of({"report_list": [{**REPORT, "fields": ["x"], "granularity": "z"}]})
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "report_list[0].fields[0]",
        "report_list[0].granularity",
    ]
    assert error_of({"report_list": {}}).startswith("report_list: {} is not allowed")


def test_reports_under_both_names_are_an_error() -> None:
    text = error_of({"report_list": [REPORT], "reports": [REPORT]})
    assert text == "report_list and reports mean the same; give one of them"
    assert read({"report_list": None, "reports": [REPORT]}).reports[0].name == "r"


# --- one schema for every source ---


def test_the_schema_has_no_default_that_depends_on_the_source() -> None:
    properties = json_schema()["properties"]
    for name in ("api_url", "page_size", "window_days", "networks", "import_policy"):
        assert "default" not in properties[name]
    assert properties["page_size"]["maximum"] == 1000
    described = properties["window_days"]["description"]
    assert "10" in described
    assert "30" in described


def test_the_schema_takes_the_keys_and_values_of_every_source() -> None:
    keys = json_schema()["properties"]["reports"]["items"]["properties"]
    assert {"filters", "provider", "targets", "date_range"} <= {*keys}
    assert {*LEVELS, *AUDIENCES, "keywords"} <= {*keys["entity_level"]["enum"]}
    assert {"hour", "week", "HOUR", "LIFETIME"} <= {*keys["granularity"]["enum"]}


def test_settings_in_one_form_are_what_the_schema_takes() -> None:
    report = {
        "name": "r",
        "dimension": "age",
        "granularity": "Lifetime",
        "fields": None,
    }
    given = {"source": "spotify_ads", "report_list": [report], "page_size": None}
    assert normalised(given) == {
        "source": "spotify_ads",
        "reports": [{"name": "r", "dimension": "AGE", "granularity": "LIFETIME"}],
    }
