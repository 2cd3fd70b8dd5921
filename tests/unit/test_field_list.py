"""Fields as someone looks them up: found by a text, shown, suggested."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tap_adstage.adstage.field_list import live_field, meta_fields, metric_field
from tap_adstage.adstage.meta_fields import META_FIELDS, meta_field
from tap_adstage.cli.fields import json_lines, table_lines
from tap_adstage.config.spotify_ads import FIELDS
from tap_adstage.reports.field_list import (
    ListedField,
    matching,
    why_none,
)
from tap_adstage.spotify_ads.field_list import listed_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

CLICKS = ListedField(
    id="clicks", name="Clicks", format="DEFAULT", networks=("a", "b"), lacking=()
)
LEADS = ListedField(
    id="custom_conversions:14:conversions",
    name="Größte Leads",
    format="DEFAULT",
    networks=("a",),
    where="API V1",
)
FIELDS_HERE = [CLICKS, LEADS]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [CLICKS, LEADS]),
        ("CLICK", [CLICKS]),
        ("leads", [LEADS]),
        (":14:", [LEADS]),
        ("GRÖSS", []),
        ("größ", [LEADS]),
        ("leads größte", [LEADS]),
        ("custom conversions", [LEADS]),
        ("größte clicks", []),
        ("#", []),
    ],
)
def test_a_text_is_found_in_id_and_name_in_any_case(
    text: str, found: list[ListedField]
) -> None:
    assert matching(FIELDS_HERE, text) == found


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("cliks", "no field has 'cliks' in its id or name; did you mean clicks?"),
        ("größte lead", "did you mean custom_conversions:14:conversions?"),
        ("cost of clics", "did you mean clicks?"),
        ("custom events", "did you mean custom_conversions:14:conversions?"),
        ("zzz", "omit it to list them all"),
    ],
)
def test_the_nearest_are_suggested(text: str, advice: str) -> None:
    assert why_none(FIELDS_HERE, text).endswith(advice)


def test_a_table_is_aligned_and_names_each_network_or_all() -> None:
    assert [*table_lines(FIELDS_HERE)] == [
        "id                                 name          format   networks  where",
        "clicks                             Clicks        DEFAULT  all",
        "custom_conversions:14:conversions  Größte Leads  DEFAULT  a         API V1",
    ]


@pytest.mark.parametrize(
    ("networks", "lacking", "text"),
    [
        (("a", "b", "c"), ("d",), "all but d"),
        (("a",), ("b", "c"), "a"),
        (("a", "b"), (), "all"),
        (("a", "b"), None, "a, b"),
    ],
)
def test_networks_are_listed_the_shorter_way(
    networks: tuple[str, ...], lacking: tuple[str, ...] | None, text: str
) -> None:
    field = ListedField(id="x", name="", format="", networks=networks, lacking=lacking)
    assert field.networks_text == text


def test_a_line_is_a_json_object() -> None:
    assert [json.loads(line) for line in json_lines(FIELDS_HERE)] == [
        {
            "id": "clicks",
            "name": "Clicks",
            "format": "DEFAULT",
            "networks": ["a", "b"],
            "where": None,
        },
        {
            "id": "custom_conversions:14:conversions",
            "name": "Größte Leads",
            "format": "DEFAULT",
            "networks": ["a"],
            "where": "API V1",
        },
    ]


@pytest.mark.parametrize(
    ("descriptor", "networks", "where"),
    [
        ({}, "all", ""),
        ({"is_spotify": False, "is_gemini": False}, "all but spotify", ""),
        ({"is_keyword": None}, "all", ""),
        (
            {"is_keyword": False, "is_ad": False},
            "all",
            "entity_level accounts, campaigns, ad_groups",
        ),
        ({"id": "calculated_metric:7"}, "all", "api_version 2"),
    ],
)
def test_a_metric_has_the_networks_and_levels_of_its_descriptor(
    descriptor: Mapping[str, object], networks: str, where: str
) -> None:
    field = metric_field({"id": "clicks", "name": None, **descriptor})
    assert (field.networks_text, field.where, field.name) == (networks, where, "")


def test_a_live_field_names_its_provider() -> None:
    field = live_field({"id": "clicks", "provider": "facebook", "is_keyword": False})
    assert field.networks == ("facebook",)
    assert field.where == (
        "provider facebook; entity_level accounts, campaigns, ad_groups, ads"
    )


def test_meta_fields_are_those_that_reports_take() -> None:
    listed = {field.id: field.format for field in meta_fields()}
    assert listed.keys() >= META_FIELDS
    for id_ in listed:
        assert meta_field(id_.replace("{user id}", "1").replace("{parameter}", "x"))
    assert listed["campaign_name"] == "TEXT"
    assert listed["budget_float"] == "NUMBER"
    assert listed["folder_ids.{user id}"] == "ARRAY"


def test_spotify_s_fields_are_all_of_its_table() -> None:
    listed = {field.id: field for field in listed_fields()}
    assert [*listed] == [*FIELDS]
    assert listed["SPEND"].where == "levels alone"
    assert listed["REACH"].where == "levels and audiences"
    assert listed["REACH"].format == "doesn't add up"
