from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .api import Api, v1_body

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.world import World

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"date_range": None}, "date_range"),
    ({"entity_level": None}, "entity_level"),
    ({"entity_level": "posts"}, "accounts, campaigns"),
    ({"date_range": 30}, "date_range"),
    ({"date_range": "last 30 hours"}, "hours"),
    ({"date_range": "2019-07-03..2019-07-01"}, "date_range"),
    ({"version": "1"}, "version"),
    ({"ignore_precision": False}, "ignore_precision"),
    ({"output_format": "row"}, "output_format"),
    ({"sources": {}}, "sources"),
    ({"summarize_on": ["page"]}, "summarize_on"),
    ({"colour": "blue"}, "colour"),
    ({"aggregate_by": "hour"}, "day, week, month"),
    ({"aggregate_by": "total"}, "day, week, month"),
    ({"fields": []}, "fields"),
    ({"fields": "clicks"}, "array"),
    ({"fields": ["klicks"]}, "klicks"),
    ({"fields": ["calculated_metric:123"]}, "no calculated metrics"),
    ({"fields": ["folder_names.41"]}, "folder_names.41"),
    ({"sort_by": "calculated_metric:123"}, "no calculated metrics"),
    ({"sort_by": "klicks"}, "klicks"),
    ({"order": "up"}, "asc, desc"),
    ({"group_by": "clicks"}, "group_by"),
    ({"group_by": "objective"}, "group_by"),
    ({"networks": []}, "networks"),
    ({"networks": ""}, "networks"),
    ({"networks": {"adwords": True}}, "networks"),
    ({"networks": "adwords,myspace"}, "myspace"),
    ({"networks": "gemini"}, "not available"),
    ({"networks": ["google_analytics"]}, "not available"),
    ({"statuses": "active,lively"}, "lively"),
    ({"statuses": ["all_active"]}, "statuses"),
    ({"limit": 0}, "limit"),
    ({"limit": 1001}, "1000"),
    ({"limit": "10"}, "limit"),
    ({"offset": -1}, "offset"),
    ({"page_token": "garbage"}, "page_token"),
    ({"provider": "myspace"}, "facebook"),
    ({"provider": "linkedin"}, "facebook"),
    ({"dimensions": ["age"]}, "adstage has no dimensions"),
    ({"dimensions": "age"}, "array"),
    ({"targets": []}, "targets"),
    ({"targets": "/network/adstage/user/40"}, "targets"),
    ({"targets": ["12345"]}, "12345"),
    ({"targets": ["/network/adwords/account/1"]}, "there is no"),
    ({"targets": ["/network/adstage/user/41"]}, "there is no"),
    ({"targets": ["/network/adwords/campaign/123"]}, "coarser"),
    ({"query": "true"}, "query"),
    ({"query": {"counts": 1}}, "query"),
    ({"query": []}, "query"),
    ({"relative_to": "Mars/Olympus"}, "Mars/Olympus"),
    ({"relative_to": 7}, "relative_to"),
    ({"relative_to": "2019-03-14T02:00:00+11:00"}, "2019-03-14T02"),
    ({"relative_to_time_zone": "Mars/Olympus"}, "Mars/Olympus"),
    ({"relative_to_datetime": "yesterday"}, "yesterday"),
    ({"filters": {}}, "filters"),
    (
        {"filters": [{"path": "calculated_metric:123", "op": "gt", "value": 1}]},
        "calculated_metric:123",
    ),
    ({"filters": [{"path": "clicks", "op": "eq", "value": 1}]}, "gt, lt"),
]


def message_of(api: Api, request: object) -> str:
    response = api.post_v1(request)
    assert response.status_code == 400, response.text
    assert response.json()["error"] == "bad_request"
    return str(response.json()["message"])


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_bad_requests_are_refused(
    api: Api, changes: dict[str, Any], message: str
) -> None:
    assert message in message_of(api, v1_body(**changes))


def test_the_request_that_is_changed_is_good(api: Api) -> None:
    assert api.post_v1(v1_body()).status_code == 200


def test_null_is_the_same_as_omitted(api: Api) -> None:
    optional = (
        "aggregate_by dimensions filters group_by networks offset page_token provider "
        "query relative_to relative_to_datetime relative_to_time_zone targets"
    )
    nothings: dict[str, Any] = dict.fromkeys(optional.split())
    response = api.post_v1({**v1_body(), **nothings})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null"])
def test_bodies_are_json_objects(api: Api, content: bytes) -> None:
    response = api.send("POST", "organizations/40/build_report", data=content)
    assert response.status_code == 400
    assert "body" in response.json()["message"]


@pytest.mark.parametrize("level", ["ad_groups", "ads", "keywords"])
def test_targets_are_campaigns_at_the_finest(
    api: Api, world: World, level: str
) -> None:
    target = world.entities(level)[3].entity_id
    assert "campaign" in message_of(api, v1_body(level, targets=[target]))


def test_reports_are_an_organization_s(api: Api) -> None:
    assert api.post_v1(v1_body(), organization=1).status_code == 404
    assert api.send("PUT", "organizations/40/build_report").status_code == 405
