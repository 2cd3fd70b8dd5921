"""The setting `import_policy` at the wire: what is asked, said and held back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import stream_fails
from harness.logs import warnings

from tap_adstage.adstage.accounts import AccountFinder
from tap_adstage.adstage.directory import Directory
from tap_adstage.config.adstage_settings import AdStageConfig
from tap_adstage.config.parsing import parse
from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    ResponseError,
    TapError,
)

if TYPE_CHECKING:
    from harness.singer import Messages, Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.adstage.client import AdStageClient
    from tap_adstage.sandbox.server import Sandbox
    from tap_adstage.sandbox.world.entities import Entity

REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "accounts",
    "fields": ["spend"],
    "date_range": "last 25 days",
    "lookback_days": 0,
}
IMPORTED: dict[str, Any] = {
    "code": "good",
    "is_importing": False,
    "last_import_started": "2024-03-20T09:00:00Z",
    "last_import_finished": "2024-03-20T10:00:00Z",
    "last_import_failed": None,
    "importable": True,
}
RELINK = {"code": "permanent_authentication_error", "importable": False}
NEVER = {"last_import_started": None, "last_import_finished": None}


def ran(day: str) -> dict[str, Any]:
    """An import in the night to a day, counted in UTC."""
    return {
        "last_import_started": f"{day}T02:00:00Z",
        "last_import_finished": f"{day}T03:00:00Z",
    }


def running(day: str) -> dict[str, Any]:
    """An import that is running, after one that finished on a day."""
    return {
        "code": "currently_importing",
        "is_importing": True,
        "last_import_started": "2024-03-20T11:00:00Z",
        "last_import_finished": f"{day}T03:00:00Z",
    }


class Imports:
    """How accounts are imported: all up to yesterday, but those that are set."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.clear()

    def clear(self) -> None:
        accounts = self._sandbox.world.entities("accounts")
        self._sandbox.imports = {each.entity_id: IMPORTED for each in accounts}

    def __setitem__(self, entity_id: str, changes: dict[str, Any]) -> None:
        changed = {entity_id: IMPORTED | changes}
        self._sandbox.imports = {**self._sandbox.imports, **changed}


@pytest.fixture
def imports(sandbox: Sandbox) -> Imports:
    return Imports(sandbox)


@pytest.fixture
def accounts(sandbox: Sandbox) -> list[Entity]:
    """The sandbox's accounts, two on each network."""
    return list(sandbox.world.entities("accounts"))


def with_reports(
    settings: dict[str, Any],
    *reports: dict[str, Any],
    policy: str | None = None,
) -> dict[str, Any]:
    given = {} if policy is None else {"import_policy": policy}
    return {
        **settings,
        "max_concurrency": 1,  # the order of requests is looked at
        **given,
        "reports": [{**REPORT, **report} for report in reports or [{}]],
    }


def bookmarks(messages: Messages, stream: str = "daily") -> list[str | None]:
    """The bookmark in each STATE, from the first that follows a record."""
    first = next(n for n, line in enumerate(messages.lines) if line["type"] == "RECORD")
    return [
        line["value"]["bookmarks"][stream].get("replication_key_value")
        for line in messages.lines[first:]
        if line["type"] == "STATE"
    ]


def ranges(sandbox: Sandbox) -> list[str]:
    return [r.body["date_range"] for r in sandbox.requests if "/report" in r.path]


def questions(sandbox: Sandbox) -> int:
    """How often import status was asked for."""
    return sum(r.path.endswith("/sync_information") for r in sandbox.requests)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings about accounts, in their order."""
    return [line for line in warnings(caplog) if " account '" in line]


def named(account: Entity) -> str:
    return f"{account.network} account {account.name!r}"


# --- before reports run, sync_information is read once ---


def test_import_status_is_asked_for_once_a_run_and_before_every_report(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    sync(with_reports(settings, {}, {"name": "other"}, {"name": "third"}))
    paths = [request.path for request in sandbox.requests]
    asked = [n for n, path in enumerate(paths) if path.endswith("/sync_information")]
    assert len(asked) == 1
    assert asked[0] < paths.index("/api/v2/organizations/40/report")


@pytest.mark.parametrize(
    ("policy", "streams", "expected"),
    [
        ("ignore", ["daily"], 0),
        ("ignore", ["daily", "import_status"], 1),
        ("warn", ["accounts"], 0),
        ("warn", ["import_status"], 1),
        ("hold", ["accounts"], 0),
        ("warn", ["daily"], 1),
        ("hold", ["daily"], 1),
    ],
)
def test_no_request_is_sent_that_nothing_needs(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    policy: str,
    streams: list[str],
    expected: int,
) -> None:
    sync(with_reports(settings, policy=policy), streams=streams)
    assert questions(sandbox) == expected


def test_a_report_with_nothing_to_ask_for_needs_no_import(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    imports[accounts[0].entity_id] = RELINK
    config = with_reports(
        {**settings, "as_of": "2024-03-01"},
        {"date_range": "month to date"},
    )
    sync(config, streams=["daily"])
    assert questions(sandbox) == 0
    assert lines(caplog) == []


@pytest.mark.parametrize("policy", ["warn", "hold"])
def test_a_report_with_nothing_to_ask_for_leaves_the_others_alone(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
    policy: str,
) -> None:
    imports[accounts[0].entity_id] = NEVER
    config = with_reports(
        {**settings, "as_of": "2024-03-01"},
        {"date_range": "month to date"},
        {"name": "other", "date_range": "last 2 days"},
        policy=policy,
    )
    messages = sync(config, streams=["daily", "other"])
    assert questions(sandbox) == 1
    assert ranges(sandbox) == ["2024-02-28..2024-02-29"]
    assert lines(caplog)[0].endswith("may lack data in other")
    held = policy == "hold"
    assert messages.bookmark("other") == ("2024-02-28" if held else "2024-02-29")


def test_an_answer_that_can_t_be_read_is_said_and_ends_a_run_that_is_to_hold(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    imports[accounts[0].entity_id] = {"last_import_finished": "this morning"}
    messages = sync(with_reports(settings), streams=["daily"])
    assert messages.bookmark("daily") == "2024-03-19"
    (warning,) = warnings(caplog)
    assert warning.startswith("import_policy: could not read the import status: ")
    assert "last_import_finished is 'this morning'" in warning
    with stream_fails(ResponseError, match="last_import_finished is 'this morning'"):
        sync(with_reports(settings, policy="hold"), streams=["daily"])
    assert '"RECORD"' not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "policy", "error"),
    [
        (404, "warn", None),
        (404, "hold", ApiError),
        (401, "warn", AuthenticationError),
        (401, "hold", AuthenticationError),
    ],
)
def test_a_refusal_is_said_and_ends_a_run_that_is_to_hold_or_has_no_access(
    httpserver: HTTPServer,
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    status: int,
    policy: str,
    error: type[TapError] | None,
) -> None:
    report = "/api/v2/organizations/40/report"
    answers: dict[str, Any] = {
        "/api/metric_descriptors": [{"id": "spend"}],
        "/api/organizations/40/metric_descriptors": [{"id": "clicks"}],
        "/api/organizations/40": {"fetch_id": 40},
        "/api/users/40/list_network_accounts/all": {"_embedded": {"item": []}},
        report: {"type": "timeseries", "_embedded": {"results": []}},
    }
    for path, answer in answers.items():
        httpserver.expect_request(path).respond_with_json(answer)
    path = "/api/users/40/sync_information"
    httpserver.expect_request(path).respond_with_json({}, status=status)
    ids = {"user_id": 40, "organization_id": 40, "reconcile": "off"}
    settings |= {"api_url": httpserver.url_for("/api"), **ids}
    config = with_reports(settings, policy=policy)
    if error is None:
        assert sync(config, streams=["daily"]).bookmark("daily") == "2024-03-19"
        (warning,) = warnings(caplog)
        assert warning.startswith(
            "import_policy: could not read the import status: GET "
        )
        return
    ends = pytest.raises if error is AuthenticationError else stream_fails
    with ends(error, match="sync_information"):
        sync(config, streams=["daily"])
    assert report not in {request.path for request, _ in httpserver.log}


# --- warn ---


def test_each_account_that_is_behind_is_one_line_before_any_report_begins(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    relink, importing, late, new = accounts[:4]
    imports[relink.entity_id] = RELINK
    imports[importing.entity_id] = running("2024-03-20")
    imports[late.entity_id] = ran("2024-03-18")
    imports[new.entity_id] = NEVER
    sync(with_reports(settings, {}, {"name": "other", "aggregate_by": "week"}))
    said = lines(caplog)
    assert [line.split(":")[0] for line in said] == [
        named(account) for account in (relink, importing, late, new)
    ]
    assert "link it again in AdStage" in said[0]
    assert said[1].endswith("an import is running")
    assert said[2].endswith(
        "ran from 2024-03-18T02:00:00Z to 2024-03-18T03:00:00Z; rows from 2024-03-18 "
        "on may lack data in daily, other",
    )
    assert "no import of it has ever finished; rows from 2024-02-19 on" in said[3]
    messages = [record.getMessage() for record in caplog.records]
    first_window = next(n for n, line in enumerate(messages) if ": window 1 of" in line)
    assert messages.index(said[-1]) < first_window


@pytest.mark.parametrize("policy", [None, "warn", "ignore"])
def test_bookmarks_move_on_unless_they_are_to_be_held(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
    policy: str | None,
) -> None:
    imports[accounts[0].entity_id] = NEVER
    messages = sync(with_reports(settings, policy=policy))
    assert messages.bookmark("daily") == "2024-03-19"
    assert len(lines(caplog)) == (0 if policy == "ignore" else 1)


@pytest.mark.parametrize("aggregate_by", ["day", "week", "month", "total"])
@pytest.mark.usefixtures("imports")
@pytest.mark.parametrize("date_range", ["last 25 days", "2024-02-01..2024-03-20"])
def test_accounts_that_are_imported_as_far_as_can_be_are_not_named(
    sync: Sync,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    aggregate_by: str,
    date_range: str,
) -> None:
    report = {"aggregate_by": aggregate_by, "date_range": date_range}
    sync(with_reports(settings, report, policy="hold"), streams=["daily"])
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("date_range", "said"),
    [("2024-02-01..2024-03-10", 0), ("2024-02-01..2024-03-11", 1)],
)
def test_a_report_s_last_day_is_the_one_that_an_account_must_have(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
    date_range: str,
    said: int,
) -> None:
    imports[accounts[0].entity_id] = ran("2024-03-11")
    sync(with_reports(settings, {"date_range": date_range}), streams=["daily"])
    assert len(lines(caplog)) == said


# --- scope ---


def test_a_report_that_is_not_selected_concerns_no_account(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    imports[accounts[0].entity_id] = NEVER
    config = with_reports(
        settings,
        {"networks": [accounts[-1].network]},
        {"name": "everything"},
    )
    sync(config, streams=["daily"])
    assert lines(caplog) == []
    sync(config, streams=["everything"])
    assert len(lines(caplog)) == 1


def test_only_chosen_accounts_are_in_scope(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for account in accounts:
        imports[account.entity_id] = NEVER
    imports[accounts[3].entity_id] = ran("2024-03-18")
    chosen = {
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": [accounts[3].entity_id],
    }
    config = with_reports({**settings, **chosen}, policy="hold")
    assert sync(config, streams=["daily"]).bookmark("daily") == "2024-03-17"
    assert lines(caplog)[0].startswith(named(accounts[3]))
    assert len(lines(caplog)) == 2  # the account's, and the report's


def scope_of(targets: list[str], sandbox: Sandbox) -> set[str]:
    """Entity ids of the accounts that a report with targets may read."""
    accounts = sandbox.world.entities("accounts")
    groups = {str(group.id): group.accounts for group in sandbox.world.account_groups}
    found = set()
    for target in targets:
        _, _, network, level, remote_id = target.split("/")
        if level == "account":
            found.add(target)
        elif level == "account_group":
            found |= {account.entity_id for account in groups[remote_id]}
        else:
            found |= {
                account.entity_id
                for account in accounts
                if network in {account.network, "adstage"}
            }
    return found


@pytest.mark.parametrize("kind", ["account", "group", "campaign", "folder", "user"])
def test_targets_narrow_the_scope(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    world = sandbox.world
    target = {
        "account": accounts[5].entity_id,
        "group": f"/network/adstage/account_group/{world.account_groups[1].id}",
        "campaign": world.entities("campaigns")[0].entity_id,
        "folder": f"/network/adstage/folder/{world.folders[0].fetch_id}",
        "user": f"/network/adstage/user/{world.user.fetch_id}",
    }[kind]
    for account in accounts:
        imports[account.entity_id] = ran("2024-03-19")
    report = {"entity_level": "campaigns", "targets": [target]}
    sync(with_reports(settings, report), streams=["daily"])
    inside = scope_of([target], sandbox)
    assert {line.split(":")[0] for line in lines(caplog)} == {
        named(account) for account in accounts if account.entity_id in inside
    }
    assert len(lines(caplog)) == len(inside)


def test_an_account_group_is_read_once_whoever_needs_it(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    group = sandbox.world.account_groups[0].id
    targets = {"targets": [f"/network/adstage/account_group/{group}"]}
    config = with_reports(settings, targets, {"name": "other", **targets})
    sync(config, streams=["daily", "other", "account_group_accounts"])
    paths = [request.path for request in sandbox.requests]
    assert paths.count(f"/api/users/40/account_groups/{group}/list_accounts") == 1
    assert paths.count("/api/users/40/account_groups") == 1


LINKED = [
    {"network": "quora", "remote_id": "1", "name": "One"},
    {"network": "quora", "remote_id": "2", "name": "Two"},
    {"network": "adwords", "remote_id": "3", "name": "Three"},
    {"network": "adwords", "remote_id": "4", "name": "renamed"},
]
GROUPS = {7: [0, 2], 8: [0, 3], 9: []}


@pytest.mark.parametrize(
    ("target", "chosen", "expected"),
    [
        ("/network/quora/account/1", None, ["One"]),
        ("/network/adwords/account/4", None, ["Three", "Four"]),
        ("/network/quora/account/404", None, ["One", "Two"]),
        ("/network/adstage/account_group/7", None, ["One", "Three"]),
        ("/network/adstage/account_group/7", [1, 2], ["One"]),
        ("/network/adstage/account_group/8", None, ["One", "Two", "Three", "Four"]),
        ("/network/adstage/account_group/9", None, ["One", "Two", "Three", "Four"]),
        ("/network/adstage/account_group/404", None, ["One", "Two", "Three", "Four"]),
    ],
)
def test_where_names_don_t_tell_an_account_more_are_in_scope(
    httpserver: HTTPServer,
    client: AdStageClient,
    target: str,
    chosen: list[int] | None,
    expected: list[str],
) -> None:
    user = "/api/users/40"
    names = ["One", "Two", "Three", "Four"]
    serve = {
        f"{user}/list_network_accounts/all": {"_embedded": {"item": LINKED}},
        f"{user}/sync_information": {
            "accounts": [
                {"name": name, "network": network, "import_status": IMPORTED}
                for name, network in zip(
                    names,
                    ["quora", "quora", "adwords", "adwords"],
                    strict=True,
                )
            ],
        },
        f"{user}/account_groups": {
            "_embedded": {
                "item": [
                    {
                        "id": number,
                        "_links": {
                            "adstage:list": [{"href": f"{user}/groups/{number}"}],
                        },
                    }
                    for number in GROUPS
                ],
            },
        },
        **{
            f"{user}/groups/{number}": {
                "_embedded": {"item": [LINKED[n] for n in members]},
            }
            for number, members in GROUPS.items()
        },
    }
    for path, document in serve.items():
        httpserver.expect_request(path).respond_with_json(document)
    choice = {
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": [f"/network/quora/account/{number}" for number in chosen or []],
    }
    config = parse(
        {"access_token": "t", "user_id": 40, **(choice if chosen else {})},
        now=dt.datetime(2024, 3, 20, tzinfo=dt.timezone.utc),
        stream_names=[],
    )
    assert isinstance(config, AdStageConfig)
    directory = Directory(client, config)
    scope = AccountFinder(directory).scope(["quora", "adwords"], [target])
    found = [each.name for each in directory.account_imports if each in scope]
    assert found == expected


# --- hold ---


def test_a_bookmark_stops_at_the_last_day_that_every_account_has(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    imports[accounts[0].entity_id] = ran("2024-03-18")
    imports[accounts[1].entity_id] = running("2024-03-11")
    messages = sync(with_reports(settings, policy="hold"), streams=["daily"])
    assert {r["date"] for r in messages.records("daily")} >= {"2024-03-19"}
    assert bookmarks(messages)[:3] == ["2024-03-04", "2024-03-10", "2024-03-10"]
    assert messages.bookmark("daily") == "2024-03-10"
    assert lines(caplog)[-1] == (
        "daily: bookmark held at 2024-03-10, as AdStage has not finished importing "
        f"{named(accounts[1])} (imported up to 2024-03-10), "
        f"{named(accounts[0])} (imported up to 2024-03-17); the next run fetches "
        "late data"
    )
    assert len(lines(caplog)) == 3
    assert warnings(caplog)[-1] == "The run is not complete; incomplete: daily"


def test_a_held_report_catches_up_once_the_import_has(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = with_reports(settings, policy="hold")
    imports[accounts[0].entity_id] = ran("2024-03-11")
    first = sync(config, streams=["daily"])
    assert first.bookmark("daily") == "2024-03-10"
    sandbox.requests.clear()
    caplog.clear()
    imports.clear()
    second = sync(config, streams=["daily"], state=first.state)
    assert ranges(sandbox) == ["2024-03-10..2024-03-19"]
    assert second.bookmark("daily") == "2024-03-19"
    assert lines(caplog) == []


def test_an_account_that_was_never_imported_holds_where_the_run_began(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = with_reports(settings, policy="hold")
    imports[accounts[0].entity_id] = NEVER
    first = sync(config, streams=["daily"])
    assert set(bookmarks(first)) == {"2024-02-24"}
    assert len(bookmarks(first)) >= 3
    assert lines(caplog)[-1].startswith(
        "daily: bookmark held at 2024-02-24, as AdStage has"
    )
    sandbox.requests.clear()
    imports.clear()
    second = sync(config, streams=["daily"], state=first.state)
    assert ranges(sandbox)[0].startswith("2024-02-24")
    assert second.bookmark("daily") == "2024-03-19"


def test_no_day_of_a_range_that_moves_on_is_left_behind(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
) -> None:
    imports[accounts[0].entity_id] = NEVER
    state = None
    for day in (18, 19, 20):
        if day == 20:
            imports.clear()
        sandbox.requests.clear()
        sandbox.today = dt.date(2024, 3, day)
        config = with_reports(
            settings | {"as_of": f"2024-03-{day}"},
            {"date_range": "yesterday"},
            policy="hold",
        )
        state = sync(config, streams=["daily"], state=state).state
    assert ranges(sandbox) == ["2024-03-17..2024-03-19"]
    assert state is not None
    assert state["bookmarks"]["daily"]["replication_key_value"] == "2024-03-19"


def test_accounts_that_can_t_be_imported_are_named_but_hold_nobody(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    imports[accounts[0].entity_id] = RELINK | ran("2024-02-28")
    imports[accounts[1].entity_id] = {"importable": False, **NEVER}
    messages = sync(with_reports(settings, policy="hold"), streams=["daily"])
    assert messages.bookmark("daily") == "2024-03-19"
    assert [line.split(":")[0] for line in lines(caplog)] == [
        named(accounts[0]),
        named(accounts[1]),
    ]


@pytest.mark.parametrize(
    ("time_zone", "expected"),
    [
        ("UTC", "2024-03-18"),
        ("America/Los_Angeles", "2024-03-17"),
        ("Asia/Tokyo", "2024-03-18"),
        ("Pacific/Kiritimati", "2024-03-18"),
    ],
)
@pytest.mark.parametrize("of_the_report", [True, False])
def test_held_days_are_counted_in_the_time_zone(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    time_zone: str,
    expected: str,
    of_the_report: bool,  # noqa: FBT001
) -> None:
    imports[accounts[0].entity_id] = ran("2024-03-19")
    zone = {"time_zone": time_zone}
    config = (
        with_reports(settings, zone, policy="hold")
        if of_the_report
        else with_reports({**settings, **zone}, policy="hold")
    )
    assert sync(config, streams=["daily"]).bookmark("daily") == expected


@pytest.mark.parametrize(
    ("aggregate_by", "imported", "expected", "next_range"),
    [
        # up to Sunday: the week is whole, the next one isn't begun
        ("week", "2024-03-18", "2024-03-11", "2024-03-11..2024-03-17"),
        # up to Monday: the week that it lies in is fetched again
        ("week", "2024-03-19", "2024-03-18", "2024-03-18..2024-03-20"),
        ("month", "2024-02-29", "2024-02-01", "2024-02-01..2024-02-29"),
        ("month", "2024-03-02", "2024-03-01", "2024-03-01..2024-03-20"),
        # a total is asked for whole on every run
        ("total", "2024-03-10", "2024-01-10", "2024-01-10..2024-03-20"),
        ("total", "2024-01-05", "2024-01-10", "2024-01-10..2024-03-20"),
    ],
)
def test_longer_slices_are_held_where_they_may_change(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    aggregate_by: str,
    imported: str,
    expected: str,
    next_range: str,
) -> None:
    imports[accounts[0].entity_id] = ran(imported)
    report = {"aggregate_by": aggregate_by, "date_range": "2024-01-10..2024-03-20"}
    config = with_reports(settings, report, policy="hold")
    first = sync(config, streams=["daily"])
    assert first.bookmark("daily") == expected
    sandbox.requests.clear()
    sync(config, streams=["daily"], state=first.state)
    assert ranges(sandbox)[0] == next_range


@pytest.mark.parametrize("status", [ran("2024-02-27"), NEVER])
def test_a_hold_moves_no_bookmark_back(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
    status: dict[str, Any],
) -> None:
    bookmark = {
        "replication_key": "date",
        "replication_key_value": "2024-03-12",
        "aggregate_by": "day",
    }
    imports[accounts[0].entity_id] = status
    messages = sync(
        with_reports(settings, policy="hold"),
        streams=["daily"],
        state={"bookmarks": {"daily": bookmark}},
    )
    assert set(bookmarks(messages)) == {"2024-03-12"}
    assert lines(caplog)[-1].startswith(
        "daily: bookmark held at 2024-03-12, as AdStage has"
    )


def test_a_held_bookmark_is_not_said_where_it_would_not_have_moved(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = with_reports(settings, policy="hold")
    state = sync(config, streams=["daily"]).state
    imports[accounts[0].entity_id] = ran("2024-03-18")
    messages = sync(config, streams=["daily"], state=state)
    assert messages.bookmark("daily") == "2024-03-19"
    assert [line.split(":")[0] for line in lines(caplog)] == [named(accounts[0])]


def test_each_report_is_held_by_its_own_accounts(
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
) -> None:
    imports[accounts[0].entity_id] = ran("2024-03-15")
    imports[accounts[-1].entity_id] = ran("2024-03-18")
    config = with_reports(
        settings,
        {"networks": [accounts[0].network]},
        {"name": "other", "networks": [accounts[-1].network]},
        {"name": "third", "networks": [accounts[4].network]},
        policy="hold",
    )
    messages = sync(config)
    assert [messages.bookmark(name) for name in ("daily", "other", "third")] == [
        "2024-03-14",
        "2024-03-17",
        "2024-03-19",
    ]
    assert [line.split(":")[0] for line in lines(caplog)] == [
        named(accounts[0]),
        named(accounts[-1]),
        "daily",
        "other",
    ]


def test_looking_ahead_writes_no_state_of_its_own(
    sync: Sync,
    settings: dict[str, Any],
) -> None:
    messages = sync(with_reports(settings, policy="hold"), streams=["daily"])
    assert messages.lines[0]["type"] == "SCHEMA"


def test_an_account_that_is_far_behind_holds_where_the_run_began_and_no_earlier(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
) -> None:
    imports[accounts[0].entity_id] = ran("2022-05-01")
    config = with_reports(settings, policy="hold")
    first = sync(config, streams=["daily"])
    assert first.bookmark("daily") == "2024-02-24"
    sandbox.requests.clear()
    sandbox.today = dt.date(2024, 3, 25)
    config["as_of"] = "2024-03-25"
    second = sync(config, state=first.state, streams=["daily"])
    assert ranges(sandbox)[0].startswith("2024-02-24")
    assert second.bookmark("daily") == "2024-02-24"


@pytest.mark.parametrize("policy", ["warn", "hold"])
def test_live_data_wait_for_no_import(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    imports: Imports,
    accounts: list[Entity],
    caplog: pytest.LogCaptureFixture,
    policy: str,
) -> None:
    account = next(each for each in accounts if each.network == "facebook")
    imports[account.entity_id] = NEVER
    live = {"provider": "facebook", "targets": [account.entity_id]}
    messages = sync(with_reports(settings, live, policy=policy), streams=["daily"])
    assert messages.bookmark("daily") == "2024-03-19"
    assert questions(sandbox) == 0
    assert lines(caplog) == []
