from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from .api import Api, body

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.world import World

SUMMARIES: dict[str, Any] = {
    "summarize_on": ["page"],
    "summary_fields": ["clicks"],
    "summary_format": "row",
}

REFUSED: list[tuple[dict[str, Any], str]] = [
    *(
        ({key: None}, key)
        for key in (
            "version",
            "date_range",
            "output_format",
            "sources",
            "fields",
            "sort_by",
        )
    ),
    ({"version": "1"}, "version"),
    ({"version": 2}, "version"),
    ({"date_range": 30}, "date_range"),
    ({"date_range": "last 30 hours"}, "hours"),
    ({"date_range": "2019-02-30"}, "2019-02-30"),
    ({"date_range": "2019-07-03..2019-07-01"}, "date_range"),
    ({"output_format": "rows"}, "row, series"),
    ({"output_format": "series"}, "aggregate_by"),
    ({"aggregate_by": "hour"}, "day, week, month"),
    ({"sources": {}}, "sources"),
    ({"sources": []}, "sources"),
    ({"sources": {"metrics": []}}, "sources.metrics"),
    ({"sources": {"metrics": {"networks": ["quora"]}}}, "entity_level"),
    ({"sources": {"metrics": {"entity_level": "ads"}}}, "networks"),
    ({"sources": {"metrics": {}, "web": {}}}, "metrics"),
    ({"networks": []}, "networks"),
    ({"networks": "adwords"}, "array"),
    ({"networks": ["adwords", "myspace"]}, "myspace"),
    ({"networks": ["gemini"]}, "gemini"),
    ({"networks": ["google_analytics"]}, "google_analytics"),
    ({"fields": []}, "fields"),
    ({"fields": "clicks"}, "fields"),
    ({"fields": ["clicks", 1]}, "fields"),
    ({"fields": ["clicks", "klicks"]}, "klicks"),
    ({"fields": ["folder_names.41"]}, "folder_names.41"),
    ({"fields": ["status.40"]}, "status.40"),
    ({"sort_by": "klicks"}, "klicks"),
    ({"sort_by": ["clicks"]}, "sort_by"),
    ({"order": "up"}, "asc, desc"),
    ({"group_by": "clicks"}, "group_by"),
    ({"group_by": "objective"}, "group_by"),
    ({"group_by": "colour"}, "colour"),
    ({"statuses": "active"}, "all_visible"),
    ({"statuses": ["all_active"]}, "statuses"),
    ({"ignore_precision": "yes"}, "ignore_precision"),
    ({"limit": 0}, "limit"),
    ({"limit": 1001}, "1000"),
    ({"limit": "10"}, "limit"),
    ({"limit": True}, "limit"),
    ({"limit": 2.5}, "limit"),
    ({"offset": -1}, "offset"),
    ({"offset": "0"}, "offset"),
    ({"page_token": "garbage"}, "page_token"),
    ({"page_token": "Z2FyYmFnZQ=="}, "page_token"),
    ({"page_token": 7}, "page_token"),
    ({"page_token": ""}, "page_token"),
    ({"colour": "blue"}, "colour"),
    ({"relative_to": "UTC"}, "relative_to"),
    ({"relative_to_time_zone": "Mars/Olympus"}, "Mars/Olympus"),
    ({"relative_to_time_zone": ""}, "time zone"),
    ({"relative_to_datetime": "yesterday"}, "yesterday"),
    ({"targets": []}, "targets"),
    ({"targets": "/network/adstage/user/40"}, "targets"),
    ({"targets": ["12345"]}, "12345"),
    ({"targets": ["/network/adwords/account/1"]}, "/network/adwords/account/1"),
    ({"targets": ["/network/adstage/user/41"]}, "/network/adstage/user/41"),
    ({"targets": ["/network/adstage/organization/1"]}, "organization/1"),
    ({"targets": ["/network/adstage/account_group/1"]}, "account_group/1"),
    ({"targets": ["/network/adstage/folder/168"]}, "coarser"),
    ({"targets": ["/network/adwords/campaign/123"]}, "coarser"),
    ({"targets": ["/network/adwords/creative/123"]}, "creative"),
    *(({**SUMMARIES, key: None}, "together") for key in SUMMARIES),
    ({**SUMMARIES, "summary_fields": ["ctr"]}, "ctr"),
    ({**SUMMARIES, "summary_fields": []}, "summary_fields"),
    ({**SUMMARIES, "summarize_on": ["pages"]}, "pages"),
    ({**SUMMARIES, "summarize_on": []}, "summarize_on"),
    ({**SUMMARIES, "summary_format": "rows"}, "row, series"),
    ({**SUMMARIES, "summary_format": "series"}, "aggregate_by"),
    *(
        ({"filters": filters}, message)
        for filters, message in (
            ({}, "array"),
            ([5], "object"),
            ([{"path": "clicks", "op": "gt"}], "value"),
            ([{"path": "clicks", "op": "gt", "value": 1, "or": 2}], "path, op"),
            ([{"path": "clicks", "op": "eq", "value": 1}], "gt, lt"),
            ([{"path": "clicks", "op": "gt", "value": "1"}], "number"),
            ([{"path": "clicks", "op": "gt", "value": True}], "number"),
            ([{"path": "clicks", "op": "in", "value": 1}], "array"),
            ([{"path": "clicks", "op": "iin", "value": [{}]}], "array"),
            ([{"path": "clicks", "op": "match", "value": "1"}], "text"),
            ([{"path": "meta/name", "op": "match", "value": 1}], "string"),
            ([{"path": "name", "op": "match", "value": "a"}], "name"),
            ([{"path": "meta/clicks", "op": "gt", "value": 1}], "meta/clicks"),
            ([{"path": "meta/objective", "op": "match", "value": "1"}], "objective"),
            ([{"path": None, "op": "gt", "value": 1}], "path"),
        )
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_bad_requests_are_refused(
    api: Api, changes: dict[str, Any], message: str
) -> None:
    response = api.post_report(body(**changes))
    assert response.status_code == 400, response.text
    assert response.json().keys() == {"error", "message"}
    assert message in response.json()["message"]


def test_the_request_that_is_changed_is_good(api: Api) -> None:
    assert api.post_report(body()).status_code == 200
    assert api.post_report(body(**SUMMARIES)).status_code == 200


def test_null_is_the_same_as_omitted(api: Api) -> None:
    nothings = dict.fromkeys(
        (
            "aggregate_by",
            "filters",
            "forms",
            "group_by",
            "ignore_precision",
            "limit",
            "links",
            "offset",
            "order",
            "page_token",
            "relative_to_datetime",
            "relative_to_time_zone",
            *SUMMARIES,
        )
    )
    response = api.post_report({**body(), **nothings})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"text"'])
def test_bodies_are_json_objects(api: Api, content: bytes) -> None:
    response = api.send(
        "POST",
        "v2/organizations/40/report",
        data=content,
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 400
    assert "body" in response.json()["message"]


def test_page_tokens_are_the_documented_bytes(api: Api) -> None:
    report = api.report(limit=1, offset=1)
    tokens = {
        name: form["fields"]["page_token"]["value"]
        for name, form in report["_forms"].items()
    }
    assert tokens == {
        "next_page": "g3QAAAADZAAFbGltaXRhAWQABm9mZnNldGECZAABdG0AAAAGb2Zmc2V0",
        "prev_page": "g3QAAAADZAAFbGltaXRhAWQABm9mZnNldGEAZAABdG0AAAAGb2Zmc2V0",
    }


def test_tokens_of_previous_pages_start_at_the_first_row_at_least(api: Api) -> None:
    form = api.report(limit=200, offset=130)["_forms"]["prev_page"]
    token = base64.b64decode(form["fields"]["page_token"]["value"])
    assert b"limita\xc8" in token
    assert b"offseta\x00" in token


def test_page_tokens_have_room_for_large_numbers(api: Api) -> None:
    report = api.report("ads", limit=300, offset=0, fields=["clicks"])
    token = report["_forms"]["next_page"]["fields"]["page_token"]["value"]
    number = b"b\x00\x00\x01\x2c"
    assert base64.b64decode(token) == (
        b"\x83t\x00\x00\x00\x03d\x00\x05limit"
        + number
        + b"d\x00\x06offset"
        + number
        + b"d\x00\x01tm\x00\x00\x00\x06offset"
    )


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1001, 0), (5, -1)])
def test_page_tokens_are_checked_too(api: Api, limit: int, offset: int) -> None:
    term = (
        b"\x83t\x00\x00\x00\x03d\x00\x05limitb"
        + limit.to_bytes(4, "big", signed=True)
        + b"d\x00\x06offsetb"
        + offset.to_bytes(4, "big", signed=True)
        + b"d\x00\x01tm\x00\x00\x00\x06offset"
    )
    response = api.post_report(body(page_token=base64.b64encode(term).decode()))
    assert response.status_code == 400
    assert "page_token" in response.json()["message"]


@pytest.mark.parametrize("output_format", ["row", "series"])
def test_forms_omit_part_of_the_request(
    api: Api, world: World, output_format: str
) -> None:
    account = world.entities("accounts")[2]
    report = api.report(
        "ads",
        output_format=output_format,
        aggregate_by="day",
        group_by="ad_name",
        targets=[account.entity_id],
        filters=[{"path": "impressions", "op": "gt", "value": 1}],
        limit=2,
        offset=2,
        relative_to_time_zone="UTC",
        **SUMMARIES,
    )
    url = f"{api.sandbox.api_url}/organizations/40/report"
    assert report["_forms"].keys() == {"next_page", "prev_page"}
    for name, form in report["_forms"].items():
        assert form.keys() == {"href", "method", "fields"}
        assert (form["href"], form["method"]) == (url, "POST")
        assert report["_links"][name] == {"href": url, "method": "POST", "form": True}
        assert form["fields"].keys() == {
            "date_range",
            "fields",
            "filters",
            "forms",
            "ignore_precision",
            "links",
            "output_format",
            "page_token",
            "sort_by",
            "sources",
            "version",
        }
        values = {key: field["value"] for key, field in form["fields"].items()}
        assert values["date_range"] == "2019-07-01..2019-07-03"
        assert values["filters"][0]["path"] == "impressions"
        source = values["sources"]["metrics"]
        assert source["entity_level"] == "ads"
        assert source["targets"] in (None, ["/network/adstage/organization/40"])
    assert report["_links"]["results"] == []


def test_a_form_sent_as_it_is_requests_another_report(api: Api) -> None:
    first = api.report("campaigns", limit=10, aggregate_by="day")
    form = first["_forms"]["next_page"]
    values = {key: field["value"] for key, field in form["fields"].items()}
    assert api.send("POST", form["href"], json=values).status_code == 404
    second = api.post_report(values)
    assert second.status_code == 200, second.text
    row = second.json()["_embedded"]["results"][0]
    assert "series" not in row
    series = api.report(
        "campaigns", limit=10, aggregate_by="day", output_format="series"
    )
    form = series["_forms"]["next_page"]
    values = {key: field["value"] for key, field in form["fields"].items()}
    assert api.post_report(values).status_code == 400
