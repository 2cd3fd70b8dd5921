"""Streams that fail while the others are read, and an API that makes them fail."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from werkzeug import Response

from harness.forwarding import forward
from tap_adstage.exceptions import IncompleteRunError, TapError
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.streams.report_stream import ReportStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_httpserver import HTTPServer
    from singer_sdk import Stream
    from werkzeug import Request

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox


class Failure:
    """The first error of a run that went on to its end."""

    value: TapError


def first_error(error: TapError) -> TapError:
    """Return what ended a run, or the first error of one that went on to its end."""
    cause = error.__cause__
    if isinstance(error, IncompleteRunError):
        assert isinstance(cause, TapError)
        return cause
    return error


@contextlib.contextmanager
def stream_fails(kind: type[TapError], match: str = "") -> Iterator[Failure]:
    """Assert that a run reads all else, and fails with an error of a stream."""
    failure = Failure()
    with pytest.raises(IncompleteRunError) as raised:
        yield failure
    cause = raised.value.__cause__
    assert isinstance(cause, kind), repr(cause)
    assert re.search(match, str(cause)), str(cause)
    failure.value = cause


def failure_of(stream: Stream) -> TapError:
    """Read a stream, and return the error that ended it."""
    assert isinstance(stream, ReportStream)
    list(stream.get_records(None))
    (error,) = stream._stats.errors  # noqa: SLF001 - the tap's own
    return error


@dataclass
class Front:
    """A server before a sandbox, with answers of its own to some of the requests.

    Attributes:
        server: The server.
        sandbox: The sandbox, which answers all other requests.
        answers: By a regular expression of path and query: a status, or a document.
        once: By a regular expression too: a status for the first such request.
        asked: Path, query and body of each request, in order.
    """

    server: HTTPServer
    sandbox: Sandbox | SpotifyAdsSandbox
    answers: dict[str, Any] = field(default_factory=dict)
    once: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        every = self.server.expect_request(re.compile(""))
        every.respond_with_handler(self._answer)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that read the sandbox through this server."""
        return {
            **({} if isinstance(self.sandbox, Sandbox) else {"source": "spotify_ads"}),
            "api_url": self.server.url_for(urlsplit(self.sandbox.api_url).path),
            "access_token": self.sandbox.token,
            "as_of": self.sandbox.today.isoformat(),
            "max_retry_seconds": 0,
            "reports": [],
        }

    def _answer(self, request: Request) -> Response:
        path = request.full_path.rstrip("?")
        body = request.get_data()
        self.asked.append(f"{path} {body.decode()}".strip())
        for pattern in [p for p in self.once if re.search(p, self.asked[-1])]:
            return Response(json.dumps({"message": "no"}), self.once.pop(pattern))
        for pattern, answer in self.answers.items():
            if re.search(pattern, self.asked[-1]):
                if isinstance(answer, int):
                    return Response(json.dumps({"message": "no"}), answer)
                return Response(json.dumps(answer), content_type="application/json")
        theirs = self.sandbox.origin
        found = forward(request, self.sandbox)
        text = found.text.replace(theirs, self.server.url_for("").rstrip("/"))
        return Response(text, found.status_code, content_type="application/json")
