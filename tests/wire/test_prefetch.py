"""Windows that are fetched at once, against a local server."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from harness.clock import PATIENCE, wait_until
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tap_adstage.adstage.client import AdStageClient
from tap_adstage.adstage.pagination import ApiRequest
from tap_adstage.adstage.window_pages import AdStageWindowPages
from tap_adstage.date_ranges import DateRange
from tap_adstage.exceptions import ApiError, AuthenticationError
from tap_adstage.http.credentials import BearerToken
from tap_adstage.http.transport import Transport
from tap_adstage.reports.prefetch import Prefetch
from tap_adstage.reports.windows import Slice, Window
from tap_adstage.runtime.shutdown import Shutdown, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug import Request

FIRST_DAY = dt.date(2024, 3, 1)


def windows(count: int) -> list[Window]:
    days = [FIRST_DAY + dt.timedelta(days=number) for number in range(count)]
    return [Window(DateRange(day, day), (Slice(day, day),)) for day in days]


@dataclass
class Api:
    """A server of windows with pages, which notes what goes on at once.

    Attributes:
        server: The server.
        pages: Pages that each window has.
        answer: What it does before it answers with a page, or instead.
        asked: Windows and pages that were asked for, in their order.
        at_once: Most requests that were under way together.
    """

    server: HTTPServer
    pages: int = 2
    answer: Callable[[str, int], Response | None] = lambda *_: None
    asked: list[tuple[str, int]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def root(self) -> str:
        return self.server.url_for("/api")

    def pages_of(self, window: Window) -> AdStageWindowPages:
        request = ApiRequest(f"{self.root}/report", {"date_range": str(window.range)})
        return AdStageWindowPages(self.client, request, can_split=window.can_split)

    @cached_property
    def client(self) -> AdStageClient:
        transport = Transport(
            user_agent="tap-adstage/test",
            request_timeout=5,
            max_retry_seconds=10,
            logger=logging.getLogger("tap-adstage"),
        )
        return AdStageClient(self.root, transport, BearerToken("t0ken"), 2)

    def respond(self, request: Request) -> Response:
        body = json.loads(request.data)
        day, number = body["date_range"][:10], int(body.get("page_token", 1))
        with self._lock:
            self.asked.append((day, number))
            self.tokens.append(request.headers["Authorization"].split()[1])
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        try:
            other = self.answer(day, number)
        finally:
            with self._lock:
                self._now -= 1
        if other:
            return other
        page: dict[str, Any] = {"day": day, "number": number}
        if number < self.pages:
            token = {"page_token": {"value": str(number + 1)}}
            page["_forms"] = {"next_page": {"href": "/api/report", "fields": token}}
        return Response(json.dumps(page), mimetype="application/json")


@pytest.fixture
def api() -> Iterator[Api]:
    with HTTPServer(threaded=True) as server:
        api = Api(server)
        server.expect_request("/api/report").respond_with_handler(api.respond)
        yield api


def read(
    api: Api,
    prefetch: Prefetch,
    expected: list[Window],
    *,
    written: Callable[[], None] = lambda: None,
) -> list[tuple[str, int]]:
    """Read windows as a stream does, and return the pages in the order of reading."""
    pages = []
    for position, window in enumerate(expected):
        prefetch.schedule(expected[position:][: prefetch.lookahead], api.pages_of)
        for page in prefetch.pages(window):
            pages.append((page.head["day"], page.head["number"]))
            written()
    prefetch.cancel()
    return pages


def in_order(count: int, pages: int) -> list[tuple[str, int]]:
    days = [str(window.range.start) for window in windows(count)]
    return [(day, number) for day in days for number in range(1, pages + 1)]


def slower_the_earlier(day: str, _: int) -> None:
    time.sleep(0.3 / int(day[-2:]))


# --- order ---


@pytest.mark.parametrize("max_concurrency", [1, 2, 4, 16])
def test_pages_come_in_order_whatever_comes_first(
    api: Api,
    max_concurrency: int,
) -> None:
    api.answer = slower_the_earlier
    prefetch = Prefetch(Shutdown(), max_concurrency)
    assert read(api, prefetch, windows(9)) == in_order(9, 2)
    assert sorted(api.asked) == in_order(9, 2)


def test_no_more_requests_are_under_way_than_allowed(api: Api) -> None:
    api.answer = lambda *_: time.sleep(0.05)
    read(api, Prefetch(Shutdown(), 4), windows(12))
    assert api.at_once == 4


def test_one_at_a_time_asks_for_a_page_once_the_one_before_is_written(
    api: Api,
) -> None:
    counts: list[int] = []
    read(
        api,
        Prefetch(Shutdown(), 1),
        windows(3),
        written=lambda: counts.append(len(api.asked)),
    )
    assert counts == [1, 2, 3, 4, 5, 6]
    assert api.asked == in_order(3, 2)


def test_the_window_that_is_read_goes_first(api: Api) -> None:
    api.pages = 3
    api.answer = lambda *_: time.sleep(0.05)
    read(api, Prefetch(Shutdown(), 2), windows(6))
    ends = [api.asked.index((day, 3)) for day, number in in_order(6, 3) if number == 3]
    assert ends == sorted(ends)


def test_few_pages_wait_while_one_is_written(api: Api) -> None:
    prefetch = Prefetch(Shutdown(), 3)
    counts: list[int] = []

    def write() -> None:
        time.sleep(0.1)
        counts.append(len(api.asked) - len(counts) - 1)

    read(api, prefetch, windows(20), written=write)
    assert max(counts) == 4  # one more than are requested at once


# --- what goes wrong ---


def test_an_error_comes_when_its_window_is_read(api: Api) -> None:
    gone = Response('{"message": "gone"}', status=410)
    api.answer = lambda day, number: gone if (day[-1], number) == ("3", 2) else None
    pages: list[int] = []
    with pytest.raises(ApiError, match="410"):
        read(
            api,
            Prefetch(Shutdown(), 8),
            windows(8),
            written=lambda: pages.append(1),
        )
    assert len(pages) == 5


def test_a_cancelled_window_is_not_tried_again(api: Api) -> None:
    down = Response("{}", status=503, headers={"Retry-After": "0"})
    api.answer = lambda day, _: None if day[-1] == "1" else down
    prefetch = Prefetch(Shutdown(), 4)
    expected = windows(4)
    prefetch.schedule(expected, api.pages_of)
    assert len([*prefetch.pages(expected[0])]) == 2
    prefetch.cancel()
    time.sleep(1.5)
    asked = len(api.asked)
    time.sleep(1.5)
    assert len(api.asked) == asked


def test_all_threads_wait_if_the_api_asks_one_to(api: Api) -> None:
    refused = threading.Event()
    times: dict[tuple[str, int], float] = {}

    def answer(day: str, number: int) -> Response | None:
        times[day, number] = time.monotonic()
        if number == 2 and not refused.is_set():
            refused.set()
            return Response("{}", status=429, headers={"Retry-After": "1"})
        if number == 1:
            time.sleep(0.2 * (day[-1] != "1"))
        return None

    api.answer = answer
    started = time.monotonic()
    assert read(api, Prefetch(Shutdown(), 4), windows(4)) == in_order(4, 2)
    second_pages = [times[day, 2] - started for day, number in times if number == 2]
    assert min(second_pages) >= 1


def test_threads_come_back_after_a_slow_write(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tap_adstage.reports.prefetch._IDLE", 0.05)
    before = {*threading.enumerate()}
    prefetch = Prefetch(Shutdown(), 2)
    pages = read(api, prefetch, windows(8), written=lambda: time.sleep(0.15))
    assert pages == in_order(8, 2)
    wait_until(
        lambda: (
            not [
                thread
                for thread in {*threading.enumerate()} - before
                if "prefetch" in thread.name
            ]
        )
    )


# --- tokens ---


def test_a_token_that_nothing_renews_is_refused_once(api: Api) -> None:
    api.answer = lambda *_: Response("{}", status=401)
    with pytest.raises(AuthenticationError, match="access_token"):
        read(api, Prefetch(Shutdown(), 2), windows(1))
    assert len(api.asked) == 1


# --- signals ---


def test_a_signal_ends_the_wait_for_a_page(api: Api, shutdown: Shutdown) -> None:
    released = threading.Event()

    def answer(*_: object) -> None:
        released.wait(2 * PATIENCE)

    api.answer = answer
    prefetch = Prefetch(shutdown, 4)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    started = time.monotonic()
    with pytest.raises(Stopped, match=re.escape(str(128 + signal.SIGTERM))):
        read(api, prefetch, windows(4))
    prefetch.cancel()
    assert time.monotonic() - started < PATIENCE
    released.set()
