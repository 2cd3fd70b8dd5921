"""HTTP answers of AdStage's API: JSON, errors, and the pages of a gateway."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Response, request

from tap_adstage.sandbox.service import faults

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

    from tap_adstage.sandbox.service.tokens import OAuthError

METHOD_NOT_ALLOWED = 405

_BAD_GATEWAY = "<html><body><h1>502 Bad Gateway</h1></body></html>\n"
_ERROR_CODES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    429: "too_many_requests",
    503: "service_unavailable",
}


def json_answer(value: object, status: int = 200) -> Response:
    """Return a value as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, mimetype="application/json")


def html_answer(status: int) -> Response:
    """Return the page of a gateway that got no answer itself."""
    return Response(_BAD_GATEWAY, status=status, mimetype="text/html")


def error_answer(status: int, message: str) -> Response:
    """Return an error; AdStage documents no error body, so this one is our own."""
    code = _ERROR_CODES.get(status, "internal_server_error")
    return json_answer({"error": code, "message": message}, status)


def unauthorized_answer() -> Response:
    """Return the answer to a request without a valid access token."""
    response = error_answer(401, "the access token is missing, unknown or expired")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def rate_limit_answer() -> Response:
    """Return the answer to a request above the rate limit."""
    response = error_answer(429, "more requests a second than the rate limit allows")
    response.headers["Retry-After"] = "1"
    return response


def fault_answer(fault: str, retry_seconds: int) -> Response:
    """Return the answer of a fault, one of `faults.ANSWERS`.

    Args:
        fault: The kind of fault.
        retry_seconds: Seconds in its `Retry-After`, if it has one.
    """
    status, _ = faults.ANSWERS[fault]
    if status in {200, 502}:
        return html_answer(status)
    response = error_answer(status, "the sandbox was told to fail now and then")
    retry_after = faults.retry_after(fault, retry_seconds)
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


def http_error_answer(error: HTTPException) -> Response:
    """Return an error that flask raised as JSON."""
    response = error_answer(error.code or 500, error.description or error.name)
    if response.status_code == METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))  # type: ignore[attr-defined]
    return response


def oauth_error_answer(error: OAuthError) -> Response:
    """Return the error of a token request in the words of RFC 6749."""
    body = {"error": error.code, "error_description": error.description}
    return json_answer(body, error.status)


def api_url() -> str:
    """Return the API's address on the origin that the current request came to."""
    return f"{request.host_url}api"


def bearer_token() -> str:
    """Return the current request's access token, "" without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
