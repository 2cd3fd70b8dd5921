"""The resource streams against the sandbox's own truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import stream_fails

from tap_adstage.adstage.resources import TABLES
from tap_adstage.exceptions import ConfigError, ResponseError, TapError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

PAGE_SIZES = [1, 7, 1000]


@pytest.fixture
def settings_by_size(settings: dict[str, Any], page_size: int) -> dict[str, Any]:
    return {**settings, "page_size": page_size}


def report_requests(sandbox: Sandbox) -> list[str]:
    return [r.path for r in sandbox.requests if r.path.endswith("/report")]


def test_every_stream_has_keys_that_are_not_null_and_not_repeated(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    messages = sync(settings)
    for name, stream in TABLES.items():
        records = messages.records(name)
        keys = [tuple(record[key] for key in stream.key) for record in records]
        assert keys, name
        assert not any(part is None for key in keys for part in key), name
        assert len(set(keys)) == len(keys), name
        (schema,) = messages.of("SCHEMA", name)
        assert tuple(schema["key_properties"]) == stream.key


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_lists_are_whole_at_any_page_size(
    sandbox: Sandbox,
    sync: Sync,
    settings_by_size: dict[str, Any],
) -> None:
    messages = sync(settings_by_size)
    world = sandbox.world
    assert {r["entity_id"] for r in messages.records("accounts")} == {
        account.entity_id for account in world.entities("accounts")
    }
    assert {r["id"] for r in messages.records("account_groups")} == {
        group.id for group in world.account_groups
    }
    assert {
        (r["account_group_id"], r["entity_id"])
        for r in messages.records("account_group_accounts")
    } == {
        (group.id, account.entity_id)
        for group in world.account_groups
        for account in group.accounts
    }
    assert {r["fetch_id"] for r in messages.records("folders")} == {
        str(folder.fetch_id) for folder in world.folders
    }
    assert {
        (r["folder_id"], r["network"], r["remote_campaign_id"])
        for r in messages.records("folder_campaigns")
    } == {
        (str(folder.fetch_id), campaign.network, campaign.remote_id)
        for folder in world.folders
        for campaign in folder.campaigns
    }
    assert len(messages.records("import_status")) == len(world.entities("accounts"))


def test_names_come_as_they_are(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    names = {r["name"] for r in sync(settings).records("accounts")}
    assert names == {account.name for account in sandbox.world.entities("accounts")}
    assert any(not name.isascii() for name in names)


def test_no_record_holds_links_forms_or_a_token(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    text = json.dumps(sync(settings).of("RECORD"), default=str)
    assert "_links" not in text
    assert "_forms" not in text
    assert "_embedded" not in text
    assert "access_token" not in text
    assert sandbox.token not in text


def test_records_hold_the_api_s_own_fields(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    messages = sync(settings)
    user = messages.records("users")[0]
    assert (user["id"], user["fetch_id"]) == ("/api/users/1", 40)
    assert isinstance(user["account_status"], dict)
    organization = messages.records("organizations")[0]
    assert organization["fetch_id"] == 40
    status = messages.records("import_status")[0]
    assert {"code", "is_importing", "importable", "last_import_finished"} <= set(status)
    providers = {r["provider"] for r in messages.records("metric_descriptors")}
    assert providers == {
        "adstage",
        "organization",
        "facebook",
        "adwords",
        "gemini",
        "google_analytics",
    }


def test_every_list_is_fetched_once_a_run(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    sync(settings)
    paths = [request.path for request in sandbox.requests]
    assert len(paths) == len(set(paths)) + 1  # /me, light and in full


def test_a_group_s_own_link_is_followed_with_the_page_size(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    sync({**settings, "page_size": 3}, streams=["account_group_accounts"])
    limits = [r.query["limit"] for r in sandbox.requests if "/list_accounts" in r.path]
    assert set(limits) == {"3"}


def test_oauth_goes_before_a_token(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    oauth = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh",
    }
    config = {**settings, **oauth, "access_token": "not-the-sandbox-s"}
    assert sync(config, streams=["organizations"]).records("organizations")
    assert sandbox.requests[0].path == "/oauth/token"


def test_a_stream_that_is_not_selected_sends_no_request(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    sync(settings, streams=["account_groups"])
    assert [request.path for request in sandbox.requests] == [
        "/api/me",
        "/api/users/40/account_groups",
    ]


# --- who and what ---


def test_ids_in_the_settings_are_not_looked_up(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    ids = {"user_id": 40, "organization_id": 40}
    messages = sync({**settings, **ids}, streams=["folders", "organizations"])
    assert messages.records("organizations")[0]["fetch_id"] == 40
    assert "/api/me" not in [request.path for request in sandbox.requests]


def test_the_full_user_is_asked_where_the_light_one_has_no_organization(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    sync(settings, streams=["organizations"])
    queries = [r.query for r in sandbox.requests if r.path == "/api/me"]
    assert queries == [{"type": "lightweight"}, {}]


def test_several_organizations_and_none_chosen_is_an_error_that_lists_them(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    with Sandbox(world=World(organizations=2)) as sandbox:
        here = {**settings, "api_url": sandbox.api_url}
        ids = [organization.fetch_id for organization in sandbox.world.organizations]
        with stream_fails(ConfigError, match="organization_id: not given") as error:
            sync(here, streams=["organizations"])
        assert all(str(fetch_id) in str(error.value) for fetch_id in ids)
        chosen = sync({**here, "organization_id": ids[1]}, streams=["organizations"])
        assert chosen.records("organizations")[0]["fetch_id"] == ids[1]


def test_chosen_accounts_narrow_accounts_and_import_status(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    chosen = [account.entity_id for account in sandbox.world.entities("accounts")[3:6]]
    messages = sync({**settings, "sync_mode": "SPECIFIC_ACCOUNTS", "accounts": chosen})
    assert {r["entity_id"] for r in messages.records("accounts")} == set(chosen)
    assert {(r["network"], r["name"]) for r in messages.records("import_status")} == {
        (account.network, account.name)
        for account in sandbox.world.entities("accounts")[3:6]
    }


def test_accounts_that_narrow_nothing_are_said(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    accounts = sandbox.world.entities("accounts")
    config = {**settings, "accounts": [accounts[0].entity_id]}
    messages = sync(config, streams=["accounts"])
    assert len(messages.records("accounts")) == len(accounts)
    assert "accounts: ignored, as sync_mode is not" in caplog.text


def test_an_account_that_is_not_linked_is_an_error_that_lists_what_is(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    chosen = {
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": ["/network/quora/account/0"],
    }
    with pytest.raises(
        ConfigError, match=r"/network/quora/account/0 not linked"
    ) as error:
        sync({**settings, **chosen})
    with pytest.raises(ConfigError, match="not linked"):
        sync({**settings, **chosen}, streams=[])
    linked = sandbox.world.entities("accounts")
    assert all(account.entity_id in str(error.value) for account in linked)


# --- answers that are not as documented ---

ACCOUNT = {"network": "adwords", "remote_id": "1", "name": "One"}


def serve(httpserver: HTTPServer, path: str, document: object) -> dict[str, Any]:
    httpserver.expect_request(f"/api{path}").respond_with_json(document)
    return {
        "api_url": httpserver.url_for("/api"),
        "access_token": "t",
        "user_id": 40,
        "organization_id": 1,
        "max_retry_seconds": 0,
        "reports": [],
    }


def test_a_key_that_comes_again_is_left_out_and_said(
    httpserver: HTTPServer,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    items = [ACCOUNT, {**ACCOUNT, "remote_id": "2"}, ACCOUNT]
    path = "/users/40/list_network_accounts/all"
    config = serve(httpserver, path, {"_embedded": {"item": items}})
    messages = sync(config, streams=["accounts"])
    assert [r["remote_id"] for r in messages.records("accounts")] == ["1", "2"]
    assert (
        "accounts: skipped 1 resources with a duplicate key (network, " in caplog.text
    )


@pytest.mark.parametrize(
    ("stream", "path", "document", "message"),
    [
        (
            "accounts",
            "/users/40/list_network_accounts/all",
            {"_embedded": {"item": [{"network": "adwords"}]}},
            "remote_id",
        ),
        (
            "account_group_accounts",
            "/users/40/account_groups",
            {"_embedded": {"item": [{"id": 988}]}},
            r"^account group 988: GET .*item\[0\]: the link adstage:list is missing",
        ),
        (
            "import_status",
            "/users/40/sync_information",
            {},
            "sync_information: accounts is None, not a list",
        ),
        (
            "import_status",
            "/users/40/sync_information",
            {"accounts": [{"name": "x", "network": "quora"}]},
            r"accounts\[0\]: import_status is None, not an object",
        ),
        ("metric_descriptors", "/metric_descriptors", {}, "is {}, not a list"),
        ("organizations", "/organizations/1", [], r"is \[\], not an object"),
    ],
)
def test_an_answer_of_another_shape_is_an_error_that_names_the_place(
    httpserver: HTTPServer,
    sync: Sync,
    stream: str,
    path: str,
    document: object,
    message: str,
) -> None:
    with stream_fails(ResponseError, match=message):
        sync(serve(httpserver, path, document), streams=[stream])


def test_a_user_without_an_id_is_an_error(httpserver: HTTPServer, sync: Sync) -> None:
    config = serve(httpserver, "/me", {"id": "/api/users/1"})
    with stream_fails(TapError, match="fetch_id is None"):
        sync({**config, "user_id": None}, streams=["folders"])


def test_ids_are_texts_and_numbers_as_the_columns_say(
    httpserver: HTTPServer,
    sync: Sync,
) -> None:
    account = {**ACCOUNT, "remote_id": 12345678901234567890}
    path = "/users/40/list_network_accounts/all"
    config = serve(httpserver, path, {"_embedded": {"item": [account]}})
    (record,) = sync(config, streams=["accounts"]).records("accounts")
    assert record["remote_id"] == "12345678901234567890"
    assert record["entity_id"] == "/network/adwords/account/12345678901234567890"
