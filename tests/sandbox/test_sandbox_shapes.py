# ruff: noqa: ANN401 (JSON is anything)
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_adstage.sandbox.world.world import World

    from .api import Api

SHAPES = Path(__file__).parent / "shapes"

RESOURCES = {
    "me": "v1_me",
    "organizations/40": "v1_organization",
    "users/40/list_network_accounts/all?limit=1": "v1_accounts",
    "users/40/account_groups/988/list_accounts?limit=1": "v1_accounts",
    "users/40/account_groups?limit=1": "v1_account_groups",
    "users/40/list_folders?limit=1": "v1_folders",
    "users/40/sync_information": "v1_sync_information",
    "metric_descriptors": "v1_metric_descriptors",
    "metric_descriptors/facebook": "v1_metric_descriptors_network",
    "organizations/40/metric_descriptors": "v1_org_metric_descriptors",
}

DOCUMENTED_REPORT: dict[str, Any] = {
    "version": "2",
    "date_range": "last 2 months",
    "aggregate_by": "month",
    "summarize_on": ["page", "filtered"],
    "summary_fields": ["spend", "calculated_metric:123"],
    "fields": ["spend", "clicks", "calculated_metric:123"],
    "filters": [{"op": "gt", "path": "clicks", "value": 5}],
    "sort_by": "spend",
    "order": "asc",
    "group_by": "network",
    "ignore_precision": False,
    "limit": 1,
    "offset": 1,
    "statuses": "all_visible",
}
"""The documented request without its format and targets."""

DOCUMENTED_V1_REPORTS: dict[str, dict[str, Any]] = {
    "v1_build_report_basic": {
        "entity_level": "campaigns",
        "date_range": "last 30 days",
        "fields": [
            "clicks",
            "spend",
            "campaign_name",
            "remote_campaign_id",
            "network",
        ],
    },
    "v1_build_report_timeseries": {
        "entity_level": "campaigns",
        "aggregate_by": "day",
        "date_range": "last 30 days",
        "fields": [
            "clicks",
            "spend",
            "campaign_name",
            "remote_campaign_id",
            "network",
        ],
    },
}
"""The documented V1 requests by the names of their answers."""


def differences(actual: Any, shape: Any, where: str = "$") -> Iterator[str]:
    """Yield the differences between JSON and its shape.

    In a shape a string names types, a list has the shape of all elements, and `*`
    stands for any key.
    """
    kinds = kind_of(shape) if not isinstance(shape, str) else shape
    if kind_of(actual) not in kinds.split("|"):
        yield f"{where} is {kind_of(actual)}, not {kinds}"
    elif isinstance(shape, list):
        for place, element in enumerate(actual):
            expected = shape[0] if shape else "nothing"
            yield from differences(element, expected, f"{where}[{place}]")
    elif isinstance(shape, dict):
        expected_keys = actual.keys() if "*" in shape else shape.keys()
        for key in sorted(expected_keys ^ actual.keys()):
            yield f"{where}.{key} is {'missing' if key in shape else 'undocumented'}"
        for key in sorted(expected_keys & actual.keys()):
            expected = shape.get("*", shape.get(key))
            yield from differences(actual[key], expected, f"{where}.{key}")


def kind_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "number", float: "number", str: "string"}
    return kinds.get(type(value), "array" if isinstance(value, list) else "object")


def shape_of(name: str) -> Any:
    return json.loads((SHAPES / f"{name}.json").read_text())


def folder_with(world: World, networks: set[str]) -> str:
    """Return the entity id of a folder with campaigns of all these networks."""
    for folder in world.folders:
        if networks <= {campaign.network for campaign in folder.campaigns}:
            return f"/network/adstage/folder/{folder.fetch_id}"
    raise AssertionError(networks)


def documented_report(world: World, output_format: str) -> dict[str, Any]:
    networks = ["facebook", "adwords", "linkedin"]
    target = folder_with(world, set(networks))
    return {
        **DOCUMENTED_REPORT,
        "output_format": output_format,
        "summary_format": output_format,
        "sources": {
            "metrics": {
                "targets": [target],
                "networks": networks,
                "entity_level": "campaigns",
            }
        },
    }


def test_differences_are_noticed() -> None:
    shape = {"a": "number|null", "b": [{"c": "string"}], "d": {"*": "boolean"}, "e": []}
    good: dict[str, Any] = {"a": None, "b": [{"c": "x"}], "d": {"y": True}, "e": []}
    assert not list(differences(good, shape))
    bad_ones: list[Any] = [
        {**good, "a": True},
        {**good, "b": [{"c": 1}]},
        {**good, "b": [{}]},
        {**good, "d": {"y": None}},
        {**good, "e": [1]},
        {**good, "f": 1},
        {key: good[key] for key in ("a", "b", "d")},
        [],
    ]
    for bad in bad_ones:
        assert list(differences(bad, shape)), bad


@pytest.mark.parametrize(("path", "name"), RESOURCES.items())
def test_resources_have_the_documented_shape(api: Api, path: str, name: str) -> None:
    assert list(differences(api.get(path), shape_of(name))) == []


@pytest.mark.parametrize(
    ("output_format", "name"),
    [("row", "v2_report_rows"), ("series", "v2_report_timeseries")],
)
def test_reports_have_the_documented_shape(
    api: Api, world: World, output_format: str, name: str
) -> None:
    response = api.post_report(documented_report(world, output_format))
    assert response.status_code == 200, response.text
    report = response.json()
    assert list(differences(report, shape_of(name))) == []
    assert report["summary"]["filtered"]["count"] == 3
    assert report["summary"]["summaries"] == ["page", "filtered"]
    assert report["summary"]["type"] == f"summary_{output_format}"
    assert report["type"] == {"row": "rows", "series": "timeseries"}[output_format]
    assert {key: report["time"][key] for key in ("start", "end", "interval")} == {
        "start": "2019-05-01T00:00:00Z",
        "end": "2019-06-30T23:59:59Z",
        "interval": "month",
    }


@pytest.mark.parametrize(("name", "request_body"), DOCUMENTED_V1_REPORTS.items())
def test_v1_reports_have_the_documented_shape(
    api: Api, name: str, request_body: dict[str, Any]
) -> None:
    response = api.post_v1(request_body)
    assert response.status_code == 200, response.text
    report = response.json()
    assert list(differences(report, shape_of(name))) == []
    rows = next(iter(report["_embedded"].values()))
    assert len(rows) == report["counts"]["page"] == 10
    clicks = [row["data"]["clicks"] for row in rows]
    assert clicks == sorted(clicks, reverse=True)
    assert all("filters" not in link["href"] for link in report["_links"].values())


def test_adwords_descriptors_list_reports(api: Api) -> None:
    extras = {
        "display_names": ["string"],
        "reports": ["string"],
        "supports_filters": ["string"],
        "supports_zero_impressions": ["string"],
    }
    shape = [shape_of("v1_metric_descriptors_network")[0] | extras]
    assert list(differences(api.get("metric_descriptors/adwords"), shape)) == []


def test_gemini_descriptors_mark_fields_that_can_be_filtered(api: Api) -> None:
    shape = [shape_of("v1_metric_descriptors_network")[0] | {"can_filter": "boolean"}]
    assert list(differences(api.get("metric_descriptors/gemini"), shape)) == []


@pytest.mark.parametrize(
    "provider", ["facebook", "adwords", "gemini", "google_analytics"]
)
def test_providers_mix_metrics_and_text(api: Api, provider: str) -> None:
    descriptors = api.get(f"metric_descriptors/{provider}")
    assert {descriptor["type"] for descriptor in descriptors} == {"METRIC", "TEXT"}
    assert all(descriptor[f"is_{provider}"] for descriptor in descriptors)


def test_organization_descriptors_repeat_some_and_add_their_own(api: Api) -> None:
    ids = [
        descriptor["id"]
        for descriptor in api.get("organizations/40/metric_descriptors")
    ]
    assert ids[:3] == ["clicks", "impressions", "ctr"]
    assert "custom_conversions:14:conversions" in ids
    assert "calculated_metric:123" in ids
    cross_network = [descriptor["id"] for descriptor in api.get("metric_descriptors")]
    assert len(cross_network) >= 15
    assert set(cross_network) & set(ids) == {"clicks", "impressions", "ctr"}


def test_some_flags_of_descriptors_are_null(api: Api) -> None:
    flags = {descriptor["is_post"] for descriptor in api.get("metric_descriptors")}
    assert flags == {None, False}
