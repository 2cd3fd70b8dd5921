from __future__ import annotations

import pytest

from tap_adstage.adstage import hal
from tap_adstage.exceptions import LinkError, ResponseError

PAGE = "https://platform.adstage.io/api/users/40/account_groups?limit=1"


def test_a_relation_with_one_link_is_a_list_of_one() -> None:
    resource = {
        "_links": {"next": {"href": "/a"}, "many": [{"href": "/b"}, {"href": "/c"}]}
    }
    assert [link.href for link in hal.links(resource, "next")] == ["/a"]
    assert [link.href for link in hal.links(resource, "many")] == ["/b", "/c"]
    assert hal.links(resource, "prev") == []
    assert hal.link(resource, "prev") is None


@pytest.mark.parametrize(
    "resource",
    [
        {"_links": []},
        {"_links": {"next": "/a"}},
        {"_links": {"next": {"name": "x"}}},
        {"_links": {"next": {"href": 5}}},
        {"_links": {"next": [{"href": "/a"}, None]}},
    ],
)
def test_what_is_no_link_is_an_error_that_names_its_place(
    resource: dict[str, object],
) -> None:
    with pytest.raises(ResponseError, match="_links"):
        hal.links(resource, "next")


def test_a_templated_link_is_expanded_and_any_other_is_left_as_it_is() -> None:
    templated = hal.Link("/list_accounts{?limit,offset}", templated=True)
    assert templated.target(limit=25) == "/list_accounts?limit=25"
    assert templated.target(offset=0) == "/list_accounts?offset=0"
    assert templated.target(limit=25, offset=50) == "/list_accounts?limit=25&offset=50"
    assert hal.Link("/a{b}").target(b=1) == "/a{b}"


def test_a_form_gives_its_suggested_values() -> None:
    form = hal.form(
        {
            "_forms": {
                "next_page": {
                    "href": "/api/organizations/1/report",
                    "fields": {"page_token": {"type": "string", "value": "g3Q"}},
                },
            },
        },
        "next_page",
    )
    assert form == hal.Form("/api/organizations/1/report", {"page_token": "g3Q"})


@pytest.mark.parametrize("form", [[], "x", {"href": "/a"}, {"href": "/a", "fields": 3}])
def test_a_form_without_fields_is_an_error(form: object) -> None:
    with pytest.raises(ResponseError, match=r"_forms\.next_page"):
        hal.form({"_forms": {"next_page": form}}, "next_page")


def test_an_embedded_resource_alone_is_a_list_of_one() -> None:
    assert hal.embedded({"_embedded": {"item": {"id": 1}}}, "item") == [{"id": 1}]
    assert hal.embedded({"_embedded": {"item": [{"id": 1}]}}, "item") == [{"id": 1}]
    assert hal.embedded({}, "item") == []


@pytest.mark.parametrize("item", [5, "x", [1], [None], [[]]])
def test_embedded_things_that_are_no_resources_are_an_error(item: object) -> None:
    with pytest.raises(ResponseError, match=r"_embedded\.item"):
        hal.embedded({"_embedded": {"item": item}}, "item")


def test_own_fields_hold_no_links_forms_and_embedded() -> None:
    resource = {"id": 1, "_links": {}, "_forms": {}, "_embedded": {}, "more": [{}]}
    assert hal.own_fields(resource) == {"id": 1, "more": [{}]}


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        (
            "?limit=1&offset=1",
            "https://platform.adstage.io/api/users/40/account_groups?limit=1&offset=1",
        ),
        ("/api/users/40/x", "https://platform.adstage.io/api/users/40/x"),
        (
            "https://platform.adstage.io/api/y?a=1",
            "https://platform.adstage.io/api/y?a=1",
        ),
        (
            "https://PLATFORM.adstage.io:443/api/y",
            "https://platform.adstage.io/api/y",
        ),
        ("http://platform.adstage.io/api/y", "https://platform.adstage.io/api/y"),
        ("http://platform.adstage.io:80/api/y", "https://platform.adstage.io/api/y"),
    ],
)
def test_a_link_on_the_api_s_own_origin_is_followed(href: str, expected: str) -> None:
    assert hal.resolve(href, PAGE) == expected


def test_a_link_may_lead_from_http_up_to_https() -> None:
    page = "http://platform.adstage.io/api/x"
    assert hal.resolve("https://platform.adstage.io/api/y", page).startswith("https://")


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/api/y",
        "https://platform.adstage.io.evil.example/api",
        "//evil.example/api/y",
        "https://platform.adstage.io:8443/api/y",
        "https://platform.adstage.io:99999/api/y",
        "https://platform.adstage.io:0/api/y",
        "https://user:pass@platform.adstage.io/api/y",
        "ftp://platform.adstage.io/api/y",
        "javascript:alert(1)",
        "http://platform.adstage.io:8080/api/y",
        "http://platform.adstage.io:99999/api/y",
        "http://[x/y",
        "http://user:pass@platform.adstage.io/api/y",
    ],
)
def test_a_link_to_another_origin_is_an_error_that_names_the_page(href: str) -> None:
    with pytest.raises(
        LinkError, match=r"platform\.adstage\.io/api/users/40/acc"
    ) as error:
        hal.resolve(href, PAGE)
    assert "pass" not in str(error.value)


def test_a_link_never_leads_down_from_https_with_ports() -> None:
    with pytest.raises(LinkError):
        hal.resolve("http://127.0.0.1:8000/y", "https://127.0.0.1:8000/x")
