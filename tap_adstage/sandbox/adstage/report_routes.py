"""The routes of the report endpoints of V1 and V2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Flask, Response, abort, request
from werkzeug.exceptions import MethodNotAllowed

from tap_adstage.sandbox.adstage.answers import api_url, error_answer
from tap_adstage.sandbox.adstage.refusals import RefusedRequest
from tap_adstage.sandbox.adstage.reports.rows import ReportRows
from tap_adstage.sandbox.adstage.reports.v1_report import build_v1_report
from tap_adstage.sandbox.adstage.reports.v1_request import (
    body_of_query,
    parse_v1_report_request,
)
from tap_adstage.sandbox.adstage.reports.v2_report import build_report
from tap_adstage.sandbox.adstage.reports.v2_request import parse_report_request
from tap_adstage.sandbox.adstage.resource_routes import find_organization
from tap_adstage.sandbox.service.wsgi import html_answer, json_answer

if TYPE_CHECKING:
    from tap_adstage.sandbox.adstage.backend import Backend
    from tap_adstage.sandbox.adstage.reports.request import ReportRequest


def add_report_routes(app: Flask, backend: Backend) -> None:
    """Add the report endpoints to an application."""
    _add_v2_route(app, backend)
    _add_v1_route(app, backend)


def _add_v2_route(app: Flask, backend: Backend) -> None:
    world = backend.world

    @app.post("/api/v2/organizations/<int:organization_id>/report")
    def report(organization_id: int) -> Response:
        find_organization(backend, organization_id)
        report_request = parse_report_request(
            _json_body(), world, organization_id, backend.clock.now
        )
        return json_answer(
            build_report(
                report_request,
                _find_rows(report_request, organization_id, backend),
                organization_id,
                world.user.fetch_id,
                api_url(),
            )
        )


def _add_v1_route(app: Flask, backend: Backend) -> None:
    world = backend.world

    @app.route(
        "/api/organizations/<int:organization_id>/build_report",
        methods=["GET", "POST"],
    )
    def v1_report(organization_id: int) -> Response:
        find_organization(backend, organization_id)
        is_link = request.method != "POST"
        if is_link and backend.v1.follow == "post":
            raise MethodNotAllowed(valid_methods=["POST"])
        report_request = parse_v1_report_request(
            body_of_query(request.args) if is_link else _json_body(),
            world,
            organization_id,
            backend.clock.now,
            rounding=backend.v1.rounding,
        )
        return json_answer(
            build_v1_report(
                report_request,
                _find_rows(report_request, organization_id, backend),
                world.user.fetch_id,
                f"{api_url()}/organizations/{organization_id}/build_report",
                backend.v1,
            )
        )


def _find_rows(
    report_request: ReportRequest, organization_id: int, backend: Backend
) -> ReportRows:
    _check_size(report_request, backend)
    return ReportRows(
        report_request,
        backend.world,
        organization_id,
        backend.clock.today,
        drop_rows=backend.switches.drop_rows,
    )


def _check_size(report_request: ReportRequest, backend: Backend) -> None:
    """Refuse a report of more days than allowed, in the way of the size fault."""
    days = (report_request.days.end - report_request.days.start).days + 1
    max_days = backend.switches.max_report_days
    if max_days is None or days <= max_days:
        return
    if backend.size_fault == "413":
        abort(
            error_answer(
                413, f"{days} days are more than a report may have ({max_days})"
            )
        )
    if backend.size_fault == "timeout":
        backend.throttling.pause()
    abort(html_answer(504))


def _json_body() -> object:
    try:
        return json.loads(request.get_data(cache=True))
    except ValueError as error:
        raise RefusedRequest(f"the body is not valid JSON: {error}") from error
