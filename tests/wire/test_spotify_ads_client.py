"""How requests to Spotify's API are sent, and how its refusals are raised."""

from __future__ import annotations

import gc
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from harness.clock import PATIENCE
from harness.taps import spotify_source
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    ResponseError,
    ServerError,
    ShortListError,
)
from tap_adstage.source import Resource

if TYPE_CHECKING:
    from werkzeug import Request

    from tap_adstage.spotify_ads.source import SpotifyAdsSource

TRACE = "9f1e6c1c-7a1c-4b7a-9a52-8a1b7f4a0c3d"
PATH = "/ads/v3/businesses"


@pytest.fixture
def config(httpserver: HTTPServer) -> dict[str, Any]:
    return {
        "source": "spotify_ads",
        "api_url": httpserver.url_for("/ads/v3"),
        "access_token": "t0ken-of-the-test",
        "max_retry_seconds": 0,
        "reports": [],
    }


@pytest.fixture
def source(config: dict[str, Any]) -> SpotifyAdsSource:
    return spotify_source(config)


@pytest.mark.parametrize("codes", ["error_codes", "errorCodes"])
def test_a_refusal_is_told_in_the_api_s_own_words(
    httpserver: HTTPServer, source: SpotifyAdsSource, codes: str
) -> None:
    body = {
        "sp_trace_id": TRACE,
        "messages": ["The range is too long.", "It takes 90 days."],
        codes: [
            {"code": "ILLEGAL.RANGE", "definition": "RANGE_TOO_LONG"},
            {"code": "OTHER"},
        ],
    }
    httpserver.expect_request(PATH).respond_with_json(body, 400)
    with pytest.raises(ApiError) as refused:
        source.client.get("/businesses")
    assert str(refused.value) == (
        f"GET {httpserver.url_for(PATH)} answered 400: The range is too long.; "
        "It takes 90 days.; ILLEGAL.RANGE: RANGE_TOO_LONG; OTHER; "
        f"sp_trace_id {TRACE}"
    )
    assert refused.value.status == 400


def test_a_long_message_hides_no_trace_id(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    body = {"sp_trace_id": TRACE, "messages": ["long " * 100], "error_codes": None}
    httpserver.expect_request(PATH).respond_with_json(body, 404)
    with pytest.raises(ApiError, match=f"long …; sp_trace_id {TRACE}$"):
        source.client.get("/businesses")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"status": 403, "message": "no such user"}}, "no such user"),
        ({"messages": "a text", "error_codes": "another", "error": "why"}, "why"),
        ({"messages": [None, 7], "error_codes": [None, "X"]}, "7; X"),
        (["a list"], r"\[ .a list. \]"),
        ({}, "{}"),
    ],
    ids=str,
)
def test_an_error_body_of_another_form_is_told_as_well(
    httpserver: HTTPServer, source: SpotifyAdsSource, body: object, words: str
) -> None:
    httpserver.expect_request(PATH).respond_with_json(body, 400)
    with pytest.raises(ApiError, match=f"answered 400: {words}$"):
        source.client.get("/businesses")


def test_an_error_body_with_200_is_an_error_in_its_own_words(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    body = {"sp_trace_id": TRACE, "messages": ["Try later"]}
    httpserver.expect_request(PATH).respond_with_json(body)
    with pytest.raises(ApiError, match=f"answered 200: Try later; sp_trace_id {TRACE}"):
        list(source.resources("businesses"))


def test_a_403_names_the_terms(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    httpserver.expect_request(PATH).respond_with_json({}, 403)
    with pytest.raises(ApiError, match="accept the terms of its API in Ads Manager"):
        source.client.get("/businesses")


def test_a_failure_has_its_status(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    httpserver.expect_request(PATH).respond_with_data("<html>", 502)
    with pytest.raises(ServerError) as failed:
        source.client.get("/businesses")
    assert failed.value.status == 502


def test_an_access_token_that_is_refused_names_the_setting(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    httpserver.expect_request(PATH).respond_with_json({}, 401)
    with pytest.raises(AuthenticationError, match=r"look at the setting access_token$"):
        source.client.get("/businesses")
    assert len(httpserver.log) == 1


def test_every_request_carries_the_token_and_the_user_agent(
    httpserver: HTTPServer, config: dict[str, Any]
) -> None:
    httpserver.expect_request(
        PATH,
        headers={
            "Authorization": f"Bearer {config['access_token']}",
            "User-Agent": "ours/1",
            "Accept": "application/json",
        },
    ).respond_with_json({"businesses": []})
    assert [
        *spotify_source(config | {"user_agent": "ours/1"}).resources("businesses")
    ] == []


def test_no_error_shows_the_token(
    httpserver: HTTPServer, source: SpotifyAdsSource, config: dict[str, Any]
) -> None:
    token = config["access_token"]
    body = {"messages": [f"bad token {token}"], "sp_trace_id": token}
    httpserver.expect_request(PATH).respond_with_json(body, 400)
    with pytest.raises(ApiError) as refused:
        source.client.get("/businesses")
    assert token not in str(refused.value)
    assert "bad token ***" in str(refused.value)


def test_a_long_url_is_cut_in_messages(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    httpserver.expect_request(PATH).respond_with_json({}, 400)
    with pytest.raises(ApiError) as refused:
        source.client.get("/businesses", [("entity_ids", "x" * 36)] * 50)
    assert len(str(refused.value)) < 600
    assert "xxx… answered 400" in str(refused.value)


# --- lists ---


class Campaigns:
    """A list of campaigns, oldest first, that pages as Spotify's do.

    Attributes:
        names: Their ids.
        added: What is added after a page was answered, by the number of answers.
        count_off: How many more the list says that it has.
    """

    def __init__(self, httpserver: HTTPServer, count: int) -> None:
        self.names = [f"c{number}" for number in range(count)]
        self.added: dict[int, list[str]] = {}
        self.count_off = 0
        self.asked: list[dict[str, str]] = []
        path = "/ads/v3/ad_accounts/a/campaigns"
        httpserver.expect_request(path).respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.asked.append(request.args.to_dict())
        offset, limit = int(request.args["offset"]), int(request.args["limit"])
        page = self.names[offset : offset + limit]
        paging = {
            "page_size": limit,
            "total_results": len(self.names) + self.count_off,
            "offset": offset,
        }
        self.names += self.added.get(len(self.asked), [])
        return Response(
            json.dumps({"paging": paging, "campaigns": [{"id": n} for n in page]})
        )


def read(source: SpotifyAdsSource) -> list[str]:
    path = "/ad_accounts/a/campaigns"
    return [item["id"] for item in source.client.paged_items(path, "campaigns")]


@pytest.mark.parametrize("page_size", [1, 3, 7, 50])
def test_a_list_is_read_to_its_end(
    httpserver: HTTPServer, config: dict[str, Any], page_size: int
) -> None:
    campaigns = Campaigns(httpserver, 7)
    source = spotify_source(config | {"page_size": page_size})
    assert read(source) == campaigns.names
    assert len(campaigns.asked) == -(-7 // page_size)
    assert campaigns.asked[0] == {
        "limit": str(page_size),
        "offset": "0",
        "sort_field": "CREATED_AT",
        "sort_direction": "ASC",
    }


def test_what_is_added_while_a_list_is_read_is_read_too(
    httpserver: HTTPServer, config: dict[str, Any]
) -> None:
    campaigns = Campaigns(httpserver, 6)
    campaigns.added = {1: ["d1"], 2: ["d2", "d3"]}
    assert read(spotify_source(config | {"page_size": 3})) == campaigns.names
    assert len(campaigns.names) == 9


def test_the_pages_of_a_list_are_fetched_at_once(config: dict[str, Any]) -> None:
    together = threading.Barrier(4)

    def answer(request: Request) -> Response:
        offset = int(request.args["offset"])
        if offset:
            together.wait(PATIENCE)
        page = [{"id": f"c{number}"} for number in range(offset, offset + 5)]
        return Response(
            json.dumps({"campaigns": page, "paging": {"total_results": 25}})
        )

    with HTTPServer(threaded=True) as server:
        path = "/ads/v3/ad_accounts/a/campaigns"
        server.expect_request(path).respond_with_handler(answer)
        settings = {"api_url": server.url_for("/ads/v3"), "page_size": 5}
        source = spotify_source(config | settings)
        ids = source.entities.ids("campaigns", "a")
        assert ids == [f"c{number}" for number in range(25)]
        assert len(server.log) == 5


@pytest.mark.parametrize("max_concurrency", [1, 4])
def test_a_resource_that_only_some_pages_count_is_read_too(
    httpserver: HTTPServer, config: dict[str, Any], max_concurrency: int
) -> None:
    totals = {0: 9, 3: 10, 6: 9, 9: 10}

    def answer(request: Request) -> Response:
        offset = int(request.args["offset"])
        page = [{"id": f"c{number}"} for number in range(10)][offset : offset + 3]
        paging = {"total_results": totals[offset]}
        return Response(json.dumps({"campaigns": page, "paging": paging}))

    path = "/ads/v3/ad_accounts/a/campaigns"
    httpserver.expect_request(path).respond_with_handler(answer)
    settings = {"page_size": 3, "max_concurrency": max_concurrency}
    ids = spotify_source(config | settings).entities.ids("campaigns", "a")
    assert ids == [f"c{number}" for number in range(10)]
    assert len(httpserver.log) == 4


def test_of_entities_whose_ids_are_listed_nothing_else_is_kept(
    httpserver: HTTPServer, config: dict[str, Any]
) -> None:
    kept: list[int] = []

    class Watched(Campaigns):
        def answer(self, request: Request) -> Response:
            kept.append(sum(type(each) is Resource for each in gc.get_objects()))
            return super().answer(request)

    campaigns = Watched(httpserver, 60)
    source = spotify_source(config | {"page_size": 10})
    assert source.entities.ids("campaigns", "a") == campaigns.names
    pages = 3  # one is read, the next one comes, and the collector may be late
    assert max(kept) - kept[0] <= pages * 10


def test_a_list_without_a_count_ends_with_an_empty_page(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    path = "/ads/v3/ad_accounts/a/campaigns"
    for page in ([{"id": "x"}], [{"id": "y"}], []):
        httpserver.expect_ordered_request(path).respond_with_json({"campaigns": page})
    assert read(source) == ["x", "y"]


@pytest.mark.parametrize("count_off", [-7, -5, -2])
def test_a_list_that_counts_too_few_is_read_to_its_end(
    httpserver: HTTPServer, config: dict[str, Any], count_off: int
) -> None:
    campaigns = Campaigns(httpserver, 7)
    campaigns.count_off = count_off
    assert read(spotify_source(config | {"page_size": 3})) == campaigns.names


def test_a_list_that_is_too_short_is_an_error(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    Campaigns(httpserver, 7).count_off = 2
    with pytest.raises(ShortListError, match="ended after 7 of 9 resources"):
        read(source)


def test_a_list_that_repeats_its_first_page_ends(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    path = "/ads/v3/ad_accounts/a/campaigns"
    page = {"campaigns": [{"id": "x"}, {"id": "y"}]}
    httpserver.expect_request(path).respond_with_json(page)
    assert {*read(source)} == {"x", "y"}
    assert len(httpserver.log) == 2


def test_a_list_with_too_few_different_resources_is_an_error(
    httpserver: HTTPServer, source: SpotifyAdsSource
) -> None:
    path = "/ads/v3/ad_accounts/a/campaigns"
    page = {"campaigns": [{"id": "x"}, {"id": "y"}], "paging": {"total_results": 4}}
    httpserver.expect_request(path).respond_with_json(page)
    with pytest.raises(ShortListError, match="ended after 2 of 4 resources"):
        read(source)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ([], r"the answer is \[\], not an object"),
        ({}, "campaigns is None, not a list"),
        ({"campaigns": {}}, "campaigns is {}, not a list"),
        ({"campaigns": [7]}, r"campaigns\[0\] is 7, not an object"),
        ({"campaigns": [], "paging": []}, None),
        ({"campaigns": [], "paging": [1]}, r"paging is \[1\], not an object"),
        (
            {"campaigns": [], "paging": {"total_results": "x"}},
            "paging.total_results is 'x', not a whole number",
        ),
    ],
    ids=str,
)
def test_a_page_that_is_no_list_is_an_error_with_its_place(
    httpserver: HTTPServer, source: SpotifyAdsSource, page: object, reason: str | None
) -> None:
    path = "/ads/v3/ad_accounts/a/campaigns"
    httpserver.expect_request(path).respond_with_json(page)
    if reason is None:
        assert read(source) == []
        return
    with pytest.raises(ResponseError, match=rf"/a/campaigns\?.*: {reason}"):
        read(source)
