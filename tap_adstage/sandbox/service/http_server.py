"""A local HTTP server for a WSGI application, in a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from tap_adstage.sandbox.service.faults import FAULT_HEADER, write_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from tap_adstage.sandbox.service.throttling import Throttling

    WsgiApp: TypeAlias = Callable[..., Iterable[bytes]]

_HOST = "127.0.0.1"
_BACKLOG = 128
_STOP_SECONDS = 2.0
"""Seconds that answers have to reach their clients when the server stops."""


class HttpServer:
    """A server that serves from its creation until it is stopped."""

    def __init__(self, app: WsgiApp, port: int, throttling: Throttling) -> None:
        """Start to serve.

        Args:
            app: The application that answers.
            port: TCP port on 127.0.0.1, 0 for any that is free.
            throttling: Pauses slow answers; stopping releases it.

        Raises:
            OSError: The port is taken.
        """
        self._throttling = throttling
        with socket.create_server((_HOST, port), backlog=_BACKLOG) as listening:
            self._server = _Server(_HOST, port, app, _Handler, fd=listening.fileno())
            self._server.pause = throttling.pause
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="sandbox",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The server's origin, without a slash at the end."""
        return f"http://{_HOST}:{self._server.port}"

    def stop(self) -> None:
        """Close all connections and wait until no thread is left.

        One of the server's own threads can't wait for itself. Python may collect an
        unused tap in any thread, and with the tap goes its sandbox.
        """
        if threading.current_thread() in {self._thread, *self._server.threads}:
            threading.Thread(target=self.stop, name="sandbox-end", daemon=True).start()
            return
        self._throttling.release()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()


class _Server(ThreadedWSGIServer):
    """A server that keeps track of its connections, so that it can close idle ones.

    Attributes:
        pause: Waits for the length of a pause.
    """

    pause: Callable[[], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        self._connections: dict[threading.Thread, socket.socket] = {}
        super().__init__(*args, **kwargs)

    @property
    def threads(self) -> list[threading.Thread]:
        """The threads that serve connections."""
        return [*self._connections]

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Serve a connection in a thread of its own."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="sandbox-connection",
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
        for how in (socket.SHUT_RD, socket.SHUT_RDWR):  # after its answer, then at once
            connections = list(self._connections.items())
            for _, connection in connections:
                with suppress(OSError):  # the client may have closed it already
                    connection.shutdown(how)
            deadline = time.monotonic() + _STOP_SECONDS
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
        fault = headers.pop(FAULT_HEADER, None)

        def write_head(length: int) -> None:
            self.send_response(int(code), reason)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        write_answer(
            self,
            fault,
            write_head,
            b"".join(body),
            self.server.pause,  # type: ignore[attr-defined]
        )

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing; the sandbox lists its requests itself."""
