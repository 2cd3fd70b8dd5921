"""A server below HTTP: what a test writes to a connection, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Listener:
    """A local server whose answers a test writes.

    Attributes:
        port: Its port on 127.0.0.1.
        connections: How many clients have connected.
    """

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # it was stopped
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):  # the client has gone
                self._serve(connection)


def refuses_connections(port: int | None) -> bool:
    """Whether nothing listens on a port of 127.0.0.1."""
    assert port
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0
