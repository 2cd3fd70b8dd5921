"""An ad account that refuses fails alone, and is caught up later."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import Front
from harness.singer import Messages
from harness.spotify import first_pages

from tap_adstage.exceptions import IncompleteRunError
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.world import World
from tap_adstage.spotify_ads.entities import Entities
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

FIRST, LAST = dt.date(2024, 3, 11), dt.date(2024, 3, 19)


def report(**keys: object) -> dict[str, Any]:
    return {
        "name": "r",
        "entity_level": "campaigns",
        "fields": ["IMPRESSIONS"],
        "window_days": 3,
        "lookback_days": 0,
        **keys,
    }


def run(
    settings: dict[str, Any], state: dict[str, Any] | None = None
) -> tuple[Messages, TapAdStage]:
    """Run the report; the run fails, as something is missing."""
    tap = TapAdStage(config=settings, state=state)
    for name, stream in tap.streams.items():
        stream.selected = name == "r"
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout), pytest.raises(IncompleteRunError):
        tap.sync_all()
    lines = [json.loads(line) for line in stdout.getvalue().splitlines()]
    return Messages(lines), tap


def days(records: Iterable[dict[str, Any]], account: str) -> set[str]:
    return {r["date"] for r in records if r["ad_account_id"] == account}


def every_day(first: dt.date = FIRST, last: dt.date = LAST) -> set[str]:
    return {
        (first + dt.timedelta(days=number)).isoformat()
        for number in range((last - first).days + 1)
    }


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]


@pytest.fixture
def settings(spotify_settings: dict[str, Any]) -> dict[str, Any]:
    return spotify_settings | {"reports": [report()], "start_date": str(FIRST)}


def test_one_account_refuses_and_the_others_are_read(
    spotify_sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    refuses, *others = spotify_sandbox.world.ad_accounts
    spotify_sandbox.switches.refused_accounts = frozenset({refuses.id})
    messages, _ = run(settings)
    records = messages.records("r")
    assert days(records, refuses.id) == set()
    for account in others:
        assert days(records, account.id) == every_day()
    assert messages.bookmark("r") == str(LAST)
    (error,) = [line for line in errors(caplog) if line.startswith("r: ")]
    assert f"ad account {refuses.name} ({refuses.id})" in error
    assert "403" in error


def test_it_is_caught_up_once_it_answers_again(
    spotify_sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tap-adstage")
    refuses, *others = spotify_sandbox.world.ad_accounts
    spotify_sandbox.switches.refused_accounts = frozenset({refuses.id})
    state = run(settings)[0].state
    still, _ = run(settings, state)  # it keeps its place as long as it refuses
    spotify_sandbox.switches.refused_accounts = frozenset()
    spotify_sandbox.today = dt.date(2024, 3, 22)
    later = sync(settings | {"as_of": "2024-03-22"}, state=still.state, streams=["r"])
    records = later.records("r")
    today = dt.date(2024, 3, 21)
    assert days(records, refuses.id) == every_day(last=today)
    for account in others:
        assert days(records, account.id) == every_day(LAST, today)
    assert "resuming the earlier days of ad account" in caplog.text
    assert "catch_up" not in later.state["bookmarks"]["r"]
    again = sync(settings | {"as_of": "2024-03-22"}, state=later.state, streams=["r"])
    assert days(again.records("r"), refuses.id) == {str(today)}


def test_its_place_is_before_the_first_window_that_failed(
    spotify_sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuses = spotify_sandbox.world.ad_accounts[1]
    tap = TapAdStage(config=settings | {"max_concurrency": 1})
    for name, stream in tap.streams.items():
        stream.selected = name == "r"
    write = tap.write_message

    def refuse_after_the_first_window(message: Any) -> None:  # noqa: ANN401
        write(message)
        if message.type == "STATE":
            switches = spotify_sandbox.switches
            switches.refused_accounts = frozenset({refuses.id})

    monkeypatch.setattr(tap, "write_message", refuse_after_the_first_window)
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout), pytest.raises(IncompleteRunError):
        tap.sync_all()
    messages = Messages([json.loads(line) for line in stdout.getvalue().splitlines()])
    read = days(messages.records("r"), refuses.id)
    assert read == every_day(last=dt.date(2024, 3, 13))
    ((through, _),) = messages.state["bookmarks"]["r"]["catch_up"]
    assert through == "2024-03-13"
    spotify_sandbox.switches.refused_accounts = frozenset()
    before = len(first_pages(spotify_sandbox))
    later = sync(settings, state=messages.state, streams=["r"])
    first_of = {
        request["report_start"][0]
        for request in first_pages(spotify_sandbox)[before:]
        if request["account"] == [refuses.id]
    }
    assert min(first_of) == "2024-03-14T00:00:00Z"
    wanted = every_day(dt.date(2024, 3, 14))
    assert days(later.records("r"), refuses.id) == wanted


@pytest.mark.parametrize("max_concurrency", [1, 2])
def test_accounts_after_one_with_many_batches_are_read_though_it_fails(
    max_concurrency: int,
    spotify_settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(1, shape=((20, 4, 5), (1, 2, 2)))
    many, few = world.ad_accounts
    with SpotifyAdsSandbox(today=dt.date(2024, 3, 20), world=world) as sandbox:
        settings = spotify_settings | {
            "api_url": sandbox.api_url,
            "reports": [report(entity_level="ads", date_range="last 2 days")],
            "max_concurrency": max_concurrency,
            "reconcile": "off",
        }
        ids = Entities.ids

        def refuse_once_listed(entities: Entities, level: str, account: str) -> Any:  # noqa: ANN401
            listed = ids(entities, level, account)
            if account == many.id:
                sandbox.switches.refused_accounts = frozenset({many.id})
            return listed

        monkeypatch.setattr(Entities, "ids", refuse_once_listed)
        records = run(settings)[0].records("r")
    assert {record["ad_account_id"] for record in records} == {few.id}
    assert {r["entity_id"] for r in records} <= {e.id for e in few.descendants("AD")}


def test_a_refusing_account_is_asked_once_a_run(
    spotify_sandbox: SpotifyAdsSandbox, settings: dict[str, Any]
) -> None:
    refuses = spotify_sandbox.world.ad_accounts[0]
    spotify_sandbox.switches.refused_accounts = frozenset({refuses.id})
    run(settings | {"max_concurrency": 1})
    asked = [r for r in spotify_sandbox.requests if f"/{refuses.id}/" in r.path]
    assert len(asked) == 1


def test_an_account_that_can_t_be_named_is_asked_for_once_a_run(
    httpserver: HTTPServer, spotify_sandbox: SpotifyAdsSandbox
) -> None:
    fails, other, *_ = (account.id for account in spotify_sandbox.world.ad_accounts)
    front = Front(httpserver, spotify_sandbox)
    front.answers = {"/businesses": 503, f"/ad_accounts/{fails}": 503}
    chosen = {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [fails, other]}
    settings = front.settings | chosen | {"start_date": str(FIRST)}
    messages, _ = run(settings | {"reports": [report()]})
    assert days(messages.records("r"), other) == every_day()
    asked = [path for path in front.asked if path.endswith(f"/ad_accounts/{fails}")]
    assert len(asked) == 1


def test_an_account_whose_rows_contradict_the_specification_fails_alone(
    httpserver: HTTPServer,
    spotify_sandbox: SpotifyAdsSandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fails, other, *_ = (account.id for account in spotify_sandbox.world.ad_accounts)
    stats = [{"field_type": "IMPRESSIONS", "field_value": value} for value in (1, 2)]
    row = {"entity_id": "c", "start_time": f"{FIRST}T00:00:00Z", "stats": stats}
    front = Front(httpserver, spotify_sandbox)
    wrong = {"rows": [row], "continuation_token": "next"}
    front.answers = {f"{fails}/aggregate_reports.*CAMPAIGN": wrong}
    settings = front.settings | {"start_date": str(FIRST), "reports": [report()]}
    messages, _ = run(settings)
    assert days(messages.records("r"), fails) == set()
    assert days(messages.records("r"), other) == every_day()
    assert messages.bookmark("r") == str(LAST)
    (line,) = (line for line in errors(caplog) if line.startswith("r: failed: "))
    assert "batch 1, page 1: rows[0].stats has IMPRESSIONS twice" in line


def test_if_every_account_refuses_the_report_fails_as_a_whole(
    spotify_sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    accounts = spotify_sandbox.world.ad_accounts
    spotify_sandbox.switches.refused_accounts = frozenset(a.id for a in accounts)
    messages, _ = run(settings)
    assert messages.records("r") == []
    assert messages.bookmark("r") is None
    lines = [line for line in errors(caplog) if line.startswith("r: failed: ")]
    assert len(lines) == len(accounts)
    for account in accounts:
        assert sum(account.id in line for line in lines) == 1


def test_a_total_lacks_the_account_and_empties_no_table(
    spotify_sandbox: SpotifyAdsSandbox, settings: dict[str, Any]
) -> None:
    refuses, *others = spotify_sandbox.world.ad_accounts
    spotify_sandbox.switches.refused_accounts = frozenset({refuses.id})
    total = {**report(aggregate_by="total")}
    whole = settings | {"reports": [total], "emit_activate_version_messages": True}
    messages, _ = run(whole)
    accounts = {record["ad_account_id"] for record in messages.records("r")}
    assert accounts == {account.id for account in others}
    assert messages.of("ACTIVATE_VERSION", "r") == []


@pytest.mark.parametrize("adds_field", [False, True])
def test_days_that_a_relative_range_left_behind_meanwhile_are_caught_up(
    spotify_sandbox: SpotifyAdsSandbox,
    settings: dict[str, Any],
    sync: Sync,
    *,
    adds_field: bool,
) -> None:
    refuses = spotify_sandbox.world.ad_accounts[0]
    spotify_sandbox.switches.refused_accounts = frozenset({refuses.id})
    relative = settings | {"reports": [report(date_range="last 4 days")]}
    del relative["start_date"]
    state = run(relative)[0].state
    spotify_sandbox.switches.refused_accounts = frozenset()
    spotify_sandbox.today = dt.date(2024, 4, 2)
    if adds_field:
        fields = ["IMPRESSIONS", "CLICKS"]
        relative["reports"] = [report(date_range="last 4 days", fields=fields)]
    later = sync(relative | {"as_of": "2024-04-02"}, state=state, streams=["r"])
    read = days(later.records("r"), refuses.id)
    assert read == every_day(dt.date(2024, 3, 16), dt.date(2024, 4, 1))


@pytest.mark.parametrize("adds_field", [False, True])
def test_the_accounts_of_a_business_that_can_t_be_listed_keep_their_place(
    httpserver: HTTPServer,
    spotify_sandbox: SpotifyAdsSandbox,
    sync: Sync,
    *,
    adds_field: bool,
) -> None:
    front = Front(httpserver, spotify_sandbox)
    relative = front.settings | {"reports": [report(date_range="last 4 days")]}
    first = sync(relative, streams=["r"])
    lost, kept = spotify_sandbox.world.businesses
    accounts = {
        business.id: [
            account.id
            for account in spotify_sandbox.world.ad_accounts
            if account.business is business
        ]
        for business in (lost, kept)
    }
    front.answers = {f"/businesses/{lost.id}/ad_accounts": 403}
    state = first.state
    for day in (21, 26):
        if adds_field and day > 21:
            fields = ["IMPRESSIONS", "CLICKS"]
            relative["reports"] = [report(date_range="last 4 days", fields=fields)]
        spotify_sandbox.today = dt.date(2024, 3, day)
        state = run(relative | {"as_of": f"2024-03-{day}"}, state)[0].state
    ((through, _),) = state["bookmarks"]["r"]["catch_up"]
    assert through == "2024-03-18"
    front.answers = {}
    spotify_sandbox.today = dt.date(2024, 4, 2)
    later = sync(relative | {"as_of": "2024-04-02"}, state=state, streams=["r"])
    last = dt.date(2024, 4, 1)
    for account in accounts[lost.id]:
        read = days(later.records("r"), account)
        assert read == every_day(dt.date(2024, 3, 19), last)
    for account in accounts[kept.id]:
        read = days(later.records("r"), account)
        assert read == every_day(dt.date(2024, 3, 25), last)
    assert "catch_up" not in later.state["bookmarks"]["r"]


def test_a_place_is_void_once_the_report_has_started_over(
    spotify_sandbox: SpotifyAdsSandbox, settings: dict[str, Any], sync: Sync
) -> None:
    """Also in a state that Meltano merged with an earlier one after a failure."""
    refuses, other, *_ = (account.id for account in spotify_sandbox.world.ad_accounts)
    chosen = settings | {"sync_mode": "SPECIFIC_ACCOUNTS", "accounts": [refuses, other]}
    first = sync(chosen, streams=["r"])
    spotify_sandbox.today = dt.date(2024, 3, 22)
    later = {"as_of": "2024-03-22"}
    spotify_sandbox.switches.refused_accounts = frozenset({refuses})
    before = run(chosen | later, first.state)[0].state["bookmarks"]["r"]
    assert before["catch_up"]
    spotify_sandbox.switches.refused_accounts = frozenset()
    more = chosen | later | {"reports": [report(fields=["IMPRESSIONS", "CLICKS"])]}
    without = more | {"accounts": [other]}
    state = {"bookmarks": {"r": before}}
    after = sync(without, state=state, streams=["r"]).state["bookmarks"]["r"]
    merged = {"bookmarks": {"r": before | after}}
    records = sync(more, state=merged, streams=["r"]).records("r")
    assert days(records, refuses) == every_day(last=dt.date(2024, 3, 21))
