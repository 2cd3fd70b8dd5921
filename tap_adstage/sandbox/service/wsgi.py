"""What the WSGI applications of all APIs share: answers, the bearer token, the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Response, g, request

from tap_adstage.sandbox.service.faults import FAULT_HEADER
from tap_adstage.sandbox.service.request_log import ReceivedRequest

if TYPE_CHECKING:
    from tap_adstage.sandbox.service.request_log import RequestLog
    from tap_adstage.sandbox.service.tokens import OAuthError

_BAD_GATEWAY = "<html><body><h1>502 Bad Gateway</h1></body></html>\n"


def json_answer(value: object, status: int = 200) -> Response:
    """Return a value as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status=status, mimetype="application/json")


def html_answer(status: int) -> Response:
    """Return the page of a gateway that got no answer itself."""
    return Response(_BAD_GATEWAY, status=status, mimetype="text/html")


def oauth_error_answer(error: OAuthError) -> Response:
    """Return the error of a token request in the words of RFC 6749."""
    body = {"error": error.code, "error_description": error.description}
    return json_answer(body, error.status)


def bearer_token() -> str:
    """Return the current request's access token, "" without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def log_answer(log: RequestLog, response: Response) -> Response:
    """Log a request with its answer's status, and pass its fault on to the server.

    Args:
        log: The log; its next number, and the body, are those of `flask.g`.
        response: The answer.
    """
    fault = g.get("fault")
    log.add(
        ReceivedRequest(
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            body=g.get("body"),  # None if the client left in the middle of it
            status=response.status_code,
            fault=fault,
            number=g.number,
            parameters=tuple(request.args.items(multi=True)),
        )
    )
    if fault is not None:
        response.headers[FAULT_HEADER] = fault
    return response
