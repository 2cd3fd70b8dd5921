"""The client at the wire, against a real local HTTP server."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from tap_adstage.adstage.pagination import ApiRequest
from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    LinkError,
    ResponseError,
    TransientError,
)

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.adstage.client import AdStageClient

TOKEN = "de4d-beef-b33f"


def page(items: list[int], links: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "_embedded": {"item": [{"id": item} for item in items]},
        "_links": links or {},
    }


def ids(client: AdStageClient, path: str = "/list") -> list[int]:
    return [item["id"] for item in client.items(client.url(path))]


def requested(httpserver: HTTPServer) -> list[str]:
    return [request.full_path.rstrip("?") for request, _ in httpserver.log]


def test_every_request_carries_the_token_and_the_user_agent(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request(
        "/api/me",
        query_string={"type": "lightweight"},
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "Accept": "application/json",
            "User-Agent": "tap-adstage/test",
        },
    ).respond_with_json({"id": "/api/users/1"})
    assert client.get("/me{?type}", type="lightweight") == {"id": "/api/users/1"}


@pytest.mark.parametrize(
    "links",
    [
        {"next": {"href": "/api/list?offset=2"}},
        {"next": {"href": "?offset=2"}},
        {"next_page": {"href": "/api/list?offset=2"}},
        {"next_page": [{"href": "/api/list?offset=2"}]},
        {"next_page": {"href": "/api/list?offset=2{&limit}", "templated": True}},
        {"next": {"href": "/api/wrong"}, "next_page": {"href": "/api/list?offset=2"}},
    ],
)
def test_a_list_is_read_to_its_last_page(
    httpserver: HTTPServer,
    client: AdStageClient,
    links: dict[str, Any],
) -> None:
    httpserver.expect_request("/api/list", query_string="offset=2").respond_with_json(
        page([3]),
    )
    httpserver.expect_request("/api/list", query_string="").respond_with_json(
        page([1, 2], links),
    )
    assert ids(client) == [1, 2, 3]


def test_an_empty_page_in_the_middle_is_not_the_end(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    for offset, items in ((0, [1]), (1, []), (2, []), (3, [2])):
        links = (
            {"next": {"href": f"/api/list?offset={offset + 1}"}} if offset < 3 else {}
        )
        httpserver.expect_request(
            "/api/list",
            query_string=f"offset={offset}",
        ).respond_with_json(page(items, links))
    assert ids(client, "/list?offset=0") == [1, 2]


def test_a_changed_path_in_a_next_link_is_followed(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request("/api/list").respond_with_json(
        page([1], {"next": {"href": "/api/cached/7?offset=1"}}),
    )
    httpserver.expect_request("/api/cached/7").respond_with_json(page([2]))
    assert ids(client) == [1, 2]


def test_a_loop_over_several_pages_is_an_error(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    chain = {"a": "b", "b": "c", "c": "a"}
    for here, there in chain.items():
        httpserver.expect_request(f"/api/{here}").respond_with_json(
            page([1], {"next": {"href": f"/api/{there}"}}),
        )
    with pytest.raises(
        LinkError, match=r"/api/c names a next page that was already read"
    ):
        ids(client, "/a")
    assert requested(httpserver) == ["/api/a", "/api/b", "/api/c"]


def test_a_next_link_to_another_origin_is_not_followed(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request("/api/list").respond_with_json(
        page([1], {"next": {"href": "http://127.0.0.1:9/api/list?offset=1"}}),
    )
    with pytest.raises(LinkError, match=r"/api/list.*own origin"):
        ids(client)


def test_a_redirect_is_not_followed(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request("/api/me").respond_with_response(
        Response(status=302, headers={"Location": "http://127.0.0.1:9/steal"}),
    )
    with pytest.raises(LinkError, match=r"302 with a redirect to http://127\.0\.0\.1"):
        client.get("/me")


def test_a_page_that_is_no_object_is_an_error(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request("/api/list").respond_with_json([1])
    with pytest.raises(
        ResponseError, match="/api/list: the answer is not a JSON object"
    ):
        ids(client)


@pytest.mark.parametrize(
    "answer",
    [{}, {"hello": "message"}, {"_embedded": {}}, {"_embedded": {"accounts": []}}],
)
def test_a_page_that_is_no_list_is_an_error(
    httpserver: HTTPServer,
    client: AdStageClient,
    answer: dict[str, Any],
) -> None:
    httpserver.expect_request("/api/list").respond_with_json(answer)
    with pytest.raises(
        ResponseError, match=r"/api/list, page 1: there is no _embedded\.item"
    ):
        ids(client)


@pytest.mark.parametrize("answer", [page([]), {"total": 0, "_embedded": {}}])
def test_an_empty_list_is_a_list(
    httpserver: HTTPServer,
    client: AdStageClient,
    answer: dict[str, Any],
) -> None:
    httpserver.expect_request("/api/list").respond_with_json(answer)
    assert ids(client) == []


# --- reports of API V2 ---

QUESTION: dict[str, Any] = {
    "version": "2",
    "aggregate_by": "day",
    "group_by": "network",
    "order": "asc",
    "statuses": "all_with_deleted",
    "sources": {"metrics": {"targets": ["/network/adstage/folder/1"]}},
}


def form_page(
    token: str | None, href: str = "/api/organizations/1/report"
) -> dict[str, Any]:
    """A page with the documented form, which repeats but a part of the question."""
    if token is None:
        return {"_forms": {}}
    return {
        "_links": {"next_page": {"href": href, "method": "POST", "form": True}},
        "_forms": {
            "next_page": {
                "href": href,
                "method": "POST",
                "fields": {
                    "version": {"type": "string", "value": "2"},
                    "sources": {"value": {"metrics": {"targets": None}}},
                    "page_token": {"type": "string", "value": token},
                },
            },
        },
    }


def test_page_two_of_a_report_is_the_same_question_with_the_form_s_token(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    for answer in (form_page("g3Q1"), form_page("g3Q2"), form_page(None)):
        httpserver.expect_ordered_request(
            "/api/v2/organizations/1/report",
            method="POST",
        ).respond_with_json(answer)
    request = ApiRequest(client.url("/v2/organizations/1/report"), QUESTION)
    assert len(list(client.pages(request))) == 3
    bodies = [json.loads(sent.get_data()) for sent, _ in httpserver.log]
    assert bodies == [
        QUESTION,
        {**QUESTION, "page_token": "g3Q1"},
        {**QUESTION, "page_token": "g3Q2"},
    ]


def test_a_page_token_that_comes_again_is_an_error(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    for token in ("g3Q1", "g3Q2", "g3Q1"):
        httpserver.expect_ordered_request("/api/report").respond_with_json(
            form_page(token)
        )
    with pytest.raises(LinkError, match="already read"):
        list(client.pages(ApiRequest(client.url("/report"), QUESTION)))


@pytest.mark.parametrize("token", ["", 5])
def test_a_form_without_a_page_token_is_an_error(
    httpserver: HTTPServer,
    client: AdStageClient,
    token: object,
) -> None:
    answer = form_page("x")
    answer["_forms"]["next_page"]["fields"]["page_token"]["value"] = token
    httpserver.expect_request("/api/report").respond_with_json(answer)
    with pytest.raises(ResponseError, match="no page_token"):
        list(client.pages(ApiRequest(client.url("/report"), QUESTION)))


def test_a_link_to_a_form_that_is_not_there_is_an_error(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    answer = form_page("x")
    del answer["_forms"]
    httpserver.expect_request("/api/report").respond_with_json(answer)
    with pytest.raises(ResponseError, match="_forms has no next_page"):
        list(client.pages(ApiRequest(client.url("/report"), QUESTION)))


def test_a_form_on_another_origin_is_an_error(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request("/api/report").respond_with_json(
        form_page("g3Q1", "https://evil.example/report"),
    )
    with pytest.raises(LinkError, match=r"evil\.example"):
        list(client.pages(ApiRequest(client.url("/report"), QUESTION)))


# --- failures ---


@pytest.mark.parametrize(
    "failure",
    [
        Response("<html>", 500),
        Response("<html>Bad gateway</html>", 502),
        Response("", 503),
        Response("{}", 504),
        Response("", 429),
        Response("", 408),
        Response("<html>login</html>", 200),
        Response('{"half": ', 200),
        Response('{"a": NaN}', 200),
        Response('{"a": 1e400}', 200),
        Response("[" * 100_000, 200),
        Response("[" * 100_000, 503),
        Response(b'{"a": "\xff"}', 200),
    ],
    ids=lambda failure: f"{failure.status_code} {failure.get_data()[:9]!r}",
)
def test_what_may_pass_is_tried_again(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
    failure: Response,
) -> None:
    for _ in range(3):
        httpserver.expect_ordered_request("/api/me").respond_with_response(failure)
    httpserver.expect_ordered_request("/api/me").respond_with_json({"id": 1})
    assert client.get("/me") == {"id": 1}
    assert len(waits) == 3
    assert all(
        longest / 2 <= wait <= longest
        for wait, longest in zip(waits, (1, 2, 4), strict=True)
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'{"half": ', "Expecting value: line 1 column 10 (char 9)"),
        (b'{"a": "\xff"}', "'utf-8' codec can't decode byte 0xff in position 7"),
        (b'{"spend": [1, NaN]}', "spend: NaN can't be loaded as a number"),
        (b'{"spend": [1, 1e400]}', "spend: 1e400 can't be loaded as a number"),
        (b"[" * 100_000, "lists and objects are nested deeper than 100"),
    ],
)
def test_an_answer_that_can_t_be_read_is_an_error_with_the_reason(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
    answer: bytes,
    reason: str,
) -> None:
    httpserver.expect_request("/api/me").respond_with_data(answer)
    text = rf"/api/me answered 200, but not with the JSON .+ \({re.escape(reason)}"
    with pytest.raises(TransientError, match=text):
        client.get("/me")
    assert sum(waits) > 60


def test_a_byte_order_mark_before_the_answer_is_no_matter(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request("/api/me").respond_with_data(b'\xef\xbb\xbf{"id": 1}')
    assert client.get("/me") == {"id": 1}


def test_a_connection_that_is_closed_before_the_answer_is_tried_again(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    def hang_up(request: Request) -> Response:
        request.environ["werkzeug.socket"].close()
        return Response("")

    httpserver.expect_ordered_request("/api/me").respond_with_handler(hang_up)
    httpserver.expect_ordered_request("/api/me").respond_with_json({"id": 1})
    assert client.get("/me") == {"id": 1}
    assert len(waits) == 1


def test_a_truncated_body_is_tried_again(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    short = Response(iter([b'{"id": 1}']), headers={"Content-Length": "500"})
    httpserver.expect_ordered_request("/api/me").respond_with_response(short)
    httpserver.expect_ordered_request("/api/me").respond_with_json({"id": 1})
    assert client.get("/me") == {"id": 1}
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_retry_after_is_kept(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
    header: str,
    seconds: float,
) -> None:
    httpserver.expect_ordered_request("/api/me").respond_with_response(
        Response("slow down", 429, headers={"Retry-After": header}),
    )
    httpserver.expect_ordered_request("/api/me").respond_with_json({"id": 1})
    client.get("/me")
    assert waits == [seconds]


def test_a_server_that_asks_for_no_wait_again_and_again_is_not_hammered(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    for _ in range(3):
        httpserver.expect_ordered_request("/api/me").respond_with_response(
            Response("", 429, headers={"Retry-After": "0"}),
        )
    httpserver.expect_ordered_request("/api/me").respond_with_json({"id": 1})
    client.get("/me")
    assert waits[0] == 0
    assert waits[1] >= 1
    assert waits[2] >= 2


def test_an_answer_that_takes_too_long_is_tried_again(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    answered = threading.Event()

    def late(_: Request) -> Response:
        answered.wait(10)
        return Response("{}")

    client.transport.request_timeout = 0.2
    httpserver.expect_ordered_request("/api/me").respond_with_handler(late)
    httpserver.expect_ordered_request("/api/me").respond_with_json({"id": 1})
    threading.Timer(0.5, answered.set).start()
    assert client.get("/me") == {"id": 1}


@pytest.mark.parametrize("url", ["http://.x/api", "http://*/api"])
def test_a_host_that_is_none_is_one_clear_error(
    client: AdStageClient,
    waits: list[float],
    url: str,
) -> None:
    with pytest.raises(ApiError, match="could not be sent"):
        client.send(ApiRequest(url))
    assert waits == []


def test_a_request_gives_up_rather_than_wait_longer_than_it_may(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    httpserver.expect_request("/api/me").respond_with_response(
        Response("come back tomorrow", 503, headers={"Retry-After": "86400"}),
    )
    with pytest.raises(TransientError, match="503: come back tomorrow"):
        client.get("/me")
    assert waits == []
    assert len(httpserver.log) == 1


def test_a_refused_request_fails_at_once_with_the_api_s_message(
    httpserver: HTTPServer,
    client: AdStageClient,
    waits: list[float],
) -> None:
    httpserver.expect_request("/api/me").respond_with_json(
        {"error": "bad_request", "message": "limit is too large"},
        status=422,
    )
    with pytest.raises(ApiError, match=r"/api/me answered 422: limit is too large"):
        client.get("/me")
    assert waits == []


def test_a_refused_bearer_token_names_the_setting(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    httpserver.expect_request("/api/me").respond_with_json({}, status=401)
    with pytest.raises(AuthenticationError, match="setting access_token"):
        client.get("/me")
    assert len(httpserver.log) == 1


def test_an_error_quotes_a_short_piece_of_the_body_without_secrets(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    body = f"see /x?access_token=57a082a0 Bearer {TOKEN} " + "x" * 5000
    httpserver.expect_request("/api/me").respond_with_data(body, status=400)
    with pytest.raises(ApiError) as error:
        client.get("/me")
    assert "57a082a0" not in str(error.value)
    assert TOKEN not in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("key", ["message", "error", "errors", "error_description"])
def test_adstage_s_own_words_are_quoted_without_the_run_s_secrets(
    httpserver: HTTPServer,
    client: AdStageClient,
    key: str,
) -> None:
    httpserver.expect_request("/api/me").respond_with_json(
        {key: f"the token {TOKEN} may not do this"},
        status=403,
    )
    with pytest.raises(ApiError, match="may not do this") as error:
        client.get("/me")
    assert TOKEN not in str(error.value)


def test_numbers_come_as_the_api_wrote_them(
    httpserver: HTTPServer,
    client: AdStageClient,
) -> None:
    text = '{"spend": 339.460006713867, "clicks": 12345678901234567890, "x": 1e30}'
    httpserver.expect_request("/api/me").respond_with_data(text)
    assert {key: str(value) for key, value in client.get("/me").items()} == {
        "spend": "339.460006713867",
        "clicks": "12345678901234567890",
        "x": "1E+30",
    }
