"""What the settings name and AdStage lacks is an error before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from harness.commands import run_tap
from harness.failures import stream_fails
from harness.logs import warnings

from tap_adstage.exceptions import ApiError, AuthenticationError, ConfigError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from pathlib import Path

    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

REPORT: dict[str, Any] = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks"],
    "date_range": "yesterday",
}
EXTERNAL: dict[str, Any] = {**REPORT, "name": "by_age", "provider": "facebook"}
FOLDER_99 = "/network/adstage/folder/99"


def errors_of(settings: dict[str, Any]) -> list[str]:
    """Discover the streams, and return the lines of the error."""
    with pytest.raises(ConfigError) as raised:
        _ = TapAdStage(config=settings).streams
    return raised.value.errors


def paths(sandbox: Sandbox) -> list[str]:
    return [request.path for request in sandbox.requests]


# --- targets ---


@pytest.mark.parametrize(
    ("report", "target", "message"),
    [
        (REPORT, FOLDER_99, "unknown folder"),
        (REPORT, "/network/adstage/account_group/99", "unknown account_group"),
        (REPORT, "/network/adstage/organization/99", "unknown organization"),
        (REPORT, "/network/adwords/account/99", "unknown account"),
        (REPORT, "/network/spotify/account/99", "unknown account"),
        (EXTERNAL, "/network/facebook/account/99", "unknown account"),
        (
            {**EXTERNAL, "provider": "adwords"},
            "/network/adwords/account/99",
            "unknown account",
        ),
    ],
)
def test_an_unknown_target_names_the_setting_and_the_nearest(
    sandbox: Sandbox,
    settings: dict[str, Any],
    report: dict[str, Any],
    target: str,
    message: str,
) -> None:
    report = {**report, "targets": [target]}
    (line,) = errors_of({**settings, "reports": [report]})
    assert line.startswith(f"reports.{report['name']}.targets: {message} '{target}'; ")
    kind = target.removesuffix("99")
    assert f"did you mean {kind}" in line
    assert f"{kind}None" not in line
    assert not [path for path in paths(sandbox) if path.endswith("report")]


def test_all_unknown_targets_are_reported_at_once(settings: dict[str, Any]) -> None:
    targets = [FOLDER_99, "/network/adwords/campaign/9", "/network/adwords/account/9"]
    lines = errors_of({**settings, "reports": [{**REPORT, "targets": targets}]})
    assert [line.split("'")[1] for line in lines] == [targets[0], targets[2]]


def test_a_target_of_an_empty_list_is_reported_as_such(
    settings: dict[str, Any],
    httpserver: HTTPServer,
) -> None:
    settings["api_url"] = serve(httpserver, {"/users/40/list_folders": EMPTY})
    settings["reports"] = [{**REPORT, "targets": [FOLDER_99]}]
    (line,) = errors_of(settings)
    assert line.endswith("unknown folder '/network/adstage/folder/99'; there is none")


def test_known_targets_pass_and_their_lists_are_read_once(
    sandbox: Sandbox, sync: Sync, settings: dict[str, Any]
) -> None:
    world = sandbox.world
    facebook = next(
        each.entity_id
        for each in world.entities("accounts")
        if each.network == "facebook"
    )
    targets = [
        f"/network/adstage/folder/{world.folders[0].fetch_id}",
        f"/network/adstage/account_group/{world.account_groups[0].id}",
        "/network/adstage/organization/40",
        facebook,
    ]
    settings["reports"] = [
        {**REPORT, "targets": targets},
        {**REPORT, "name": "again", "targets": targets[:1]},
        {**EXTERNAL, "targets": [facebook], "fields": ["clicks"]},
    ]
    messages = sync(settings)
    assert {line["stream"] for line in messages.of("SCHEMA")} >= {"daily", "by_age"}
    for part in ("list_folders", "account_groups", "list_network_accounts/all"):
        assert paths(sandbox).count(f"/api/users/40/{part}") == 1


def test_a_config_without_targets_looks_nothing_up(
    sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    # AdStage lists neither campaigns nor the profiles of Google Analytics.
    analytics = {**EXTERNAL, "name": "visits", "provider": "google_analytics"}
    settings["reports"] = [
        REPORT,
        {**REPORT, "name": "one", "targets": ["/network/adwords/campaign/9"]},
        {
            **analytics,
            "fields": ["entity_id"],
            "targets": ["/network/google_analytics/account/9"],
        },
    ]
    _ = TapAdStage(config=settings).streams
    assert [path for path in paths(sandbox) if "users/40/" in path] == []


def test_the_chosen_accounts_are_no_limit_to_targets(
    sandbox: Sandbox, settings: dict[str, Any]
) -> None:
    first, *_, last = (each.entity_id for each in sandbox.world.entities("accounts"))
    settings |= {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [first]}
    settings["reports"] = [{**REPORT, "targets": [last]}]
    assert "daily" in TapAdStage(config=settings).streams


def test_the_set_up_test_names_an_unknown_target(
    sandbox: Sandbox, settings: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    reports = [{**REPORT, "targets": [FOLDER_99]}, {**REPORT, "name": "fine"}]
    path.write_text(json.dumps({**settings, "reports": reports}))
    ended = run_tap("--config", path, "--test")
    assert ended.returncode == 1
    line = f"report daily: FAILED, reports.daily.targets: unknown folder '{FOLDER_99}'"
    assert line in ended.stderr
    assert "report fine: ok" in ended.stderr
    assert len([each for each in paths(sandbox) if each.endswith("/report")]) == 1


# --- the user and the organization ---


@pytest.mark.parametrize(
    ("change", "start", "end"),
    [
        (
            {"user_id": 41},
            "user_id: unknown user 41 (GET http",
            "there is no user 41); omit it to use the token's own, 40",
        ),
        (
            {"organization_id": 99},
            "organization_id: unknown organization 99 (GET http",
            (
                "there is no organization 99); the user has 40 (Lighthouse Agency), 41 "
                "(Lighthouse Agency Europe)"
            ),
        ),
    ],
)
@pytest.mark.parametrize("reports", [[], [REPORT]])
def test_an_unknown_owner_names_the_setting_and_what_there_is(
    settings: dict[str, Any],
    tmp_path: Path,
    change: dict[str, int],
    start: str,
    end: str,
    reports: list[dict[str, Any]],
) -> None:
    path = tmp_path / "config.json"
    with Sandbox(world=World(organizations=2)) as sandbox:
        owner = {"organization_id": 40, **change, "api_url": sandbox.api_url}
        path.write_text(json.dumps({**settings, **owner, "reports": reports}))
        for options in ([], ["--discover"]):
            ended = run_tap("--config", path, *options)
            assert (ended.returncode, ended.stdout) == (1, "")
            assert "Traceback" not in ended.stderr
            (line,) = [each for each in ended.stderr.splitlines() if "ERROR" in each]
            assert line.rpartition(" | ")[2].startswith(start)
            assert line.endswith(end)


def test_both_owners_are_reported_at_once(settings: dict[str, Any]) -> None:
    lines = errors_of({**settings, "user_id": 41, "organization_id": 99})
    assert [line.partition(":")[0] for line in lines] == ["user_id", "organization_id"]


# --- a list that can't be read is not the user's mistake ---

EMPTY: dict[str, Any] = {"total": 0, "_embedded": {"item": []}}
USER: dict[str, Any] = {"fetch_id": 40, "id": "/api/users/1"}
ORGANIZATION: dict[str, Any] = {"fetch_id": 40, "company_name": "L"}


def serve(httpserver: HTTPServer, answers: dict[str, Any]) -> str:
    """Serve what discovery reads, with other answers in some places."""
    documents: dict[str, Any] = {
        "/me": {**USER, "_embedded": {"adstage:organizations": [ORGANIZATION]}},
        "/organizations/40": ORGANIZATION,
        "/users/40/list_network_accounts/all": EMPTY,
        "/users/40/list_folders": EMPTY,
        "/metric_descriptors": [{"id": "clicks"}],
        "/organizations/40/metric_descriptors": [{"id": "spend"}],
    }
    for path, answer in (documents | answers).items():
        status = answer if isinstance(answer, int) else 200
        body = {"message": "not today"} if status == answer else answer
        httpserver.expect_request(f"/api{path}").respond_with_json(body, status)
    return httpserver.url_for("/api")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_list_that_is_refused_is_a_warning(
    httpserver: HTTPServer,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    settings["api_url"] = serve(httpserver, {"/users/40/list_folders": status})
    reports = [{**REPORT, "name": name, "targets": [FOLDER_99]} for name in "ab"]
    settings |= {"reports": reports, "max_retry_seconds": 0}
    assert {"a", "b"} <= {*TapAdStage(config=settings).streams}
    (line,) = warnings(caplog)
    assert line.startswith("reports.a.targets: not looked up: GET ")
    assert f"{status}: not today" in line


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("user_id", "/users/40/list_network_accounts/all"),
        ("organization_id", "/organizations/40"),
    ],
)
def test_an_owner_that_is_refused_is_a_warning(
    httpserver: HTTPServer,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    setting: str,
    path: str,
    status: int,
) -> None:
    settings["api_url"] = serve(httpserver, {path: status})
    settings |= {setting: 40, "reports": [REPORT], "max_retry_seconds": 0}
    assert "daily" in TapAdStage(config=settings).streams
    (line,) = warnings(caplog)
    assert line.startswith(f"{setting}: not looked up: GET ")


def test_refused_credentials_end_the_lookup(
    httpserver: HTTPServer, settings: dict[str, Any]
) -> None:
    settings["api_url"] = serve(httpserver, {"/users/40/list_folders": 401})
    settings["reports"] = [{**REPORT, "targets": [FOLDER_99]}]
    with pytest.raises(AuthenticationError):
        _ = TapAdStage(config=settings).streams


# --- what only the report's own request can tell ---


@pytest.mark.parametrize(
    ("report", "named"),
    [
        (
            {**EXTERNAL, "dimensions": ["agee"]},
            (
                'reports.by_age.targets is ["{account}"], '
                'reports.by_age.dimensions is ["agee"]'
            ),
        ),
        (
            {**REPORT, "targets": ["/network/adwords/campaign/9"]},
            'reports.daily.targets is ["/network/adwords/campaign/9"]',
        ),
    ],
)
def test_a_refused_report_names_what_could_not_be_looked_up(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    report: dict[str, Any],
    named: str,
) -> None:
    account = next(
        each.entity_id
        for each in sandbox.world.entities("accounts")
        if each.network == "facebook"
    )
    report = {"targets": [account], **report}
    with stream_fails(ApiError) as raised:
        sync({**settings, "reports": [report]}, streams=[report["name"]])
    assert str(raised.value).endswith(f"({named.format(account=account)})")
