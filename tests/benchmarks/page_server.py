"""The sandbox's API in a process of its own, with every answer made only once.

Run as a script it serves a sandbox until its standard input ends. Answers are kept by
method, path and body, so once they have been asked for, they cost next to nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple, cast

import requests
from asked import NETWORKS, TODAY

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_ACCOUNTS = 2


class Question(NamedTuple):
    """A request, as far as it decides the answer."""

    method: str
    path: str
    body: bytes


class PageServer:
    """The server's process, seen from the benchmark.

    Use it as a context manager: it serves inside the block.

    Attributes:
        api_url: Where the API is.
        token: The access token that it takes.
    """

    def __init__(self, entities: int) -> None:
        """Prepare a server of a world.

        Args:
            entities: How many campaigns there are on all of `NETWORKS`.
        """
        self._command = [sys.executable, __file__, str(entities)]

    def __enter__(self) -> Self:
        """Start it, and wait until it serves."""
        self._process = subprocess.Popen(  # noqa: S603 - this file
            self._command,
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

    def wait_before_answers(self, seconds: float) -> list[str]:
        """Set the time that every answer takes from now on.

        Returns:
            The methods of the requests that came since the last call.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> list[str]:
        assert self._process.stdout is not None
        answer: list[str] = json.loads(self._process.stdout.readline())
        return answer


class _Server(ThreadingHTTPServer):
    """Answers from memory, or as the sandbox does.

    Attributes:
        latency: Seconds before each answer.
        asked: Methods of the requests that came.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.latency = 0.0
        self.asked: list[str] = []
        self._sandbox = sandbox
        self._answers: dict[Question, bytes] = {}
        self._making = threading.Lock()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"

    def answer(self, question: Question) -> bytes:
        """The whole answer to a request, head and body."""
        self.asked.append(question.method)
        time.sleep(self.latency)
        with self._making:
            if question not in self._answers:
                self._answers[question] = self._made(question)
            return self._answers[question]

    def _made(self, question: Question) -> bytes:
        made = requests.request(
            question.method,
            self._sandbox.api_url.removesuffix("/api") + question.path,
            data=question.body,
            headers={
                "Authorization": f"Bearer {self._sandbox.token}",
                "Host": f"127.0.0.1:{self.server_port}",  # where links are to lead
            },
            timeout=300,
        )
        head = (
            f"HTTP/1.1 {made.status_code} {made.reason}\r\n"
            f"Content-Type: {made.headers['Content-Type']}\r\n"
            f"Content-Length: {len(made.content)}\r\n\r\n"
        )
        return head.encode() + made.content


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        question = Question(self.command, self.path, self.rfile.read(length))
        self.wfile.write(cast("_Server", self.server).answer(question))

    do_POST = do_GET  # noqa: N815 - the base class's name


def serve(entities: int) -> None:
    """Serve until standard input ends; each line of it is a new latency."""
    world = World(
        accounts_per_network=_ACCOUNTS,
        campaigns_per_account=entities // (_ACCOUNTS * len(NETWORKS)),
        ad_groups_per_campaign=0,
        ads_per_ad_group=0,
        keywords_per_ad_group=0,
    )
    with Sandbox(world=world, today=TODAY) as sandbox, _Server(sandbox) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _tell([server.api_url, sandbox.token])
        for line in sys.stdin:
            asked, server.asked = server.asked, []
            server.latency = float(line)
            _tell(asked)
        server.shutdown()


def _tell(texts: list[str]) -> None:
    sys.stdout.write(f"{json.dumps(texts)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
