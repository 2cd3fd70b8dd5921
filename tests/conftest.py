from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest

from tap_adstage.auth import BearerToken
from tap_adstage.client import AdStageClient
from tap_adstage.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_httpserver import HTTPServer

TOKEN = "de4d-beef-b33f"


@pytest.fixture
def transport() -> Iterator[Transport]:
    """A transport that gives up after two minutes of waiting."""
    transport = Transport(
        user_agent="tap-adstage/test",
        request_timeout=1,
        max_retry_seconds=120,
        logger=logging.getLogger("tap-adstage"),
    )
    yield transport
    transport.session.close()


@pytest.fixture
def client(httpserver: HTTPServer, transport: Transport) -> AdStageClient:
    """A client of the local HTTP server, with a bearer token."""
    return AdStageClient(
        httpserver.url_for("/api"),
        transport,
        BearerToken(TOKEN),
        page_size=2,
    )


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the tap would have waited, without waiting them."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds
