"""How Spotify limits requests, and how it says that it refuses one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_adstage.http.error_bodies import error_texts
from tap_adstage.http.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

RESET_HEADER = "X-RateLimit-Reset"
"""Header of a 429 with the seconds to wait."""

REPORTS = 150
"""Requests of reports in any `SECONDS`."""

OTHERS = 1500
"""Other requests in any `SECONDS`."""

SECONDS = 30.0

_MARGIN = 0.1
"""Seconds for a clock of Spotify's that runs slower, and an answer that is late."""

_REPORT = re.compile(r"/(?:aggregate|insight)_reports(?:\?|$)")


def limit_of(
    api_url: str, on_wait: Callable[[float], None]
) -> Callable[[str], RateLimit | None]:
    """Make the rate limits, and what finds the one of a request.

    Args:
        api_url: Root of the API; other addresses have no limit.
        on_wait: Called before each wait, with its seconds.
    """
    reports, others = (
        RateLimit(requests, SECONDS + _MARGIN, on_wait)
        for requests in (REPORTS, OTHERS)
    )

    def find(url: str) -> RateLimit | None:
        if not url.startswith(f"{api_url}/"):
            return None
        return reports if _REPORT.search(url) else others

    return find


def refusal_texts(document: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """Find Spotify's own words in an error body.

    Args:
        document: The body, decoded.

    Returns:
        Its messages, its codes with their definitions and its trace id; without any,
        what an error body usually has.
    """
    if not isinstance(document, Mapping):
        return []
    messages = document.get("messages")
    codes = document.get("error_codes") or document.get("errorCodes")
    texts = [
        *(messages if isinstance(messages, list) else []),
        *map(_code, codes if isinstance(codes, list) else []),
    ]
    trace = document.get("sp_trace_id")
    if trace:
        texts.append(f"sp_trace_id {trace}")
    return [str(text) for text in texts if text] or error_texts(document)


def _code(code: Any) -> str:  # noqa: ANN401 - any JSON value
    """Write an error code with its definition."""
    if not isinstance(code, Mapping):
        return str(code or "")
    parts = (code.get("code"), code.get("definition"))
    return ": ".join(str(part) for part in parts if part)
