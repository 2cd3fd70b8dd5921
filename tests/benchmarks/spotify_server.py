"""The sandbox of Spotify's API in a process of its own, with each answer made once.

Run as a script it serves a sandbox until its standard input ends. It may also keep to
the API's rate limits, by the times at which requests arrive.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

import requests
from spotify_asked import SHAPE, TODAY

from tap_adstage.sandbox.spotify_ads.rate_limits import RateLimits
from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
from tap_adstage.sandbox.spotify_ads.world.world import World

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

REPORTS, OTHERS, SECONDS = 150, 1500, 30.0


class SpotifyServer:
    """The server's process, seen from the benchmark.

    Use it as a context manager: it serves inside the block.

    Attributes:
        api_url: Where the API is.
        token: The access token that it takes.
    """

    def __enter__(self) -> Self:
        """Start it, and wait until it serves."""
        self._process = subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.api_url, self.token = self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._process.communicate()

    def prepare(self, *, latency: float = 0, limited: bool = False) -> dict[str, int]:
        """Decide how requests are answered from now on.

        Args:
            latency: Seconds that every answer takes.
            limited: Whether requests beyond the limits are refused.

        Returns:
            How many requests of reports and others were answered since the last call,
            and how many were refused.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps([latency, limited])}\n")
        self._process.stdin.flush()
        counts: dict[str, int] = self._read()
        return counts

    def _read(self) -> Any:  # noqa: ANN401 - any JSON value
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


class _Server(ThreadingHTTPServer):
    """Answers from memory, or as the sandbox does.

    Attributes:
        latency: Seconds before each answer.
        limits: The limits, if they are kept to.
        counts: Requests by what came of them.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sandbox: SpotifyAdsSandbox) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.latency = 0.0
        self.limits: RateLimits | None = None
        self.counts: Counter[str] = Counter()
        self._origin, _, path = sandbox.api_url.rpartition("/ads/")
        self.api_url = f"http://127.0.0.1:{self.server_port}/ads/{path}"
        self._headers = {"Authorization": f"Bearer {sandbox.token}"}
        self._made: dict[str, bytes] = {}
        self._making = threading.Lock()

    def answer(self, path: str) -> bytes:
        """The whole answer to a request, head and body."""
        kind = "report" if "_reports" in path else "other"
        limits = self.limits
        excess = limits.admit(kind) if limits else None
        with self._making:
            self.counts["refused" if excess else kind] += 1
        time.sleep(self.latency)
        if excess:
            reset = f"X-RateLimit-Reset: {int(excess.seconds) + 1}"
            return _whole(f"429 Too Many Requests\r\n{reset}", b"{}")
        with self._making:
            if path not in self._made:
                found = requests.get(
                    f"{self._origin}{path}", headers=self._headers, timeout=300
                )
                status = f"{found.status_code} {found.reason}"
                self._made[path] = _whole(status, found.content)
            return self._made[path]


def _whole(status: str, content: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.wfile.write(cast("_Server", self.server).answer(self.path))


def serve() -> None:
    """Serve until standard input ends; each line sets a latency, and limits or none."""
    world = World(shape=SHAPE)
    with (
        SpotifyAdsSandbox(world=world, today=TODAY) as sandbox,
        _Server(sandbox) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _reply([server.api_url, sandbox.token])
        for line in sys.stdin:
            counts, server.counts = server.counts, Counter()
            server.latency, limited = json.loads(line)
            most = {"report": REPORTS, "other": OTHERS}
            server.limits = RateLimits(most, SECONDS) if limited else None
            _reply(counts)
        server.shutdown()


def _reply(document: object) -> None:
    sys.stdout.write(f"{json.dumps(document)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
