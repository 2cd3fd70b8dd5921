"""The routes of the sandbox's API; what they answer is decided elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from tap_adstage.sandbox.adstage import descriptors, hal, resources
from tap_adstage.sandbox.adstage.refusals import NotFound, RefusedRequest
from tap_adstage.sandbox.adstage.reports.rows import ReportRows
from tap_adstage.sandbox.adstage.reports.v1_report import build_v1_report
from tap_adstage.sandbox.adstage.reports.v1_request import (
    body_of_query,
    parse_v1_report_request,
)
from tap_adstage.sandbox.adstage.reports.v2_report import build_report
from tap_adstage.sandbox.adstage.reports.v2_request import parse_report_request
from tap_adstage.sandbox.service import faults
from tap_adstage.sandbox.service.request_log import ReceivedRequest
from tap_adstage.sandbox.service.tokens import Credentials, OAuthError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_adstage.sandbox.adstage.backend import Service
    from tap_adstage.sandbox.adstage.reports.request import ReportRequest
    from tap_adstage.sandbox.world.entities import AccountGroup, Entity
    from tap_adstage.sandbox.world.organizations import Organization

FAULT = "Sandbox-Fault"
"""A header that tells the server how an answer gets lost; it goes no further."""

_BAD_GATEWAY = "<html><body><h1>502 Bad Gateway</h1></body></html>\n"


def create_app(service: Service) -> Flask:
    """Return the WSGI application that answers for a service."""
    app = Flask("adstage-sandbox", static_folder=None)
    app.before_request(lambda: _admit(service))
    app.after_request(lambda response: _log(service, response))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(RefusedRequest, lambda error: _error(400, str(error)))
    app.register_error_handler(NotFound, lambda error: _error(404, str(error)))
    app.register_error_handler(OAuthError, _oauth_error)
    _add_token_route(app, service)
    _add_resource_routes(app, service)
    _add_report_routes(app, service)
    _add_list_routes(app, service)
    _add_metric_routes(app, service)
    return app


def _admit(service: Service) -> Response | None:
    """Answer at once the requests that get no further than the door."""
    g.number = service.log.arrival()
    request.get_data(cache=True)  # an unread body would be the next request's start
    g.body = request.form.to_dict() or request.get_json(silent=True, force=True)
    service.conditions.delay()
    if request.path == "/oauth/token":
        return _refresh_fault(service)
    if service.conditions.is_too_fast():
        response = _error(429, "more requests a second than the rate limit allows")
        response.headers["Retry-After"] = "1"
        return response
    g.fault = service.conditions.fault()
    if g.fault in faults.ANSWERS:
        return _answer_in_place(g.fault, service.retry_after)
    if request.path.startswith("/api/") and not service.tokens.accept(_bearer()):
        response = _error(401, "the access token is missing, unknown or expired")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    return None


def _answer_in_place(fault: str, seconds: int) -> Response:
    status, _ = faults.ANSWERS[fault]
    if status in {200, 502}:
        return _html(status)
    response = _error(status, "the sandbox was told to fail now and then")
    retry_after = faults.retry_after(fault, seconds)
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


def _refresh_fault(service: Service) -> Response | None:
    if service.switches.refresh_faults <= 0:
        return None
    service.switches.refresh_faults -= 1
    return _error(503, "the sandbox was told to fail token requests")


def _html(status: int) -> Response:
    return Response(_BAD_GATEWAY, status=status, mimetype="text/html")


def _log(service: Service, response: Response) -> Response:
    fault = g.get("fault")
    service.log.add(
        ReceivedRequest(
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            body=g.get("body"),  # none where the client left off in the middle of it
            status=response.status_code,
            fault=fault,
            number=g.number,
        )
    )
    if fault is not None:
        response.headers[FAULT] = fault
    return response


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _json(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, mimetype="application/json")


def _error(status: int, message: str) -> Response:
    """Return an error; AdStage documents no error body, so this one is our own."""
    codes = {
        400: "bad_request",
        401: "unauthorized",
        413: "payload_too_large",
        404: "not_found",
        405: "method_not_allowed",
        429: "too_many_requests",
        503: "service_unavailable",
    }
    code = codes.get(status, "internal_server_error")
    return _json({"error": code, "message": message}, status)


def _http_error(error: HTTPException) -> Response:
    response = _error(error.code or 500, error.description or error.name)
    if response.status_code == 405:  # noqa: PLR2004
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]
    return response


def _oauth_error(error: OAuthError) -> Response:
    body = {"error": error.code, "error_description": error.description}
    return _json(body, error.status)


def _api_url() -> str:
    """Return the API's address on the origin that the request came to."""
    return f"{request.host_url}api"


def _add_token_route(app: Flask, service: Service) -> None:
    @app.post("/oauth/token")
    def token() -> Response:
        basic = request.authorization
        credentials = None
        if basic is not None and basic.type == "basic":
            credentials = Credentials(basic.username or "", basic.password or "")
        response = _json(service.tokens.refresh(request.form.to_dict(), credentials))
        response.headers["Cache-Control"] = "no-store"
        return response


def _add_resource_routes(app: Flask, service: Service) -> None:
    world = service.world

    @app.get("/api/me")
    def me() -> Response:
        is_lightweight = request.args.get("type") == "lightweight"
        return _json(
            resources.current_user(
                world, service.switches.imports, lightweight=is_lightweight
            )
        )

    @app.get("/api/organizations/<int:organization_id>")
    def organization(organization_id: int) -> Response:
        found = _organization(service, organization_id)
        return _json(resources.organization(found, world))

    @app.get("/api/users/<int:user_id>/sync_information")
    def sync_information(user_id: int) -> Response:
        _check_user(service, user_id)
        return _json(
            resources.sync_information(
                world, service.clock.today, service.switches.imports
            )
        )


def _add_report_routes(app: Flask, service: Service) -> None:
    world = service.world
    user_id = world.user.fetch_id

    def rows_of(request: ReportRequest, organization_id: int) -> ReportRows:
        _check_size(request, service)
        return ReportRows(
            request,
            world,
            organization_id,
            service.clock.today,
            drop_rows=service.switches.drop_rows,
        )

    @app.post("/api/v2/organizations/<int:organization_id>/report")
    def report(organization_id: int) -> Response:
        _organization(service, organization_id)
        asked = parse_report_request(
            _json_body(), world, organization_id, service.clock.now
        )
        rows = rows_of(asked, organization_id)
        return _json(build_report(asked, rows, organization_id, user_id, _api_url()))

    @app.route(
        "/api/organizations/<int:organization_id>/build_report",
        methods=["GET", "POST"],
    )
    def v1_report(organization_id: int) -> Response:
        _organization(service, organization_id)
        is_link = request.method != "POST"
        if is_link and service.v1.follow == "post":
            raise MethodNotAllowed(valid_methods=["POST"])
        asked = parse_v1_report_request(
            body_of_query(request.args) if is_link else _json_body(),
            world,
            organization_id,
            service.clock.now,
            rounding=service.v1.rounding,
        )
        rows = rows_of(asked, organization_id)
        url = f"{_api_url()}/organizations/{organization_id}/build_report"
        return _json(build_v1_report(asked, rows, user_id, url, service.v1))


def _add_list_routes(app: Flask, service: Service) -> None:
    world = service.world

    @app.get("/api/users/<int:user_id>/list_network_accounts/all")
    def accounts(user_id: int) -> Response:
        _check_user(service, user_id)
        return _json(_account_list(world.entities("accounts")))

    @app.get("/api/users/<int:user_id>/account_groups")
    def account_groups(user_id: int) -> Response:
        _check_user(service, user_id)
        api_url = _api_url()

        def write(group: AccountGroup) -> dict[str, Any]:
            return resources.account_group(group, user_id, api_url)

        return _json(_list_page(world.account_groups, write))

    @app.get("/api/users/<int:user_id>/account_groups/<int:group_id>/list_accounts")
    def account_group_accounts(user_id: int, group_id: int) -> Response:
        _check_user(service, user_id)
        for group in world.account_groups:
            if group.id == group_id:
                return _json(_account_list(group.accounts))
        raise NotFound(f"there is no account group {group_id}")

    @app.get("/api/users/<int:user_id>/list_folders")
    def folders(user_id: int) -> Response:
        _check_user(service, user_id)
        api_url = _api_url()
        page = _list_page(
            world.folders, lambda folder: resources.folder(folder, api_url)
        )
        limit = page["page_options"]["limit"]
        page["_links"]["self"] = {
            "href": f"{request.base_url}?limit={limit}&access_token={_bearer()}"
        }
        page["counts"] = {}
        return _json(page)


def _add_metric_routes(app: Flask, service: Service) -> None:
    @app.get("/api/metric_descriptors")
    def metric_descriptors() -> Response:
        return _json(descriptors.cross_network_descriptors())

    @app.get("/api/metric_descriptors/<provider>")
    def provider_metric_descriptors(provider: str) -> Response:
        found = descriptors.provider_descriptors(provider)
        if found is None:
            raise NotFound(f"there are no metric descriptors of {provider!r}")
        return _json(found)

    @app.get("/api/organizations/<int:organization_id>/metric_descriptors")
    def organization_metric_descriptors(organization_id: int) -> Response:
        _organization(service, organization_id)
        return _json(descriptors.organization_descriptors())


def _check_size(asked: ReportRequest, service: Service) -> None:
    """Refuse a report of more days than one may have."""
    days = (asked.days.end - asked.days.start).days + 1
    most = service.switches.max_report_days
    if most is None or days <= most:
        return
    if service.size_fault == "timeout":
        service.conditions.pause()
    if service.size_fault == "413":
        abort(_error(413, f"{days} days are more than a report may have, {most}"))
    abort(_html(504))


def _json_body() -> object:
    try:
        return json.loads(request.get_data(cache=True))
    except ValueError as error:
        raise RefusedRequest(f"the body is no JSON: {error}") from error


def _check_user(service: Service, user_id: int) -> None:
    if user_id != service.world.user.fetch_id:
        raise NotFound(f"there is no user {user_id}")


def _organization(service: Service, organization_id: int) -> Organization:
    for organization in service.world.organizations:
        if organization.fetch_id == organization_id:
            return organization
    raise NotFound(f"there is no organization {organization_id}")


def _account_list(accounts: Sequence[Entity]) -> dict[str, Any]:
    api_url = _api_url()
    return _list_page(accounts, lambda account: resources.account(account, api_url))


def _list_page(
    items: Sequence[Any], write: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Return the requested page of a list, which is sorted by name."""
    limit, offset = hal.page_of(request.args)
    by_name = sorted(items, key=lambda item: item.name)
    return hal.list_page(
        by_name, write, url=request.base_url, limit=limit, offset=offset
    )
