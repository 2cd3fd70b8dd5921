"""Every key of a report does at the wire what it says, in both versions of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.config.source_settings import REPORT_KEYS

if TYPE_CHECKING:
    from harness.singer import Sync

    from tap_adstage.sandbox.server import Sandbox

REPORT: dict[str, Any] = {
    "name": "r",
    "entity_level": "campaigns",
    "fields": ["clicks"],
    "date_range": "2024-03-01..2024-03-19",
}
CLICKS = [{"path": "clicks", "op": "gt", "value": 1}]
FACEBOOK = "/network/facebook/account/55546736267200006"
ALWAYS = ["entity_id", "network", "currency_code"]

ASKED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"entity_level": "keywords"}, {"entity_level": "keywords"}),
    ({"dimension": "AD_SET", "entity_level": None}, {"entity_level": "ad_groups"}),
    ({}, {"aggregate_by": "day"}),
    ({"aggregate_by": "month"}, {"aggregate_by": "month"}),
    ({"granularity": "LIFETIME"}, {"aggregate_by": None}),
    ({"fields": ["IMPRESSIONS"]}, {"fields": [*ALWAYS, "impressions"]}),
    ({"date_range": "last_2_days"}, {"date_range": "2024-03-18..2024-03-19"}),
    ({"networks": ["quora"]}, {"networks": ["quora"]}),
    ({"statuses": "all_active"}, {"statuses": "all_active"}),
    ({}, {"statuses": "all_with_deleted", "targets": None, "filters": None}),
    ({"time_zone": "Asia/Tokyo"}, {"relative_to_time_zone": "Asia/Tokyo"}),
    ({"targets": [FACEBOOK]}, {"targets": [FACEBOOK]}),
    ({"filters": CLICKS}, {"filters": CLICKS}),
    ({}, {"group_by": None, "sort_by": "entity_id", "order": "asc"}),
    ({"group_by": "Status"}, {"group_by": "status", "sort_by": "status"}),
    (
        {"key_fields": ["Campaign_Entity_Id"]},
        {"fields": [*ALWAYS, "campaign_entity_id", "clicks"]},
    ),
    ({"sort_by": "Spend"}, {"sort_by": "spend"}),
    ({"order": "desc"}, {"order": "desc"}),
]
DAYS: list[tuple[dict[str, Any], str | None, list[str]]] = [
    (
        {"window_days": 7},
        None,
        [
            "2024-03-01..2024-03-07",
            "2024-03-08..2024-03-14",
            "2024-03-15..2024-03-19",
        ],
    ),
    ({"window_days": 30}, None, ["2024-03-01..2024-03-19"]),
    ({"lookback_days": 3}, "2024-03-18", ["2024-03-15..2024-03-19"]),
    ({"lookback_days": 0}, "2024-03-18", ["2024-03-18..2024-03-19"]),
    (
        {
            "complete_slices": True,
            "aggregate_by": "month",
            "date_range": "2024-01-10..2024-03-19",
        },
        None,
        ["2024-02-01..2024-02-29"],
    ),
]
ONE_VERSION: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "report": [
        ({}, {"ignore_precision": False}),
        ({"ignore_precision": True}, {"ignore_precision": True}),
        ({"api_version": 2}, {"version": "2"}),
    ],
    "build_report": [
        ({"api_version": 1}, {"version": None, "provider": "adstage"}),
        (
            {"provider": "facebook", "targets": [FACEBOOK], "dimensions": ["age"]},
            {"provider": "facebook", "targets": [FACEBOOK], "dimensions": ["age"]},
        ),
    ],
}


def questions(sandbox: Sandbox, endpoint: str) -> list[dict[str, Any]]:
    """Bodies of the report requests; V2's sources beside all else, V1's as lists."""
    bodies = [
        request.body
        for request in sandbox.requests
        if request.method == "POST" and request.path.endswith(f"/{endpoint}")
    ]
    return [
        {key: body[key] for key in body if key != "sources"}
        | body.get("sources", {}).get("metrics", {})
        | ({"networks": body["networks"].split(",")} if "networks" in body else {})
        for body in bodies
    ]


def asked(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    keys: dict[str, Any],
    bookmark: str | None = None,
) -> list[dict[str, Any]]:
    """What a report with these keys asks for."""
    version = 1 if "provider" in keys else keys.get("api_version", 2)
    state = {
        "bookmarks": {
            "r": {"replication_key": "date", "replication_key_value": bookmark}
        }
    }
    # One request after the other: their order is looked at.
    config = settings | {"max_concurrency": 1, "reports": [REPORT | keys]}
    sync(config, streams=["r"], state=state if bookmark else None)
    return questions(sandbox, "report" if version == 2 else "build_report")


@pytest.mark.parametrize("api_version", [2, 1])
@pytest.mark.parametrize(("keys", "expected"), ASKED)
def test_a_key_is_part_of_the_question(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    api_version: int,
    keys: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    settings |= {"window_days": 30}
    keys = {**keys, "api_version": api_version}
    question = asked(sandbox, sync, settings, keys)[0]
    assert {key: question.get(key) for key in expected} == expected


@pytest.mark.parametrize("api_version", [2, 1])
@pytest.mark.parametrize(("keys", "bookmark", "expected"), DAYS)
def test_a_key_decides_the_days(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    api_version: int,
    keys: dict[str, Any],
    bookmark: str | None,
    expected: list[str],
) -> None:
    keys = {**keys, "api_version": api_version}
    found = asked(sandbox, sync, settings, keys, bookmark)
    assert [question["date_range"] for question in found] == expected


@pytest.mark.parametrize(
    ("endpoint", "keys", "expected"),
    [(endpoint, *case) for endpoint, cases in ONE_VERSION.items() for case in cases],
)
def test_a_key_of_one_version_is_part_of_its_question(
    sandbox: Sandbox,
    sync: Sync,
    settings: dict[str, Any],
    endpoint: str,
    keys: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    asked(sandbox, sync, settings, keys)
    question = questions(sandbox, endpoint)[0]
    assert {key: question.get(key) for key in expected} == expected


@pytest.mark.parametrize("api_version", [2, 1])
def test_the_name_is_the_stream_s(
    sync: Sync, settings: dict[str, Any], api_version: int
) -> None:
    report = {"table": "spends", "name": None, "api_version": api_version}
    messages = sync(settings | {"reports": [REPORT | report]}, streams=["spends"])
    assert len(messages.records("spends")) == 19 * 90


def test_every_key_is_tested_here() -> None:
    cases = [
        *(keys for keys, _ in ASKED),
        *(keys for keys, _, _ in DAYS),
        *(keys for cases in ONE_VERSION.values() for keys, _ in cases),
    ]
    tested = {key for keys in cases for key in keys}
    tested |= {"name", "table"}
    aliases = {key.alias for key in REPORT_KEYS if key.alias}
    assert tested == {key.name for key in REPORT_KEYS} | aliases
