"""The routes of aggregate reports and insight reports."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from tap_adstage.sandbox.service.wsgi import html_answer, json_answer
from tap_adstage.sandbox.spotify_ads.continuation_tokens import Place
from tap_adstage.sandbox.spotify_ads.entity_routes import find_account
from tap_adstage.sandbox.spotify_ads.insights import (
    INSIGHT_PARAMETERS,
    build_insight_report,
    parse_insight_request,
)
from tap_adstage.sandbox.spotify_ads.parameters import Parameters, format_moment
from tap_adstage.sandbox.spotify_ads.refusals import Refusal
from tap_adstage.sandbox.spotify_ads.report_request import (
    PARAMETERS,
    parse_report_request,
)
from tap_adstage.sandbox.spotify_ads.report_rows import find_rows, row_body

if TYPE_CHECKING:
    import datetime as dt

    from tap_adstage.sandbox.spotify_ads.backend import Backend
    from tap_adstage.sandbox.spotify_ads.report_request import ReportRequest
    from tap_adstage.sandbox.spotify_ads.world.world import WorldRow

_CACHED_REPORTS = 16
"""Reports of which the rows of all pages are kept."""


def add_report_routes(app: Flask, backend: Backend, root: str) -> None:
    """Add the routes to an application."""

    @lru_cache(maxsize=_CACHED_REPORTS)
    def rows_of(report: ReportRequest, today: dt.date) -> list[WorldRow]:
        return find_rows(backend.world, report, today)

    @app.get(f"{root}/ad_accounts/<account_id>/aggregate_reports")
    def aggregate_report(account_id: str) -> Response:
        account_id = find_account(backend, account_id).id
        place = _find_place(backend, account_id)
        report = place.request
        if (
            report.granularity == "HOUR"
            and "REVENUE" in report.fields
            and not backend.switches.hourly_revenue
        ):
            return html_answer(502)
        rows = rows_of(report, backend.clock.today)
        return json_answer(_build_page(backend, place, rows))

    @app.get(f"{root}/ad_accounts/<account_id>/insight_reports")
    def insight_report(account_id: str) -> Response:
        account = find_account(backend, account_id)
        insight_request = parse_insight_request(_parameters(INSIGHT_PARAMETERS))
        return json_answer(
            build_insight_report(insight_request, account, backend.clock.today)
        )


def _parameters(known: tuple[str, ...]) -> Parameters:
    return Parameters([*request.args.items(multi=True)], known)


def _find_place(backend: Backend, account_id: str) -> Place:
    """Return what is asked for: the first page of a report, or a later one."""
    parameters = _parameters(PARAMETERS)
    token = parameters.one("continuation_token")
    if token is None:
        return Place(parse_report_request(parameters, account_id, backend.now), 0)
    if parameters.names != {"continuation_token"}:
        others = ", ".join(sorted(parameters.names - {"continuation_token"}))
        raise Refusal(f"continuation_token: not together with {others}")
    place = backend.pages.find(token)
    if place is None or place.request.account_id != account_id:
        raise Refusal("continuation_token: not valid here")
    return place


def _build_page(backend: Backend, place: Place, rows: list[WorldRow]) -> dict[str, Any]:
    report, offset = place
    end = offset + report.limit
    page = rows[offset:end]
    if offset == 0 and report.kind != "AD_ACCOUNT" and backend.switches.drop_rows:
        page = page[: -backend.switches.drop_rows]
    answer: dict[str, Any] = {
        "granularity": report.granularity,
        "rows": [row_body(row, report) for row in page],
        "warnings": None,
    }
    if report.start is not None and report.end is not None:
        answer["report_start"] = format_moment(report.start)
        answer["report_end"] = format_moment(report.end)
    if end < len(rows):
        answer["continuation_token"] = backend.pages.issue(Place(report, end))
        return answer
    return {**answer, **backend.pages.end()}
