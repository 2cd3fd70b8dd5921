"""The requests that a sandbox has received."""

from __future__ import annotations

import bisect
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReceivedRequest:
    """A request and its outcome.

    Attributes:
        method: `GET`, `POST`, ….
        path: Path on the server, `/api/me` for instance.
        query: The parameters in the URL.
        body: The JSON body, or the fields of a form; None without either.
        status: HTTP status of the answer, even if it was lost on its way.
        fault: The kind of fault that hit the request, of `faults.FAULTS`, if any.
        number: Place in the order of arrival.
        parameters: All parameters in the URL in their order, also repeated ones.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    fault: str | None = None
    number: int = field(default=0, compare=False, repr=False)
    parameters: tuple[tuple[str, str], ...] = ()


class RequestLog:
    """Requests in the order of their arrival; safe to use from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self.requests: list[ReceivedRequest] = []
        self._arrivals = 0
        self._lock = threading.Lock()

    def next_number(self) -> int:
        """Return the number of a request that is arriving now."""
        with self._lock:
            self._arrivals += 1
            return self._arrivals

    def add(self, received: ReceivedRequest) -> None:
        """Insert a request at its place in the order of arrival."""
        with self._lock:
            bisect.insort(self.requests, received, key=lambda request: request.number)
