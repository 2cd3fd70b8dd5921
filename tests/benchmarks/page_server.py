"""The sandbox's API in a process of its own, with every answer made only once.

Run as a script it serves a sandbox until its standard input ends. Answers are kept by
style, method, path and body: all but the first to the same request cost next to
nothing.
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
from copied_pages import CopiedPages, Question, first_page
from page_styles import STYLES

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_ACCOUNTS = 2


class PageServer:
    """The server's process, seen from the benchmark.

    Use it as a context manager: it serves inside the block.

    Attributes:
        api_url: Where the API is.
        token: The access token that it takes.
    """

    def __init__(self, entities: int, *, total_entities: int) -> None:
        """Prepare a server of a world.

        Args:
            entities: How many campaigns there are on all of `NETWORKS`.
            total_entities: How many a `total` report has.
        """
        sizes = map(str, (entities, total_entities))
        self._command = [sys.executable, __file__, *sizes]

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

    def prepare(self, *, latency: float = 0, style: str = "rails") -> list[str]:
        """Decide how requests are answered from now on.

        Args:
            latency: Seconds that every answer takes.
            style: How pages of reports are written, a key of `STYLES`.

        Returns:
            The methods of the requests that came since the last call.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps([latency, style])}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> list[str]:
        assert self._process.stdout is not None
        answer: list[str] = json.loads(self._process.stdout.readline())
        return answer


class _Answer(NamedTuple):
    """An answer of the sandbox.

    Attributes:
        head: Its status line, and the type of its content.
        content: The content.
    """

    head: str
    content: bytes

    def whole(self, content: bytes) -> bytes:
        """The answer as it is sent, with other content."""
        head = f"{self.head}\r\nContent-Length: {len(content)}\r\n\r\n"
        return head.encode() + content


class _Server(ThreadingHTTPServer):
    """Answers from memory, or as the sandbox does.

    Attributes:
        latency: Seconds before each answer.
        style: Name of the pages' style.
        asked: Methods of the requests that came.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, total_entities: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.latency = 0.0
        self.style = "rails"
        self.asked: list[str] = []
        self._sandbox = sandbox
        self._total_entities = total_entities
        self._made: dict[Question, _Answer] = {}
        self._styled: dict[tuple[str, Question], bytes] = {}
        self._copied: dict[Question, CopiedPages] = {}
        self._making = threading.Lock()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"

    def answer(self, question: Question) -> bytes:
        """The whole answer to a request, head and body."""
        self.asked.append(question.method)
        time.sleep(self.latency)
        if question.is_total:
            return self._copy(question)
        style = self.style if question.path.endswith("/report") else ""
        with self._making:
            if (style, question) not in self._styled:
                made = self._make(question)
                rewrite = STYLES[style].rewrite if style else bytes
                self._styled[style, question] = made.whole(rewrite(made.content))
            return self._styled[style, question]

    def _copy(self, question: Question) -> bytes:
        """The whole answer to a request for a page of a `total` report."""
        first, start = first_page(question)
        with self._making:
            made = self._make(first)
            if first not in self._copied:
                self._copied[first] = CopiedPages.of(made.content, self._total_entities)
        return made.whole(self._copied[first].starting_at(start))

    def _make(self, question: Question) -> _Answer:
        if question not in self._made:
            self._made[question] = self._ask(question)
        return self._made[question]

    def _ask(self, question: Question) -> _Answer:
        answer = requests.request(
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
            f"HTTP/1.1 {answer.status_code} {answer.reason}\r\n"
            f"Content-Type: {answer.headers['Content-Type']}"
        )
        return _Answer(head, answer.content)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(json.dumps(body, sort_keys=True).encode())

    def _answer(self, body: bytes) -> None:
        question = Question(self.command, self.path, body)
        self.wfile.write(cast("_Server", self.server).answer(question))


def serve(entities: int, total_entities: int) -> None:
    """Serve until standard input ends; each line of it is a new latency and style."""
    world = World(
        accounts_per_network=_ACCOUNTS,
        campaigns_per_account=entities // (_ACCOUNTS * len(NETWORKS)),
        ad_groups_per_campaign=0,
        ads_per_ad_group=0,
        keywords_per_ad_group=0,
    )
    with (
        Sandbox(world=world, today=TODAY) as sandbox,
        _Server(sandbox, total_entities) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _reply([server.api_url, sandbox.token])
        for line in sys.stdin:
            asked, server.asked = server.asked, []
            server.latency, server.style = json.loads(line)
            _reply(asked)
        server.shutdown()


def _reply(texts: list[str]) -> None:
    sys.stdout.write(f"{json.dumps(texts)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
