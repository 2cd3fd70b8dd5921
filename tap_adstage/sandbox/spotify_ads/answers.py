"""Errors of Spotify's API, in its form."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING

from tap_adstage.sandbox.service import faults
from tap_adstage.sandbox.service.wsgi import html_answer, json_answer

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.exceptions import HTTPException

    from tap_adstage.sandbox.spotify_ads.refusals import Refusal

_UNPROCESSABLE = 422


def error_answer(
    status: int, message: str, code: str = "", definition: str = ""
) -> Response:
    """Return an error; 422 has its codes under the other name that is in use."""
    name = "errorCodes" if status == _UNPROCESSABLE else "error_codes"
    codes = [{"code": code, "definition": definition}] if code else []
    trace_id = str(uuid.uuid4())
    return json_answer(
        {"sp_trace_id": trace_id, "messages": [message], name: codes}, status
    )


def refusal_answer(refusal: Refusal) -> Response:
    """Return a refusal in the API's error form."""
    return error_answer(refusal.status, str(refusal), refusal.code, refusal.definition)


def unauthorized_answer() -> Response:
    """Return the answer to a request without a valid access token."""
    response = error_answer(401, "the access token is missing, unknown or expired")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def rate_limit_answer(limit: int, seconds: float) -> Response:
    """Return the answer to a request above a limit that ends in so many seconds."""
    response = error_answer(429, "too many requests", "RATE_LIMITED")
    response.headers["X-RateLimit-Limit"] = str(limit)
    response.headers["X-RateLimit-Remaining"] = "0"
    response.headers["X-RateLimit-Reset"] = str(max(1, math.ceil(seconds)))
    return response


def fault_answer(fault: str, retry_seconds: int) -> Response:
    """Return the answer of a fault, one of `faults.ANSWERS`.

    Args:
        fault: The kind of fault.
        retry_seconds: Seconds after which it asks to try again, if it does.
    """
    if fault == "429":
        return rate_limit_answer(0, retry_seconds)
    status, _ = faults.ANSWERS[fault]
    if status in {200, 502}:
        return html_answer(status)
    response = error_answer(status, "the sandbox was told to fail now and then")
    retry_after = faults.retry_after(fault, retry_seconds)
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


def http_error_answer(error: HTTPException) -> Response:
    """Return an error that flask raised in the API's error form."""
    response = error_answer(error.code or 500, error.description or error.name)
    methods = getattr(error, "valid_methods", None)
    if methods:
        response.headers["Allow"] = ", ".join(sorted(methods))
    return response
