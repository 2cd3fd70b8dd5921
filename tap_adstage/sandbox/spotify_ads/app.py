"""Spotify's API as a WSGI application: admission, log, errors, and all routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from tap_adstage.sandbox.service.faults import ANSWERS
from tap_adstage.sandbox.service.tokens import Credentials, OAuthError
from tap_adstage.sandbox.service.wsgi import (
    bearer_token,
    json_answer,
    log_answer,
    oauth_error_answer,
)
from tap_adstage.sandbox.spotify_ads.answers import (
    error_answer,
    fault_answer,
    http_error_answer,
    rate_limit_answer,
    refusal_answer,
    unauthorized_answer,
)
from tap_adstage.sandbox.spotify_ads.entity_routes import add_entity_routes
from tap_adstage.sandbox.spotify_ads.refusals import Refusal
from tap_adstage.sandbox.spotify_ads.report_routes import add_report_routes

if TYPE_CHECKING:
    from tap_adstage.sandbox.spotify_ads.backend import Backend

API_PATH = "/ads/v3"
TOKEN_PATH = "/api/token"  # noqa: S105 (a path)


def create_app(backend: Backend) -> Flask:
    """Return the WSGI application that answers from a backend."""
    app = Flask("spotify-ads-sandbox", static_folder=None)
    app.before_request(lambda: _admit(backend))
    app.after_request(lambda response: log_answer(backend.log, response))
    app.register_error_handler(HTTPException, http_error_answer)
    app.register_error_handler(Refusal, refusal_answer)
    app.register_error_handler(OAuthError, oauth_error_answer)
    _add_token_route(app, backend)
    add_entity_routes(app, backend, API_PATH)
    add_report_routes(app, backend, API_PATH)
    return app


def _admit(backend: Backend) -> Response | None:
    """Return the answer to a request that never reaches its route, None if it does."""
    g.number = backend.log.next_number()
    request.get_data(cache=True)  # an unread body would be the next request's start
    g.body = request.form.to_dict() or None
    if request.path == TOKEN_PATH:
        backend.throttling.wait_for_latency()
        return _refresh_fault(backend)
    excess = None
    if backend.limits is not None:
        is_report = request.path.rstrip("/").endswith("_reports")
        excess = backend.limits.admit("report" if is_report else "other")
    backend.throttling.wait_for_latency()
    if excess is not None:
        return rate_limit_answer(*excess)
    g.fault = backend.faults.next_fault()
    if g.fault in ANSWERS:
        return fault_answer(g.fault, backend.retry_after)
    if request.path.startswith(API_PATH) and not backend.tokens.accept(bearer_token()):
        return unauthorized_answer()
    return None


def _refresh_fault(backend: Backend) -> Response | None:
    if backend.switches.refresh_faults <= 0:
        return None
    backend.switches.refresh_faults -= 1
    return error_answer(503, "the sandbox was told to fail token requests")


def _add_token_route(app: Flask, backend: Backend) -> None:
    @app.post(TOKEN_PATH)
    def token() -> Response:
        basic = request.authorization
        if basic is None or basic.type != "basic":
            raise OAuthError("invalid_client", "credentials as HTTP Basic are missing")
        credentials = Credentials(basic.username or "", basic.password or "")
        tokens = backend.tokens.refresh(request.form.to_dict(), credentials)
        response = json_answer({**tokens, "scope": ""})
        response.headers["Cache-Control"] = "no-store"
        return response
