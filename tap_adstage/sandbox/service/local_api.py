"""An API as a server on this machine, whatever it answers."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from tap_adstage.sandbox.service.clock import Clock
from tap_adstage.sandbox.service.request_log import RequestLog

if TYPE_CHECKING:
    import datetime as dt
    from types import TracebackType

    from typing_extensions import Self

    from tap_adstage.sandbox.service.http_server import HttpServer
    from tap_adstage.sandbox.service.request_log import ReceivedRequest
    from tap_adstage.sandbox.service.tokens import Tokens


class LocalApi(abc.ABC):
    """An API on this machine, with its clock, its tokens and its log.

    Use it as a context manager, or call `start` and `stop`. Safe to use from several
    threads.
    """

    def __init__(self, port: int, today: dt.date | None, tokens: Tokens) -> None:
        """Prepare the API without starting it.

        Args:
            port: TCP port on 127.0.0.1, 0 for any that is free.
            today: The day that it is there; None for the real day in UTC.
            tokens: The tokens that it accepts and issues.
        """
        self._port = port
        self._clock = Clock(today)
        self._tokens = tokens
        self._log = RequestLog()
        self._server: HttpServer | None = None

    @abc.abstractmethod
    def _serve(self, port: int) -> HttpServer:
        """Start a server, with limits and faults at their beginning."""

    @property
    def origin(self) -> str:
        """The server's address without a path.

        Raises:
            RuntimeError: It is not running.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not running: start it first")
        return self._server.url

    @property
    def today(self) -> dt.date:
        """The day that it is in the sandbox; None sets it back to the real day."""
        return self._clock.today

    @today.setter
    def today(self, day: dt.date | None) -> None:
        self._clock.fixed = day

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The received requests in the order of arrival; the list may be cleared."""
        return self._log.requests

    @property
    def refresh_token(self) -> str:
        """The valid refresh token, which changes with every use."""
        return self._tokens.refresh_token

    def start(self) -> Self:
        """Start to serve, and return the sandbox itself.

        Raises:
            OSError: The port is taken.
        """
        if self._server is None:
            self._server = self._serve(self._port)
        return self

    def stop(self) -> None:
        """Close all connections and wait until no thread is left."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

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
