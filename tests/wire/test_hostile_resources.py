# ruff: noqa: ANN401 (JSON is anything)
"""Answers that are not as documented: a right record, or an error that says where."""

from __future__ import annotations

import copy
import json
import logging
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest
import requests
from harness.failures import first_error, stream_fails
from harness.taps import directory_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from werkzeug import Response

from tap_adstage.adstage.accounts import AccountFinder
from tap_adstage.adstage.resources import TABLES
from tap_adstage.config.adstage import EXTERNAL_PROVIDERS
from tap_adstage.exceptions import (
    ApiError,
    ConfigError,
    LinkError,
    ResponseError,
    TapError,
)
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.singer import Messages, Sync
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

# --- wrong answers ---

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -7, 1.5, 10**30, 1e30, float("nan")),
    *("", "x", "7", "007", "false", "\0", "\ud800", "/api/me", "{?limit:x}"),
    *([], [1], [None], ["x", {"a": []}], {}, {"a": {"b": [1]}}, {"href": "?offset=2"}),
]


@dataclass(frozen=True)
class Change:
    """One thing wrong: another value, none, the same again, or a key too many."""

    where: tuple[str | int, ...]
    kind: Literal["replace", "delete", "repeat", "add"]
    value: Any

    def apply(self, document: Any) -> Any:
        """Change a document; not where an earlier change took the place away."""
        if not self.where:
            return copy.deepcopy(self.value)
        *above, key = self.where
        holder: Any = document
        for step in above:
            holder = at(holder, step)
        found = at(holder, key)
        if found is None:
            return document
        if self.kind == "delete":
            del holder[key]
        elif self.kind == "repeat" and isinstance(key, int):
            holder.insert(0, copy.deepcopy(found))
        elif self.kind == "add" and isinstance(found, dict):
            found["not_documented"] = self.value
        else:
            holder[key] = copy.deepcopy(self.value)
        return document


def at(holder: Any, key: str | int) -> Any:
    if isinstance(holder, dict):
        return holder.get(key)
    if isinstance(holder, list) and isinstance(key, int) and key < len(holder):
        return holder[key]
    return None


def places(
    document: Any,
    where: tuple[str | int, ...] = (),
) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document, but for the forms, which resources don't use."""
    yield where
    if isinstance(document, (dict, list)):
        keys = document if isinstance(document, dict) else range(len(document))
        for key in keys:
            if key != "_forms":
                yield from places(document[key], (*where, key))


class Mirror:
    """The sandbox once more, with something wrong in what it answers."""

    def __init__(self, httpserver: HTTPServer, sandbox: Sandbox) -> None:
        self.documents: dict[str, Any] = {}
        self.wrong: dict[str, Any] = {}
        self.asked: set[str] = set()
        self.account = sandbox.world.entities("accounts")[0].entity_id
        self.group = sandbox.world.account_groups[0].id
        self.settings = {
            "api_url": httpserver.url_for("/api"),
            "access_token": sandbox.token,
            "page_size": 4,
            "max_retry_seconds": 0,
            "reports": [],
        }
        self._origins = [sandbox.api_url[: -len("/api")], httpserver.url_for("")]
        httpserver.expect_request(re.compile("")).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        path = request.full_path.rstrip("?")
        self.asked.add(path)
        if path not in self.documents:
            theirs, ours = self._origins
            found = requests.get(
                theirs + path,
                headers={"Authorization": request.headers["Authorization"]},
                timeout=10,
            )
            if not found.ok:
                return Response(found.text, found.status_code)
            document = json.loads(found.text.replace(theirs, ours.rstrip("/")))
            few = document[:3] if isinstance(document, list) else document
            self.documents[path] = few
        document = {**self.documents, **self.wrong}[path]
        return Response(json.dumps(document), content_type="application/json")

    def learn(self, sync: Sync) -> None:
        """Read what is right, and which streams read which document."""
        self.truth = sync(self.settings)
        self.readers: dict[str, list[str]] = {path: [] for path in self.documents}
        for stream in TABLES:
            self.asked.clear()
            sync(self.settings, streams=[stream])
            for path in self.asked:
                self.readers[path].append(stream)


@pytest.fixture
def mirror(
    httpserver: HTTPServer,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Mirror]:
    caplog.set_level(logging.CRITICAL)
    world = World(
        accounts_per_network=1,
        campaigns_per_account=2,
        ad_groups_per_campaign=1,
        ads_per_ad_group=1,
        keywords_per_ad_group=1,
    )
    with Sandbox(world=world) as sandbox:
        mirror = Mirror(httpserver, sandbox)
        mirror.learn(sync)
        yield mirror


# --- what may become of them ---


def check_error(error: TapError, path: str, changes: list[Change]) -> None:
    """It names endpoint and field; that of a link, where the link led."""
    text = str(error)
    if isinstance(error, ConfigError):
        assert text.startswith(("accounts: ", "organization_id: "))
        return
    assert "http://localhost" in text
    if isinstance(error, (ApiError, LinkError)) or any(
        "_links" in change.where for change in changes
    ):
        return
    assert urlsplit(path).path in text
    named = [[key for key in each.where if isinstance(key, str)] for each in changes]
    assert not all(named) or any(
        key.removeprefix("data-") in text for keys in named for key in keys
    )


def check_records(messages: Messages, truth: Messages, changes: list[Change]) -> None:
    """They are as their schemas say, and hold nothing but what AdStage gave."""
    injected = {leaf for change in changes for leaf in leaves(change.value)}
    if any(change.kind == "delete" or change.value in ([], {}) for change in changes):
        injected.add("None")
    for name, stream in TABLES.items():
        if not messages.of("SCHEMA", name):
            continue
        (schema,) = messages.of("SCHEMA", name)
        validator = Draft202012Validator(schema["schema"])
        before = {key_of(each, stream.key): each for each in truth.records(name)}
        seen = set()
        for record in messages.records(name):
            validator.validate(record)
            key = key_of(record, stream.key)
            assert key not in seen
            seen.add(key)
            others = [before[key]] if key in before else before.values()
            for column in record.keys() - {"entity_id"}:
                known = {leaf for each in others for leaf in leaves(each.get(column))}
                assert leaves(record[column]) <= known | injected, (name, column)
            if "entity_id" in record:
                network, remote_id = record["network"], record["remote_id"]
                assert record["entity_id"] == f"/network/{network}/account/{remote_id}"


def key_of(record: dict[str, Any], key: tuple[str, ...]) -> tuple[Any, ...]:
    found = tuple(record[name] for name in key)
    assert None not in found
    return found


def leaves(value: Any) -> set[str]:
    """The values in a value, as texts: numbers however they are written."""
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return {leaf for item in inner for leaf in leaves(item)}
    try:
        return {str(value) if isinstance(value, bool) else f"{Decimal(str(value)):f}"}
    except InvalidOperation:
        return {re.sub("[\0\ud800-\udfff]", "\ufffd", str(value))}


# --- all of it ---


def read(mirror: Mirror, sync: Sync, streams: list[str]) -> Messages:
    return sync(mirror.settings, streams=streams)


def read_chosen(mirror: Mirror, sync: Sync, streams: list[str]) -> Messages:
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [mirror.account]}
    return sync({**mirror.settings, **chosen}, streams=streams)


def look_at_imports(mirror: Mirror, sync: Sync, _: list[str]) -> Messages:
    directory = directory_of(TapAdStage(config=mirror.settings))
    targets = [mirror.account, f"/network/adstage/account_group/{mirror.group}"]
    AccountFinder(directory).scope(["adwords"], targets)
    return sync(mirror.settings, streams=[])


def set_up(mirror: Mirror, sync: Sync, _: list[str]) -> Messages:
    report = {"name": "r", "entity_level": "ads", "fields": ["clicks", "name"]}
    tap = TapAdStage(config={**mirror.settings, "reports": [report]})
    for step in tap.source.set_up_steps():
        assert step.attempt()
    tap.report_stream(tap.source.config.reports[0])
    return sync(mirror.settings, streams=[])


@settings(
    max_examples=120,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_wrong_answers_give_right_records_or_an_error_that_names_the_place(
    mirror: Mirror,
    sync: Sync,
    data: st.DataObject,
) -> None:
    act: Callable[[Mirror, Sync, list[str]], Messages] = data.draw(
        st.sampled_from([read, read, read_chosen, look_at_imports, set_up]),
    )
    path = data.draw(st.sampled_from(sorted(mirror.readers)))
    document = mirror.documents[path]
    changes = data.draw(
        st.lists(
            st.builds(
                Change,
                st.sampled_from([*places(document)]),
                st.sampled_from(["replace", "delete", "repeat", "add"]),
                st.sampled_from(VALUES),
            ),
            min_size=1,
            max_size=2,
        ),
    )
    document = copy.deepcopy(document)
    for change in changes:
        document = change.apply(document)
    mirror.wrong = {path: document}
    try:
        messages = act(mirror, sync, mirror.readers[path])
    except TapError as error:
        check_error(first_error(error), path, changes)
    else:
        check_records(messages, mirror.truth, changes)


# --- what is decided ---

ACCOUNTS = "/users/40/list_network_accounts/all"
GROUPS = "/users/40/account_groups"
FOLDERS = "/users/40/list_folders"
IMPORTS = "/users/40/sync_information"
ACCOUNT = {"network": "adwords", "remote_id": "1", "name": "One"}
STATUS = {"network": "adwords", "name": "One", "import_status": {"code": "good"}}
CAMPAIGN = {
    "href": "/api/network/quora/accounts/5/campaigns/007",
    "data-id": "/api/network/quora/campaigns/007",
    "data-fetch_id": 7,
    "data-network": "quora",
}


def items(*found: Any, **others: Any) -> dict[str, Any]:
    return {"_embedded": {"item": [*found]}, **others}


def folder(**campaign: Any) -> dict[str, Any]:
    links = {"adstage:network_campaign": [{**CAMPAIGN, **campaign}]}
    return {"fetch_id": "3", "_links": links}


@dataclass
class Answers:
    """Answers of a server to the tap, by the path below the API's root."""

    server: HTTPServer
    sync: Sync

    def read(self, stream: str, documents: dict[str, Any], **config: Any) -> list[Any]:
        for path, document in documents.items():
            query = path.partition("?")[2]
            self.server.expect_request(
                f"/api{path.partition('?')[0]}",
                query_string=query or None,
            ).respond_with_json(document)
        settings = {
            "api_url": self.server.url_for("/api"),
            "access_token": "t",
            "user_id": 40,
            "organization_id": 1,
            "max_retry_seconds": 0,
            "page_size": 2,
            "reports": [],
            **config,
        }
        return self.sync(settings, streams=[stream]).records(stream)


@pytest.fixture
def answers(httpserver: HTTPServer, sync: Sync) -> Answers:
    return Answers(httpserver, sync)


@pytest.mark.parametrize(
    ("stream", "path", "document", "message"),
    [
        ("users", "/me", {"fetch_id": 1}, "/api/me: id is None, not a text"),
        ("users", "/me", [], r"/api/me: the answer is \[\], not an object"),
        (
            "users",
            "/me",
            {"id": "1", "account_status": {"tiktok": {}}},
            "/api/me: account_status.tiktok is {}, not a text",
        ),
        (
            "organizations",
            "/organizations/1",
            {"fetch_id": 10**30},
            r"/organizations/1: fetch_id is 10+, not a whole number of at most 64 bits",
        ),
        (
            "accounts",
            ACCOUNTS,
            items(ACCOUNT, {**ACCOUNT, "remote_id": None}),
            r"all\?limit=2, page 1: _embedded\.item\[1\]: remote_id is None, not a tex",
        ),
        (
            "accounts",
            ACCOUNTS,
            items({**ACCOUNT, "remote_id": True}),
            r"_embedded\.item\[0\]: remote_id is True, not a text",
        ),
        (
            "accounts",
            ACCOUNTS,
            items({**ACCOUNT, "is_visible": "false"}),
            r"_embedded\.item\[0\]: is_visible is 'false', not true or false",
        ),
        (
            "accounts",
            ACCOUNTS,
            items(5),
            r"all\?limit=2, page 1: _embedded\.item is not made of objects",
        ),
        (
            "accounts",
            ACCOUNTS,
            {"_embedded": {"item": None}, "total": 5},
            r"all\?limit=2, page 1: there is no _embedded\.item",
        ),
        ("accounts", ACCOUNTS, items(_links=5), r"limit=2: _links is not an object"),
        (
            "accounts",
            ACCOUNTS,
            items(_links={"next": {"href": "{?a:x}", "templated": True}}),
            r"limit=2: the link {\?a:x} is not an RFC 6570 template",
        ),
        ("account_groups", GROUPS, items({"id": 1.5}), r"item\[0\]: id is 1.5, not a "),
        (
            "account_group_accounts",
            GROUPS,
            items({"id": 988, "_links": {"adstage:list": "x"}}),
            r"/account_groups\?limit=2, page 1: _embedded\.item\[0\]: _links\.adstage:",
        ),
        (
            "folders",
            FOLDERS,
            items({"fetch_id": "3", "network_counts": {"quora": "many"}}),
            r"item\[0\]: network_counts\.quora is 'many', not a whole number",
        ),
        (
            "folder_campaigns",
            FOLDERS,
            items(folder(title=[])),
            r"page 1: _embedded\.item\[0\]: _links\.adstage:network_campaign\[0\]: tit",
        ),
        (
            "import_status",
            IMPORTS,
            {"accounts": [STATUS, {**STATUS, "import_status": {"importable": 1}}]},
            r"/sync_information: accounts\[1\]: importable is 1, not true or false",
        ),
        (
            "import_status",
            IMPORTS,
            {"accounts": [{**STATUS, "name": None}]},
            r"accounts\[0\]: name is None, not a text",
        ),
        (
            "import_status",
            IMPORTS,
            {"accounts": [{**STATUS, "import_status": {"last_import_failed": "now"}}]},
            r"accounts\[0\]: last_import_failed is 'now', not a time such as",
        ),
        (
            "metric_descriptors",
            "/metric_descriptors",
            [{"id": "clicks", "display_names": ["a", None]}],
            r"/metric_descriptors: the answer\[0\]: display_names\[1\] is None",
        ),
        (
            "metric_descriptors",
            "/metric_descriptors",
            [7],
            r"/metric_descriptors: the answer\[0\] is 7, not an object",
        ),
    ],
)
def test_a_wrong_value_is_an_error_that_names_endpoint_page_and_field(
    answers: Answers,
    stream: str,
    path: str,
    document: Any,
    message: str,
) -> None:
    others: dict[str, Any] = {
        each: []
        for each in (
            "/organizations/1/metric_descriptors",
            *(f"/metric_descriptors/{name}" for name in EXTERNAL_PROVIDERS),
        )
    }
    part = {
        "account_group_accounts": "account group 988: ",
        "metric_descriptors": "provider adstage: " * (document == [7]),
    }.get(stream, "")
    with stream_fails(ResponseError, match=f"^{part}GET http.*{message}"):
        answers.read(stream, {path: document, **others})


def test_an_error_on_a_later_page_names_that_page(answers: Answers) -> None:
    next_page = {"next": {"href": f"/api{ACCOUNTS}?offset=1"}}
    with stream_fails(ResponseError, match=r"page 2: _embedded\.item\[0\]: network "):
        answers.read(
            "accounts",
            {
                f"{ACCOUNTS}?limit=2": items(ACCOUNT, _links=next_page),
                f"{ACCOUNTS}?offset=1": items({"remote_id": "2"}),
            },
        )


@pytest.mark.parametrize("fetch_id", [None, True, 40.5, "forty", [], 10**30, "4_0"])
def test_a_user_without_a_number_is_an_error(answers: Answers, fetch_id: Any) -> None:
    user = {"fetch_id": fetch_id}
    with stream_fails(ResponseError, match=r"/me\?type=lightweight: fetch_id is "):
        answers.read("folders", {"/me": user}, user_id=None)


def test_one_organization_that_comes_twice_is_not_several(answers: Answers) -> None:
    organization = {"fetch_id": 1, "company_name": "One"}
    user = {"_embedded": {"adstage:organizations": [organization, organization]}}
    documents = {"/me": user, "/organizations/1": organization}
    (record,) = answers.read("organizations", documents, organization_id=None)
    assert record == organization


def test_ids_are_of_their_columns_types_and_keep_their_digits(
    answers: Answers,
) -> None:
    account = {**ACCOUNT, "remote_id": 10**30, "name": 7, "status": None}
    (record,) = answers.read("accounts", {ACCOUNTS: items(account)})
    assert record == {
        "network": "adwords",
        "remote_id": "1" + "0" * 30,
        "name": "7",
        "status": None,
        "entity_id": "/network/adwords/account/1" + "0" * 30,
    }


@pytest.mark.parametrize(
    ("campaign", "remote_id"),
    [
        ({}, "007"),
        ({"data-id": None}, "7"),
        ({"data-id": "/api/me"}, "7"),
        ({"data-id": "007"}, "7"),
    ],
)
def test_a_campaign_s_id_is_that_of_its_path_if_it_has_one(
    answers: Answers,
    campaign: dict[str, Any],
    remote_id: str,
) -> None:
    documents = {FOLDERS: items(folder(**campaign))}
    (record,) = answers.read("folder_campaigns", documents)
    assert record["remote_campaign_id"] == remote_id


def test_what_the_tap_adds_counts_over_a_field_of_the_same_name(
    answers: Answers,
) -> None:
    other = {"provider": 1, "account_group_id": 2, "entity_id": 3, "folder_id": 4}
    link = {"adstage:list": {"href": f"/api{GROUPS}/988/list_accounts"}}
    (account,) = answers.read(
        "account_group_accounts",
        {
            GROUPS: items({"id": 988, "_links": link}),
            f"{GROUPS}/988/list_accounts": items({**ACCOUNT, **other}),
        },
    )
    assert account["account_group_id"] == 988
    assert account["entity_id"] == "/network/adwords/account/1"
    status = {**STATUS, "import_status": {"name": "Two", "network": "quora"}}
    (record,) = answers.read("import_status", {IMPORTS: {"accounts": [status]}})
    assert record == {"network": "adwords", "name": "One"}


def test_fields_that_are_no_columns_are_said_once(
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = {**ACCOUNT, "owner": {"name": "x"}, "_links": {}}
    second = {**ACCOUNT, "remote_id": "2", "owner": 5, "team": "y"}
    records = answers.read("accounts", {ACCOUNTS: items(first, second)})
    assert {key for record in records for key in record} == {*ACCOUNT, "entity_id"}
    (line,) = [line for line in caplog.messages if "no column:" in line]
    assert line.startswith(
        "accounts: skipped fields of AdStage that have no column: owner, team"
    )
    assert "not found in catalog schema" not in caplog.text


OTHER = {**ACCOUNT, "name": "Two"}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([ACCOUNT, ACCOUNT, ACCOUNT], (2, "with the same values")),
        ([ACCOUNT, {**ACCOUNT, "remote_id": 1}], (1, "with the same values")),
        ([ACCOUNT, ACCOUNT, OTHER], (2, "with different values: adwords 1")),
    ],
)
def test_of_one_key_the_first_is_written_and_the_others_are_said(
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
    found: list[Any],
    said: tuple[int, str],
) -> None:
    records = answers.read("accounts", {ACCOUNTS: items(*found)})
    assert [record["name"] for record in records] == ["One"]
    (line,) = [line for line in caplog.messages if "duplicate key" in line]
    assert line == (
        f"accounts: skipped {said[0]} resources with a duplicate key (network, "
        f"remote_id), {said[1]}"
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (items(ACCOUNT, total=5, _links=None), "ended after 1 of 5 resources"),
        (items(total=5, _links={"next": []}), "ended after 0 of 5 resources"),
        (items(ACCOUNT, total=1), None),
        (items(ACCOUNT, total="many"), None),
        ({"_embedded": None, "total": 0}, None),
    ],
)
def test_a_list_that_ends_before_its_total_is_said(
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
    document: Any,
    said: str | None,
) -> None:
    answers.read("accounts", {ACCOUNTS: document})
    lines = [line for line in caplog.messages if "the list ended" in line]
    assert [line.partition("the list ")[2] for line in lines] == (
        [said] if said else []
    )


def test_chosen_accounts_are_found_by_names_of_any_type(answers: Answers) -> None:
    """AdStage's import status has no ids: a name may be null, or a number here."""
    accounts = [{**ACCOUNT, "name": 7}, {**ACCOUNT, "remote_id": "2", "name": None}]
    documents = {
        ACCOUNTS: items(*accounts),
        IMPORTS: {"accounts": [STATUS, {**STATUS, "name": "7"}]},
    }
    chosen = [f"/network/adwords/account/{remote_id}" for remote_id in (1, 2)]
    config = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": chosen}
    (record,) = answers.read("import_status", documents, **config)
    assert record["name"] == "7"
    documents[ACCOUNTS] = items({**ACCOUNT, "name": ["One"]})
    answers.server.clear()
    with stream_fails(ResponseError, match=r"item\[0\]: name is \['One'\], not a text"):
        answers.read("import_status", documents, **config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "id is None, not a text"),
        ({"id": ["clicks"]}, r"id is \['clicks'\], not a text"),
        ({"type": ["TEXT"]}, r"type is \['TEXT'\], not a text"),
        ({"format": {}}, "format is {}, not a text"),
    ],
)
def test_a_report_s_fields_are_told_by_descriptors_as_documented_or_not_at_all(
    answers: Answers,
    changes: dict[str, Any],
    message: str,
) -> None:
    """A field that is taken for another, or another type, would change its column."""
    documents: dict[str, Any] = {
        "/metric_descriptors": [{"id": "clicks", "type": "METRIC"}],
        "/organizations/1/metric_descriptors": [{"id": "spend", **changes}],
    }
    report = {"name": "daily", "entity_level": "accounts", "fields": ["clicks"]}
    place = (
        rf"^GET http.*/organizations/1/metric_descriptors: the answer\[0\]: {message}"
    )
    with stream_fails(ResponseError, match=place):
        answers.read("daily", documents, reports=[report])
