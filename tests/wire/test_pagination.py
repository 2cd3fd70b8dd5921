"""From one page of a V1 report to the next: by link, or by its own question."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from werkzeug import Response

from tap_adstage.adstage.pagination import ApiRequest, Paginator
from tap_adstage.exceptions import ApiError, LinkError, ResponseError

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.adstage.client import AdStageClient

ROOT = "https://platform.adstage.io/api/organizations/40/build_report"
BODY: dict[str, Any] = {
    "entity_level": "campaigns",
    "date_range": "2024-03-18..2024-03-19",
    "fields": ["clicks"],
    "limit": 10,
    "relative_to_time_zone": "UTC",
}
TOKEN = "g3QAAAADZAAFbGltaXRhAWQABm9mZnNldGECZAABdG0AAAAGb2Zmc2V0"


QUESTION = {
    "entity_level": "campaigns",
    "date_range": "2024-03-18..2024-03-19",
    "fields": "clicks",
}
"""What a link repeats of it."""


def get_next(
    query: str,
    relation: str = "next",
    request: ApiRequest | None = None,
) -> ApiRequest:
    document = {"_links": {relation: {"href": f"{ROOT}?{query}"}}}
    found = Paginator().get_next(request or ApiRequest(ROOT, BODY), document)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("relation", "query", "place"),
    [
        ("next", "limit=10&offset=10&order=asc", {"limit": 10, "offset": 10}),
        ("next", "limit=5&offset=5", {"limit": 5, "offset": 5}),
        ("next", "offset=20", {"offset": 20}),
        ("next", "offset=last", {"offset": "last"}),
        ("next_page", urlencode({"page_token": TOKEN}), {"page_token": TOKEN}),
    ],
)
def test_a_link_is_a_get_and_instead_of_it_goes_the_question_at_its_place(
    relation: str,
    query: str,
    place: dict[str, Any],
) -> None:
    found = get_next(query, relation)
    assert (found.method, found.url) == ("GET", f"{ROOT}?{query}")
    assert found.fallback == ApiRequest(ROOT, BODY | place)


@pytest.mark.parametrize(
    ("part", "value", "parameter"),
    [
        ("targets", ["/network/adstage/folder/5555"], "targets"),
        ("targets", ["/network/adstage/folder/5555"], "targets[]"),
        ("filters", [{"path": "clicks", "op": "gt", "value": 5}], "filters[0][path]"),
        ("group_by", "network", "group_by"),
        ("dimensions", ["age"], "dimensions"),
        ("relative_to_time_zone", "Asia/Tokyo", "relative_to_time_zone"),
    ],
)
def test_a_link_that_leaves_out_part_of_the_question_is_not_followed(
    part: str,
    value: object,
    parameter: str,
) -> None:
    first = ApiRequest(ROOT, {**BODY, part: value})
    whole = urlencode(QUESTION | {"offset": 10, parameter: "x"})
    assert get_next(whole, request=first).method == "GET"
    rest = urlencode(QUESTION)
    for forgetful in ("offset=10", f"offset=10&{rest}", f"offset=10&{rest}&{part}="):
        found = get_next(forgetful, request=first)
        assert found == ApiRequest(ROOT, {**BODY, part: value, "offset": 10})
    with pytest.raises(ResponseError, match="omits part of the query"):
        get_next("limit=10", request=first)


@pytest.mark.parametrize("part", ["statuses", "sort_by", "order", "networks"])
def test_a_link_that_repeats_the_question_repeats_all_of_it(part: str) -> None:
    first = ApiRequest(ROOT, {**BODY, part: "x"})
    repeated = urlencode(QUESTION | {"offset": 10})
    assert get_next(f"{repeated}&{part}=x", request=first).method == "GET"
    assert get_next("offset=10", request=first).method == "GET"
    again = ApiRequest(ROOT, {**BODY, part: "x", "offset": 10})
    assert get_next(repeated, request=first) == again


def test_a_plus_in_a_token_is_no_space() -> None:
    found = get_next("page_token=ab+c/d==", "next_page")
    assert found.fallback == ApiRequest(ROOT, {**BODY, "page_token": "ab+c/d=="})


def test_a_link_that_names_no_place_can_only_be_followed() -> None:
    found = get_next("cursor=7")
    assert (found.url, found.fallback) == (f"{ROOT}?cursor=7", None)


def test_the_last_place_is_the_only_one_in_the_question() -> None:
    second = ApiRequest(ROOT, {**BODY, "offset": 10})
    by_token = get_next(f"page_token={TOKEN}", "next_page", second)
    assert by_token == ApiRequest(ROOT, {**BODY, "page_token": TOKEN})
    third = get_next("offset=20", request=by_token)
    assert third == ApiRequest(ROOT, {**BODY, "offset": 20})


def test_a_page_that_was_asked_for_by_its_question_leads_to_the_next_so() -> None:
    second = ApiRequest(ROOT, {**BODY, "offset": 10})
    assert get_next("offset=20", request=second) == ApiRequest(
        ROOT, {**BODY, "offset": 20}
    )


def test_a_page_that_was_asked_for_by_its_link_remembers_the_question() -> None:
    second = get_next("offset=10&limit=10")
    third = get_next("offset=20&limit=10", request=second)
    assert third.method == "GET"
    assert third.fallback == ApiRequest(ROOT, {**BODY, "offset": 20})


@pytest.mark.parametrize(
    "request_",
    [
        ApiRequest(ROOT, {**BODY, "offset": 10}),
        ApiRequest(f"{ROOT}?offset=10", fallback=ApiRequest(ROOT, BODY)),
    ],
)
def test_a_page_that_leads_to_itself_is_an_error(request_: ApiRequest) -> None:
    with pytest.raises(LinkError, match="already read"):
        get_next("offset=10", request=request_)


# --- at the wire ---


class BuildReport:
    """Three rows, one a page, as API V1 serves them."""

    def __init__(self, server: HTTPServer, refusal: int | None, link: str) -> None:
        self.asked: list[str | dict[str, Any]] = []
        self._refusal = refusal
        self._link = link
        self._url = server.url_for("/api/organizations/40/build_report")
        server.expect_request(
            "/api/organizations/40/build_report"
        ).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        if request.method == "GET":
            self.asked.append(request.query_string.decode())
            if self._refusal:
                return Response("<h1>no</h1>", status=self._refusal)
            place = request.args
        else:
            body = json.loads(request.get_data())
            self.asked.append(body)
            place = body
        offset = int(place.get("page_token", place.get("offset", 0)))
        links = {}
        if offset < 2:
            relation = "next" if self._link == "offset" else "next_page"
            href = f"{self._url}?{self._link}={offset + 1}"
            links = {relation: {"href": href}}
        rows = {"_embedded": {"adstage:metrics": [offset]}, "_links": links}
        return Response(json.dumps(rows), mimetype="application/json")


def rows(client: AdStageClient, **body: object) -> list[int]:
    url = client.url("/organizations/40/build_report")
    request: ApiRequest | None
    request = ApiRequest(url, {"entity_level": "ads", "limit": 1, **body})
    paginator, found = Paginator(), []
    while request is not None:
        asked, page = client.page(request)
        found += json.loads(page.content)["_embedded"]["adstage:metrics"]
        request = paginator.get_next(asked, page.head)
    return found


@pytest.mark.parametrize("link", ["offset", "page_token"])
def test_links_are_followed_to_the_last_page(
    httpserver: HTTPServer, client: AdStageClient, link: str
) -> None:
    api = BuildReport(httpserver, None, link)
    assert rows(client) == [0, 1, 2]
    assert api.asked == [{"entity_level": "ads", "limit": 1}, f"{link}=1", f"{link}=2"]


@pytest.mark.parametrize("status", [400, 404, 405, 414, 431])
@pytest.mark.parametrize("link", ["offset", "page_token"])
def test_where_there_is_nothing_to_get_the_question_goes_out_again(
    httpserver: HTTPServer, client: AdStageClient, link: str, status: int
) -> None:
    api = BuildReport(httpserver, status, link)
    assert rows(client) == [0, 1, 2]
    first, refused, second, third = api.asked
    assert first == {"entity_level": "ads", "limit": 1}
    assert refused == f"{link}=1"
    places = [1, 2] if link == "offset" else ["1", "2"]
    assert [second, third] == [
        {"entity_level": "ads", "limit": 1, link: place} for place in places
    ]


def test_any_other_refusal_of_a_link_is_an_error(
    httpserver: HTTPServer, client: AdStageClient
) -> None:
    api = BuildReport(httpserver, 403, "offset")
    with pytest.raises(ApiError, match="answered 403"):
        rows(client)
    assert len(api.asked) == 2


def test_targets_that_a_link_forgets_are_asked_for_again(
    httpserver: HTTPServer, client: AdStageClient
) -> None:
    api = BuildReport(httpserver, None, "offset")
    targets = ["/network/adwords/account/1"]
    assert rows(client, targets=targets) == [0, 1, 2]
    asked = [body for body in api.asked if isinstance(body, dict)]
    assert [body.get("offset") for body in asked] == [None, 1, 2]
    assert all(body["targets"] == targets for body in asked)


def test_a_place_that_is_no_place_is_left_as_it_is_written() -> None:
    for offset in ("9" * 5000, "\u0663", "\u00b2", "-1"):
        found = get_next(urlencode({"offset": offset}))
        assert found.fallback == ApiRequest(ROOT, {**BODY, "offset": offset})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"_links": 5}, "_links is not an object"),
        ({"_links": {"next": "/page2"}}, "_links.next has no href"),
        ({"_links": {"next_page": {"href": None}}}, "_links.next_page has no href"),
        (
            {"_links": {"next": {"href": "{a:x}", "templated": True}}},
            "the link {a:x} is not an RFC 6570 template",
        ),
        ({"_forms": []}, "_forms is not an object"),
        ({"_forms": {"next_page": []}}, "_forms.next_page has no fields"),
        (
            {"_links": {"next_page": {"href": "/", "form": True}}},
            "_forms has no next_page to go with the link",
        ),
    ],
)
def test_a_page_whose_next_one_can_t_be_found_is_named(
    document: dict[str, Any],
    reason: str,
) -> None:
    with pytest.raises(ResponseError) as error:
        Paginator().get_next(ApiRequest(ROOT, BODY), document)
    assert str(error.value) == f"POST {ROOT}: {reason}"
