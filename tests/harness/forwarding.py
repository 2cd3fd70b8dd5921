"""How a server in front of a sandbox passes a request on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from werkzeug import Request

    from tap_adstage.sandbox.service.local_api import LocalApi

_HEADERS = ("Authorization", "Content-Type")


def forward(
    request: Request, sandbox: LocalApi, body: bytes | None = None
) -> requests.Response:
    """Ask the sandbox what a server was asked, and return its answer.

    Args:
        request: The request.
        sandbox: Answers it.
        body: The body to send; by default the request's own.
    """
    return requests.request(
        request.method,
        sandbox.origin + request.full_path.rstrip("?"),
        headers={
            name: request.headers[name] for name in _HEADERS if name in request.headers
        },
        data=request.get_data() if body is None else body,
        timeout=20,
    )
