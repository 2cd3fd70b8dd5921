"""A local server for the sandbox's API."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from tap_adstage.sandbox.adstage.app import FAULT, create_app
from tap_adstage.sandbox.adstage.backend import Clock, Service, Switches
from tap_adstage.sandbox.adstage.reports.v1_links import V1Style
from tap_adstage.sandbox.service.faults import SIZE_FAULTS, write_answer
from tap_adstage.sandbox.service.faults import kinds as fault_kinds
from tap_adstage.sandbox.service.request_log import RequestsLog
from tap_adstage.sandbox.service.throttling import Conditions
from tap_adstage.sandbox.service.tokens import Credentials, Tokens
from tap_adstage.sandbox.world.import_status import Imports
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from tap_adstage.sandbox.service.request_log import ReceivedRequest

_HOST = "127.0.0.1"
_BACKLOG = 128
_PATIENCE = 2.0
"""Seconds that answers have to reach their clients when the server stops."""


class Sandbox:
    """An AdStage API on this machine, over data generated from a seed.

    Use it as a context manager, or call `start` and `stop`. All of it is safe to use
    from several threads.

        with Sandbox(today=date(2019, 6, 15)) as sandbox:
            requests.get(
                f"{sandbox.api_url}/me",
                headers={"Authorization": f"Bearer {sandbox.token}"},
                timeout=10,
            )

    Attributes:
        token: The bearer token that is accepted and does not expire.
        world: Everything that the API tells about.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        port: int = 0,
        token: str = "sandbox-token",  # noqa: S107 (it protects nothing)
        seed: int = 1,
        today: dt.date | None = None,
        latency: float = 0.0,
        rate_limit: float | None = None,
        fault_rate: float = 0.0,
        *,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107
        refresh_token: str = "sandbox-refresh",  # noqa: S107
        token_lifetime: float = 3600,
        world: World | None = None,
        v1_rounding: bool = True,
        v1_links: str = "offset",
        v1_follow: str = "get",
        v1_link_drops: tuple[str, ...] = (),
        imports: Mapping[str, Mapping[str, object]] | None = None,
        drop_rows: int = 0,
        faults: tuple[str, ...] | None = None,
        slow_seconds: float = 0.0,
        retry_after: int = 1,
        max_report_days: int | None = None,
        size_fault: str = SIZE_FAULTS[0],
        token_uses: int | None = None,
        refresh_faults: int = 0,
    ) -> None:
        """Prepare a sandbox; it serves once it is started.

        Args:
            port: TCP port on 127.0.0.1, 0 for any that is free.
            token: The bearer token to accept.
            seed: Another seed gives other data.
            today: The day that it is in the sandbox; None for the real day in UTC.
            latency: Seconds before each answer.
            rate_limit: Requests a second; those above are answered with 429.
            fault_rate: Share of requests, from 0 to 1, that fail.
            client_id: Of the OAuth application.
            client_secret: Of the OAuth application.
            refresh_token: The first valid refresh token.
            token_lifetime: Seconds after which issued access tokens expire.
            world: The data to serve, instead of those that follow from the seed.
            v1_rounding: Whether V1 reports round as V2 reports do; else their numbers
                look like those in V1's samples.
            v1_links: `offset` for V1 reports with links `next`, `prev` and `last`,
                `token` for `next_page` and `prev_page` with page tokens.
            v1_follow: `get` where these links can be followed, `post` where they answer
                405 and only their page is of use, with the first request's body.
            v1_link_drops: Parameters that these links leave out, `targets` for one.
            imports: For the entity ids of accounts, what their import status says
                instead of the generated one; see `imports`.
            drop_rows: How many rows are missing from reports; see `drop_rows`.
            faults: The kinds of failure, of `faults.FAULTS`; None for all.
            slow_seconds: Length of a pause in an answer that is to be slow; without one
                none is.
            retry_after: Seconds after which an answer with `Retry-After` says to try
                again.
            max_report_days: The days that a report may have; see `max_report_days`.
            size_fault: How one with more days is refused, of `faults.SIZE_FAULTS`.
            token_uses: Requests that issued access tokens are good for; None for any
                number.
            refresh_faults: How many token requests fail; see `refresh_faults`.

        Raises:
            ValueError: A style of V1, a parameter of its links, a kind of failure, or
                an account in `imports` is unknown.
        """
        self.token = token
        self.world = World(seed) if world is None else world
        self._port = port
        self._clock = Clock(today)
        self._conditions: dict[str, Any] = {
            "seed": seed,
            "latency": latency,
            "rate_limit": rate_limit,
            "fault_rate": fault_rate,
            "faults": fault_kinds(faults, slow_seconds),
            "slow_seconds": slow_seconds,
        }
        if size_fault not in SIZE_FAULTS:
            raise ValueError(f"{size_fault!r} is none of {', '.join(SIZE_FAULTS)}")
        self._size_fault = size_fault
        self._retry_after = retry_after
        self._v1 = V1Style(v1_rounding, v1_links, v1_follow, v1_link_drops)
        self._switches = Switches(
            Imports(self.world.entities("accounts"), imports or {}),
            drop_rows,
            max_report_days,
            refresh_faults,
        )
        self._log = RequestsLog()
        self._tokens = Tokens(
            static=token,
            credentials=Credentials(client_id, client_secret),
            refresh_token=refresh_token,
            lifetime=token_lifetime,
            uses=token_uses,
        )
        self._running: _Running | None = None

    @property
    def api_url(self) -> str:
        """Where the API is, without a slash at the end.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        if self._running is None:
            raise RuntimeError("the sandbox is not running: start it first")
        return f"http://{_HOST}:{self._running.server.port}/api"

    @property
    def today(self) -> dt.date:
        """The day that it is in the sandbox; setting None goes back to the real one."""
        return self._clock.today

    @today.setter
    def today(self, day: dt.date | None) -> None:
        self._clock.fixed = day

    @property
    def imports(self) -> Mapping[str, Mapping[str, object]]:
        """What import statuses say instead of the generated ones, by entity id.

        Each value may hold `code`, `is_importing`, `last_import_started`,
        `last_import_finished`, `last_import_failed` and `importable`; what it does not
        hold is as generated. It is set as a whole, also while the sandbox runs.
        """
        return self._switches.imports.overrides

    @imports.setter
    def imports(self, overrides: Mapping[str, Mapping[str, object]]) -> None:
        self._switches.imports.overrides = overrides

    @property
    def drop_rows(self) -> int:
        """How many of the last rows of each report's first page are missing.

        They count all the same, in counts, summaries and totals: a client that compares
        what it got with what there is finds the difference.
        """
        return self._switches.drop_rows

    @drop_rows.setter
    def drop_rows(self, number: int) -> None:
        self._switches.drop_rows = number

    @property
    def max_report_days(self) -> int | None:
        """The days that a report may have; it is refused with more of them."""
        return self._switches.max_report_days

    @max_report_days.setter
    def max_report_days(self, number: int | None) -> None:
        self._switches.max_report_days = number

    @property
    def refresh_faults(self) -> int:
        """How many of the next token requests fail, before they change anything."""
        return self._switches.refresh_faults

    @refresh_faults.setter
    def refresh_faults(self, number: int) -> None:
        self._switches.refresh_faults = number

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The received requests, in the order of their arrival; may be cleared."""
        return self._log.requests

    @property
    def refresh_token(self) -> str:
        """The refresh token that is valid now; it changes with every use."""
        return self._tokens.refresh_token

    def start(self) -> Self:
        """Begin to serve and return the sandbox itself.

        Raises:
            OSError: The port is taken.
        """
        if self._running is None:
            conditions = Conditions(**self._conditions)
            service = Service(
                world=self.world,
                clock=self._clock,
                tokens=self._tokens,
                conditions=conditions,
                log=self._log,
                v1=self._v1,
                switches=self._switches,
                size_fault=self._size_fault,
                retry_after=self._retry_after,
            )
            self._running = _Running(self._port, service)
        return self

    def stop(self) -> None:
        """Close all connections and wait until no thread is left."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


class _Running:
    """A server that is serving."""

    def __init__(self, port: int, service: Service) -> None:
        self._conditions = service.conditions
        with socket.create_server((_HOST, port), backlog=_BACKLOG) as listening:
            self.server = _Server(
                _HOST, port, create_app(service), _Handler, fd=listening.fileno()
            )
            self.server.pause = service.conditions.pause
        self._thread = threading.Thread(
            target=self.server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="adstage-sandbox",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        self._conditions.clear()
        self.server.shutdown()
        self._thread.join()
        self.server.close_connections()


class _Server(ThreadedWSGIServer):
    """A server that knows its connections, so that it can close those kept alive.

    Attributes:
        pause: Waits as long as something slow takes.
    """

    pause: Callable[[], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        self._connections: dict[threading.Thread, socket.socket] = {}
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Serve a connection in a thread of its own."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="adstage-sandbox-connection",
            daemon=True,
        )
        self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Serve a connection until it is closed."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._connections[threading.current_thread()]

    def close_connections(self) -> None:
        """End all connections and wait for the threads that serve them."""
        for how in (socket.SHUT_RD, socket.SHUT_RDWR):  # with and without an answer
            connections = list(self._connections.items())
            for _, connection in connections:
                with suppress(OSError):  # the client may have been faster
                    connection.shutdown(how)
            deadline = time.monotonic() + _PATIENCE
            for thread, _ in connections:
                thread.join(timeout=max(0.0, deadline - time.monotonic()))


class _Handler(WSGIRequestHandler):
    """A quiet handler that keeps connections alive.

    Werkzeug's own closes every connection, because an application may leave part of a
    request unread. Ours reads every request whole.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Have the application answer one request."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.environ = self.make_environ()
        body, status, headers = run_wsgi_app(
            self.server.app, self.environ, buffered=True
        )
        code, _, reason = status.partition(" ")
        headers.pop("Content-Length", None)
        fault = headers.pop(FAULT, None)

        def head(length: int) -> None:
            self.send_response(int(code), reason)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        write_answer(
            self,
            fault,
            head,
            b"".join(body),
            self.server.pause,  # type: ignore[attr-defined]
        )

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet about requests; the sandbox lists them."""
