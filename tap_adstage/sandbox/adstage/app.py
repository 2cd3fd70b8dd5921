"""AdStage's API as a WSGI application: admission, log, errors, and all routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from tap_adstage.sandbox.adstage.answers import (
    error_answer,
    fault_answer,
    http_error_answer,
    rate_limit_answer,
    unauthorized_answer,
)
from tap_adstage.sandbox.adstage.refusals import NotFound, RefusedRequest
from tap_adstage.sandbox.adstage.report_routes import add_report_routes
from tap_adstage.sandbox.adstage.resource_routes import add_resource_routes
from tap_adstage.sandbox.service.faults import ANSWERS
from tap_adstage.sandbox.service.tokens import Credentials, OAuthError
from tap_adstage.sandbox.service.wsgi import (
    bearer_token,
    json_answer,
    log_answer,
    oauth_error_answer,
)

if TYPE_CHECKING:
    from tap_adstage.sandbox.adstage.backend import Backend


def create_app(backend: Backend) -> Flask:
    """Return the WSGI application that answers from a backend."""
    app = Flask("adstage-sandbox", static_folder=None)
    app.before_request(lambda: _admit(backend))
    app.after_request(lambda response: log_answer(backend.log, response))
    app.register_error_handler(HTTPException, http_error_answer)
    app.register_error_handler(
        RefusedRequest, lambda error: error_answer(400, str(error))
    )
    app.register_error_handler(NotFound, lambda error: error_answer(404, str(error)))
    app.register_error_handler(OAuthError, oauth_error_answer)
    _add_token_route(app, backend)
    add_resource_routes(app, backend)
    add_report_routes(app, backend)
    return app


def _admit(backend: Backend) -> Response | None:
    """Return the answer to a request that never reaches its route, None if it does."""
    g.number = backend.log.next_number()
    request.get_data(cache=True)  # an unread body would be the next request's start
    g.body = request.form.to_dict() or request.get_json(silent=True, force=True)
    backend.throttling.wait_for_latency()
    if request.path == "/oauth/token":
        return _refresh_fault(backend)
    if backend.throttling.exceeds_rate_limit():
        return rate_limit_answer()
    g.fault = backend.faults.next_fault()
    if g.fault in ANSWERS:
        return fault_answer(g.fault, backend.retry_after)
    if request.path.startswith("/api/") and not backend.tokens.accept(bearer_token()):
        return unauthorized_answer()
    return None


def _refresh_fault(backend: Backend) -> Response | None:
    if backend.switches.refresh_faults <= 0:
        return None
    backend.switches.refresh_faults -= 1
    return error_answer(503, "the sandbox was told to fail token requests")


def _add_token_route(app: Flask, backend: Backend) -> None:
    @app.post("/oauth/token")
    def token() -> Response:
        basic = request.authorization
        credentials = None
        if basic is not None and basic.type == "basic":
            credentials = Credentials(basic.username or "", basic.password or "")
        tokens = backend.tokens.refresh(request.form.to_dict(), credentials)
        response = json_answer(tokens)
        response.headers["Cache-Control"] = "no-store"
        return response
