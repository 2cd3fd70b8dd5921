"""Custom metrics may vanish, `:*` stands for all of them, and a column may be named."""

from __future__ import annotations

from typing import Any

import pytest
from harness.reports import report_config

from tap_adstage.adstage.fields import DEFAULT_META_FIELDS, FieldCatalog
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.adstage.report_query import fields_to_request
from tap_adstage.config.adstage import family_of, is_custom
from tap_adstage.config.reports import Field
from tap_adstage.exceptions import ConfigError, VanishedFieldError

LEADS = "custom_conversions:14:conversions"
VALUE = "custom_conversions:14:conversion_value"
GONE = "custom_conversions:15:conversions"
CATALOG = FieldCatalog.of(
    {"id": field, "type": "METRIC"}
    for field in ("clicks", LEADS, VALUE, "calculated_metric:123", "date_start")
)
PLAIN = FieldCatalog.of([{"id": "clicks", "type": "METRIC"}])
GOOGLE = FieldCatalog.of([{"id": "clicks", "type": "METRIC"}], is_external=True)
NUMBER = {"type": ["number", "null"]}
FIXED = ["date", *DEFAULT_META_FIELDS]


def columns(catalog: FieldCatalog = CATALOG, /, **keys: Any) -> Any:  # noqa: ANN401
    return report_columns(report_config(**{"entity_level": "ads", **keys}), catalog)


def names(catalog: FieldCatalog = CATALOG, /, **keys: Any) -> list[str]:  # noqa: ANN401
    """Return the names of a report's columns after those that every row has."""
    properties = [*columns(catalog, **keys).schema["properties"]]
    assert properties[: len(FIXED)] == FIXED
    return properties[len(FIXED) :]


def refusal(catalog: FieldCatalog = CATALOG, /, **keys: Any) -> list[str]:  # noqa: ANN401
    with pytest.raises(ConfigError) as error:
        columns(catalog, **keys)
    return error.value.errors


def named(field: str, column: str) -> dict[str, str]:
    return {"field": field, "column": column}


# --- what AdStage takes away ---


@pytest.mark.parametrize(
    ("field", "is_one"),
    [
        (LEADS, True),
        ("Custom_Conversions:14:Conversions", True),
        ("custom_conversions:facebook:offsite.7:cost_per_conversion", True),
        ("calculated_metric:9", True),
        ("custom_conversions:14", False),
        ("custom_conversions:", False),
        ("custom_conversions::conversions", False),
        ("custom_conversions:14:", False),
        ("custom_conversions:*", False),
        ("custom_conversions:14:*", False),
        ("custom_conversions:14: conversions", False),
        ("custom_conversion:14:conversions", False),
        ("calculated_metric:", False),
        ("calculated_metric:x", False),
        ("calculated_metric:9:x", False),
        ("calculated_metrics:9", False),
        ("clicks", False),
    ],
)
def test_a_custom_metric_is_known_by_its_form(field: str, is_one: bool) -> None:  # noqa: FBT001
    assert is_custom(field) == is_one


@pytest.mark.parametrize("field", [GONE, "calculated_metric:9", GONE.upper()])
def test_a_custom_metric_that_adstage_lacks_is_a_null_column(field: str) -> None:
    decided = columns(fields=["clicks", field])
    lost = decided.fields[-1]
    assert decided.vanished == (field,)
    assert decided.schema["properties"][lost.name] == NUMBER
    assert [column.field for column in decided.metrics] == ["clicks", field]
    everything = {column.name for column in decided.fields}
    assert fields_to_request(decided, everything) == [*DEFAULT_META_FIELDS, "clicks"]
    (warning,) = decided.warnings
    assert warning.startswith(f"AdStage no longer has {field}; the columns stay")


def test_all_that_vanished_is_one_warning() -> None:
    (warning,) = columns(fields=[GONE, "clicks", "calculated_metric:9"]).warnings
    assert f"{GONE}, calculated_metric:9;" in warning


def test_what_is_there_is_no_warning() -> None:
    decided = columns(fields=["clicks", LEADS, "calculated_metric:123"])
    assert (decided.vanished, decided.warnings) == ((), ())


@pytest.mark.parametrize(
    ("field", "nearest"),
    [
        ("cliks", "clicks"),
        ("custom_conversions:14", LEADS),
        ("custom_conversion:14:conversions", LEADS),
        ("calculated_metric:12a", "calculated_metric:123"),
    ],
)
def test_a_misspelt_field_stays_an_error(field: str, nearest: str) -> None:
    (error,) = refusal(fields=["clicks", field])
    assert f"unknown field {field!r}" in error
    assert nearest in error.partition("did you mean")[2]


def test_external_providers_have_no_custom_metrics() -> None:
    keys = {
        "provider": "google_analytics",
        "targets": ["/network/google_analytics/account/1"],
        "entity_level": "accounts",
    }
    for field in (GONE, "custom_conversions:*"):
        (error,) = refusal(GOOGLE, fields=[field], **keys)
        assert f"unknown field {field!r}" in error


@pytest.mark.parametrize("level", ["accounts", "ads"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sort_by", GONE),
        ("sort_by", "calculated_metric:9"),
        ("filters", [{"path": GONE, "op": "gt", "value": 1}]),
    ],
)
def test_rows_can_t_be_chosen_or_ordered_by_what_vanished(
    level: str, key: str, value: str | list[Any]
) -> None:
    with pytest.raises(VanishedFieldError) as error:
        columns(fields=["clicks"], entity_level=level, **{key: value})
    field = value if isinstance(value, str) else GONE
    assert f"reports.r.{key}: AdStage no longer has {field}" in str(error.value)


def test_a_user_s_mistakes_are_named_before_what_vanished() -> None:
    (error,) = refusal(fields=["cliks"], sort_by=GONE)
    assert "'cliks'" in error


def test_a_custom_metric_is_nothing_to_group_by_whether_it_is_there_or_not() -> None:
    for field in (LEADS, GONE):
        (error,) = refusal(fields=["clicks"], group_by=field)
        assert f"reports.r.group_by: {field!r} is not allowed" in error
        assert "did you mean" not in error


def test_a_vanished_metric_of_a_group_stays_a_number() -> None:
    decided = columns(fields=[GONE], group_by="network")
    name = decided.fields[-1].name
    assert decided.schema["properties"][name] == NUMBER


# --- all there are ---


def test_a_star_stands_for_all_custom_metrics() -> None:
    assert family_of("Custom_Conversions:*") == "custom_conversions:"
    assert family_of("custom_conversions:14:*") is None
    assert names(fields=["custom_conversions:*", "clicks", "calculated_metric:*"]) == [
        "custom_conversions_14_conversion_value",
        "custom_conversions_14_conversions",
        "clicks",
        "calculated_metric_123",
    ]


def test_a_metric_that_is_also_listed_keeps_its_place_and_its_column() -> None:
    fields = ["custom_conversions:*", named(LEADS.upper(), "leads")]
    assert names(fields=fields) == ["custom_conversions_14_conversion_value", "leads"]


def test_a_star_that_stands_for_nothing_is_a_warning() -> None:
    decided = columns(PLAIN, fields=["clicks", "calculated_metric:*"])
    assert decided.vanished == ()
    assert [column.name for column in decided.metrics] == ["clicks"]
    (warning,) = decided.warnings
    assert warning.startswith("AdStage has none of calculated_metric:*")


def test_a_star_alone_may_stand_for_nothing() -> None:
    assert names(PLAIN, fields=["custom_conversions:*"]) == []


def test_a_star_twice_is_a_duplicate() -> None:
    (error,) = refusal(fields=["custom_conversions:*", "CUSTOM_CONVERSIONS:*"])
    assert "duplicate CUSTOM_CONVERSIONS:*, custom_conversions:*" in error


@pytest.mark.parametrize("field", ["click*", "*", "custom_conversions:14:*"])
def test_a_star_elsewhere_is_unknown(field: str) -> None:
    (error,) = refusal(fields=[field])
    assert f"unknown field {field!r}" in error


# --- names of columns ---


def test_a_column_gets_the_name_that_it_is_given() -> None:
    decided = columns(
        fields=[
            named(LEADS, "app_installs"),
            named("CLICKS", "ad_clicks"),
            named(GONE, "gone"),
            named("ad_name", "title"),
            "campaign_name",
        ]
    )
    fields = {column.name: column.field for column in decided.fields[3:]}
    assert fields == {
        "app_installs": LEADS,
        "ad_clicks": "clicks",
        "gone": GONE,
        "title": "ad_name",
        "campaign_name": "campaign_name",
    }


def test_a_field_of_an_earlier_discovery_is_found_under_its_own_column() -> None:
    report = report_config(entity_level="ads", fields=[named("old_note", "note")])
    discovered = {"note": {"type": ["string", "null"]}}
    decided = report_columns(report, CATALOG, discovered)
    assert decided.vanished == ("old_note",)
    assert decided.schema["properties"]["note"] == discovered["note"]


@pytest.mark.parametrize(
    ("fields", "shared"),
    [
        ([named("clicks", "leads"), named(LEADS, "leads")], "clicks and " + LEADS),
        ([named("clicks", "date")], "date and clicks"),
        ([named("clicks", "entity_id")], "entity_id and clicks"),
        ([named("clicks", "ad_name"), "ad_name"], "clicks and ad_name"),
        (["tracking_params.a-b", "tracking_params.a_b"], "tracking_params.a-b and"),
    ],
)
def test_two_fields_with_one_column_are_an_error_that_offers_another(
    fields: list[Any], shared: str
) -> None:
    (error,) = refusal(fields=fields)
    assert f"reports.r.fields: {shared}" in error
    assert '{"field": "' in error
    assert '", "column": "…"}' in error


def test_fields_with_one_column_can_have_two() -> None:
    fields = ["tracking_params.a-b", named("tracking_params.a_b", "other")]
    assert names(fields=fields) == ["tracking_params_a_b", "other"]


@pytest.mark.parametrize(
    ("keys", "field", "column"),
    [
        ({}, "network", "network"),
        ({}, "Entity_Id", "entity_id"),
        ({"group_by": "campaign_entity_id"}, "campaign_entity_id", None),
        (
            {
                "provider": "google_analytics",
                "targets": ["/network/google_analytics/account/1"],
                "dimensions": ["ga:x"],
                "entity_level": "accounts",
            },
            "ga:x",
            "ga_x",
        ),
    ],
)
def test_a_column_that_a_report_always_has_keeps_its_name(
    keys: dict[str, Any], field: str, column: str | None
) -> None:
    catalog = CATALOG
    if "dimensions" in keys:
        catalog = FieldCatalog.of([{"id": "ga:x", "type": "TEXT"}], is_external=True)
    (error,) = refusal(catalog, fields=[named(field, "other")], **keys)
    assert f"{field} always has the column {column or field}" in error


def test_a_group_s_entity_id_is_a_field_like_others() -> None:
    decided = columns(fields=[named("entity_id", "ids")], group_by="network")
    assert decided.fields[-1].name == "ids"


def test_fields_are_typed() -> None:
    report = report_config(entity_level="ads", fields=["Clicks", named("spend", "s")])
    assert report.fields == (Field("Clicks"), Field("spend", "s"))


# --- hints ---


@pytest.mark.parametrize(
    ("keys", "advice", "wrong"),
    [
        ({"fields": ["date"]}, "every report has the column date", "update"),
        ({"fields": ["Week"]}, "aggregate_by sets its slices", "did you mean"),
        ({"group_by": "month"}, "aggregate_by sets the slices", "did you mean"),
        ({"sort_by": "date"}, "days come in their order", "update"),
        (
            {"filters": [{"path": "meta/date", "op": "match", "value": "x"}]},
            "date_range limits the days",
            "did you mean",
        ),
        (
            {"group_by": "clicks"},
            "tap-adstage --fields lists all fields",
            "mean",
        ),
        ({"group_by": "zzz"}, "tap-adstage --fields lists all fields", "mean"),
        ({"fields": ["bid"]}, "did you mean bid.type", " id"),
        ({"fields": ["utm_source"]}, "did you mean tracking_params.utm_source?", " or"),
        ({"fields": ["country"]}, "tap-adstage --fields lists all fields", "mean"),
        ({"sort_by": "zzz"}, "tap-adstage --fields lists all fields", "mean"),
        (
            {"filters": [{"path": "ad_name", "op": "match", "value": "x"}]},
            "did you mean meta/ad_name?",
            " or meta/",
        ),
        (
            {"filters": [{"path": "meta/clicks", "op": "gt", "value": 1}]},
            "did you mean clicks?",
            " or ",
        ),
    ],
)
def test_a_hint_helps(keys: dict[str, Any], advice: str, wrong: str) -> None:
    (error,) = refusal(**{"fields": ["clicks"], **keys})
    hint = error.split("; ", 2)[2]
    assert advice in hint
    assert wrong not in hint


# --- groups ---


@pytest.mark.parametrize(
    ("group", "level", "steady"),
    [
        ("campaign_name", "ads", "campaign_entity_id"),
        ("Campaign_Status", "ads", "campaign_entity_id"),
        ("account_name", "ads", "account_entity_id"),
        ("ad_group_name", "ads", "ad_group_entity_id"),
        ("account_group_name", "ads", "account_group_id"),
        ("folder_names", "ads", "folder_ids"),
        ("folder_names.40", "ads", "folder_ids.40"),
        ("keyword_status", "keywords", "keyword_entity_id"),
        ("name", "campaigns", "campaign_entity_id"),
        ("status", "ad_groups", "ad_group_entity_id"),
        ("budget.value", "campaigns", None),
        ("bid_float", "campaigns", None),
    ],
)
def test_a_group_that_changes_is_a_warning_that_offers_the_id(
    group: str, level: str, steady: str | None
) -> None:
    decided = columns(fields=["clicks"], group_by=group, entity_level=level)
    (warning,) = decided.warnings
    assert warning.startswith(f"group_by: {group.lower()} can change in AdStage")
    assert "rows of its old value stay in the table" in warning
    assert (f"; {steady} never changes" in warning) == (steady is not None)
    assert ("never changes" in warning) == (steady is not None)


@pytest.mark.parametrize(
    "group",
    [
        None,
        "network",
        "currency_code",
        "campaign_entity_id",
        "remote_campaign_id",
        "account_group_id",
        "folder_ids",
        "folder_ids.40",
        "campaign_type",
    ],
)
def test_a_group_that_stays_is_no_warning(group: str | None) -> None:
    keys = {} if group is None else {"group_by": group}
    assert columns(fields=["clicks", "campaign_name"], **keys).warnings == ()


def test_a_provider_s_names_change_too() -> None:
    catalog = FieldCatalog.of(
        [
            {"id": "campaign_name", "type": "TEXT"},
            {"id": "campaign_id", "type": "TEXT"},
        ],
        is_external=True,
    )
    (warning,) = columns(
        catalog,
        provider="facebook",
        targets=["/network/facebook/account/1"],
        fields=["campaign_id"],
        group_by="campaign_name",
    ).warnings
    assert "; campaign_id never changes" in warning


# --- what the setting takes ---


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (7, ["fields[0]: 7 is not allowed", "a text that is not empty, or {"]),
        ("", ['fields[0]: "" is not allowed', "a text that is not empty"]),
        ({"field": "clicks"}, ["fields[0]: column missing"]),
        ({"column": "c"}, ["fields[0]: field missing"]),
        (
            {"field": "clicks", "column": "c", "name": "x"},
            ["fields[0].name: unknown key"],
        ),
        (named("", "c"), ['fields[0].field: "" is not allowed']),
        (named("clicks", "App Installs"), ["fields[0].column", "lower-case letters"]),
        (named("clicks", ""), ["fields[0].column", "lower-case letters"]),
        (named("clicks", "c" * 64), ["fields[0].column", "at most 63"]),
        (
            named("custom_conversions:*", "c"),
            ["fields[0].column", "stands for several fields"],
        ),
    ],
)
def test_a_field_of_another_form_is_an_error(value: object, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        report_config(entity_level="ads", fields=[value])
    (line,) = error.value.errors
    assert line.startswith("reports[0].")
    assert all(part in line for part in parts), line


def test_the_longest_name_of_a_column_fits() -> None:
    assert names(fields=[named("clicks", "c" * 63)]) == ["c" * 63]


def test_v1_has_no_calculated_metrics_not_even_all_of_them() -> None:
    for field in ("calculated_metric:*", "calculated_metric:9"):
        with pytest.raises(ConfigError, match="calculated metrics take api_version 2"):
            report_config(entity_level="ads", fields=[field], api_version=1)


@pytest.mark.parametrize("word", ["HOUR", "hour"])
def test_hours_are_refused_with_the_reason(word: str) -> None:
    with pytest.raises(ConfigError, match="AdStage has no hourly data"):
        report_config(entity_level="ads", fields=["clicks"], aggregate_by=word)
