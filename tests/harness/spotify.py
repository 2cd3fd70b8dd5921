"""Spotify's sandbox as tests of reports see it: requests, and the truth of a row."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
    from tap_adstage.sandbox.spotify_ads.world.world import WorldRow

REPORTS = ("aggregate_reports", "insight_reports")


def report_requests(sandbox: SpotifyAdsSandbox) -> list[dict[str, list[str]]]:
    """The parameters of all requests for reports, each name with its values.

    The ad account is there, too, as `account`.
    """
    requests = []
    for request in sandbox.requests:
        *_, account, resource = request.path.split("/")
        if resource in REPORTS:
            parameters: dict[str, list[str]] = {"account": [account]}
            for name, value in request.parameters:
                parameters.setdefault(name, []).append(value)
            requests.append(parameters)
    return requests


def first_pages(sandbox: SpotifyAdsSandbox) -> list[dict[str, list[str]]]:
    """Those requests that ask for a first page."""
    requests = report_requests(sandbox)
    return [request for request in requests if "continuation_token" not in request]


def days_of(requests: Iterable[Mapping[str, list[str]]]) -> list[str]:
    """The days that requests ask for, each once, in ascending order."""
    return sorted(
        {f"{r['report_start'][0][:10]}..{r['report_end'][0][:10]}" for r in requests}
    )


def shown(row: WorldRow, fields: Iterable[str]) -> dict[str, Any]:
    """The values of a row's columns by the truth: null if Spotify hides them."""
    return {
        field.lower(): None if row.is_hidden(field) else row.value(field)
        for field in fields
    }


def values(record: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """The values of a record's columns, as floats and ints."""
    names = [field.lower() for field in fields]
    return {
        name: None if record[name] is None else float(record[name]) for name in names
    }


def day_after(day: str) -> str:
    """The day after a day."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()
