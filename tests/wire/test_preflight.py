"""`tap-adstage --test`: a line for each step, what to do where one fails, exit code."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from harness.commands import run_tap

from tap_adstage.adstage.source import AdStageSource
from tap_adstage.config.shards import Shard
from tap_adstage.exceptions import (
    ApiError,
    AuthenticationError,
    ConfigError,
    LinkError,
    ResponseError,
    TapError,
    TransientError,
    UnauthorizedError,
)
from tap_adstage.preflight import Result, advice, results
from tap_adstage.runtime.statistics import RunStats
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World
from tap_adstage.source import SetUpStep

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from pytest_httpserver import HTTPServer

REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks", "spend", "campaign_name"],
    "date_range": "last 25 days",
}
USER = {"fetch_id": 40, "first_name": "Robin", "last_name": "Marlow-Grey"}
LOG_LINE = re.compile(r"[-\d]+ [:,\d]+ \| (INFO|ERROR) +\| tap-adstage +\| (.+)")


class Ended:
    """A set-up test that has ended."""

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        assert process.stdout == ""
        assert "Traceback" not in process.stderr
        self.exit_code = process.returncode
        self.stderr = process.stderr
        found: list[tuple[str, str]] = LOG_LINE.findall(process.stderr)
        self.lines = [line for _, line in found if "env var settings" not in line]
        self.errors = [line for level, line in found if level == "ERROR"]

    def line(self, step: str) -> str:
        """The one line of a step, without its name."""
        (line,) = [line for line in self.lines if line.startswith(f"{step}: ")]
        return line.removeprefix(f"{step}: ")


@pytest.fixture
def check(tmp_path: Path) -> Callable[[dict[str, Any]], Ended]:
    """Run the set-up test of some settings, which wait for no retry."""

    def run(settings: dict[str, Any]) -> Ended:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"max_retry_seconds": 0, **settings}))
        return Ended(run_tap("--config", str(path), "--test"))

    return run


def reports_asked(sandbox: Sandbox) -> list[tuple[str, int]]:
    """Range and number of rows of each report request."""
    bodies = [r.body for r in sandbox.requests if r.path.endswith("/report")]
    return [(body["date_range"], body["limit"]) for body in bodies]


# --- where all is well ---


def test_each_step_that_passes_is_a_line_that_says_what_was_found(
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    nothing = [{"path": "meta/campaign_name", "op": "in", "value": ["no such"]}]
    future = {"date_range": "2024-04-01..2024-04-30"}
    whole = {"aggregate_by": "total", "date_range": "last 60 days"}
    settings["reports"] = [
        REPORT,
        {**REPORT, "name": "empty", "filters": nothing},
        {**REPORT, "name": "later", **future},
        {**REPORT, "name": "whole", **whole},
    ]
    ended = check(settings)
    assert ended.lines == [
        "token: ok, AdStage accepts it",
        "user: ok, Robin Marlow-Grey (40)",
        "organization: ok, Lighthouse Agency (40)",
        "accounts: ok, 18 linked",
        "report daily: ok, a row of 2024-03-15..2024-03-19",
        "report empty: ok, no rows in 2024-03-15..2024-03-19",
        (
            "report later: ok, nothing to request: its date_range, "
            "2024-04-01..2024-04-30, begins after today, 2024-03-20"
        ),
        "report whole: ok, a row of 2024-01-20..2024-03-19",
        "8 of 8 steps passed",
    ]
    assert ended.exit_code == 0
    assert ended.errors == []


def test_little_is_asked_a_report_once_and_for_one_row(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    settings["reports"] = [REPORT, {**REPORT, "name": "ads", "entity_level": "ads"}]
    assert check(settings).exit_code == 0
    assert reports_asked(sandbox) == [("2024-03-15..2024-03-19", 1)] * 2
    asked = [
        (request.path, request.query.get("type"))
        for request in sandbox.requests
        if not request.path.endswith("/report")
    ]
    assert asked == [
        ("/api/me", "lightweight"),
        ("/api/me", None),  # the light form names no organization
        ("/api/organizations/40", None),
        ("/api/users/40/list_network_accounts/all", None),
        ("/api/metric_descriptors", None),
        ("/api/organizations/40/metric_descriptors", None),
    ]


def test_it_needs_nothing_in_the_sandbox(
    check: Callable[[dict[str, Any]], Ended],
) -> None:
    ended = check({"sandbox": True})
    assert ended.exit_code == 0, ended.stderr
    assert ended.line("token") == "ok, the sandbox needs none"
    assert ended.lines[-1] == "9 of 9 steps passed"


def test_chosen_accounts_are_named(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    entity_id = sandbox.world.entities("accounts")[0].entity_id
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [entity_id]}
    ended = check({**settings, **chosen, "reports": [REPORT]})
    assert ended.line("accounts") == f"ok, 1 chosen: {entity_id}"
    assert ended.exit_code == 0
    (question,) = [r.body for r in sandbox.requests if r.path.endswith("/report")]
    assert question["sources"]["metrics"]["targets"] == [entity_id]


def test_a_shard_s_accounts_are_counted(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    accounts = [each.entity_id for each in sandbox.world.entities("accounts")]
    dealt = [each for each in accounts if Shard(2, 3).has(each)]
    ended = check({**settings, "shard": "2/3", "reports": [REPORT]})
    assert ended.line("accounts") == f"ok, 18 linked; {len(dealt)} in shard 2/3"
    (question,) = [r.body for r in sandbox.requests if r.path.endswith("/report")]
    assert question["sources"]["metrics"]["targets"] == dealt


def test_a_user_whom_the_settings_choose_is_not_named_as_another(
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    ended = check({**settings, "user_id": 41, "organization_id": 40})
    assert ended.line("user") == "ok, 41, taken from the setting user_id"
    assert ended.line("accounts").startswith("FAILED, GET ")
    assert ended.line("accounts").endswith("there is no user 41; check user_id")
    assert ended.exit_code == 1


def test_oauth_gets_a_token_that_is_then_tried(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    tmp_path: Path,
) -> None:
    oauth = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh",
        "oauth_token_file": str(tmp_path / "token.json"),
    }
    ended = check({"api_url": sandbox.api_url, **oauth, "reports": []})
    assert ended.line("token") == "ok, AdStage accepts it"
    assert ended.lines[-1] == "4 of 4 steps passed"
    assert ended.exit_code == 0
    assert [request.path for request in sandbox.requests][:2] == [
        "/oauth/token",
        "/api/me",
    ]


def test_the_lines_have_the_form_that_the_user_chose_for_logs(
    tmp_path: Path,
    settings: dict[str, Any],
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    form = tmp_path / "logging.yml"
    handler = {"class": "logging.StreamHandler", "formatter": "it"}
    chosen = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"it": {"format": "<%(levelname)s> %(message)s"}},
        "handlers": {"it": handler},
        "root": {"level": "INFO", "handlers": ["it"]},
    }
    form.write_text(json.dumps(chosen))
    ended = run_tap(
        "--config",
        str(path),
        "--test",
        environment={"SINGER_SDK_LOG_CONFIG": str(form)},
    )
    assert "<INFO> token: ok, AdStage accepts it\n" in ended.stderr
    assert ended.stderr.endswith("<INFO> 4 of 4 steps passed\n")


def test_the_sdk_s_own_test_of_schemas_is_still_there(
    tmp_path: Path,
    settings: dict[str, Any],
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**settings, "reports": [REPORT]}))
    ended = run_tap("--config", str(path), "--test=schema")
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {line["type"] for line in lines} == {"SCHEMA"}
    assert "daily" in {line["stream"] for line in lines}


# --- what can be wrong ---


def test_no_settings_at_all_are_a_mistake_as_in_a_sync() -> None:
    ended = run_tap("--test")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "| access_token: not given; " in ended.stderr
    assert "steps passed" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_refused_token_is_asked_about_once_and_nothing_else_is_tried(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    settings |= {"access_token": "wr0ng-t0ken", "reports": [REPORT]}
    ended = check(settings)
    assert ended.exit_code == 1
    failed, *others = ended.lines
    assert failed.startswith("token: FAILED, GET http://127.0.0.1:")
    assert failed.endswith(
        "answered 401: the access token is missing, unknown or expired; look at the "
        "setting access_token",
    )
    lack = "not tried, as the token is not known to work"
    assert others == [
        f"user: {lack}",
        f"organization: {lack}",
        f"accounts: {lack}",
        f"report daily: {lack}",
        "0 of 5 steps passed",
    ]
    assert ended.errors == ended.lines
    assert len(sandbox.requests) == 1
    assert "wr0ng-t0ken" not in ended.stderr


def test_a_refused_refresh_token_says_what_to_replace(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
) -> None:
    oauth = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "revoked-r3fresh",
    }
    ended = check({"api_url": sandbox.api_url, **oauth, "reports": []})
    assert ended.exit_code == 1
    assert ended.line("token").startswith(
        "FAILED, AdStage gave no access token for the settings client_id, "
        "client_secret and refresh_token: ",
    )
    assert ended.line("token").endswith(
        "the refresh token is not valid; correct them or oauth_token_url, or grant "
        "access again and replace refresh_token",
    )
    assert ended.lines[-1] == "0 of 4 steps passed"
    assert "revoked-r3fresh" not in ended.stderr
    assert "sandbox-secret" not in ended.stderr


@pytest.mark.parametrize(
    ("status", "body", "headers", "reason_and_to_do"),
    [
        (
            302,
            "",
            {"Location": "https://login.example/?access_token=s3cret"},
            (
                "302 with a redirect to https://login.example/?access_token=***; it "
                "was not followed; check that api_url leads to AdStage; if it does, "
                "report this"
            ),
        ),
        (
            200,
            "<html>Welcome</html>",
            {},
            (
                "200, but not with the JSON that it should (Expecting value: line 1 "
                "column 1 (char 0)): '<html>Welcome</html>'; AdStage, the network or a "
                "proxy may be down: see http://status.adstage.io/, check api_url, "
                "and try again"
            ),
        ),
        (
            200,
            "[]",
            {},
            (
                "/me?type=lightweight: the answer is [], not an object; check that "
                "api_url leads to AdStage; if it does, report this"
            ),
        ),
        (
            403,
            '{"message": "no access for s3cret"}',
            {},
            (
                "403: no access for ***; check api_url, access_token, or ask AdStage "
                "to let this user see it"
            ),
        ),
        (
            404,
            "Nothing here",
            {},
            "404: Nothing here; check api_url, access_token",
        ),
    ],
)
def test_what_answers_in_place_of_adstage_is_a_line_with_what_to_do(
    httpserver: HTTPServer,
    check: Callable[[dict[str, Any]], Ended],
    status: int,
    body: str,
    headers: dict[str, str],
    reason_and_to_do: str,
) -> None:
    httpserver.expect_request("/api/me").respond_with_data(body, status, headers)
    api_url = httpserver.url_for("/api")
    ended = check({"api_url": api_url, "access_token": "s3cret", "reports": []})
    assert ended.exit_code == 1
    assert ended.line("token").startswith("FAILED, ")
    assert ended.line("token").endswith(reason_and_to_do)
    assert len(ended.errors) == 5
    assert "s3cret" not in ended.stderr


@pytest.mark.parametrize(
    ("credentials", "path", "address"),
    [
        ({"access_token": "s3cret"}, "/api/me?type=lightweight", "api_url"),
        (
            {"client_id": "id", "client_secret": "s3cret", "refresh_token": "s3cret"},
            "/oauth/token",
            "api_url or oauth_token_url",
        ),
    ],
)
def test_a_closed_port_is_a_line_with_what_to_do(
    check: Callable[[dict[str, Any]], Ended],
    credentials: dict[str, str],
    path: str,
    address: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    api_url = f"http://127.0.0.1:{port}/api"
    ended = check({"api_url": api_url, **credentials, "reports": []})
    assert ended.exit_code == 1
    assert f"http://127.0.0.1:{port}{path} failed: " in ended.line("token")
    assert "refused" in ended.line("token")
    assert ended.line("token").endswith(f"check {address}, and try again")
    assert "s3cret" not in ended.stderr


def test_an_organization_that_there_is_not_leaves_the_accounts_to_be_tried(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    ended = check({**settings, "organization_id": 99, "reports": [REPORT]})
    assert ended.exit_code == 1
    assert ended.line("organization").startswith("FAILED, GET ")
    assert ended.line("organization").endswith(
        "there is no organization 99; check organization_id",
    )
    assert ended.line("accounts") == "ok, 18 linked"
    lack = "not tried, as the organization is not known"
    assert ended.line("report daily") == lack
    assert ended.lines[-1] == "3 of 5 steps passed"
    assert reports_asked(sandbox) == []


def test_several_organizations_and_none_chosen_are_listed(
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    with Sandbox(world=World(organizations=2)) as sandbox:
        ended = check({**settings, "api_url": sandbox.api_url})
    assert ended.exit_code == 1
    assert ended.line("organization") == (
        "FAILED, organization_id: not given; the user has several: "
        "40 (Lighthouse Agency), 41 (Lighthouse Agency Europe)"
    )
    assert ended.lines[-1] == "3 of 4 steps passed"


def test_an_account_that_is_not_linked_leaves_no_report_to_be_tried(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    settings |= {
        "sync_mode": "SPECIFIC_ACCOUNTS",
        "accounts": ["/network/adwords/account/1"],
        "reports": [REPORT],
    }
    ended = check(settings)
    assert ended.exit_code == 1
    assert ended.line("accounts").startswith(
        "FAILED, accounts: /network/adwords/account/1 not linked; the linked ones are "
        "/network/",
    )
    assert ended.line("report daily") == "not tried, as the accounts are not known"
    assert ended.lines[-1] == "3 of 5 steps passed"
    assert reports_asked(sandbox) == []


def test_a_report_that_fails_keeps_no_other_from_being_tried(
    sandbox: Sandbox,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
) -> None:
    settings["reports"] = [
        {**REPORT, "name": "misspelt", "fields": ["cliks"], "sort_by": "sepnd"},
        {**REPORT, "name": "astray", "targets": ["/network/adwords/campaign/99"]},
        REPORT,
    ]
    ended = check(settings)
    assert ended.exit_code == 1
    misspelt = ended.line("report misspelt")
    assert misspelt.startswith("FAILED, reports.misspelt.fields: unknown field 'cliks'")
    assert "did you mean clicks" in misspelt
    assert "; reports.misspelt.sort_by: unknown field 'sepnd'" in misspelt
    assert ended.line("report astray") == (
        "FAILED, astray, 2024-03-15..2024-03-19, page 1: POST "
        f"{sandbox.api_url}/v2/organizations/40/report answered 400: targets: there "
        "is no /network/adwords/campaign/99 (reports.astray.targets is "
        '["/network/adwords/campaign/99"]); check organization_id, reports.astray'
    )
    assert ended.line("report daily") == "ok, a row of 2024-03-15..2024-03-19"
    assert ended.lines[-1] == "5 of 7 steps passed"
    assert len(reports_asked(sandbox)) == 2


@pytest.mark.parametrize(
    ("api_version", "path", "reason"),
    [
        (2, "/v2/organizations/40/report", "type is None, not timeseries"),
        (
            1,
            "/organizations/40/build_report",
            "_embedded is not an object",
        ),
    ],
)
def test_a_page_of_another_shape_fails_the_report_with_its_place(
    httpserver: HTTPServer,
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
    api_version: int,
    path: str,
    reason: str,
) -> None:
    secretive = {"company_name": f"The\nCompany {settings['access_token']}"}
    account = {"network": "adwords", "remote_id": "1", "name": "One"}
    linked: dict[str, Any] = {"total": 1, "_embedded": {"item": [account]}}
    answers: dict[str, Any] = {
        "/me": USER,
        "/organizations/40": secretive,
        "/users/40/list_network_accounts/all": linked,
        "/metric_descriptors": [{"id": "clicks"}],
        "/organizations/40/metric_descriptors": [{"id": "spend"}],
        path: {"report": "failed"},
    }
    for answered, document in answers.items():
        httpserver.expect_request(f"/api{answered}").respond_with_json(document)
    settings |= {"api_url": httpserver.url_for("/api"), "organization_id": 40}
    settings["reports"] = [{**REPORT, "api_version": api_version}]
    ended = check(settings)
    assert ended.exit_code == 1
    assert ended.line("user") == "ok, Robin Marlow-Grey (40)"
    assert ended.line("organization") == "ok, The Company *** (40)"
    assert ended.line("accounts") == "ok, 1 linked"
    assert ended.line("report daily") == (
        "FAILED, daily, 2024-03-15..2024-03-19, page 1: "
        f"POST {httpserver.url_for('/api')}{path}: {reason}; check that "
        "api_url leads to AdStage; if it does, report this"
    )
    assert settings["access_token"] not in ended.stderr


def test_a_user_without_a_linked_account_is_told_what_to_do(
    check: Callable[[dict[str, Any]], Ended],
    settings: dict[str, Any],
    sandbox: Sandbox,
) -> None:
    accounts = sandbox.world.entities("accounts")
    sandbox.world.unlinked = frozenset(account.entity_id for account in accounts)
    ended = check(settings)
    assert ended.exit_code == 1
    user = ended.line("user").rpartition("(")[2].rstrip(")")
    assert ended.line("accounts") == (
        f"FAILED, no account is linked to user {user}; link one in AdStage, or set "
        "user_id to the user who has them"
    )


# --- the decisions ---


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConfigError(["organization_id: not given"]), None),
        (AuthenticationError("refused; look at the setting access_token"), None),
        (UnauthorizedError("refused"), None),
        (TransientError("closed"), "may be down: see http://status.adstage.io/"),
        (TransientError("closed"), "check HERE, and try again"),
        (ResponseError("no list"), "check that HERE leads to AdStage"),
        (LinkError("a redirect"), "check that HERE leads to AdStage"),
        (ApiError("no certificate"), "check HERE, and the proxy and certificates"),
        (ApiError("forbidden", status=403), "check THIS, or ask AdStage to let"),
        (ApiError("not found", status=404), "check THIS"),
        (ApiError("bad request", status=400), "check THIS"),
    ],
)
def test_what_to_do_follows_from_the_error(
    error: TapError,
    expected: str | None,
) -> None:
    found = advice(error, AdStageSource, settings="THIS", address="HERE")
    if expected is None:
        assert found is None
    else:
        assert expected in (found or "")


def step(name: str, *needs: str, error: TapError | None = None) -> SetUpStep:
    def attempt() -> str:
        if error:
            raise error
        return "found"

    return SetUpStep(
        name=name,
        attempt=attempt,
        settings="THIS",
        lack=f"there is no {name}",
        needs=needs,
    )


def test_a_step_is_not_tried_for_want_of_the_first_thing_that_it_lacks() -> None:
    steps = [
        step("a", error=ConfigError(["a: wrong", "a: and so is this"])),
        step("b", "a"),
        step("c", "a", "b"),
        step("d", "b"),
        step("e"),
        step("f", "e", error=ApiError("f is gone.", status=404)),
    ]
    assert [*results(steps, AdStageSource, RunStats(time.monotonic))] == [
        Result(passed=False, line="a: FAILED, a: wrong; a: and so is this"),
        Result(passed=False, line="b: not tried, as there is no a"),
        Result(passed=False, line="c: not tried, as there is no a"),
        Result(passed=False, line="d: not tried, as there is no b"),
        Result(passed=True, line="e: ok, found"),
        Result(passed=False, line="f: FAILED, f is gone; check THIS"),
    ]
