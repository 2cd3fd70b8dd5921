"""Audience reports of Spotify: one entity a request, over its whole life."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from harness.forwarding import forward
from harness.spotify import report_requests, values
from werkzeug import Response

from tap_adstage.exceptions import ConfigError
from tap_adstage.sandbox.spotify_ads.world.audiences import (
    audience_rows,
    insight_obstacle,
)
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.singer import Sync
    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

FIELDS = ["IMPRESSIONS", "CLICKS", "REACH"]
NOWHERE = "9a7b6c5d-4e3f-4b21-8c99-bf1c2a3d4e5f"


def report(**keys: object) -> dict[str, Any]:
    return {"name": "r", "entity_level": "AGE", "fields": FIELDS, **keys}


def truth(sandbox: SpotifyAdsSandbox, kind: str, audience: str) -> dict[Any, Any]:
    return {
        (entity.id, row.audience): {
            field.lower(): float(row.value(field)) for field in FIELDS
        }
        for entity in sandbox.world.entities(kind)
        if insight_obstacle(entity, sandbox.today) is None
        for row in audience_rows(entity, audience, FIELDS, sandbox.today)
    }


@pytest.mark.parametrize("audience", ["AGE", "GENDER"])
def test_an_audience_report_has_the_truth_of_every_ad_set(
    audience: str,
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
) -> None:
    reports = [report(entity_level=audience)]
    messages = sync(spotify_settings | {"reports": reports}, streams=["r"])
    records, column = messages.records("r"), audience.lower()
    written = {(r["entity_id"], r[column]): values(r, FIELDS) for r in records}
    assert written == truth(spotify_sandbox, "AD_SET", audience)
    assert len(written) == len(records)
    assert any(record[column] == "UNSET" for record in records)
    (schema,) = messages.of("SCHEMA", "r")
    assert schema["key_properties"] == ["ad_account_id", "entity_id", column]
    assert schema["schema"]["properties"][column] == {"type": "string"}
    for record in records[:3]:
        entity = spotify_sandbox.world.entity(record["entity_id"])
        assert record["ad_account_id"] == entity.account.id
        assert record["entity_name"] == entity.name
        assert record["currency_code"] == entity.account.currency


def test_each_ad_set_is_a_request_of_its_own(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    sync(spotify_settings | {"reports": [report()]}, streams=["r"])
    requests = report_requests(spotify_sandbox)
    for request in requests:
        assert {*request} == {
            *("account", "insight_dimension", "fields", "entity_ids", "entity_ids_type")
        }
        assert request["insight_dimension"] == ["AGE"]
        assert request["fields"] == FIELDS
        assert request["entity_ids_type"] == ["AD_SET"]
    asked = sorted(request["entity_ids"][0] for request in requests)
    assert asked == sorted(e.id for e in spotify_sandbox.world.entities("AD_SET"))


def test_entities_without_data_yet_are_counted_once_by_code(
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tap-adstage")
    sync(spotify_settings | {"reports": [report()]}, streams=["r"])
    today = spotify_sandbox.today
    entities = spotify_sandbox.world.entities("AD_SET")
    codes = Counter(filter(None, (insight_obstacle(e, today) for e in entities)))
    assert len(codes) > 1
    lines = [r.getMessage() for r in caplog.records if "no data yet" in r.getMessage()]
    counts = ", ".join(f"{codes[code]} {code}" for code in sorted(codes))
    assert lines == [
        f"r: Spotify has no data yet for some campaigns or ad sets: {counts}"
    ]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_code_without_data_is_logged_as_a_whole(
    httpserver: HTTPServer,
    spotify_sandbox: SpotifyAdsSandbox,
    spotify_settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def answer(request: Request) -> Response:
        if not request.path.endswith("/insight_reports"):
            answered = forward(request, spotify_sandbox)
            return Response(answered.content, answered.status_code)
        body = {"messages": ["Too few."], "error_codes": [{"code": code}]}
        return Response(json.dumps(body), 422)

    code = "ILLEGAL.INSIGHT_REPORT.INSUFFICIENT_NEW_LISTENERS"
    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    caplog.set_level(logging.INFO, "tap-adstage")
    settings = spotify_settings | {"api_url": httpserver.url_for("/ads/v3")}
    sync(settings | {"reports": [report()]}, streams=["r"])
    count = len(spotify_sandbox.world.entities("AD_SET"))
    assert f"ad sets: {count} INSUFFICIENT_NEW_LISTENERS" in caplog.text


def test_targets_limit_it_to_campaigns_and_ad_sets(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    world = spotify_sandbox.world
    today = spotify_sandbox.today
    kinds = {"CAMPAIGN": world.ad_accounts[0], "AD_SET": world.ad_accounts[1]}
    targets = {
        kind: next(
            each.id
            for each in world.entities(kind, account)
            if insight_obstacle(each, today) is None
        )
        for kind, account in kinds.items()
    }
    reports = [report(targets=[*targets.values()])]
    messages = sync(spotify_settings | {"reports": reports}, streams=["r"])
    assert {
        (request["entity_ids"][0], request["entity_ids_type"][0])
        for request in report_requests(spotify_sandbox)
    } == {(each, kind) for kind, each in targets.items()}
    ids = {record["entity_id"] for record in messages.records("r")}
    assert ids == {*targets.values()}


def test_a_target_that_is_given_twice_is_read_once(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any], sync: Sync
) -> None:
    today = spotify_sandbox.today
    target = next(
        each.id
        for each in spotify_sandbox.world.entities("AD_SET")
        if insight_obstacle(each, today) is None
    )
    reports = [report(targets=[target, target, target.upper()])]
    messages = sync(spotify_settings | {"reports": reports}, streams=["r"])
    (schema,) = messages.of("SCHEMA", "r")
    keys = [
        tuple(record[name] for name in schema["key_properties"])
        for record in messages.records("r")
    ]
    assert len(keys) == len({*keys}) > 0


def test_targets_are_looked_up_until_all_are_found(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any]
) -> None:
    first = spotify_sandbox.world.ad_accounts[0]
    reports = [report(targets=[next(first.descendants("AD_SET")).id])]
    TapAdStage(config=spotify_settings | {"reports": reports}).run_discovery()
    looked_in = {
        request.path.split("/")[-2]
        for request in spotify_sandbox.requests
        if request.path.endswith(("/ad_sets", "/campaigns"))
    }
    assert looked_in == {first.id}


def test_a_target_that_is_nowhere_is_an_error_before_anything_is_written(
    spotify_sandbox: SpotifyAdsSandbox, spotify_settings: dict[str, Any]
) -> None:
    known = spotify_sandbox.world.entities("AD_SET")[0].id
    reports = [report(targets=[known, NOWHERE])]
    tap = TapAdStage(config=spotify_settings | {"reports": reports}, setup_mapper=False)
    error = rf"reports\.r\.targets: no campaign or ad set .* is {NOWHERE}"
    with pytest.raises(ConfigError, match=error):
        tap.discover_streams()


def test_every_run_reads_all_of_it(
    spotify_settings: dict[str, Any], sync: Sync
) -> None:
    settings = spotify_settings | {"reports": [report()]}
    messages = sync(settings, streams=["r"])
    assert not messages.state["bookmarks"].get("r")
