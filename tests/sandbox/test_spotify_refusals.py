"""What the OpenAPI file of Spotify's API forbids is refused with 400."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import requests

    from .spotify_api import SpotifyApi

SOME_ID = "00000000-0000-4000-8000-000000000000"


def refusal(response: requests.Response, status: int = 400) -> str:
    """The message of a refusal, which is in the API's error form."""
    assert response.status_code == status, response.text
    body = response.json()
    assert {*body} == {"sp_trace_id", "messages", "error_codes"}
    assert str(uuid.UUID(body["sp_trace_id"])) == body["sp_trace_id"]
    (message,) = body["messages"]
    assert isinstance(message, str)
    return message


LISTS = ("campaigns", "ad_sets", "ads", "assets")


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"limit": 0}, "limit: 0 is not from 1 to 50"),
        ({"limit": 51}, "limit: 51 is not from 1 to 50"),
        ({"limit": "ten"}, "limit: 'ten' is not an integer"),
        ({"limit": [10, 10]}, "limit: given 2 times"),
        ({"offset": -1}, "offset: -1 is not 0 or more"),
        ({"page": 2}, "page: unknown parameter"),
        ({"continuation_token": "x"}, "continuation_token: unknown parameter"),
        ({"sort_direction": "asc"}, "sort_direction: 'asc' is not one of ASC, DESC"),
        ({"sort_field": "COLOUR"}, "sort_field: 'COLOUR' is not one of "),
        ({"statuses": "LOST"}, "statuses: 'LOST' is not one of "),
        (
            {"statuses": "ACTIVE,ARCHIVED"},
            "statuses: give a list by repeated names, not 'ACTIVE,ARCHIVED'",
        ),
    ],
)
def test_a_list_refuses(
    spotify: SpotifyApi, name: str, parameters: dict[str, Any], message: str
) -> None:
    assert refusal(spotify.in_account(name, **parameters)).startswith(message)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("campaigns", {"campaign_ids": "7"}, "campaign_ids: '7' is not a UUID"),
        ("campaigns", {"ad_set_ids": SOME_ID}, "ad_set_ids: unknown parameter"),
        ("campaigns", {"fields": "TAGLINE"}, "fields: 'TAGLINE' is not one of "),
        ("campaigns", {"fields": ["ID", "ID"]}, "fields: a value is given twice"),
        ("campaigns", {"sort_field": "BUDGET"}, "sort_field: 'BUDGET' is not one of "),
        (
            "ad_sets",
            {"campaign_ids": f"{SOME_ID},{SOME_ID}"},
            "campaign_ids: give a list by repeated names",
        ),
        ("ad_sets", {"fields": "ID"}, "fields: unknown parameter"),
        ("ad_sets", {"sort_field": "ID"}, "sort_field: 'ID' is not one of "),
        (
            "ad_sets",
            {"statuses": ["READY", "READY"]},
            "statuses: a value is given twice",
        ),
        ("ads", {"campaign_ids": SOME_ID}, "campaign_ids: unknown parameter"),
        ("ads", {"fields": "METADATAS"}, "fields: 'METADATAS' is not one of "),
        (
            "assets",
            {"asset_ids": [SOME_ID, SOME_ID]},
            "asset_ids: an id is given twice",
        ),
        ("assets", {"asset_types": "FILM"}, "asset_types: 'FILM' is not one of "),
        ("assets", {"sort_field": "STATUS"}, "sort_field: 'STATUS' is not one of "),
    ],
)
def test_a_list_refuses_what_is_another_s(
    spotify: SpotifyApi, name: str, parameters: dict[str, Any], message: str
) -> None:
    assert refusal(spotify.in_account(name, **parameters)).startswith(message)


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("businesses?limit=2", 400, "limit: unknown parameter"),
        ("businesses/7/ad_accounts", 400, "business_id: '7' is not a UUID"),
        (f"businesses/{SOME_ID}/ad_accounts", 404, f"business {SOME_ID} not found"),
        ("ad_accounts/7", 400, "ad_account_id: '7' is not a UUID"),
        (f"ad_accounts/{SOME_ID}", 404, f"ad account {SOME_ID} not found"),
        (f"ad_accounts/{SOME_ID}/ads", 404, f"ad account {SOME_ID} not found"),
        ("ad_accounts", 404, "The requested URL was not found"),
    ],
)
def test_a_path_is_refused(
    spotify: SpotifyApi, path: str, status: int, message: str
) -> None:
    assert refusal(spotify.send(path), status).startswith(message)


def test_accounts_of_an_unknown_type_are_refused(spotify: SpotifyApi) -> None:
    business = spotify.account.business.id
    response = spotify.send(f"businesses/{business}/ad_accounts", type="SHOP")

    assert refusal(response).startswith("type: 'SHOP' is not one of AD_AGENCY, ")


REPORT_REFUSALS = [
    ({"entity_type": None}, "entity_type: required without a continuation_token"),
    ({"entity_type": "ADS"}, "entity_type: 'ADS' is not one of "),
    ({"fields": None}, "fields: required without a continuation_token"),
    ({"fields": "E_CPM"}, "fields: 'E_CPM' is not one of "),
    ({"fields": "CLICKS,SPEND"}, "fields: give a list by repeated names"),
    ({"granularity": "WEEK"}, "granularity: 'WEEK' is not one of "),
    ({"colour": "red"}, "colour: unknown parameter"),
    ({"offset": 50}, "offset: unknown parameter"),
    ({"limit": 51}, "limit: 51 is not from 1 to 50"),
    ({"limit": 0}, "limit: 0 is not from 1 to 50"),
    ({"report_end": None}, "report_start, report_end: DAY needs both here"),
    ({"report_start": "2024-03-01"}, "report_start: no time like "),
    ({"report_start": "2024-03-01T00:00:00+00:00"}, "report_start: no time like "),
    ({"report_start": "2024-02-30T00:00:00Z"}, "report_start: no time like "),
    ({"report_start": "2024-3-1T00:00:00Z"}, "report_start: '2024-3-1T00:00:00Z' is "),
    ({"report_start": "2024-03-01T01:00:00Z"}, "report_start: DAY needs midnights"),
    ({"report_end": "2024-03-20T23:00:00Z"}, "report_end: DAY needs midnights"),
    ({"report_end": "2024-03-20T00:00:01Z"}, "report_end: not a whole hour"),
    ({"report_end": "2024-02-01T00:00:00Z"}, "report_end: before report_start"),
    (
        {"report_start": "2023-12-22T00:00:00Z"},  # 90 days with both ends
        "report_start, report_end: must be within 90 days of each other",
    ),
    (
        {"granularity": "LIFETIME", "report_start": "2023-12-21T00:00:00Z"},
        "report_start, report_end: must be within 90 days of each other",
    ),
    (
        {"granularity": "HOUR", "report_start": "2024-03-06T11:00:00Z"},
        "report_start: the range must be within the last 2 weeks",
    ),
    ({"include_parent_entity": "yes"}, "include_parent_entity: 'yes' is not one of "),
    ({"entity_ids": "7"}, "entity_ids: '7' is not a UUID"),
    (
        {"entity_ids": f"{SOME_ID},{SOME_ID}"},
        "entity_ids: give a list by repeated names",
    ),
    ({"entity_ids": [SOME_ID] * 51}, "entity_ids: 51 ids are more than 50"),
    ({"entity_ids": SOME_ID}, f"entity_ids: not in this ad account: {SOME_ID}"),
    ({"entity_ids": None}, "entity_ids_type: needs entity_ids"),
    (
        {"entity_ids": None, "entity_ids_type": None},
        "entity_ids: required for DAY",
    ),
    ({"entity_ids_type": None}, "entity_ids_type: required with entity_ids"),
    ({"entity_ids_type": "CAMPAIGN"}, "entity_ids_type: must be AD_SET for DAY"),
    (
        {"entity_ids_type": "AD", "granularity": "LIFETIME"},
        "entity_ids_type: AD is in AD_SET",
    ),
    ({"statuses": "ACTIVE"}, "statuses, entity_status_type: give both or none"),
    (
        {"entity_status_type": "AD_SET"},
        "statuses, entity_status_type: give both or none",
    ),
    (
        {"statuses": "ACTIVE", "entity_status_type": "CAMPAIGN"},
        "entity_status_type: must be AD_SET",
    ),
    (
        {"statuses": "PENDING", "entity_status_type": "AD_SET"},
        "statuses: 'PENDING' is not one of ",
    ),
    ({"continuation_token": "x"}, "continuation_token: not together with entity_ids"),
]


@pytest.mark.parametrize(("changes", "message"), REPORT_REFUSALS)
def test_a_report_is_refused(
    spotify: SpotifyApi, changes: dict[str, Any], message: str
) -> None:
    parameters = spotify.report_parameters(**changes)
    response = spotify.in_account("aggregate_reports", **parameters)

    assert refusal(response).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"include_parent_entity": "true"}, "include_parent_entity: not valid for "),
        (
            {"entity_ids": SOME_ID, "entity_ids_type": "AD_ACCOUNT"},
            "entity_ids, entity_ids_type: not valid for AD_ACCOUNT",
        ),
        (
            {"entity_ids_type": "AD_ACCOUNT"},
            "entity_ids, entity_ids_type: not valid for AD_ACCOUNT",
        ),
        (
            {"statuses": "ACTIVE", "entity_status_type": "AD_ACCOUNT"},
            "statuses, entity_status_type: not valid for AD_ACCOUNT",
        ),
    ],
)
def test_a_report_by_account_is_refused(
    spotify: SpotifyApi, changes: dict[str, Any], message: str
) -> None:
    parameters = spotify.report_parameters("AD_ACCOUNT", **changes)
    response = spotify.in_account("aggregate_reports", **parameters)

    assert refusal(response).startswith(message)


def test_campaigns_have_no_parents_in_reports(spotify: SpotifyApi) -> None:
    parameters = spotify.report_parameters("CAMPAIGN", include_parent_entity="true")
    response = spotify.in_account("aggregate_reports", **parameters)

    assert refusal(response) == "include_parent_entity: not valid for CAMPAIGN"


def test_the_longest_ranges_are_answered(spotify: SpotifyApi) -> None:
    for changes in (
        {"report_start": "2023-12-23T00:00:00Z"},  # 89 days with both ends
        {"granularity": "LIFETIME", "report_start": "2023-12-22T22:15:15Z"},
        {"granularity": "HOUR", "report_start": "2024-03-06T12:00:00Z"},
    ):
        parameters = spotify.report_parameters(**changes)
        response = spotify.in_account("aggregate_reports", **parameters)

        assert response.status_code == 200, response.text


def test_a_token_is_used_alone_and_where_it_is_from(spotify: SpotifyApi) -> None:
    first = spotify.report()[0]
    token = first["continuation_token"]
    other = spotify.sandbox.world.ad_accounts[1]

    for response in (
        spotify.in_account("aggregate_reports", continuation_token=f"{token}x"),
        spotify.in_account("aggregate_reports", other, continuation_token=token),
    ):
        assert refusal(response) == "continuation_token: not valid here"
    with_limit = spotify.in_account(
        "aggregate_reports", continuation_token=token, limit=50
    )
    assert refusal(with_limit) == "continuation_token: not together with limit"


INSIGHT = {"insight_dimension": "AGE", "fields": "CLICKS", "entity_ids_type": "AD_SET"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"insight_dimension": None}, "insight_dimension: required"),
        ({"insight_dimension": "SHOE_SIZE"}, "insight_dimension: 'SHOE_SIZE' is not "),
        ({"fields": None}, "fields: required"),
        ({"entity_ids": None}, "entity_ids: takes exactly one id, not 0"),
        ({"entity_ids": [SOME_ID] * 2}, "entity_ids: takes exactly one id, not 2"),
        ({"entity_ids": SOME_ID}, f"entity_ids: no AD_SET {SOME_ID} here"),
        ({"entity_ids_type": None}, "entity_ids_type: required with entity_ids"),
        ({"entity_ids_type": "AD"}, "entity_ids_type: 'AD' is not one of AD_SET, "),
        ({"granularity": "LIFETIME"}, "granularity: unknown parameter"),
        ({"limit": 50}, "limit: unknown parameter"),
        ({"report_start": "2024-03-01T00:00:00Z"}, "report_start: unknown parameter"),
        ({"statuses": "ACTIVE"}, "statuses, entity_status_type: give both or none"),
        (
            {"statuses": "ACTIVE", "entity_status_type": "CAMPAIGN"},
            "entity_status_type: 'CAMPAIGN' is not one of AD_SET",
        ),
        *(
            ({"fields": field}, f"fields: not allowed in insight reports: {field}")
            for field in (
                *("E_CPCL", "FREQUENCY", "OFF_SPOTIFY_IMPRESSIONS", "SKIPS"),
                *("PAID_LISTENS_FREQUENCY", "SPEND", "STARTS", "UNMUTES"),
            )
        ),
    ],
)
def test_an_insight_report_is_refused(
    spotify: SpotifyApi, changes: dict[str, Any], message: str
) -> None:
    parameters = {**INSIGHT, "entity_ids": spotify.ids("AD_SET")[0], **changes}
    response = spotify.in_account("insight_reports", **parameters)

    assert refusal(response).startswith(message)
