"""Reports that are too large for one request, against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import stream_fails

from tap_adstage.exceptions import ApiError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.singer import Messages, Sync

REPORT = {
    "name": "clicks",
    "entity_level": "accounts",
    "fields": ["clicks"],
    "date_range": "2024-03-01..2024-03-19",
}


def settings_of(sandbox: Sandbox, **report: object) -> dict[str, Any]:
    return {
        "api_url": sandbox.api_url,
        "access_token": sandbox.token,
        "as_of": "2024-03-20",
        "request_timeout": 1,
        "max_concurrency": 1,  # the order of requests is looked at
        "reports": [{**REPORT, **report}],
    }


def by_key(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(records, key=lambda row: (row["date"], row["entity_id"]))


def asked(sandbox: Sandbox) -> list[str]:
    """The days of March that were asked for, in order."""
    return [
        f"{r.body['date_range'][8:10]}-{r.body['date_range'][20:]}"
        for r in sandbox.requests
        if r.body
    ]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        r.message for r in caplog.records if "too large for one request" in r.message
    ]


@pytest.fixture
def whole(sync: Sync) -> Messages:
    """What a run writes that nothing is too much for."""
    with Sandbox() as sandbox:
        return sync(settings_of(sandbox), streams=["clicks"])


@pytest.mark.parametrize("api_version", [1, 2])
@pytest.mark.parametrize(("fault", "tries"), [("413", 1), ("504", 2), ("timeout", 2)])
def test_a_window_is_halved_and_the_rest_of_the_run_remembers_it(
    sync: Sync,
    whole: Messages,
    waits: list[float],
    caplog: pytest.LogCaptureFixture,
    api_version: int,
    fault: str,
    tries: int,
) -> None:
    with Sandbox(max_report_days=3, size_fault=fault, slow_seconds=1.5) as sandbox:
        settings = settings_of(sandbox, api_version=api_version)
        messages = sync(settings, streams=["clicks"])
    assert [*dict.fromkeys(asked(sandbox))] == [
        *("01-10", "01-05", "01-03", "04-05"),
        *("06-08", "09-10", "11-13", "14-16", "17-19"),
    ]
    assert by_key(messages.records("clicks")) == by_key(whole.records("clicks"))
    assert messages.bookmark("clicks") == "2024-03-19"
    assert len(waits) == 2 * (tries - 1)
    first, second = told(caplog)
    assert first.startswith(
        "clicks: 2024-03-01..2024-03-10 is too large for one request"
    )
    assert first.endswith("at most 5 slices are requested at once")
    assert second.endswith("at most 3 slices are requested at once")


def test_a_window_is_cut_between_slices(sync: Sync) -> None:
    with Sandbox(max_report_days=14) as sandbox:
        weekly = {"aggregate_by": "week", "window_days": 28}
        messages = sync(settings_of(sandbox, **weekly), streams=["clicks"])
        ranges = [r.body["date_range"] for r in sandbox.requests if r.body]
    assert ranges == [
        "2024-02-26..2024-03-20",
        "2024-02-26..2024-03-10",
        "2024-03-11..2024-03-20",
    ]
    assert messages.bookmark("clicks") == "2024-03-18"


@pytest.mark.parametrize(
    "report",
    [{"aggregate_by": "week"}, {"aggregate_by": "total"}, {"window_days": 1}],
)
def test_what_can_not_be_halved_is_an_error_in_adstage_s_words(
    sync: Sync,
    report: dict[str, object],
) -> None:
    with (
        Sandbox(max_report_days=0) as sandbox,
        stream_fails(ApiError, match=r"413: .* more than a report may have"),
    ):
        sync(settings_of(sandbox, **report), streams=["clicks"])


def test_a_window_is_also_halved_after_its_first_page(whole: Messages) -> None:
    with Sandbox() as sandbox:
        settings = settings_of(sandbox) | {"page_size": 10, "reconcile": "fail"}
        stream = TapAdStage(config=settings).streams["clicks"]
        records: list[dict[str, Any]] = []
        for record in stream.get_records(None):
            assert isinstance(record, dict)
            sandbox.max_report_days = 5
            records.append(record)
        assert asked(sandbox)[:5] == ["01-10", "01-10", "01-05", "01-05", "06-10"]
    once = {(row["date"], row["entity_id"]): row for row in records}
    assert by_key(once.values()) == by_key(whole.records("clicks"))
    assert len(records) - len(once) == 10 * 10  # a page of ten accounts and days
