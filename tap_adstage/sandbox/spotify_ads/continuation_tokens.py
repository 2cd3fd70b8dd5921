"""Continuation tokens, which carry nothing: the sandbox remembers what they mean."""

from __future__ import annotations

import secrets
import threading
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tap_adstage.sandbox.spotify_ads.report_request import ReportRequest

_BYTES = 141


class Place(NamedTuple):
    """A report, and the number of its rows that are on earlier pages."""

    request: ReportRequest
    offset: int


class ContinuationTokens:
    """All tokens that were issued; safe to use from several threads."""

    def __init__(self) -> None:
        """Start without any."""
        self._places: dict[str, Place] = {}
        self._ends = count()
        self._lock = threading.Lock()

    def issue(self, place: Place) -> str:
        """Return a new token for a place, different each time."""
        token = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._places[token] = place
        return token

    def find(self, token: str) -> Place | None:
        """Return the place of a token, None if it was never issued."""
        with self._lock:
            return self._places.get(token)

    def end(self) -> dict[str, str | None]:
        """Return the end of paging in the three ways in which it is seen, in turn."""
        endings: tuple[dict[str, str | None], ...] = (
            {"continuation_token": None},
            {"continuation_token": ""},
            {},
        )
        return endings[next(self._ends) % len(endings)]
