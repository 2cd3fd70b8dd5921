from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from harness.reports import report_config

from tap_adstage.adstage.fields import DEFAULT_META_FIELDS, FieldCatalog
from tap_adstage.adstage.meta_fields import META_FIELDS, meta_field
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.adstage.report_query import ReportQuery, fields_to_request
from tap_adstage.exceptions import ConfigError
from tap_adstage.reports.columns import column_name

if TYPE_CHECKING:
    from tap_adstage.config.adstage_settings import AdStageReportConfig

CATALOG = FieldCatalog.of(
    [
        {"id": "clicks", "type": "METRIC"},
        {"id": "spend", "type": "METRIC"},
        {"id": "final_note", "type": "TEXT"},
        {"id": "last_note", "type": "METRIC", "format": "TEXT"},
        {"id": "custom_conversions:14:conversions", "type": "METRIC"},
        {"id": "custom_conversions:14_conversions", "type": "METRIC"},
        {"id": "calculated_metric:123", "type": "METRIC"},
        {"id": "bounceRate", "type": "METRIC"},
        {"id": "date", "type": "METRIC"},
        {"id": None, "type": "METRIC"},
    ],
)
NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
TEXTS = {"type": ["array", "null"], "items": {"type": ["string", "null"]}}
DAY = {"type": "string", "format": "date"}


def report(**keys: Any) -> AdStageReportConfig:  # noqa: ANN401 - settings
    return report_config(**{"entity_level": "ads", "fields": ["clicks"], **keys})


def properties(**keys: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    schema: dict[str, Any] = report_columns(report(**keys), CATALOG).schema
    return dict(schema["properties"])


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("clicks", "clicks"),
        ("custom_conversions:14:conversions", "custom_conversions_14_conversions"),
        ("budget.value", "budget_value"),
        ("calculated_metric:123", "calculated_metric_123"),
        ("ga:bounceRate", "ga_bouncerate"),
        ("a::.b", "a_b"),
        ("a__b", "a__b"),
    ],
)
def test_a_column_is_the_field_in_lower_case_with_underscores(
    field: str,
    name: str,
) -> None:
    assert column_name(field) == name


def test_a_row_has_its_date_its_entity_and_the_fields_in_their_order() -> None:
    assert properties(fields=["spend", "ad_name", "clicks"]) == {
        "date": DAY,
        "entity_id": {"type": "string"},
        "network": TEXT,
        "currency_code": TEXT,
        "spend": NUMBER,
        "ad_name": TEXT,
        "clicks": NUMBER,
    }


@pytest.mark.parametrize(
    ("field", "column", "schema"),
    [
        ("bid_float", "bid_float", NUMBER),
        ("budget_float", "budget_float", NUMBER),
        ("quality_score_float", "quality_score_float", NUMBER),
        ("bid.value", "bid_value", TEXT),
        ("objective.unit", "objective_unit", TEXT),
        ("tracking_params.utm_term", "tracking_params_utm_term", TEXT),
        ("tracking_params.campaign_code", "tracking_params_campaign_code", TEXT),
        ("tracking_params.utm-id", "tracking_params_utm_id", TEXT),
        ("folder_names", "folder_names", TEXTS),
        ("folder_ids.40", "folder_ids_40", TEXTS),
        ("calculated_metric:123", "calculated_metric_123", NUMBER),
        ("CLICKS", "clicks", NUMBER),
        ("Ad_Name", "ad_name", TEXT),
        ("bouncerate", "bouncerate", NUMBER),
        ("final_note", "final_note", TEXT),
        ("last_note", "last_note", TEXT),
    ],
)
def test_a_field_s_column_has_its_type(
    field: str,
    column: str,
    schema: dict[str, Any],
) -> None:
    assert properties(fields=[field])[column] == schema


@pytest.mark.parametrize("field", ["objective", "tracking_params"])
def test_objects_stay_objects(field: str) -> None:
    schema = properties(fields=[field])[field]
    assert schema["type"] == ["object", "null"]
    assert schema["additionalProperties"] is True
    documented = {
        name.partition(".")[2] for name in META_FIELDS if name.startswith(f"{field}.")
    }
    assert set(schema["properties"]) == documented


@pytest.mark.parametrize(
    ("aggregate_by", "dates", "keys"),
    [
        ("day", ("date",), ("date", "entity_id")),
        ("week", ("date", "date_end"), ("date", "entity_id")),
        ("month", ("date", "date_end"), ("date", "entity_id")),
        ("total", ("date", "date_end"), ("date", "date_end", "entity_id")),
    ],
)
def test_dates_and_keys_follow_from_the_slice(
    aggregate_by: str,
    dates: tuple[str, ...],
    keys: tuple[str, ...],
) -> None:
    columns = report_columns(report(aggregate_by=aggregate_by), CATALOG)
    assert (columns.dates, columns.keys) == (dates, keys)
    assert all("null" not in columns.schema["properties"][key]["type"] for key in keys)


def test_a_group_s_column_stands_for_the_entity_and_other_texts_are_arrays() -> None:
    columns = report_columns(
        report(group_by="campaign_name", fields=["clicks", "ad_name", "bid_float"]),
        CATALOG,
    )
    assert columns.keys == ("date", "campaign_name")
    assert columns.schema["properties"] == {
        "date": DAY,
        "campaign_name": {"type": "string"},
        "network": TEXTS,
        "currency_code": TEXTS,
        "clicks": NUMBER,
        "ad_name": TEXTS,
        "bid_float": TEXTS,
    }


def test_requested_names_are_the_api_s() -> None:
    columns = report_columns(report(fields=["BOUNCERATE", "AD_NAME"]), CATALOG)
    assert [column.field for column in columns.fields][-2:] == ["bounceRate", "ad_name"]


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ({"fields": ["cliks"]}, ["reports.r.fields", "'cliks'", "did you mean clicks"]),
        ({"fields": ["campain_name"]}, ["'campain_name'", "campaign_name"]),
        ({"fields": ["zzzzzz"]}, ["'zzzzzz'", "a metric or a documented meta field"]),
        (
            {"fields": ["none"]},
            ["reports.r.fields: unknown field 'none'; use a metric"],
        ),
        (
            {"fields": ["clicks", "Clicks"]},
            ["duplicate Clicks, clicks; list each field once"],
        ),
        (
            {"group_by": "clicks"},
            ["reports.r.group_by: 'clicks' is not allowed; use a", "meta field"],
        ),
        ({"group_by": "netwrok"}, ["reports.r.group_by", "did you mean network"]),
        ({"group_by": "objective"}, ["reports.r.group_by", "not an object"]),
        ({"group_by": "final_note"}, ["reports.r.group_by", "'final_note'"]),
        ({"sort_by": "cost"}, ["reports.r.sort_by", "'cost'"]),
        (
            {"filters": [{"path": "meta/clicks", "op": "gt", "value": 1}]},
            ["reports.r.filters", "'meta/clicks'", "meta/NAME"],
        ),
        (
            {"filters": [{"path": "ad_name", "op": "match", "value": "x"}]},
            ["reports.r.filters", "'ad_name'", "did you mean meta/ad_name"],
        ),
        (
            {
                "fields": [
                    "custom_conversions:14:conversions",
                    "custom_conversions:14_conversions",
                ],
            },
            [
                "custom_conversions:14:conversions and custom_conversions:14_conv",
                "column custom_conversions_14_conversions",
            ],
        ),
        ({"fields": ["date"]}, ["date and date would share the column date"]),
    ],
)
def test_fields_that_can_t_be_columns_are_an_error(
    keys: dict[str, Any],
    parts: list[str],
) -> None:
    with pytest.raises(ConfigError) as error:
        report_columns(report(**keys), CATALOG)
    assert all(part in str(error.value) for part in parts), str(error.value)


def test_a_wrong_group_is_one_error() -> None:
    with pytest.raises(ConfigError) as error:
        report_columns(report(group_by="netwrok"), CATALOG)
    assert len(error.value.errors) == 1


def test_no_object_is_proposed_to_group_by() -> None:
    with pytest.raises(ConfigError, match=r"did you mean objective\.") as error:
        report_columns(report(group_by="objective"), CATALOG)
    assert "objective or" not in str(error.value)
    assert "objective?" not in str(error.value)


@pytest.mark.parametrize("group", ["bid_float", "folder_names", "ad_name"])
def test_numbers_and_lists_can_be_grouped_by_too(group: str) -> None:
    columns = report_columns(report(group_by=group), CATALOG)
    assert columns.keys == ("date", group)
    assert columns.schema["properties"][group] == {"type": "string"}


def test_every_unknown_field_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        report_columns(report(fields=["cliks", "spendd", "clicks"]), CATALOG)
    assert len(error.value.errors) == 2


def test_fields_that_every_row_has_may_be_asked_for_too() -> None:
    names = [*properties(fields=["network", "clicks", "entity_id"])]
    assert names == ["date", "entity_id", "network", "currency_code", "clicks"]


def test_documented_meta_fields_are_known_in_any_case() -> None:
    assert all(meta_field(name.upper()) == name for name in META_FIELDS)
    assert len(META_FIELDS) == 70
    assert meta_field("folder_names.x") is None
    assert meta_field("nothing") is None


# --- external providers ---

GOOGLE = FieldCatalog.of(
    [
        {"id": "ga:sessions", "type": "METRIC"},
        {"id": "ga:bounceRate", "type": "METRIC"},
        {"id": "ga:sourceMedium", "type": "TEXT"},
        {"id": "campaign_name", "type": "TEXT"},
    ],
    is_external=True,
)
PROFILE: dict[str, Any] = {
    "provider": "google_analytics",
    "targets": ["/network/google_analytics/account/1"],
    "entity_level": "accounts",
    "fields": ["ga:sessions"],
}


def external(**keys: Any) -> AdStageReportConfig:  # noqa: ANN401 - settings
    return report(**PROFILE | keys)


def test_an_external_provider_s_prefixes_are_requested_and_are_no_part_of_a_name() -> (
    None
):
    columns = report_columns(
        external(fields=["GA:BounceRate", "ga:sessions", "campaign_name"]), GOOGLE
    )
    assert columns.schema["properties"] == {
        "date": DAY,
        "entity_id": {"type": "string"},
        "network": TEXT,
        "currency_code": TEXT,
        "ga_bouncerate": NUMBER,
        "ga_sessions": NUMBER,
        "campaign_name": TEXT,
    }
    everything = {column.name for column in columns.fields}
    assert fields_to_request(columns, everything) == [
        "ga:bounceRate",
        "ga:sessions",
        "campaign_name",
    ]


def test_dimensions_are_string_columns_and_keys() -> None:
    columns = report_columns(
        external(dimensions=["ga:deviceCategory", "ga:sourceMedium"]), GOOGLE
    )
    assert columns.keys == (
        "date",
        "entity_id",
        "ga_devicecategory",
        "ga_sourcemedium",
    )
    for key in columns.keys[1:]:
        assert columns.schema["properties"][key] == {"type": "string"}
    assert columns.schema["required"] == [*columns.keys]
    asked = fields_to_request(columns, {column.name for column in columns.fields})
    assert asked == ["ga:sessions"]


def test_a_dimension_is_the_network_s_word_and_not_changed() -> None:
    columns = report_columns(external(dimensions=["GA:SOURCEMEDIUM"]), GOOGLE)
    fields = {column.name: column.field for column in columns.fields}
    assert fields["ga_sourcemedium"] == "GA:SOURCEMEDIUM"


def test_a_field_that_is_a_dimension_too_is_one_column() -> None:
    names = [
        column.name
        for column in report_columns(
            external(
                fields=["ga:sourceMedium", "ga:sessions"],
                dimensions=["ga:sourcemedium"],
            ),
            GOOGLE,
        ).fields
    ]
    assert sorted(names) == sorted(set(names))
    assert names.index("ga_sourcemedium") < names.index("ga_sessions")


def test_dimensions_that_are_one_column_are_one_key() -> None:
    columns = report_columns(external(dimensions=["ga:x", "GA:X", "Entity_id"]), GOOGLE)
    assert columns.keys == ("date", "entity_id", "ga_x")


def test_pages_may_be_ordered_by_a_dimension() -> None:
    by_device = external(dimensions=["ga:deviceCategory"], sort_by="ga:deviceCategory")
    assert report_columns(by_device, GOOGLE).dimensions == ("ga_devicecategory",)
    asked = ReportQuery(
        report=by_device, fields=[], catalog=GOOGLE, accounts=None, page_size=1
    )
    assert asked.sort_by == "ga:deviceCategory"


def test_a_group_that_is_a_dimension_too_is_in_the_key_once() -> None:
    columns = report_columns(
        external(dimensions=["ga:sourceMedium"], group_by="ga:sourceMedium"), GOOGLE
    )
    assert columns.keys == ("date", "ga_sourcemedium")


def test_a_total_by_dimension_and_group_has_all_of_them_in_its_key() -> None:
    columns = report_columns(
        external(
            dimensions=["ga:deviceCategory"],
            aggregate_by="total",
            group_by="campaign_name",
        ),
        GOOGLE,
    )
    assert columns.keys == ("date", "date_end", "campaign_name", "ga_devicecategory")


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ({"fields": ["ga:session"]}, ["'ga:session'", "did you mean ga:sessions"]),
        (
            {"fields": ["clicks"]},
            [
                "'clicks'",
                "a text field of provider google_analytics",
                "tap-adstage --fields lists all fields",
            ],
        ),
        ({"fields": ["account_name"]}, ["'account_name'"]),
        ({"group_by": "account_name"}, ["group_by", "text field of provider"]),
        ({"group_by": "ga:sessions"}, ["group_by", "'ga:sessions'"]),
        ({"sort_by": "spend"}, ["sort_by", "'spend'"]),
        (
            {"filters": [{"path": "meta/ga:sessions", "op": "gt", "value": 1}]},
            ["filters", "'meta/ga:sessions'", "did you mean ga:sessions"],
        ),
        (
            {"dimensions": ["ga:date", "ga.date"]},
            ["ga:date and ga.date would share the column ga_date"],
        ),
    ],
)
def test_an_external_provider_s_fields_are_those_of_its_descriptors(
    keys: dict[str, Any],
    parts: list[str],
) -> None:
    with pytest.raises(ConfigError) as error:
        report_columns(external(**keys), GOOGLE)
    assert all(part in str(error.value) for part in parts), str(error.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"fields": ["account_name"]},
        {"group_by": "account_name"},
        {"filters": [{"path": "meta/account_name", "op": "match", "value": "x"}]},
    ],
)
def test_no_field_of_adstage_s_own_is_proposed_for_a_provider(
    keys: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError, match=r"'(meta/)?account_name'") as error:
        report_columns(external(**keys), GOOGLE)
    proposed = str(error.value).partition("did you mean ")[2]
    assert "account_name" not in proposed


def test_filters_on_a_provider_s_fields_are_spelled_as_the_provider_does() -> None:
    filters = [
        {"path": "GA:Sessions", "op": "gt", "value": 1},
        {"path": "meta/GA:SourceMedium", "op": "match", "value": "x"},
    ]
    asked = ReportQuery(
        report=external(filters=filters, sort_by="ga:SESSIONS"),
        fields=[],
        catalog=GOOGLE,
        accounts=None,
        page_size=1,
    )
    assert [condition["path"] for condition in asked.filters] == [
        "ga:sessions",
        "meta/ga:sourceMedium",
    ]
    assert asked.sort_by == "ga:sessions"


# --- chosen accounts ---

CHOSEN = "/network/adwords/account/1"
FOLDER = "/network/adstage/folder/1"
NARROWED = {"path": "meta/account_entity_id", "op": "in", "value": [CHOSEN]}


@pytest.mark.parametrize(
    ("report_", "catalog", "accounts", "targets", "filters"),
    [
        (report(), CATALOG, None, [], []),
        (report(), CATALOG, [CHOSEN], [CHOSEN], []),
        (report(targets=[FOLDER]), CATALOG, None, [FOLDER], []),
        (report(targets=[FOLDER]), CATALOG, [CHOSEN], [FOLDER], [NARROWED]),
        # a provider has no such field, and its target is an account
        (external(), GOOGLE, [CHOSEN], PROFILE["targets"], []),
    ],
)
def test_chosen_accounts_are_targets_or_else_a_filter(
    report_: AdStageReportConfig,
    catalog: FieldCatalog,
    accounts: list[str] | None,
    targets: list[str],
    filters: list[dict[str, Any]],
) -> None:
    asked = ReportQuery(
        report=report_,
        fields=[],
        catalog=catalog,
        accounts=accounts,
        page_size=1,
    )
    assert (asked.targets, asked.filters) == (targets, filters)


# --- descriptors that vanish ---

DISCOVERED = {
    "calculated_metric_9": {"type": ["number", "null"]},
    "old_note": {"type": ["string", "null"]},
    "old_texts": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
}


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("calculated_metric:9", "calculated_metric_9"),
        ("Old_Note", "old_note"),
        ("old_texts", "old_texts"),
    ],
)
def test_a_field_that_vanished_since_discovery_stays_a_column(
    field: str, column: str
) -> None:
    columns = report_columns(report(fields=["clicks", field]), CATALOG, DISCOVERED)
    assert columns.vanished == (field,)
    assert columns.schema["properties"][column] == DISCOVERED[column]
    everything = {column.name for column in columns.fields}
    assert fields_to_request(columns, everything) == [*DEFAULT_META_FIELDS, "clicks"]


def test_a_misspelt_field_is_none_that_vanished() -> None:
    discovered = {"budget_value": {"type": ["string", "null"]}}
    with pytest.raises(ConfigError, match=r"'budget_value'.*budget\.value"):
        report_columns(report(fields=["budget_value"]), CATALOG, discovered)


def test_a_field_that_was_never_discovered_is_unknown() -> None:
    with pytest.raises(ConfigError, match="'cliks'"):
        report_columns(report(fields=["cliks"]), CATALOG, DISCOVERED)
    assert report_columns(report(), CATALOG, DISCOVERED).vanished == ()


def test_a_parameter_s_name_is_asked_for_as_it_is() -> None:
    assert meta_field("Tracking_Params.hsa_Cam") == "tracking_params.hsa_Cam"
    assert meta_field("TRACKING_PARAMS.UTM_TERM") == "tracking_params.utm_term"
