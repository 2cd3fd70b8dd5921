"""The accounts of account groups: several lists at once, each group for itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from harness.gate import Gate
from harness.taps import directory_of
from werkzeug import Response

from tap_adstage.exceptions import ApiError
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from werkzeug import Request

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.sandbox.server import Sandbox
    from tap_adstage.source import Resource


def is_list(request: Request) -> bool:
    return request.path.endswith("/list_accounts")


def wait_a_little(request: Request) -> None:
    time.sleep(0.2 * is_list(request))


def tap_of(gate: Gate, sandbox: Sandbox, max_concurrency: int = 3) -> TapAdStage:
    return TapAdStage(
        config={
            "api_url": gate.api_url,
            "access_token": sandbox.token,
            "as_of": "2024-03-20",
            "max_concurrency": max_concurrency,
            "reports": [],
        },
        setup_mapper=False,
    )


def rows_of(tap: TapAdStage) -> list[tuple[int, str]]:
    """Groups and accounts, in the order of the stream's records."""
    stream: Any = tap.streams["account_group_accounts"]
    return [
        (record["account_group_id"], record["entity_id"])
        for record in stream.get_records(None)
    ]


@pytest.mark.parametrize("max_concurrency", [1, 2, 16])
def test_the_groups_lists_are_fetched_at_once_and_come_in_order(
    sandbox: Sandbox,
    max_concurrency: int,
) -> None:
    groups = [group.id for group in sandbox.world.account_groups]
    assert len(groups) > 2
    with Gate(sandbox, wait_a_little) as gate:
        tap = tap_of(gate, sandbox, max_concurrency)
        rows = rows_of(tap)
        directory = directory_of(tap)
        listed = [
            group["id"]
            for group in directory.account_groups
            if directory.group_accounts(group)
        ]
        lists = [request.path for request in gate.asked if is_list(request)]
    assert gate.at_once == min(max_concurrency, len(groups))
    assert len(lists) == len({*lists}) == len(groups)
    assert [*dict.fromkeys(group for group, _ in rows)] == listed
    assert {*rows} == {
        (group.id, account.entity_id)
        for group in sandbox.world.account_groups
        for account in group.accounts
    }


def outcome(directory: Directory, group: Resource) -> int | str:
    """Read a group: the number of its accounts, or its error."""
    try:
        return len(directory.group_accounts(group))
    except ApiError as error:
        return str(error)


@pytest.mark.parametrize("max_concurrency", [1, 3])
def test_a_group_that_fails_is_an_error_at_that_group(
    sandbox: Sandbox,
    max_concurrency: int,
) -> None:
    first, *others = sandbox.world.account_groups

    def answer(request: Request) -> Response | None:
        is_first = is_list(request) and f"/{first.id}/" in request.path
        return Response("gone", 404) if is_first else None

    with Gate(sandbox, answer) as gate:
        directory = directory_of(tap_of(gate, sandbox, max_concurrency))
        groups = directory.account_groups
        directory.prefetch_group_accounts(groups)
        outcomes = {group["id"]: outcome(directory, group) for group in groups}
    assert f"/{first.id}/" in str(outcomes.pop(first.id))
    assert outcomes == {group.id: len(group.accounts) for group in others}


@pytest.mark.parametrize("max_concurrency", [1, 3])
def test_a_group_that_failed_is_fetched_anew_if_it_is_read_again(
    sandbox: Sandbox,
    max_concurrency: int,
) -> None:
    failures = [Response("gone", 404), Response("gone", 410)]

    def answer(request: Request) -> Response | None:
        return failures.pop(0) if is_list(request) and failures else None

    with Gate(sandbox, answer) as gate:
        directory = directory_of(tap_of(gate, sandbox, max_concurrency))
        group, *_ = directory.account_groups
        assert "answered 404" in str(outcome(directory, group))
        assert "answered 410" in str(outcome(directory, group))
        assert outcome(directory, group) == group["account_count"]


def test_one_group_alone_fetches_no_other(sandbox: Sandbox) -> None:
    with Gate(sandbox) as gate:
        directory = directory_of(tap_of(gate, sandbox))
        _, second, *_ = directory.account_groups
        assert directory.group_accounts(second) == directory.group_accounts(second)
        assert len([request for request in gate.asked if is_list(request)]) == 1
