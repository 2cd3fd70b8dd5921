"""A server in front of a sandbox, which answers some requests itself."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from pytest_httpserver import HTTPServer
from werkzeug import Response

from harness.forwarding import forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self
    from werkzeug import Request

    from tap_adstage.sandbox.server import Sandbox


class Gate:
    """Passes requests on to a sandbox, and its answers back.

    Attributes:
        asked: The requests so far, in order.
        at_once: Most requests that were under way together.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        answer: Callable[[Request], Response | None] = lambda _: None,
    ) -> None:
        """Start nothing yet.

        Args:
            sandbox: Answers what the gate does not.
            answer: Answers a request instead, if it returns an answer.
        """
        self.asked: list[Request] = []
        self.at_once = 0
        self._answer = answer
        self._sandbox = sandbox
        self._server = HTTPServer(threaded=True)
        self._under_way = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server.start()
        self._server.expect_request(re.compile("")).respond_with_handler(self._respond)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def api_url(self) -> str:
        return f"{self._url}/api"

    @property
    def reports(self) -> list[Request]:
        """The requests for reports so far, in order."""
        return [request for request in self.asked if request.path.endswith("report")]

    @property
    def _url(self) -> str:
        return self._server.url_for("").rstrip("/")

    def _respond(self, request: Request) -> Response:
        with self._lock:
            self.asked.append(request)
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
        try:
            return self._answer(request) or self._passed_on(request)
        finally:
            with self._lock:
                self._under_way -= 1

    def _passed_on(self, request: Request) -> Response:
        answer = forward(request, self._sandbox)
        sandbox = self._sandbox.api_url.removesuffix("/api")
        body = answer.text.replace(sandbox, self._url)
        return Response(body, answer.status_code, mimetype="application/json")
