"""Every mistake in the settings: what the user reads."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.adstage.resources import TABLES
from tap_adstage.config.adstage_settings import AdStageConfig
from tap_adstage.config.default_reports import default_reports
from tap_adstage.config.parsing import parse
from tap_adstage.config.setting_checks import unknown_settings
from tap_adstage.config.source_settings import SETTINGS
from tap_adstage.exceptions import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


NOW = dt.datetime(2024, 3, 20, 23, 30, tzinfo=dt.timezone.utc)
REPORT: dict[str, Any] = {
    "name": "spend",
    "entity_level": "accounts",
    "fields": ["spend"],
}


FACEBOOK: dict[str, Any] = {
    "provider": "facebook",
    "targets": ["/network/facebook/account/10"],
}


def read(settings: dict[str, Any]) -> AdStageConfig:
    config = parse(
        {"access_token": "t0ken", **settings},
        now=NOW,
        stream_names=TABLES,
    )
    assert isinstance(config, AdStageConfig)
    return config


def error_of(settings: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as error:
        read(settings)
    return str(error.value)


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("access_token", "", "visible ASCII"),
        ("access_token", "has space", "visible ASCII"),
        ("access_token", "line\n", "visible ASCII"),
        ("access_token", 123456, "visible ASCII"),
        ("client_id", "", "not empty"),
        ("client_secret", "", "not empty"),
        ("client_secret", 98765, "not empty"),
        ("refresh_token", "", "not empty"),
        ("oauth_token_url", "platform.adstage.io", "https"),
        ("oauth_token_file", "", "not empty"),
        ("oauth_token_file", "/no/such/folder/token.json", "folder that exists"),
        ("source", "spotify", "adstage, spotify_ads"),
        ("source", ["adstage"], "adstage, spotify_ads"),
        ("api_url", "platform.adstage.io/api", "https"),
        ("api_url", "https://platform.adstage.io:port/api", "https"),
        ("api_url", "https://platform adstage.io/api", "https"),
        ("sandbox", "yes", "true or false"),
        ("user_id", "40", "1 or more"),
        ("user_id", 0, "1 or more"),
        ("organization_id", 1.5, "an integer"),
        ("sync_mode", "SOME_ACCOUNTS", "ALL_ACCOUNTS, SPECIFIC_ACCOUNTS"),
        ("accounts", "/network/adwords/account/1", "list"),
        ("accounts", [], "at least one"),
        ("accounts", ["123"], "/network/adwords/account/123"),
        ("accounts", ["/network/adwords/campaign/1"], "account"),
        ("accounts", ["/network/myspace/account/1"], "adwords"),
        ("shard", "", "such as 3/8"),
        ("shard", 3, "such as 3/8"),
        ("shard", "0/8", "such as 3/8"),
        ("shard", "9/8", "9 is more than 8"),
        ("networks", [], "at least one"),
        ("networks", ["gemini"], "adwords, amazon"),
        ("networks", "facebook", "list with at least one value, each one of adwords"),
        ("networks", ["facebook", "facebook"], "once"),
        ("statuses", "visible", "all_visible, all_active"),
        ("start_date", "2024-02-30", "2024-01-31"),
        ("start_date", "20240131", "2024-01-31"),
        ("start_date", "yesterday", "2024-01-31"),
        ("end_date", "2023-02-29T00:00:00Z", "2024-01-31"),
        ("timeframe_months", 6, "THREE, SIX"),
        ("time_zone", "Mars/Phobos", "IANA"),
        ("time_zone", "", "IANA"),
        ("as_of", "tomorrow", "2024-01-31"),
        ("lookback_days", -1, "0 or more"),
        ("window_days", 0, "1 or more"),
        ("page_size", 0, "from 1 to 1000"),
        ("page_size", 1001, "from 1 to 1000"),
        ("page_size", "100", "from 1 to 1000"),
        ("page_size", True, "from 1 to 1000"),
        ("max_concurrency", 0, "from 1 to 32"),
        ("max_concurrency", 33, "from 1 to 32"),
        ("request_timeout", 0, "1 or more"),
        ("max_retry_seconds", -5, "0 or more"),
        ("reconcile", "error", "off, warn, fail"),
        ("backfill", "on", "auto, off"),
        ("import_policy", "wait", "ignore, warn, hold"),
        ("complete_slices", "months", "true or false"),
        ("user_agent", "bad\r\nheader", "printable"),
        ("reports", {}, "list"),
        ("reports", ["spend"], "an object"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_setting_value_and_what_is_allowed(
    setting: str,
    value: object,
    allowed: str,
) -> None:
    text = error_of({setting: value})
    line = next(line for line in text.splitlines() if line.startswith(setting))
    assert allowed in line
    innermost = value[-1] if isinstance(value, list) and value else value
    secret = next(s.secret for s in SETTINGS if s.name == setting)
    if secret:
        assert "(hidden)" in line or "(empty)" in line
        assert not value or str(value) not in line
    else:
        assert json.dumps(innermost) in line


@pytest.mark.parametrize("setting", ["api_url", "oauth_token_url"])
@pytest.mark.parametrize(
    "url",
    [
        "https://user:pa55word@platform.adstage.io",
        "https://user:pa55word/x@platform.adstage.io",
        "https://pa55word@platform.adstage.io",
        "https://platform.adstage.io/api?key=pa55word",
        "https://platform.adstage.io/api#pa55word",
        "user:pa55word@platform.adstage.io",
    ],
)
def test_a_url_with_user_or_query_is_refused_without_showing_them(
    setting: str,
    url: str,
) -> None:
    text = error_of({setting: url})
    assert f"{setting}: (hidden) is not allowed; it takes an http or https URL " in text
    assert "pa55" not in text


SECRET_ELSEWHERE = {
    "client_id": "id-{}",
    "oauth_token_url": "https://platform.adstage.io/oauth/{}",
    "oauth_token_file": "token-{}.json",
    "api_url": "https://{}.adstage.io/api",
    "accounts": ["/network/adwords/account/1", "/network/adwords/account/{}"],
    "user_agent": "robot {}",
}
REPORT_WITH_A_SECRET = {
    "name": "report_{}",
    "fields": ["clicks", "custom_conversions:1:{}"],
    "targets": ["/network/adwords/account/{}"],
    "filters": [{"path": "meta/campaign_name", "op": "in", "value": ["a", "{}"]}],
    "group_by": "{}",
}


@pytest.mark.parametrize("secret", ["access_token", "client_secret", "refresh_token"])
@pytest.mark.parametrize(
    ("setting", "path"),
    [
        *((name, name) for name in SECRET_ELSEWHERE if name != "accounts"),
        ("accounts", "accounts[1]"),
        ("name", "reports[0].name"),
        ("fields", "reports[0].fields[1]"),
        ("targets", "reports[0].targets[0]"),
        ("filters", "reports[0].filters[0].value[1]"),
        ("group_by", "reports[0].group_by"),
    ],
)
def test_a_secret_in_a_setting_that_is_shown_is_an_error_that_does_not_show_it(
    setting: str,
    path: str,
    secret: str,
) -> None:
    oauth = {"client_id": "id", "client_secret": "c1", "refresh_token": "r1"}
    raw: dict[str, Any] = {**oauth, "access_token": "a1", secret: "57a082a0"}
    if setting in SECRET_ELSEWHERE:
        raw[setting] = SECRET_ELSEWHERE[setting]
    else:
        key = {setting: REPORT_WITH_A_SECRET[setting]}
        report = {"name": "r", "entity_level": "ads", "fields": ["clicks"], **key}
        raw["reports"] = [report]
    text = error_of(json.loads(json.dumps(raw).replace("{}", "57a082a0")))
    expected = f"{path}: (hidden) is not allowed; it holds the value of {secret}, "
    assert expected in text
    assert "57a082a0" not in text


def test_other_settings_may_hold_a_secret_of_a_few_letters() -> None:
    read({"access_token": "report", "user_agent": "report-reader"})


def test_a_default_that_is_given_is_the_same_as_none() -> None:
    defaults = {s.name: s.default for s in SETTINGS if s.default is not None}
    chosen = {
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": ["/network/adwords/account/1", "/network/gemini/account/2"],
    }
    assert read(defaults) == read({})
    assert read({**defaults, **chosen}) == read(chosen)


def test_the_settings_show_no_secret() -> None:
    oauth = {"client_id": "id", "client_secret": "c57a082", "refresh_token": "r57a082"}
    assert "57a082" not in repr(read({**oauth, "access_token": "a57a082"}))


def test_every_setting_has_a_wrong_value_tested() -> None:
    marks = test_a_wrong_value_is_an_error_that_names_setting_value_and_what_is_allowed
    tested = {case[0] for case in marks.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert tested == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"name": "Spend"}, ["reports[0].name", '"Spend"', "lower-case"]),
        ({"name": "1spend"}, ["reports[0].name", "a letter first"]),
        ({"name": "a-b"}, ["reports[0].name", "lower-case"]),
        ({"name": "spend\n"}, ["reports[0].name", "lower-case"]),
        ({"name": "accounts"}, ["reports[0].name", "tap's own streams are account"]),
        ({"table": "other"}, ["reports[0]", "name and table mean the same"]),
        ({"name": None}, ["reports[0].name: not given"]),
        ({"fields": None}, ["reports[0].fields: not given"]),
        ({"fields": []}, ["reports[0].fields", "at least one"]),
        ({"fields": [""]}, ["reports[0].fields[0]", "not empty"]),
        ({"entity_level": "campaign"}, ["reports[0].entity_level", "campaigns"]),
        ({"entity_level": None}, ["reports[0].entity_level: not given"]),
        ({"aggregate_by": "hour"}, ["reports[0].aggregate_by", "day, week, month"]),
        ({"granularity": "HOUR"}, ["reports[0].granularity", "no hourly data"]),
        ({"date_range": "last fortnight"}, ["reports[0].date_range", "'fortnight'"]),
        ({"date_range": "2024-02-30"}, ["reports[0].date_range", "2024-02-30"]),
        ({"networks": ["google"]}, ["reports[0].networks[0]", "adwords"]),
        ({"statuses": "all"}, ["reports[0].statuses", "all_visible"]),
        ({"time_zone": "PST8"}, ["reports[0].time_zone", "IANA"]),
        ({"lookback_days": -1}, ["reports[0].lookback_days", "0 or more"]),
        ({"window_days": 0}, ["reports[0].window_days", "1 or more"]),
        ({"targets": ["123"]}, ["reports[0].targets[0]", "/network/adwords"]),
        ({"targets": []}, ["reports[0].targets", "at least one"]),
        (
            {"targets": ["/network/adwords/campaign/1"]},
            ["reports[0].targets[0]", "no finer", "accounts"],
        ),
        (
            {"entity_level": "ad_groups", "targets": ["/network/adwords/keyword/1"]},
            ["reports[0].targets[0]", "no finer", "ad_groups"],
        ),
        ({"filters": [{"path": "clicks"}]}, ["reports[0].filters[0]", "op, value"]),
        (
            {"filters": [{"path": "clicks", "op": ">", "value": 1}]},
            ["reports[0].filters[0].op", "gt, lt"],
        ),
        (
            {"filters": [{"path": "clicks", "op": "gt", "value": None}]},
            ["reports[0].filters[0].value", "a number or a text"],
        ),
        (
            {"filters": [{"path": "clicks", "op": "gt", "value": "ten"}]},
            ["reports[0].filters[0].value", '"ten"', "op gt", "a number"],
        ),
        (
            {"filters": [{"path": "meta/network", "op": "in", "value": "quora"}]},
            ["reports[0].filters[0].value", '"quora"', "op in", "a list"],
        ),
        (
            {"filters": [{"path": "meta/ad_name", "op": "match", "value": 5}]},
            ["reports[0].filters[0].value", "5", "op match", "a text"],
        ),
        ({"order": "up"}, ["reports[0].order", "asc, desc"]),
        ({"group_by": ""}, ["reports[0].group_by", "not empty"]),
        ({"sort_by": ""}, ["reports[0].sort_by", "not empty"]),
        ({"ignore_precision": "no"}, ["reports[0].ignore_precision", "true or false"]),
        ({"feilds": ["x"]}, ["reports[0].feilds", "did you mean fields or"]),
        ({"hourly": True}, ["reports[0].hourly", "unknown key"]),
        ({"api_version": 3}, ["reports[0].api_version", "3", "one of 2, 1"]),
        ({"api_version": "1"}, ["reports[0].api_version", '"1"', "one of 2, 1"]),
        (
            {"api_version": 1, "fields": ["Calculated_Metric:123"]},
            ["reports[0].fields[0]", '"Calculated_Metric:123"', "take api_version 2"],
        ),
        (
            {"api_version": 1, "sort_by": "calculated_metric:1"},
            ["reports[0].sort_by", "calculated metrics take api_version 2"],
        ),
        (
            {
                "api_version": 1,
                "filters": [{"path": "calculated_metric:1", "op": "gt", "value": 1}],
            },
            ["reports[0].filters[0].path", "calculated metrics take api_version 2"],
        ),
        (
            {"api_version": 1, "ignore_precision": True},
            ["reports[0].ignore_precision", "true", "takes api_version 2"],
        ),
        (
            {
                "api_version": 1,
                "entity_level": "ads",
                "targets": ["/network/adwords/ad_group/1"],
            },
            ["reports[0].targets[0]", "accounts, account groups, folders and camp"],
        ),
        ({"provider": "tiktok"}, ["reports[0].provider", "adstage, facebook, adwords"]),
        (
            {"dimensions": ["age"]},
            ["reports[0].dimensions", '["age"]', "an external provider"],
        ),
        ({"dimensions": []}, ["reports[0].dimensions", "at least one"]),
        ({"dimensions": ["age", "age"]}, ["reports[0].dimensions", "each value once"]),
        (
            {**FACEBOOK, "api_version": 2},
            ["reports[0].api_version", "2", "facebook takes version 1"],
        ),
        ({**FACEBOOK, "networks": ["facebook"]}, ["reports[0].networks", "a network"]),
        (
            {**FACEBOOK, "fields": ["calculated_metric:123"]},
            ["reports[0].fields[0]", "calculated metrics"],
        ),
        (
            {**FACEBOOK, "targets": None},
            ["reports[0].targets: not given", "a single account", "/network/facebook"],
        ),
        (
            {**FACEBOOK, "targets": ["/network/adwords/account/1"]},
            ["reports[0].targets", "/network/adwords/account/1", "a single account"],
        ),
        (
            {**FACEBOOK, "targets": [*FACEBOOK["targets"], *FACEBOOK["targets"]]},
            ["reports[0].targets", "a single account"],
        ),
        (
            {**FACEBOOK, "targets": ["/network/adstage/account_group/1"]},
            ["reports[0].targets", "a single account"],
        ),
        (
            {
                **FACEBOOK,
                "entity_level": "ads",
                "targets": ["/network/facebook/campaign/1"],
            },
            ["reports[0].targets", "a single account"],
        ),
    ],
)
def test_a_wrong_report_is_an_error_that_names_the_key(
    changes: dict[str, Any],
    parts: list[str],
) -> None:
    text = error_of({"reports": [{**REPORT, **changes}]})
    assert all(part in text for part in parts), text


@pytest.mark.parametrize(
    "keys",
    [
        {"targets": ["/network/adstage/account_group/1", "/network/adstage/user/1"]},
        {"entity_level": "ads", "targets": ["/network/adwords/ad_group/1"]},
        {"entity_level": "ads", "targets": ["/network/adwords/keyword/1"]},
        {"entity_level": "keywords", "targets": ["/network/adwords/criterion/1"]},
        {
            "api_version": 1,
            "entity_level": "ads",
            "targets": ["/network/adwords/campaign/1", "/network/adstage/folder/1"],
        },
    ],
    ids=str,
)
def test_targets_may_be_as_fine_as_the_report(keys: dict[str, Any]) -> None:
    (report,) = read({"reports": [{**REPORT, **keys}]}).reports
    assert report.targets == tuple(keys["targets"])


def test_reports_without_a_name_do_not_share_one() -> None:
    text = error_of({"reports": [{**REPORT, "name": None}] * 2})
    assert text.count("name: not given") == 2
    assert "another report" not in text


@pytest.mark.parametrize(
    "report",
    [
        {"provider": "gemini", "targets": ["/network/gemini/account/1"]},
        {
            "provider": "google_analytics",
            "targets": ["/network/google_analytics/account/1"],
        },
        {"provider": "facebook", "targets": ["/network/facebook/account/11"]},
    ],
    ids=lambda report: report["provider"],
)
def test_chosen_accounts_limit_providers_whose_accounts_can_be_chosen(
    report: dict[str, Any],
) -> None:
    chosen = {
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": ["/network/facebook/account/11"],
    }
    config = read({**chosen, "reports": [{**REPORT, **report}]})
    assert config.reports[0].targets == tuple(report["targets"])


def test_two_reports_of_one_name_are_an_error() -> None:
    text = error_of({"reports": [REPORT, {**REPORT, "entity_level": "ads"}]})
    assert text.startswith('reports[1].name: "spend" is not allowed; another report')


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"access_token": None}, ["access_token: not given", "sandbox"]),
        ({"client_id": "x"}, ["client_secret, refresh_token: not given"]),
        ({"client_id": "x", "client_secret": "y"}, ["refresh_token: not given"]),
        ({"sync_mode": "SPECIFIC_ACCOUNTS"}, ["accounts: not given", "entity ids"]),
        (
            {
                "sync_mode": "SPECIFIC_ACCOUNTS",
                "accounts": ["/network/adwords/account/1"],
                "networks": ["facebook"],
            },
            ["accounts", "/network/adwords/account/1", "facebook"],
        ),
        (
            {"start_date": "2024-02-01", "end_date": "2024-01-31"},
            ["end_date", '"2024-01-31"', 'start_date "2024-02-01"'],
        ),
        (
            {
                "sync_mode": "SPECIFIC_ACCOUNTS",
                "accounts": ["/network/facebook/account/11"],
                "reports": [{**REPORT, **FACEBOOK}],
            },
            ["reports[0].targets", "account/10", "one of the setting accounts"],
        ),
    ],
)
def test_settings_that_do_not_go_together_are_an_error(
    settings: dict[str, Any],
    parts: list[str],
) -> None:
    text = error_of(settings)
    assert all(part in text for part in parts), text


def test_everything_wrong_is_reported_at_once() -> None:
    text = error_of({"page_size": 0, "window_days": 0, "time_zone": "x"})
    assert len(text.splitlines()) == 3


def test_defaults_are_the_documented_ones() -> None:
    config = read({})
    assert config.api_url == "https://platform.adstage.io/api"
    assert config.accounts is None
    assert (config.page_size, config.request_timeout, config.max_retry_seconds) == (
        1000,
        300,
        600,
    )
    assert [report.name for report in config.reports] == [
        "account_performance",
        "campaign_performance",
        "ad_group_performance",
        "ad_performance",
        "keyword_performance",
    ]
    report = config.reports[3]
    assert [field.name for field in report.fields] == [
        "clicks",
        "impressions",
        "spend",
        "conversions",
        "account_name",
        "remote_account_id",
        "campaign_name",
        "remote_campaign_id",
        "ad_group_name",
        "remote_ad_group_id",
        "ad_name",
        "remote_ad_id",
    ]
    assert (report.aggregate_by, report.statuses) == ("day", "all_with_deleted")
    assert (report.sort_by, report.order) == ("entity_id", "asc")
    assert (report.lookback_days, report.window_days) == (30, 10)
    assert len(report.networks) == 9


@pytest.mark.parametrize(
    ("keys", "version"),
    [
        ({}, 2),
        ({"api_version": 1}, 1),
        ({"api_version": 2}, 2),
        (FACEBOOK, 1),
        ({**FACEBOOK, "api_version": 1, "dimensions": ["age"]}, 1),
        ({"provider": "gemini", "targets": ["/network/gemini/account/1"]}, 1),
        (
            {
                "provider": "google_analytics",
                "targets": ["/network/google_analytics/account/1"],
            },
            1,
        ),
    ],
)
def test_external_providers_use_version_1_and_all_others_2(
    keys: dict[str, Any],
    version: int,
) -> None:
    (report,) = read({"reports": [{**REPORT, **keys}]}).reports
    assert report.api_version == version
    assert report.provider == keys.get("provider", "adstage")
    assert report.is_external == ("provider" in keys)
    assert report.dimensions == tuple(keys.get("dimensions", ()))


def test_a_profile_may_stand_at_any_level() -> None:
    keys = {
        "provider": "google_analytics",
        "entity_level": "campaigns",
        "targets": ["/network/google_analytics/campaign/1"],
    }
    (report,) = read({"reports": [{**REPORT, **keys}]}).reports
    assert report.targets == ("/network/google_analytics/campaign/1",)


def test_no_reports_at_all_is_a_choice() -> None:
    assert read({"reports": []}).reports == ()


@pytest.mark.parametrize("report", default_reports(), ids=lambda report: report["name"])
def test_the_default_reports_are_valid_settings(report: dict[str, Any]) -> None:
    assert read({"reports": [report]}).reports[0].name == report["name"]


@pytest.mark.parametrize(
    ("given", "key", "expected"),
    [
        ({"dimension": "AD_ACCOUNT"}, "entity_level", "accounts"),
        ({"dimension": "CAMPAIGN"}, "entity_level", "campaigns"),
        ({"dimension": "AD_SET"}, "entity_level", "ad_groups"),
        ({"entity_level": "AD"}, "entity_level", "ads"),
        ({"granularity": "DAY"}, "aggregate_by", "day"),
        ({"granularity": "LIFETIME"}, "aggregate_by", "total"),
        ({"aggregate_by": "LIFETIME"}, "aggregate_by", "total"),
        ({"table": "t"}, "name", "t"),
    ],
)
def test_aliases_mean_what_they_stand_for(
    given: dict[str, Any],
    key: str,
    expected: str,
) -> None:
    report = {
        "name": None if "table" in given else "spend",
        "entity_level": None if "dimension" in given else "ads",
        "fields": ["spend"],
    } | given
    assert getattr(read({"reports": [report]}).reports[0], key) == expected


def test_a_report_overrides_the_settings() -> None:
    overrides = {
        "networks": ["facebook"],
        "statuses": "all_active",
        "time_zone": "Asia/Tokyo",
        "lookback_days": 0,
        "window_days": 3,
    }
    report = read({"reports": [{**REPORT, **overrides}]}).reports[0]
    assert report.networks == ("facebook",)
    assert (report.statuses, report.time_zone) == ("all_active", "Asia/Tokyo")
    assert (report.lookback_days, report.window_days) == (0, 3)


def test_today_is_counted_in_the_report_s_time_zone() -> None:
    reports = [REPORT, {**REPORT, "name": "tokyo", "time_zone": "Asia/Tokyo"}]
    utc, tokyo = read({"reports": reports}).reports
    assert (utc.today, tokyo.today) == (dt.date(2024, 3, 20), dt.date(2024, 3, 21))


@pytest.mark.parametrize(
    ("as_of", "today"),
    [
        ("2019-06-15", dt.date(2019, 6, 15)),
        ("2019-06-15T23:00:00Z", dt.date(2019, 6, 16)),
        ("2019-06-15T23:00:00", dt.date(2019, 6, 15)),
    ],
)
def test_as_of_sets_today(as_of: str, today: dt.date) -> None:
    config = read({"as_of": as_of, "time_zone": "Asia/Tokyo", "reports": [REPORT]})
    assert config.today == config.reports[0].today == today


@pytest.mark.parametrize(
    "settings",
    [
        {"as_of": "0001-01-01T00:00:00+14:00"},
        {
            "as_of": "2020-01-01",
            "reports": [{**REPORT, "date_range": "2021 years ago"}],
        },
    ],
)
def test_a_range_before_the_calendar_is_an_error(settings: dict[str, Any]) -> None:
    assert "not within the years 1 to 9999" in error_of(settings)


def test_a_start_date_s_day_is_the_one_that_is_written() -> None:
    settings = {"start_date": "2024-01-01T00:00:00Z", "time_zone": "America/New_York"}
    report = read({**settings, "reports": [REPORT]}).reports[0]
    assert report.start_date == dt.date(2024, 1, 1)


def test_the_token_endpoint_is_at_the_api_s_root_by_default() -> None:
    oauth = {"client_id": "i", "client_secret": "s", "refresh_token": "r"}
    config = read({**oauth, "api_url": "https://api.example:8443/deep/api/"})
    assert config.oauth is not None
    assert config.oauth.token_url == "https://api.example:8443/oauth/token"
    assert config.api_url == "https://api.example:8443/deep/api"
    elsewhere = read({**oauth, "oauth_token_url": "https://login.example/t"})
    assert elsewhere.oauth is not None
    assert elsewhere.oauth.token_url == "https://login.example/t"


def test_taps_that_name_a_token_file_by_a_link_share_the_file_itself(
    tmp_path: Path,
) -> None:
    oauth = {"client_id": "i", "client_secret": "s", "refresh_token": "r"}
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "token.json")
    config = read({**oauth, "oauth_token_file": str(link)})
    assert config.oauth is not None
    assert config.oauth.token_file == tmp_path / "token.json"


def test_settings_show_no_secret_where_they_are_printed() -> None:
    oauth = {"client_id": "i", "client_secret": "s3cret", "refresh_token": "r3fresh"}
    shown = repr(read({"access_token": "t0ken", **oauth}))
    assert "client_id='i'" in shown
    for secret in ("t0ken", "s3cret", "r3fresh"):
        assert secret not in shown


def test_null_means_not_given() -> None:
    report = {**REPORT, "date_range": None}
    config = read({"page_size": None, "reports": [report]})
    assert config.page_size == 1000


def test_a_missing_key_is_reported_beside_a_wrong_value() -> None:
    text = error_of({"page_size": 0, "reports": [{**REPORT, "name": None}]})
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "page_size",
        "reports[0].name",
    ]


def test_an_integer_may_be_written_with_a_point() -> None:
    config = read({"page_size": 100.0, "reports": [{**REPORT, "api_version": 1.0}]})
    assert f"{config.page_size} {config.reports[0].api_version}" == "100 1"


def test_a_text_may_be_the_word_null() -> None:
    (report,) = read({"reports": [{**REPORT, "group_by": "null"}]}).reports
    assert (report.group_by, report.sort_by) == ("null", "null")


def test_unknown_settings_are_errors_with_the_nearest_names() -> None:
    known = [setting.name for setting in SETTINGS]
    assert unknown_settings({"strat_date": 1, "page_size": 1}, known) == [
        "strat_date: unknown setting; did you mean start_date?",
    ]
