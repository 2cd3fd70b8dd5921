"""Between runs: nothing joins a report without its earlier days."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import gzip
import io
import json
import re
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from harness.logs import warnings
from harness.singer import Messages
from werkzeug import Response

from tap_adstage.config.shards import Shard
from tap_adstage.exceptions import TapError
from tap_adstage.reports.history import digest
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.singer import Sync
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.sandbox.world.entities import Entity

START = "2024-01-01"
NEXT_START = "2024-03-13"
"""Where a second run starts, a day later, with seven days of lookback."""

REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks", "spend"],
    "window_days": 30,
}


@pytest.fixture
def linked(sandbox: Sandbox) -> list[Entity]:
    """The accounts, all imported up to yesterday whatever the day."""
    accounts = list(sandbox.world.entities("accounts"))
    sandbox.imports = {account.entity_id: imported() for account in accounts}
    return accounts


def imported(day: str | None = "2024-04-01") -> dict[str, Any]:
    moment = day and f"{day}T05:00:00Z"
    return {
        "code": "good",
        "is_importing": day is None,
        "importable": True,
        "last_import_started": moment or "2024-03-20T04:00:00Z",
        "last_import_finished": moment,
    }


@pytest.fixture
def config(settings: dict[str, Any], linked: list[Entity]) -> dict[str, Any]:
    del linked
    return {
        **settings,
        "start_date": START,
        "lookback_days": 7,
        "max_concurrency": 1,  # the order of requests is looked at
        "reports": [REPORT],
    }


def with_report(config: dict[str, Any], **keys: Any) -> dict[str, Any]:  # noqa: ANN401
    report = {key: value for key, value in (REPORT | keys).items() if value is not None}
    return {**config, "reports": [report]}


def chosen(config: dict[str, Any], accounts: Sequence[Entity]) -> dict[str, Any]:
    ids = [account.entity_id for account in accounts]
    return {**config, "sync_mode": "SPECIFIC_ACCOUNTS", "accounts": ids}


def questions(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [r.body for r in sandbox.requests if r.path.endswith("/report")]


def asked(sandbox: Sandbox) -> list[tuple[str, list[str] | None]]:
    """The days and targets of each report request."""
    return [
        (question["date_range"], question["sources"]["metrics"].get("targets"))
        for question in questions(sandbox)
    ]


def days_of(messages: Messages, account: Entity) -> list[str]:
    """The days of an account's rows, in their order."""
    remote_id = account.remote_id
    ids = {child.entity_id for child in account.children}
    assert remote_id
    days = [r["date"] for r in messages.records("daily") if r["entity_id"] in ids]
    return [*dict.fromkeys(days)]


def each_day(first: str, last: str) -> list[str]:
    day, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [
        (day + dt.timedelta(days=n)).isoformat() for n in range((end - day).days + 1)
    ]


def known(messages: Messages) -> set[str]:
    text = messages.state["bookmarks"]["daily"]["accounts"]
    return {text[cut : cut + 6] for cut in range(0, len(text), 6)}


@pytest.fixture
def later(sandbox: Sandbox, sync: Sync) -> Callable[..., Messages]:
    """Run a day later, with an earlier state; forget earlier requests."""

    def run(
        config: dict[str, Any], state: dict[str, Any], day: str = "2024-03-21"
    ) -> Messages:
        sandbox.requests.clear()
        sandbox.today = dt.date.fromisoformat(day)
        return sync({**config, "as_of": day}, state=state, streams=["daily"])

    return run


def test_a_chosen_account_gets_its_history_alone_and_the_others_the_lookback(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    a, b = linked[0], linked[4]
    state = sync(chosen(config, [a]), streams=["daily"]).state
    second = later(chosen(config, [a, b]), state)
    both = sorted([a.entity_id, b.entity_id])
    assert [(days, sorted(targets or [])) for days, targets in asked(sandbox)] == [
        ("2024-01-01..2024-01-30", [b.entity_id]),
        ("2024-01-31..2024-02-29", [b.entity_id]),
        ("2024-03-01..2024-03-11", [b.entity_id]),
        ("2024-03-12..2024-03-20", both),
    ]
    assert days_of(second, b) == each_day(START, "2024-03-20")
    assert days_of(second, a) == each_day("2024-03-12", "2024-03-20")
    assert second.bookmark("daily") == "2024-03-20"
    (line,) = [line for line in caplog.messages if " joined" in line]
    assert line == (
        f"daily: {b.network} account {b.name!r} joined; reading their earlier days: "
        "2024-01-01..2024-03-11 in 3 windows"
    )
    third = later(chosen(config, [a, b]), second.state, "2024-03-22")
    assert [days for days, _ in asked(sandbox)] == ["2024-03-13..2024-03-21"]
    assert "catch_up" not in third.state["bookmarks"]["daily"]


@pytest.mark.parametrize("version", [1, 2])
def test_a_newly_linked_account_gets_its_history(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    version: int,
) -> None:
    new = linked[4]
    config = with_report(config, api_version=version)
    sandbox.world.unlinked = frozenset({new.entity_id})
    state = sync(config, streams=["daily"]).state
    sandbox.world.unlinked = frozenset()
    second = later(config, state)
    assert days_of(second, new) == each_day(START, "2024-03-20")
    assert days_of(second, linked[0]) == each_day("2024-03-12", "2024-03-20")
    assert known(second) == {digest(account.entity_id) for account in linked}


def test_an_account_that_comes_back_gets_its_history_again(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
) -> None:
    gone = linked[4]
    first = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset({gone.entity_id})
    second = later(config, first.state)
    assert known(first) - known(second) == {digest(gone.entity_id)}
    sandbox.world.unlinked = frozenset()
    third = later(config, second.state, "2024-03-22")
    assert days_of(third, gone) == each_day(START, "2024-03-21")
    assert known(third) == known(first)


def test_members_of_a_group_that_is_a_target_are_accounts(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
) -> None:
    group = sandbox.world.account_groups[0]
    new, other = group.accounts[:2]
    config = with_report(config, targets=[f"/network/adstage/account_group/{group.id}"])
    sandbox.world.unlinked = frozenset({new.entity_id})
    state = sync(config, streams=["daily"]).state
    sandbox.world.unlinked = frozenset()
    second = later(config, state)
    assert days_of(second, new) == each_day(START, "2024-03-20")
    assert days_of(second, other) == each_day("2024-03-12", "2024-03-20")


def test_accounts_of_several_organizations_are_no_targets(sync: Sync) -> None:
    """AdStage lists the accounts of all of a user's organizations."""
    day = dt.date(2024, 3, 20)
    with Sandbox(today=day, world=World(organizations=2)) as sandbox:
        world = sandbox.world
        organization = world.organizations[1].fetch_id
        config = {
            "api_url": sandbox.api_url,
            "access_token": sandbox.token,
            "organization_id": organization,
            "as_of": "2024-03-20",
            "start_date": START,
            "lookback_days": 7,
            "import_policy": "ignore",
            "reports": [REPORT],
        }
        new = next(
            account
            for account in world.entities("accounts")
            if account.organization_id == organization and account.children
        )
        world.unlinked = frozenset({new.entity_id})
        state = sync(config, streams=["daily"]).state
        world.unlinked = frozenset()
        second = sync(config, state=state, streams=["daily"])
    assert days_of(second, new) == each_day(START, "2024-03-19")


# --- a question that asks for more ---


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({"networks": ["adwords"]}, {"networks": ["adwords", "quora"]}, "networks: q"),
        ({}, {"fields": ["clicks", "spend", "conversions"]}, "fields: conversions"),
        ({"statuses": "all_visible"}, {}, "statuses: all_with_deleted, not all_vis"),
        ({"targets": "group"}, {}, "targets: all"),
        ({"filters": True}, {}, "filters: none, not "),
        ({"entity_level": "accounts"}, {}, "entity_level: campaigns, not accounts"),
        ({"start_date": "2024-02-01"}, {}, "first_day: 2024-01-01, not 2024-02-01"),
        (
            {"start_date": None, "timeframe_months": "THREE"},
            {"start_date": None, "timeframe_months": "SIX"},
            "first_day: 2023-09-21, not 2023-12-20",
        ),
        (
            {"date_range": "2024-02-01..2024-03-20"},
            {"date_range": "2024-01-01..2024-03-20"},
            "first_day: 2024-01-01, not 2024-02-01",
        ),
    ],
)
def test_a_question_that_asks_for_more_starts_over_with_one_line(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    before: dict[str, Any],
    after: dict[str, Any],
    why: str,
) -> None:
    group = sandbox.world.account_groups[0].id
    values = {
        "targets": [f"/network/adstage/account_group/{group}"],
        "filters": [{"path": "clicks", "op": "gt", "value": 0}],
    }

    def configured(keys: dict[str, Any]) -> dict[str, Any]:
        keys = {key: values.get(key, value) for key, value in keys.items()}
        names = ["start_date", "timeframe_months"]
        top = {name: keys.pop(name) for name in names if name in keys}
        return with_report({**config, **top}, **keys)

    first = sync(configured(before), streams=["daily"])
    caplog.clear()
    second = later(configured(after), first.state)
    (line,) = [line for line in warnings(caplog) if "starting over" in line]
    assert why in line
    assert re.search(r"; reading 20\d\d-\d\d-\d\d\.\.2024-03-20 in \d+ windows$", line)
    assert asked(sandbox)[0][0][:10] == re.findall(r"reading (\S{10})", line)[0]
    assert second.bookmark("daily") == "2024-03-20"
    caplog.clear()
    later(configured(after), second.state, "2024-03-22")
    assert warnings(caplog) == []
    assert asked(sandbox)[0][0].startswith("2024-03-13")


@pytest.mark.parametrize(
    "after",
    [
        {"fields": ["spend"]},
        {"networks": ["adwords", "quora"]},
        {"statuses": "all_visible"},
        {"targets": True},
        {"lookback_days": 7, "window_days": 3},
    ],
)
def test_fewer_is_learned_without_a_word(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    after: dict[str, Any],
) -> None:
    group = sandbox.world.account_groups[0].id
    if "targets" in after:
        after = {"targets": [f"/network/adstage/account_group/{group}"]}
    first = sync(config, streams=["daily"])
    caplog.clear()
    second = later(with_report(config, **after), first.state)
    assert warnings(caplog) == []
    assert asked(sandbox)[0][0].startswith("2024-03-12")
    caplog.clear()
    later(config, second.state, "2024-03-22")
    more = "lookback_days" not in after
    assert len([li for li in warnings(caplog) if "starting over" in li]) == more


def test_a_relative_range_that_moves_on_asks_for_no_more(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = with_report({**config, "start_date": None}, date_range="last 60 days")
    first = sync(config, streams=["daily"])
    caplog.clear()
    second = later(config, first.state)
    later(config, second.state, "2024-03-20")  # again, as of the day before
    assert warnings(caplog) == []
    assert asked(sandbox)[0][0].startswith("2024-03-13")


def test_starting_over_after_a_pause_leaves_no_gap_in_a_relative_range(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
) -> None:
    config = with_report({**config, "start_date": None}, date_range="last 4 days")
    first = sync(config, streams=["daily"])
    assert first.bookmark("daily") == "2024-03-19"
    (relative,) = config["reports"]
    more = relative | {"fields": ["clicks", "spend", "conversions"]}
    later({**config, "reports": [more]}, first.state, "2024-04-02")
    assert [days for days, _ in asked(sandbox)] == ["2024-03-19..2024-04-01"]


def test_without_backfill_more_and_who_joined_are_one_warning_each_and_learned(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = {**config, "backfill": "off"}
    sandbox.world.unlinked = frozenset({linked[4].entity_id})
    first = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset()
    caplog.clear()
    more = with_report(config, fields=["clicks", "spend", "conversions"])
    second = later(more, first.state)
    *each, last = warnings(caplog)
    assert len(each) == 2
    assert all("backfill is off" in line for line in each)
    assert last == "The run is not complete; incomplete: daily"
    assert [days for days, _ in asked(sandbox)] == ["2024-03-12..2024-03-20"]
    caplog.clear()
    later(more, second.state, "2024-03-22")
    assert warnings(caplog) == []


# --- imports ---


@pytest.mark.parametrize("policy", ["warn", "hold", "ignore"])
def test_an_account_joins_once_its_import_is_finished(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    policy: str,
) -> None:
    new = linked[4]
    config = {**config, "import_policy": policy}
    sandbox.world.unlinked = frozenset({new.entity_id})
    first = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset()
    sandbox.imports = {**sandbox.imports, new.entity_id: imported(None)}
    second = later(config, first.state)
    at_once = policy == "ignore"
    assert (digest(new.entity_id) in known(second)) is at_once
    since = START if at_once else "2024-03-12"
    assert days_of(second, new) == each_day(since, "2024-03-20")
    sandbox.imports = {**sandbox.imports, new.entity_id: imported()}
    third = later(config, second.state, "2024-03-22")
    assert digest(new.entity_id) in known(third)
    assert (days_of(third, new)[0] == START) is not at_once


@pytest.mark.parametrize("policy", ["warn", "hold"])
def test_an_account_that_can_t_be_imported_joins_once_it_is_linked_again(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    policy: str,
) -> None:
    """It doesn't hold the bookmark, so later runs leave the days that it lacks."""
    broken = linked[4]
    config = {**config, "import_policy": policy}
    cut_off = imported("2024-02-01") | {
        "code": "permanent_authentication_error",
        "importable": False,
    }
    sandbox.imports = {**sandbox.imports, broken.entity_id: cut_off}
    first = sync(config, streams=["daily"])
    assert first.bookmark("daily") == "2024-03-19"
    assert digest(broken.entity_id) not in known(first)
    sandbox.imports = {**sandbox.imports, broken.entity_id: imported()}
    second = later(config, first.state)
    assert days_of(second, broken) == each_day(START, "2024-03-20")


# --- stopped in the middle ---


@pytest.mark.parametrize("killed_after", range(1, 5))
def test_a_run_that_is_killed_in_a_catch_up_loses_no_finished_window(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    killed_after: int,
) -> None:
    new = linked[4]
    windows = ["2024-01-01", "2024-01-31", "2024-03-01", "2024-03-12"]
    sandbox.world.unlinked = frozenset({new.entity_id})
    first = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset()
    second = later(config, first.state)
    states = [
        state
        for before, state in zip(second.lines, second.lines[1:], strict=False)
        if before["type"] == "RECORD" and state["type"] == "STATE"
    ]
    assert len(states) == 4
    third = later(config, states[killed_after - 1]["value"])
    rest = windows[killed_after:] or [NEXT_START]
    assert [days[:10] for days, _ in asked(sandbox)] == rest
    assert digest(new.entity_id) in known(third)
    assert "catch_up" not in third.state["bookmarks"]["daily"]


def test_no_state_goes_before_the_batch_of_a_catch_up_that_backs_it(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    tmp_path: Path,
) -> None:
    new = linked[4]
    sandbox.world.unlinked = frozenset({new.entity_id})
    first = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset()
    config["batch_config"] = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": tmp_path.as_uri()},
        "batch_size": 40,
    }
    ids = {child.entity_id for child in new.children}
    written: set[str] = set()
    places: list[str] = []
    for line in later(config, first.state).lines:
        for uri in line.get("manifest", ()):
            text = gzip.decompress(Path(uri.removeprefix("file://")).read_bytes())
            rows = map(json.loads, text.splitlines())
            written |= {row["date"] for row in rows if row["entity_id"] in ids}
        if line["type"] == "STATE":
            ((place, _),) = line["value"]["bookmarks"]["daily"].get(
                "catch_up", [["", ""]]
            )
            places.append(place)
            if place:
                assert {*each_day(START, place)} <= written
    assert {"2024-01-30", "2024-02-29", ""} <= {*places}


def test_who_leaves_in_the_middle_of_a_catch_up_is_forgotten(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
) -> None:
    gone, stays = linked[4].entity_id, linked[5].entity_id
    sandbox.world.unlinked = frozenset({gone, stays})
    first = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset()
    second = later(config, first.state)
    state = next(
        line["value"]
        for line in second.lines
        if line["type"] == "STATE" and "catch_up" in line["value"]["bookmarks"]["daily"]
    )
    sandbox.world.unlinked = frozenset({gone})
    third = later(config, state)
    assert asked(sandbox)[0] == ("2024-01-31..2024-02-29", [stays])
    assert "catch_up" not in third.state["bookmarks"]["daily"]
    assert digest(gone) not in known(third)


# --- failures ---


class Proxy:
    """The sandbox behind a server that answers some requests itself."""

    def __init__(self, server: HTTPServer, sandbox: Sandbox) -> None:
        self.refuses: Callable[[Request], int | None] = lambda _: None
        self.changes: dict[str, Callable[[dict[str, Any]], None]] = {}
        self.url = server.url_for("/api")
        self._origin = sandbox.api_url.removesuffix("/api")
        pattern = re.compile("/api/.*")
        server.expect_request(pattern).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        status = self.refuses(request)
        if status is not None:
            return Response(json.dumps({"message": "Forbidden"}), status=status)
        answer = requests.request(
            request.method,
            self._origin + request.full_path,
            data=request.get_data(),
            headers={"Authorization": request.headers["Authorization"]},
            timeout=20,
        )
        text = answer.text.replace(self._origin, self.url.removesuffix("/api"))
        for path, change in self.changes.items():
            if path in request.path:
                document = json.loads(text)
                change(document)
                text = json.dumps(document)
        return Response(text, answer.status_code, mimetype="application/json")


def failing(config: dict[str, Any], state: dict[str, Any]) -> Messages:
    """Run a report that fails."""
    tap = TapAdStage(config=copy.deepcopy(config), state=copy.deepcopy(state))
    for name, stream in tap.streams.items():
        stream.selected = name == "daily"
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout), pytest.raises(TapError):
        tap.sync_all()
    return Messages([json.loads(line) for line in stdout.getvalue().splitlines()])


@pytest.fixture
def proxy(httpserver: HTTPServer, sandbox: Sandbox) -> Proxy:
    return Proxy(httpserver, sandbox)


def test_a_catch_up_that_fails_keeps_its_place_and_the_others_get_their_days(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
) -> None:
    new = linked[4]
    config |= {"api_url": proxy.url}
    sandbox.world.unlinked = frozenset({new.entity_id})
    first = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset()

    def refuses(request: Request) -> int | None:
        return 403 if b"2024-03-01.." in request.get_data() else None

    proxy.refuses = refuses
    second = failing({**config, "as_of": "2024-03-21"}, first.state)
    assert re.search(r"the earlier days of .*answered 403", caplog.text)
    bookmark = second.state["bookmarks"]["daily"]
    assert bookmark["replication_key_value"] == "2024-03-20"
    assert bookmark["catch_up"] == [["2024-02-29", digest(new.entity_id)]]
    proxy.refuses = lambda _: None
    third = later(config, second.state, "2024-03-22")
    assert [days for days, _ in asked(sandbox)] == [
        "2024-03-01..2024-03-12",
        "2024-03-13..2024-03-21",
    ]
    assert digest(new.entity_id) in known(third)


@pytest.mark.parametrize(
    "path", ["list_network_accounts/all", "sync_information", "account_groups"]
)
def test_without_the_list_of_accounts_reports_go_on_and_learn_nothing_of_who_joined(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    group = sandbox.world.account_groups[0]
    new = group.accounts[0]
    target = [f"/network/adstage/account_group/{group.id}"]
    config = with_report(config, targets=target) | {"api_url": proxy.url}
    config["reports"].append({**REPORT, "name": "other", "targets": target})
    sandbox.world.unlinked = frozenset({new.entity_id})
    first = sync(config, streams=["daily", "other"])
    sandbox.world.unlinked = frozenset()
    proxy.refuses = lambda request: 403 if path in request.path else None
    caplog.clear()
    sandbox.today = dt.date(2024, 3, 21)
    config["as_of"] = "2024-03-21"
    second = sync(config, state=first.state, streams=["daily", "other"])
    (_,) = [line for line in warnings(caplog) if "could not read the " in line]
    last = warnings(caplog)[-1]
    assert last == "The run is not complete; incomplete: daily, other"
    assert known(second) == known(first)
    assert second.bookmark("other") == second.bookmark("daily") == "2024-03-20"
    proxy.refuses = lambda _: None
    third = later(config, second.state, "2024-03-22")
    assert days_of(third, new) == each_day(START, "2024-03-21")


def lacking(proxy: Proxy, account: Entity, *, is_malformed: bool) -> None:
    """Make the list of accounts lack one."""
    text = json.dumps(account.remote_id)

    def change(document: dict[str, Any]) -> None:
        items = document["_embedded"]["item"]
        (item,) = [i for i in items if json.dumps(i["remote_id"]) == text]
        if is_malformed:
            item["network"] = None
        else:
            items.remove(item)

    proxy.changes["list_network_accounts/all"] = change


@pytest.mark.parametrize("is_malformed", [False, True])
@pytest.mark.parametrize("targets", [False, True])
def test_accounts_that_a_shard_s_list_lacks_get_their_history_once_it_has_them(
    sandbox: Sandbox,
    later: Callable[..., Messages],
    config: dict[str, Any],
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    is_malformed: bool,  # noqa: FBT001
    targets: bool,  # noqa: FBT001
) -> None:
    group = sandbox.world.account_groups[0]
    account = next(each for each in group.accounts if Shard(1, 2).has(each.entity_id))
    if targets:
        target = f"/network/adstage/account_group/{group.id}"
        config = with_report(config, targets=[target])
    config |= {"api_url": proxy.url, "shard": "1/2"}
    lacking(proxy, account, is_malformed=is_malformed)
    first = failing({**config, "as_of": "2024-03-20"}, {})
    assert days_of(first, account) == []
    assert "list_network_accounts" in caplog.text
    assert digest(account.entity_id) not in known(first)
    proxy.changes.clear()
    second = later(config, first.state)
    assert days_of(second, account) == each_day(START, "2024-03-20")


@pytest.mark.parametrize("path", ["sync_information", "account_groups"])
def test_a_shard_fails_if_its_list_lacks_accounts_and_nobody_knows_who_joined(
    sandbox: Sandbox, config: dict[str, Any], proxy: Proxy, path: str
) -> None:
    group = sandbox.world.account_groups[0]
    account = next(each for each in group.accounts if Shard(1, 2).has(each.entity_id))
    lacking(proxy, account, is_malformed=False)
    target = f"/network/adstage/account_group/{group.id}"
    config = with_report(config, targets=[target])
    config |= {"api_url": proxy.url, "shard": "1/2", "as_of": "2024-03-20"}
    proxy.refuses = lambda request: 403 if path in request.path else None
    assert failing(config, {}).records("daily") == []


def test_chosen_accounts_that_a_short_list_lacks_are_read_all_the_same(
    config: dict[str, Any], linked: list[Entity], proxy: Proxy
) -> None:
    account = linked[4]
    lacking(proxy, account, is_malformed=False)
    config = chosen(config | {"api_url": proxy.url}, [linked[0], account])
    first = failing({**config, "as_of": "2024-03-20"}, {})
    assert days_of(first, account) == each_day(START, "2024-03-19")


def test_credentials_that_are_refused_still_end_the_run(
    sandbox: Sandbox,
    sync: Sync,
    config: dict[str, Any],
    proxy: Proxy,
) -> None:
    first = sync(config, streams=["daily"])
    proxy.refuses = lambda r: 401 if "list_network_accounts" in r.path else None
    sandbox.requests.clear()
    failing(config | {"api_url": proxy.url}, first.state)
    assert questions(sandbox) == []


# --- states of other versions, shards, the future ---


def test_a_state_without_any_history_goes_on_as_before_and_learns_it(
    sandbox: Sandbox,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    old = {
        "replication_key": "date",
        "replication_key_value": "2024-03-19",
        "aggregate_by": "day",
    }
    messages = later(config, {"bookmarks": {"daily": old}})
    assert [days for days, _ in asked(sandbox)] == ["2024-03-12..2024-03-20"]
    assert known(messages) == {digest(account.entity_id) for account in linked}
    assert dict(messages.state["bookmarks"]["daily"]["question"])["fields"]
    assert warnings(caplog) == []


def test_a_shard_knows_its_own_accounts_and_catches_up_with_them_alone(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    linked: list[Entity],
) -> None:
    whole = sync(config, streams=["daily"])
    sandbox.world.unlinked = frozenset({linked[4].entity_id, linked[5].entity_id})
    before = later(config, whole.state)
    sandbox.world.unlinked = frozenset()
    parts = []
    for number in (1, 2, 3):
        shard = {**config, "shard": f"{number}/3"}
        parts.append(later(shard, before.state, "2024-03-22"))
        history = [
            targets for days, targets in asked(sandbox) if days < NEXT_START and targets
        ]
        assert {each for targets in history for each in targets} == {
            new.entity_id for new in linked[4:6] if Shard(number, 3).has(new.entity_id)
        }
    accounts = [known(part) for part in parts]
    assert set.union(*accounts) == known(whole)
    assert sum(map(len, accounts)) == len(linked)


@pytest.mark.parametrize("keys", [{}, {"aggregate_by": "week"}, {"api_version": 1}])
def test_a_bookmark_in_the_future_is_repaired_in_one_run(
    sandbox: Sandbox,
    sync: Sync,
    later: Callable[..., Messages],
    config: dict[str, Any],
    keys: dict[str, Any],
) -> None:
    config = with_report(config, **keys)
    state = sync(config, streams=["daily"]).state
    state["bookmarks"]["daily"]["replication_key_value"] = "2222-06-04"
    sandbox.requests.clear()
    second = sync(config, state=state, streams=["daily"])
    bookmarks = [s["bookmarks"]["daily"] for s in second.states[1:]]
    values = [bookmark["replication_key_value"] for bookmark in bookmarks]
    assert values == sorted(values)
    assert values[-1] <= "2024-03-19"
    first_days = [r.body["date_range"][:10] for r in sandbox.requests if r.body]
    assert first_days[0] == START
    later(config, second.state)
    first_days = [r.body["date_range"][:10] for r in sandbox.requests if r.body]
    assert first_days[0] >= "2024-03-11"


def test_a_bookmark_after_a_time_zone_moved_west_is_repaired(
    sandbox: Sandbox,
    sync: Sync,
    config: dict[str, Any],
) -> None:
    """The real day counts: it may be the one before, further west."""
    del config["as_of"]
    sandbox.today = None
    east = with_report(config, date_range="3 days to now")
    east["time_zone"] = "Pacific/Kiritimati"
    west = {**east, "time_zone": "Pacific/Pago_Pago"}
    for values in (east, west):
        values.pop("start_date")
    state = sync(east, streams=["daily"]).state
    second = sync(west, state=state, streams=["daily"])
    today = dt.datetime.now(zoneinfo.ZoneInfo("Pacific/Pago_Pago")).date()
    assert second.bookmark("daily") == today.isoformat()


# --- size ---


def test_a_state_with_2000_accounts_is_small_and_five_default_reports_fit_a_line(
    sync: Sync, config: dict[str, Any]
) -> None:
    del config["reports"]
    few = sync({**config, "start_date": "2024-03-18"})
    line = json.dumps({"type": "STATE", "value": few.state}, separators=(",", ":"))
    assert len(line) < 4096
    many = copy.deepcopy(few.state)
    digests = "".join(map(digest, map(str, range(2000))))
    for bookmark in many["bookmarks"].values():
        if "accounts" in bookmark:
            bookmark["accounts"] = digests
    assert sum("accounts" in each for each in many["bookmarks"].values()) == 5
    assert len(json.dumps(many)) < 100_000
