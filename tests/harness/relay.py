"""A server between the tap and the sandbox, which changes what they exchange."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from harness.forwarding import forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer
    from werkzeug import Request

    from tap_adstage.sandbox.server import Sandbox

DESCRIPTORS = "metric_descriptors"
"""What the path of each list of descriptors ends with, AdStage's and the user's own."""


class Relay:
    """Passes requests on to the sandbox, and its answers back.

    Attributes:
        api_url: What the tap takes as the root of the API.
        bodies: Bodies of the report requests that the tap sent.
        change: Changes the document of an answer, by the path of its request.
        names: Names that the tap knows by others than the sandbox does.
    """

    def __init__(self, server: HTTPServer, sandbox: Sandbox) -> None:
        self.api_url: str = server.url_for("/api")
        self.bodies: list[dict[str, Any]] = []
        self.change: Callable[[str, Any], Any] = lambda _, document: document
        self.names: dict[str, str] = {}
        self._sandbox = sandbox
        server.expect_request(re.compile("/api/.*")).respond_with_handler(self._respond)

    def without(self, *fields: str) -> Relay:
        """Take metrics away, as if a user had deleted them in AdStage."""

        def drop(path: str, document: Any) -> Any:  # noqa: ANN401 - any JSON value
            if not path.endswith(DESCRIPTORS):
                return document
            return [one for one in document if one["id"] not in fields]

        self.change = drop
        return self

    def _respond(self, request: Request) -> Response:
        text = request.get_data(as_text=True)
        if request.path.endswith("report"):
            self.bodies.append(json.loads(text))
        for known, name in self.names.items():
            text = text.replace(name, known)
        answer = forward(request, self._sandbox, text.encode())
        text = answer.text.replace(self._sandbox.api_url, self.api_url)
        for known, name in self.names.items():
            text = text.replace(json.dumps(known), json.dumps(name))
        if answer.ok:
            text = json.dumps(self.change(request.path, json.loads(text)))
        return Response(text, answer.status_code, mimetype="application/json")
