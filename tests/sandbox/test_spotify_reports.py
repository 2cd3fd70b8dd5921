"""Reports of the sandbox of Spotify's API."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.audiences import (
    audience_rows,
    insight_obstacle,
)

from .spotify_api import FIELDS, TODAY, UTC, SpotifyApi, stats

if TYPE_CHECKING:
    from tap_adstage.sandbox.spotify_ads.world.world import WorldRow

FIRST = dt.date(2024, 3, 1)


def keyed(rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    """The metrics of rows by entity and start, none of which is there twice."""
    found = {(row["entity_id"], row["start_time"]): stats(row) for row in rows}
    assert len(found) == len(rows)
    return found


def expected(row: WorldRow) -> dict[str, float]:
    return {field: row.shown(field) for field in FIELDS}


def moment(value: dt.datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("kind", ["AD_ACCOUNT", "CAMPAIGN", "AD_SET", "AD"])
def test_days_are_the_truth(spotify: SpotifyApi, kind: str) -> None:
    world = spotify.sandbox.world
    entities = world.entities(kind, spotify.account)[:50]

    assert keyed(spotify.rows(kind)) == {
        (row.entity.id, moment(row.start)): expected(row)
        for row in world.days(entities, FIELDS, FIRST, TODAY)
    }


def test_hours_are_the_truth(spotify: SpotifyApi) -> None:
    world = spotify.sandbox.world
    entities = world.entities("CAMPAIGN", spotify.account)
    first = dt.datetime(2024, 3, 19, 7, tzinfo=UTC)
    last = dt.datetime(2024, 3, 20, 9, tzinfo=UTC)

    rows = spotify.rows(
        "CAMPAIGN",
        granularity="HOUR",
        report_start=moment(first),
        report_end=moment(last),
    )

    assert keyed(rows) == {
        (row.entity.id, moment(row.start)): expected(row)
        for row in world.hours(entities, FIELDS, first, last)
    }


@pytest.mark.parametrize("is_dated", [True, False])
def test_lifetimes_are_the_truth_and_list_zeros(
    spotify: SpotifyApi,
    is_dated: bool,  # noqa: FBT001
) -> None:
    world = spotify.sandbox.world
    entities = world.entities("AD", spotify.account)[:50]
    first = dt.date(2024, 3, 18)
    report = {"granularity": "LIFETIME", "report_start": None, "report_end": None}
    truth = [*world.lifetimes(entities, FIELDS, TODAY)]
    if is_dated:
        report["report_start"] = "2024-03-18T22:15:15Z"
        report["report_end"] = "2024-03-20T23:59:59Z"
        truth = [*world.totals(entities, FIELDS, first, TODAY)]

    rows = spotify.rows("AD", **report)

    assert {row["entity_id"]: stats(row) for row in rows} == {
        row.entity.id: expected(row) for row in truth
    }
    assert len(rows) == 50
    assert not is_dated or any(stats(row)["IMPRESSIONS"] == 0 for row in rows)
    times = {row["start_time"] for row in rows}
    assert None in times
    assert len(times) > 1


def test_nothing_is_reported_after_today(spotify: SpotifyApi) -> None:
    later = {"report_end": "2024-04-20T00:00:00Z"}

    assert keyed(spotify.rows(**later)) == keyed(spotify.rows())


def test_a_row_says_what_it_is_of(spotify: SpotifyApi) -> None:
    row = spotify.rows(include_parent_entity="true")[0]
    ad_set = spotify.sandbox.world.entity(row["entity_id"])
    start = dt.datetime.fromisoformat(row["start_time"])
    assert ad_set.parent is not None

    assert row["entity_type"] == "AD_SET"
    assert row["entity_name"] == ad_set.name
    assert row["entity_status"] == ad_set.status
    assert row["parent_entity"] == {
        "id": ad_set.parent.id,
        "name": ad_set.parent.name,
        "status": ad_set.parent.status,
    }
    assert row["end_time"] == moment(start + dt.timedelta(days=1))
    assert all("parent_entity" not in row for row in spotify.rows())


def test_archived_entities_are_reported(spotify: SpotifyApi) -> None:
    assert "ARCHIVED" in {row["entity_status"] for row in spotify.rows("AD")}


def test_a_few_rows_have_a_metric_twice(spotify: SpotifyApi) -> None:
    numbers = [len(row["stats"]) for row in spotify.rows()]

    assert {*numbers} == {len(FIELDS), len(FIELDS) + 1}
    assert numbers.count(len(FIELDS) + 1) < len(numbers) / 4


def test_every_second_account_writes_counts_as_floats(spotify: SpotifyApi) -> None:
    for account in spotify.sandbox.world.ad_accounts[:2]:
        answer = spotify.in_account(
            "aggregate_reports", account, **spotify.report_parameters("AD_ACCOUNT")
        )
        assert ('"IMPRESSIONS","field_value":' in answer.text) is True
        clicks = stats(answer.json()["rows"][0])["CLICKS"]
        assert type(clicks) is (int if account is spotify.account else float)


def test_pages_end_in_three_ways(spotify: SpotifyApi) -> None:
    endings = [
        spotify.report("AD_ACCOUNT")[-1].get("continuation_token", "absent")
        for _ in range(3)
    ]

    assert sorted(endings, key=str) == ["", None, "absent"]


def test_pages_have_at_most_50_rows_and_tokens_are_all_different(
    spotify: SpotifyApi,
) -> None:
    answers = spotify.report()
    small = spotify.report(limit=7)
    tokens = [answer["continuation_token"] for answer in answers[:-1] + small[:-1]]

    assert [len(answer["rows"]) for answer in answers[:-1]] == [50] * (len(answers) - 1)
    assert {len(answer["rows"]) for answer in small[:-1]} == {7}
    assert len({*tokens}) == len(tokens)
    assert len({len(token) for token in tokens}) == 1  # they don't say how far it is


def test_a_page_can_be_requested_again(spotify: SpotifyApi) -> None:
    token = spotify.report()[0]["continuation_token"]
    first, again = (
        spotify.in_account("aggregate_reports", continuation_token=token).json()
        for _ in range(2)
    )

    assert first["rows"] == again["rows"]


def test_lifetimes_can_be_limited_to_what_is_in_a_campaign(spotify: SpotifyApi) -> None:
    campaign = spotify.account.children[1]
    report = {"granularity": "LIFETIME", "report_start": None, "report_end": None}

    rows = spotify.rows(
        "AD", **report, entity_ids=campaign.id, entity_ids_type="CAMPAIGN"
    )

    assert [row["entity_id"] for row in rows] == [
        ad.id for ad in campaign.descendants("AD")
    ]


def test_a_report_can_be_limited_to_statuses(spotify: SpotifyApi) -> None:
    rows = spotify.rows(statuses=["ACTIVE"], entity_status_type="AD_SET")

    assert {row["entity_status"] for row in rows} == {"ACTIVE"}


# --- insights ---


def insight(spotify: SpotifyApi, kind: str, entity_id: str) -> Any:  # noqa: ANN401
    response = spotify.in_account(
        "insight_reports",
        insight_dimension="AGE",
        fields=["IMPRESSIONS", "PURCHASES"],
        entity_ids=entity_id,
        entity_ids_type=kind,
    )
    assert response.status_code in {200, 422}, response.text
    return response.json()


@pytest.mark.parametrize("kind", ["CAMPAIGN", "AD_SET"])
def test_insights_are_the_truth(spotify: SpotifyApi, kind: str) -> None:
    fields = ("IMPRESSIONS", "PURCHASES")
    entity = next(
        entity
        for entity in spotify.sandbox.world.entities(kind, spotify.account)
        if insight_obstacle(entity, TODAY) is None
    )

    answer = insight(spotify, kind, entity.id)

    truth = audience_rows(entity, "AGE", fields, TODAY)
    assert [(row["insight_value"], stats(row)) for row in answer["rows"]] == [
        (row.audience, {field: row.shown(field) for field in fields}) for row in truth
    ]
    assert {row["id"] for row in answer["rows"]} == {entity.id}
    assert answer["granularity"] == "LIFETIME"
    assert (answer["entity"], answer["insight"]) == (kind, "AGE")
    assert answer["summary_totals"][0] == {
        "stat": "IMPRESSIONS",
        "value": sum(row.value("IMPRESSIONS") for row in truth[:-1]),
    }


def test_too_little_data_for_insights_is_422(spotify: SpotifyApi) -> None:
    account = spotify.sandbox.world.ad_accounts[2]
    obstacles = {
        insight_obstacle(entity, TODAY): entity
        for entity in account.descendants("AD_SET")
    }
    del obstacles[None]
    assert len(obstacles) == 4

    for obstacle, entity in obstacles.items():
        response = spotify.in_account(
            "insight_reports",
            account,
            insight_dimension="GENDER",
            fields="REACH",
            entity_ids=entity.id,
            entity_ids_type="AD_SET",
        )
        assert response.status_code == 422
        (code,) = response.json()["errorCodes"]
        assert code["code"] == f"ILLEGAL.INSIGHT_REPORT.{obstacle}"


# --- switches ---


def test_revenue_by_the_hour_can_be_too_much() -> None:
    with SpotifyAdsSandbox(today=TODAY, hourly_revenue=False) as sandbox:
        api = SpotifyApi(sandbox)
        report = api.report_parameters(
            granularity="HOUR",
            report_start="2024-03-19T00:00:00Z",
            fields=("CLICKS", "REVENUE"),
        )
        assert api.in_account("aggregate_reports", **report).status_code == 502
        report["fields"] = ("CLICKS",)
        assert api.in_account("aggregate_reports", **report).status_code == 200


def test_rows_can_be_missing_but_for_those_of_accounts() -> None:
    with SpotifyAdsSandbox(today=TODAY) as sandbox:
        api = SpotifyApi(sandbox)
        whole = {kind: api.rows(kind) for kind in ("CAMPAIGN", "AD_ACCOUNT")}
        sandbox.switches.drop_rows = 2

        first, *others = api.report("CAMPAIGN")

        assert len(first["rows"]) == 48
        assert sum(len(answer["rows"]) for answer in others) == (
            len(whole["CAMPAIGN"]) - 50
        )
        assert api.rows("AD_ACCOUNT") == whole["AD_ACCOUNT"]


def test_hours_reach_back_two_weeks_from_the_real_moment_on_the_real_day() -> None:
    now = dt.datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0) - dt.timedelta(days=14)
    with SpotifyAdsSandbox(today=now.date()) as sandbox, SpotifyApi(sandbox) as api:
        statuses = [
            api.in_account(
                "aggregate_reports",
                **api.report_parameters(
                    granularity="HOUR",
                    report_start=moment(hour + dt.timedelta(hours=hours)),
                    report_end=moment(now.replace(minute=0, second=0)),
                ),
            ).status_code
            for hours in (1, -1)
        ]

    assert statuses == [200, 400]
