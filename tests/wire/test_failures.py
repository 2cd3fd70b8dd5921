"""One failure is one failure: what can't be read fails alone, and all else is read."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from harness.failures import Front
from harness.logs import errors, warnings
from harness.paths import ROOT
from harness.singer import Messages

from tap_adstage.adstage.resources import TABLES
from tap_adstage.exceptions import (
    AuthenticationError,
    ConfigError,
    IncompleteRunError,
    TransientError,
)
from tap_adstage.reports.duplicates import DuplicateFilter
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from pathlib import Path

    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.http.transport import Transport
    from tap_adstage.sandbox.server import Sandbox

DAYS = "last 6 days"
LIVE = {
    "name": "a_live",
    "entity_level": "campaigns",
    "provider": "facebook",
    "fields": ["clicks"],
    "date_range": DAYS,
}
DAILY = {
    "entity_level": "accounts",
    "fields": ["clicks", "spend"],
    "date_range": DAYS,
    "window_days": 2,
}
B_DAILY, C_DAILY = {"name": "b_daily", **DAILY}, {"name": "c_daily", **DAILY}
LAST = "2024-03-19"


@pytest.fixture
def front(httpserver: HTTPServer, sandbox: Sandbox) -> Front:
    return Front(httpserver, sandbox)


@pytest.fixture
def live(sandbox: Sandbox) -> dict[str, Any]:
    """A report of a Facebook account, read live."""
    account = next(
        account
        for account in sandbox.world.entities("accounts")
        if account.network == "facebook"
    )
    return {**LIVE, "targets": [account.entity_id]}


def statuses(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """The status of each stream in the summary."""
    summaries = [vars(r)["summary"] for r in caplog.records if "summary" in vars(r)]
    return {summary["stream"]: summary["status"] for summary in summaries}


def reasons(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Why streams are not completed, by the summary."""
    summaries = [vars(r)["summary"] for r in caplog.records if "summary" in vars(r)]
    return {s["stream"]: s["reason"] for s in summaries if s["reason"]}


class Run:
    """A run that fails, and what it wrote."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self._capsys = capsys
        self._caplog = caplog
        self.error = ""

    def __call__(
        self,
        config: dict[str, Any],
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        streams: list[str] | None = None,
    ) -> Messages:
        self._caplog.clear()
        self._caplog.set_level(logging.INFO)
        self._capsys.readouterr()
        tap = TapAdStage(config=config, state=state, catalog=catalog)
        if streams is not None:
            for name, stream in tap.streams.items():
                stream.selected = name in streams
        with pytest.raises(IncompleteRunError) as raised:
            tap.sync_all()
        self.error = str(raised.value)
        lines = self._capsys.readouterr().out.splitlines()
        return Messages([json.loads(line) for line in lines])


@pytest.fixture
def fail(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Run:
    """Run the tap, and assert that it fails after all that can be read is read."""
    return Run(capsys, caplog)


# --- reports ---


@pytest.mark.parametrize("max_concurrency", [1, 4])
def test_a_report_that_is_refused_fails_alone(
    front: Front,
    fail: Run,
    sync: Sync,
    live: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    max_concurrency: int,
) -> None:
    settings = {
        **front.settings,
        "max_concurrency": max_concurrency,
        "reports": [live, B_DAILY, C_DAILY],
    }
    whole = sync(settings)
    front.answers["/build_report"] = 403
    messages = fail(settings)
    for name in ("b_daily", "c_daily", *TABLES):
        assert messages.records(name) == json.loads(
            json.dumps(whole.records(name), default=float)
        )
    assert messages.bookmark("a_live") is None
    assert messages.bookmark("b_daily") == messages.bookmark("c_daily") == LAST
    assert fail.error == "The run is not complete; failed: a_live"
    (line,) = errors(caplog)
    assert line.startswith("a_live: failed: a_live, 2024-03-14")
    assert "answered 403: no" in line
    assert statuses(caplog)["a_live"] == "failed"
    assert "answered 403: no" in reasons(caplog)["a_live"]
    assert {*statuses(caplog).values()} == {"completed", "failed"}


def test_finished_windows_of_a_report_that_fails_later_stay(
    front: Front, fail: Run, caplog: pytest.LogCaptureFixture
) -> None:
    front.answers[r"/report .*2024-03-18\.\."] = 403
    messages = fail(
        {**front.settings, "reports": [B_DAILY, {**C_DAILY, "date_range": "yesterday"}]}
    )
    assert messages.bookmark("b_daily") == "2024-03-17"
    assert messages.bookmark("c_daily") == LAST
    assert {r["date"] for r in messages.records("b_daily")} == {
        f"2024-03-{day}" for day in range(14, 18)
    }
    assert statuses(caplog)["b_daily"] == "failed"


def test_batch_files_of_a_report_that_fails_have_what_the_state_says(
    front: Front, fail: Run, tmp_path: Path
) -> None:
    front.answers[r"/report .*2024-03-18\.\."] = 403
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }
    messages = fail(
        {**front.settings, "reports": [B_DAILY, C_DAILY], "batch_config": batches},
        streams=["b_daily", "c_daily"],
    )
    assert messages.bookmark("b_daily") == "2024-03-17"
    lines = [
        json.loads(line)
        for path in tmp_path.glob("*b_daily*")
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    assert {line["date"] for line in lines} == {
        f"2024-03-{day}" for day in range(14, 18)
    }
    kinds = [
        line["type"] for line in messages.lines if line["type"] in {"BATCH", "STATE"}
    ]
    assert kinds.index("BATCH") < len(kinds) - 1 - kinds[::-1].index("STATE")


def test_pages_of_a_report_that_failed_are_never_those_of_the_next(
    front: Front, fail: Run
) -> None:
    """Both have the same windows, and the first fails once they are being fetched."""
    front.once["/report "] = 403
    campaigns = {**C_DAILY, "entity_level": "campaigns"}
    messages = fail(
        {**front.settings, "reports": [B_DAILY, campaigns]},
        streams=["b_daily", "c_daily"],
    )
    entities = {record["entity_id"] for record in messages.records("c_daily")}
    assert entities
    assert all("/campaign/" in entity for entity in entities)


def test_the_rows_of_reports_that_failed_are_not_kept_in_memory(
    front: Front, fail: Run
) -> None:
    front.answers[r"/report .*2024-03-18\.\."] = 403
    fail({**front.settings, "reports": [B_DAILY, C_DAILY]})
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is DuplicateFilter]


@pytest.mark.parametrize("answer", [403, 404])
def test_without_the_organization_s_metrics_only_reports_of_them_fail(
    front: Front, fail: Run, caplog: pytest.LogCaptureFixture, answer: int
) -> None:
    front.answers["/organizations/40/metric_descriptors"] = answer
    custom = {**C_DAILY, "fields": ["clicks", "custom_conversions:14:conversions"]}
    messages = fail({**front.settings, "reports": [B_DAILY, custom]})
    assert messages.bookmark("b_daily") == LAST
    assert messages.records("b_daily")
    assert not messages.records("c_daily")
    ends = statuses(caplog)
    assert ends["b_daily"] == "completed"
    assert ends["c_daily"] == "failed"
    assert ends["metric_descriptors"] in {"failed", "incomplete"}


def test_credentials_that_are_refused_end_the_run_at_once(
    front: Front, sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    front.answers["/list_folders"] = 401
    with pytest.raises(AuthenticationError, match="access_token"):
        sync({**front.settings, "reports": [B_DAILY]})
    ends = statuses(caplog)
    assert (ends["b_daily"], ends["folder_campaigns"]) == ("completed", "failed")
    assert ends["folders"] == ends["import_status"] == "not started"
    assert "answered 401" in reasons(caplog)["folder_campaigns"]


def test_an_api_that_is_down_holds_a_run_up_no_longer_for_many_streams(
    front: Front, fail: Run, waits: list[float]
) -> None:
    front.answers["/api"] = 503
    fail({**front.settings, "max_retry_seconds": 600})
    assert 500 <= sum(waits) <= 2 * 600
    assert all(name in fail.error for name in TABLES)


def test_requests_that_are_given_up_at_once_halve_the_time_once(
    front: Front, transport: Transport, waits: list[float]
) -> None:
    front.answers["/api"] = 503
    transport.max_retry_seconds = 600
    request = requests.Request("GET", front.settings["api_url"])
    others = 3

    def send_others() -> bool:
        """Send the others before this one's first try, each before the next one's."""
        nonlocal others
        others -= 1
        if others >= 0:
            with pytest.raises(TransientError):
                transport.send(request, json.loads, cancelled=send_others)
        return False

    with pytest.raises(TransientError):
        transport.send(request, json.loads, cancelled=send_others)
    waits.clear()
    with pytest.raises(TransientError):
        transport.send(request, json.loads)
    assert 200 < sum(waits) <= 300


def test_a_request_is_retried_as_long_as_ever_once_the_api_answers_again(
    front: Front, fail: Run, waits: list[float]
) -> None:
    front.answers = {"/list_folders": 503, "/metric_descriptors/gemini": 503}
    settings = {**front.settings, "max_retry_seconds": 600}
    fail(settings, streams=["folder_campaigns", "metric_descriptors"])
    assert 2 * 500 <= sum(waits) <= 2 * 600


# --- resources ---


def test_a_group_whose_accounts_are_refused_fails_alone(
    front: Front, fail: Run, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = sandbox.world.account_groups
    front.answers[f"/account_groups/{first.id}/list_accounts"] = 404
    messages = fail(front.settings)
    assert {
        r["account_group_id"] for r in messages.records("account_group_accounts")
    } == {group.id for group in others if group.accounts}
    (line,) = errors(caplog)
    assert f"account_group_accounts: skipped: account group {first.id}: GET " in line
    assert statuses(caplog)["account_group_accounts"] == "incomplete"
    assert {*statuses(caplog).values()} == {"completed", "incomplete"}
    assert fail.error == ("The run is not complete; incomplete: account_group_accounts")


@pytest.mark.parametrize(
    ("path", "stream", "lost"),
    [
        (r"/organizations/\d+$", "organizations", "organizations"),
        ("/list_folders", "folders", "folder_campaigns, folders"),
        ("/list_network_accounts", "accounts", "accounts"),
        ("/account_groups", "account_groups", "account_group_accounts, account_groups"),
        ("/sync_information", "import_status", "import_status"),
    ],
)
@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_table_that_is_refused_fails_alone(
    front: Front,
    fail: Run,
    caplog: pytest.LogCaptureFixture,
    path: str,
    stream: str,
    lost: str,
    status: int,
) -> None:
    front.answers[path] = status
    messages = fail({**front.settings, "reports": [B_DAILY]})
    assert not messages.records(stream)
    assert len(messages.records("b_daily")) == 6 * 18
    assert fail.error == f"The run is not complete; failed: {lost}"
    assert len(errors(caplog)) == len(lost.split())


@pytest.mark.parametrize("status", [403, 404])
def test_a_network_s_descriptors_that_are_refused_fail_alone(
    front: Front, fail: Run, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    front.answers["/metric_descriptors/gemini"] = status
    messages = fail({**front.settings, "reports": [B_DAILY]})
    providers = {r["provider"] for r in messages.records("metric_descriptors")}
    assert providers == {
        "adstage",
        "organization",
        "facebook",
        "adwords",
        "google_analytics",
    }
    assert messages.bookmark("b_daily") == LAST
    (line,) = errors(caplog)
    assert line.startswith("metric_descriptors: skipped: provider gemini: GET ")


def with_null(front: Front, path: str, *keys: str | int) -> None:
    """Answer a request as the sandbox does, with a null in one place."""
    token = {"Authorization": f"Bearer {front.sandbox.token}"}
    path = path if path.endswith(("information", "adwords")) else f"{path}?limit=1000"
    url = f"{front.sandbox.api_url}{path}"
    document = requests.get(url, headers=token, timeout=10).json()
    holder = document
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = None
    front.answers[re.escape(path)] = json.loads(
        json.dumps(document).replace(
            front.sandbox.api_url.removesuffix("/api"),
            front.server.url_for("").rstrip("/"),
        )
    )


@pytest.mark.parametrize("max_concurrency", [1, 4])
@pytest.mark.parametrize("import_policy", ["ignore", "warn", "hold"])
def test_a_group_whose_accounts_are_refused_fails_no_report(
    front: Front,
    fail: Run,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    max_concurrency: int,
    import_policy: str,
) -> None:
    """Its accounts are unknown, so all accounts of the networks count instead."""
    group = sandbox.world.account_groups[0].id
    front.answers[f"/account_groups/{group}/list_accounts"] = 404
    limited = {
        "name": "a_group",
        **DAILY,
        "targets": [f"/network/adstage/account_group/{group}"],
    }
    settings = {
        **front.settings,
        "import_policy": import_policy,
        "max_concurrency": max_concurrency,
        "reports": [limited, B_DAILY],
    }
    messages = fail(settings)
    held = "a_group, account_group_accounts, b_daily"
    names = held if import_policy == "hold" else "account_group_accounts"
    assert fail.error == f"The run is not complete; incomplete: {names}"
    assert messages.bookmark("a_group") is not None
    assert messages.bookmark("b_daily") is not None
    lines = warnings(caplog)
    assert sum("could not read the accounts of" in line for line in lines) == 1
    assert not any("could not read the import status" in line for line in lines)


ITEM = ("_embedded", "item", 1)


@pytest.mark.parametrize(
    ("stream", "path", "keys"),
    [
        ("import_status", "/users/40/sync_information", ("accounts", 1, "name")),
        ("accounts", "/users/40/list_network_accounts/all", (*ITEM, "remote_id")),
        ("account_groups", "/users/40/account_groups", (*ITEM, "id")),
        ("folders", "/users/40/list_folders", (*ITEM, "fetch_id")),
        ("metric_descriptors", "/metric_descriptors/adwords", (1, "id")),
    ],
)
def test_a_record_without_a_part_of_its_key_fails_alone(
    front: Front,
    fail: Run,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
    stream: str,
    path: str,
    keys: tuple[str | int, ...],
) -> None:
    settings = {**front.settings, "reports": [B_DAILY], "import_policy": "warn"}
    whole = sync(settings)
    with_null(front, path, *keys)
    messages = fail(settings)
    for name in {*TABLES, "b_daily"}:
        lost = len(whole.records(name)) - len(messages.records(name))
        if name == stream:
            assert lost == 1
        elif name not in {"account_group_accounts", "folder_campaigns"}:
            assert lost == 0, name
    assert any(f"{stream}: skipped: " in line for line in errors(caplog))
    assert f"{keys[-1]} is None" in reasons(caplog)[stream]


def test_a_field_that_is_wrong_everywhere_is_not_a_line_for_each(
    front: Front, fail: Run, caplog: pytest.LogCaptureFixture
) -> None:
    items = [{"fetch_id": str(n), "name": []} for n in range(40)]
    front.answers["/list_folders"] = {"_embedded": {"item": items}}
    fail(front.settings, streams=["folders"])
    lines = errors(caplog)
    assert len(lines) == 11
    assert lines[-1] == "folders: skipped 30 more"
    assert reasons(caplog)["folders"].endswith(" and 39 more")


# --- reports whose fields can't be looked up ---


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_report_whose_fields_can_not_be_looked_up_stays_in_the_catalog(
    front: Front,
    live: dict[str, Any],
    status: int,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    front.answers["/metric_descriptors/facebook"] = status
    tap = TapAdStage(
        config={**front.settings, "reports": [live, B_DAILY]}, setup_mapper=False
    )
    tap.run_discovery()
    catalog = json.loads(capsys.readouterr().out)
    (entry,) = [s for s in catalog["streams"] if s["tap_stream_id"] == "a_live"]
    assert entry["key_properties"] == ["date", "entity_id"]
    assert {"date", "entity_id"} <= {*entry["schema"]["properties"]}
    (line,) = errors(caplog)
    assert line.startswith("a_live: not all of its columns are in the catalog: GET ")


def test_a_report_whose_fields_can_not_be_looked_up_fails_alone_in_a_run(
    front: Front, fail: Run, live: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    front.answers["/metric_descriptors/facebook"] = 404
    settings = {**front.settings, "reports": [live, B_DAILY]}
    messages = fail(settings, streams=["a_live", "b_daily"])
    assert not messages.of("SCHEMA", "a_live")
    assert messages.bookmark("b_daily") == LAST
    assert statuses(caplog)["a_live"] == "failed"
    (line,) = errors(caplog)
    assert line.startswith("a_live: failed: GET ")


@pytest.mark.parametrize(
    "changes",
    [
        {"group_by": "campaign_name", "fields": ["clicks", "name"]},
        {"aggregate_by": "total", "filters": [{"path": "cpc", "op": "gt", "value": 1}]},
        {"sort_by": "clicks", "fields": ["custom_conversions:1:x", "objective"]},
    ],
)
def test_any_report_has_its_key_without_descriptors(
    front: Front, settings: dict[str, Any], changes: dict[str, Any]
) -> None:
    report = {**B_DAILY, "entity_level": "campaigns", **changes}
    fields = [f for f in report["fields"] if "custom" not in f]
    whole = TapAdStage(config={**settings, "reports": [{**report, "fields": fields}]})
    front.answers["/metric_descriptors$"] = 500
    outline = TapAdStage(config={**front.settings, "reports": [report]})
    expected = whole.streams["b_daily"]
    found = outline.streams["b_daily"]
    assert found.primary_keys == expected.primary_keys
    properties = found.schema["properties"]
    assert expected.schema["properties"].items() <= properties.items()


def test_a_misspelt_field_stops_all_before_anything_is_written(
    sync: Sync, settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {**C_DAILY, "fields": ["cliks"]}
    with pytest.raises(ConfigError, match="unknown field 'cliks'"):
        sync({**settings, "reports": [B_DAILY, wrong]})
    assert capsys.readouterr().out == ""


# --- accounts ---

UNLINKED = "/network/quora/account/0"


def chosen(*accounts: str) -> dict[str, Any]:
    return {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [*accounts]}


def test_accounts_that_are_no_longer_linked_fail_once_and_the_others_are_read(
    sandbox: Sandbox,
    fail: Run,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = sandbox.world.entities("accounts")[0].entity_id
    config = {**settings, **chosen(UNLINKED, account), "reports": [B_DAILY, C_DAILY]}
    messages = fail(config)
    for name in ("b_daily", "c_daily"):
        assert {r["entity_id"] for r in messages.records(name)} == {account}
        assert messages.bookmark(name) == LAST
    assert [r["entity_id"] for r in messages.records("accounts")] == [account]
    (line,) = errors(caplog)
    assert line.startswith(f"accounts: {UNLINKED} not linked; the linked ones are ")
    assert fail.error == "The run is not complete; incomplete: set-up"


@pytest.mark.parametrize("status", [403, 500])
def test_chosen_accounts_are_read_if_the_list_of_accounts_can_not_be(
    front: Front, fail: Run, sandbox: Sandbox, status: int
) -> None:
    account = sandbox.world.entities("accounts")[0].entity_id
    front.answers["/list_network_accounts"] = status
    messages = fail({**front.settings, **chosen(account), "reports": [B_DAILY]})
    assert {r["entity_id"] for r in messages.records("b_daily")} == {account}
    assert "accounts" in fail.error


def test_chosen_accounts_are_read_if_the_list_of_accounts_is_too_short(
    front: Front, fail: Run, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    listed, missing, *_ = sandbox.world.entities("accounts")
    item = {"network": listed.network, "remote_id": listed.remote_id, "name": "one"}
    front.answers["/list_network_accounts"] = {
        "_embedded": {"item": [item]},
        "total": 2,
    }
    both = {listed.entity_id, missing.entity_id}
    for accounts in ({missing.entity_id}, both):
        settings = {**front.settings, **chosen(*accounts), "reports": [B_DAILY]}
        messages = fail(settings, streams=["b_daily"])
        assert {r["entity_id"] for r in messages.records("b_daily")} == accounts
        (line,) = errors(caplog)
        assert "the list ended after 1 of 2 resources" in line


# --- stale rows ---


def versions(messages: Messages, stream: str) -> list[str]:
    """The kinds of a stream's messages that have to do with versions, in order."""
    kinds = [
        line["type"]
        for line in messages.lines
        if line.get("stream") == stream and line["type"] != "SCHEMA"
    ]
    return list(dict.fromkeys(kinds))


def full_table(tap: TapAdStage) -> dict[str, Any]:
    """A catalog that reads every stream in full."""
    catalog = tap.catalog_dict
    for stream in catalog["streams"]:
        stream["replication_method"] = "FULL_TABLE"
    return catalog


ACTIVATES = {"emit_activate_version_messages": True}


def test_stale_rows_are_removed_after_the_rows_that_are_there(
    sync: Sync, settings: dict[str, Any]
) -> None:
    config = {**settings, **ACTIVATES, "reports": [B_DAILY]}
    for state in (None, sync(config).state):
        messages = sync(config, state=state)
        for name in TABLES:
            assert versions(messages, name) == ["RECORD", "ACTIVATE_VERSION"]
            (activate,) = messages.of("ACTIVATE_VERSION", name)
            assert {m["version"] for m in messages.of("RECORD", name)} == {
                activate["version"]
            }
        assert versions(messages, "b_daily") == ["RECORD"]
        assert all("version" not in m for m in messages.of("RECORD", "b_daily"))


def test_a_report_that_is_read_in_full_removes_stale_rows_too(
    front: Front, fail: Run, sync: Sync
) -> None:
    config = {**front.settings, **ACTIVATES, "reports": [B_DAILY]}
    catalog = full_table(TapAdStage(config=config))
    messages = sync(config, catalog=catalog)
    assert versions(messages, "b_daily") == ["RECORD", "ACTIVATE_VERSION"]
    front.answers[r"/report .*2024-03-18\.\."] = 403
    failed = fail(config, catalog=catalog, state=messages.state)
    assert versions(failed, "b_daily") == ["RECORD"]


def test_a_table_whose_list_is_refused_keeps_its_rows(
    front: Front, fail: Run, sync: Sync
) -> None:
    config = {**front.settings, **ACTIVATES}
    state = sync(config).state
    front.answers["/list_folders"] = 403
    messages = fail(config, state=state)
    assert versions(messages, "folder_campaigns") == []
    assert versions(messages, "folders") == []
    assert versions(messages, "accounts") == ["RECORD", "ACTIVATE_VERSION"]


def test_a_table_of_which_a_part_is_missing_keeps_its_rows(
    front: Front, fail: Run, sandbox: Sandbox
) -> None:
    group = sandbox.world.account_groups[0].id
    front.answers[f"/account_groups/{group}/list_accounts"] = 404
    messages = fail({**front.settings, **ACTIVATES})
    assert versions(messages, "account_group_accounts") == ["RECORD"]


def test_an_empty_table_is_emptied(front: Front, sync: Sync) -> None:
    front.answers["/list_folders"] = {"_embedded": {"item": []}, "total": 0}
    messages = sync({**front.settings, **ACTIVATES})
    assert versions(messages, "folders") == ["ACTIVATE_VERSION"]


def test_a_list_that_is_too_short_keeps_its_rows_and_is_not_complete(
    front: Front, sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    item = {"fetch_id": "1", "name": "one"}
    front.answers["/list_folders"] = {"_embedded": {"item": [item]}, "total": 2}
    messages = sync({**front.settings, **ACTIVATES})
    assert versions(messages, "folders") == ["RECORD"]
    assert statuses(caplog)["folders"] == "incomplete"
    (line,) = [w for w in warnings(caplog) if "the list ended" in w]
    assert "after 1 of 2 resources" in line
    assert caplog.messages[-1] == (
        "The run is not complete; incomplete: folder_campaigns, folders"
    )


def test_rows_in_batch_files_have_no_version_and_remove_nothing(
    sync: Sync,
    settings: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
    }
    messages = sync({**settings, **ACTIVATES, "batch_config": batches})
    assert messages.of("BATCH", "accounts")
    assert not messages.of("ACTIVATE_VERSION")
    (line,) = [w for w in warnings(caplog) if "emit_activate_version" in w]
    assert line.startswith("emit_activate_version_messages: ignored with batch_config")


# --- what is missing ---


def test_a_run_of_which_rows_are_missing_is_not_called_complete(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    sandbox.drop_rows = 2
    sync({**settings, "reconcile": "warn", "reports": [B_DAILY]})
    assert statuses(caplog)["b_daily"] == "incomplete"
    assert reasons(caplog) == {
        "b_daily": "3 of 3 windows differ from AdStage's own totals"
    }
    assert caplog.records[-1].levelname == "WARNING"
    assert caplog.messages[-1] == "The run is not complete; incomplete: b_daily"


@pytest.mark.parametrize(
    ("import_policy", "start"),
    [
        ("ignore", "The run is complete: 10 streams, "),
        ("warn", "The run read everything, with 3 warnings: 10 streams, "),
    ],
)
def test_a_run_without_warnings_alone_is_called_complete(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    import_policy: str,
    start: str,
) -> None:
    caplog.set_level(logging.INFO)
    sync({**settings, "import_policy": import_policy, "reports": [B_DAILY]})
    assert {*statuses(caplog).values()} == {"completed"}
    assert caplog.messages[-1].startswith(start)


def test_a_run_that_fails_before_its_first_stream_has_a_summary(
    sync: Sync, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(AuthenticationError):
        sync({**settings, "access_token": "other", "reports": [B_DAILY]})
    assert statuses(caplog) == {"set-up": "failed"}
    assert "answered 401" in reasons(caplog)["set-up"]


def test_a_run_whose_batches_can_not_be_written_has_a_summary(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").touch()
    batches = {
        "encoding": {"format": "jsonl", "compression": "none"},
        "storage": {"root": (tmp_path / "file").as_uri()},
    }
    with pytest.raises(ConfigError, match="storage"):
        sync({**settings, "reports": [B_DAILY], "batch_config": batches})
    assert statuses(caplog)["set-up"] == "failed"
    assert "could not be written" in reasons(caplog)["set-up"]


def test_the_lines_of_the_page_are_those_of_a_run(
    sandbox: Sandbox,
    front: Front,
    fail: Run,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def on_page(name: str) -> list[str]:
        text = (ROOT / "docs" / name).read_text()
        (block,) = re.findall(
            r"::test_the_lines_of_the_page_are_those_of_a_run -->\n```text\n(.*?)\n```",
            text,
            re.DOTALL,
        )
        lines: list[str] = block.splitlines()
        return lines

    front.answers["/v2/.*/report"] = 403
    fail({**front.settings, "reports": [B_DAILY]}, streams=["b_daily"])
    first, last = on_page("errors.md")
    pattern = re.escape(first).replace("…", ".*")
    (line,) = errors(caplog)
    assert re.fullmatch(pattern, line)
    assert fail.error == last
    front.answers.clear()
    caplog.clear()
    sandbox.drop_rows = 2
    by_day = {**B_DAILY, "name": "by_day", "date_range": "last 12 days"}
    config = {**front.settings, "import_policy": "ignore", "reports": [by_day]}
    sync(config, streams=["by_day"])
    assert caplog.messages[-2:] == on_page("runs.md")


# --- what is never read ---


def cause(caplog: pytest.LogCaptureFixture) -> str:
    """The one warning of what is not read."""
    (line,) = [
        line
        for line in warnings(caplog)
        if "nothing to request" in line or "reads" in line or "catalog" in line
    ]
    return line


@pytest.mark.parametrize(
    ("changes", "report", "expected"),
    [
        (
            {"start_date": "2024-04-01"},
            {"date_range": None},
            (
                "b_daily, c_daily: nothing to request: start_date 2024-04-01 is after "
                "today, 2024-03-20"
            ),
        ),
        (
            {"start_date": "2024-03-01"},
            {"date_range": "2024-01-01..2024-01-31"},
            (
                "b_daily, c_daily: nothing to request: its date_range, "
                "2024-01-01..2024-01-31, ends before start_date 2024-03-01"
            ),
        ),
        (
            {"end_date": "2024-03-01"},
            {"date_range": "yesterday"},
            (
                "b_daily, c_daily: nothing to request: its date_range, "
                "2024-03-19..2024-03-19, begins after end_date 2024-03-01"
            ),
        ),
        (
            {},
            {"date_range": "2025-01-01..2025-01-31"},
            (
                "b_daily, c_daily: nothing to request: its date_range, "
                "2025-01-01..2025-01-31, begins after today, 2024-03-20"
            ),
        ),
    ],
)
def test_a_range_that_settings_leave_nothing_of_is_one_warning(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    report: dict[str, Any],
    expected: str,
) -> None:
    reports = [{**B_DAILY, **report}, {**C_DAILY, **report}]
    messages = sync({**settings, **changes, "reports": reports})
    assert not messages.records("b_daily")
    assert cause(caplog) == expected


def test_a_range_that_is_empty_by_itself_is_no_warning(
    sync: Sync, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    report = {**B_DAILY, "date_range": "month to date"}
    sync({**settings, "as_of": "2024-03-01", "reports": [report]}, streams=["b_daily"])
    assert warnings(caplog) == []


def test_a_catalog_that_selects_nothing_is_one_warning(
    sync: Sync, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    catalog = TapAdStage(config=settings).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = False
    messages = sync(settings, catalog=catalog)
    assert not messages.of("SCHEMA")
    assert cause(caplog) == "catalog: selects no stream, so nothing is read"


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        (
            [["quora"], ["quora"]],
            "accounts: no report reads {0}, as the networks of all reports are quora",
        ),
        (
            [["quora"], None],
            (
                "b_daily: nothing to request, as none of the chosen accounts is on its "
                "networks, quora"
            ),
        ),
    ],
)
def test_an_account_on_a_network_that_is_not_asked_for_is_one_warning(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    networks: list[list[str] | None],
    expected: str,
) -> None:
    account = next(
        account.entity_id
        for account in sandbox.world.entities("accounts")
        if account.network == "adwords"
    )
    reports = [
        {**report, **({"networks": of} if of else {})}
        for report, of in zip((B_DAILY, C_DAILY), networks, strict=True)
    ]
    sync({**settings, **chosen(account), "reports": reports})
    assert cause(caplog) == expected.format(account)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"networks": ["facebook"]},
            "nothing to request of {0}, as the report's networks are facebook",
        ),
        (
            {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": ["{1}"]},
            "nothing to request of {0}, as the setting accounts lacks them",
        ),
    ],
)
def test_a_target_that_other_settings_leave_out_is_one_warning(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    expected: str,
) -> None:
    target, other = (
        next(a.entity_id for a in sandbox.world.entities("accounts") if a.network == of)
        for of in ("quora", "facebook")
    )
    changes = json.loads(json.dumps(changes).replace("{1}", other))
    reports = [{**B_DAILY, "targets": [target]}]
    messages = sync({**settings, **changes, "reports": reports})
    assert not messages.records("b_daily")
    assert cause(caplog) == f"reports.b_daily.targets: {expected.format(target)}"


def test_targets_that_can_be_read_are_no_warning(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = sandbox.world.entities("accounts")[0]
    group = sandbox.world.account_groups[0]
    targets = [account.entity_id, f"/network/adstage/account_group/{group.id}"]
    reports = [{**B_DAILY, "targets": targets, "networks": [account.network]}]
    settings |= {**chosen(account.entity_id), "import_policy": "ignore"}
    assert sync({**settings, "reports": reports}).records("b_daily")
    assert warnings(caplog) == []
