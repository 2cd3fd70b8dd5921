"""Errors of AdStage's API, and its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from tap_adstage.sandbox.service import faults
from tap_adstage.sandbox.service.wsgi import html_answer, json_answer

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

METHOD_NOT_ALLOWED = 405

_ERROR_CODES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    429: "too_many_requests",
    503: "service_unavailable",
}


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


def api_url() -> str:
    """Return the API's address on the origin that the current request came to."""
    return f"{request.host_url}api"
