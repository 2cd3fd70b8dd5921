"""Answers that trickle: how slowly one may come, measured as its bytes arrive.

The time-out of a socket starts anew with each byte, so a server that sends one now and
then would hold a request for ever.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

from tap_adstage.exceptions import TooSlowError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from requests import PreparedRequest, Response
    from typing_extensions import Buffer


@dataclass(slots=True)
class Pace:
    """The pace of one answer, from its first byte on.

    Attributes:
        request_timeout: Seconds of slow steps after which the answer is given up.
        step: Seconds of a step.
        step_bytes: Bytes that a step must bring, or it is slow.
    """

    request_timeout: float
    step: float = 10.0
    step_bytes: int = 10_000
    _step_started: float | None = field(default=None, init=False)
    _received: int = field(default=0, init=False)
    _slow_steps: int = field(default=0, init=False)

    def receive(self, count: int, now: float) -> None:
        """Note bytes that have just arrived.

        Args:
            count: How many.
            now: The time in seconds, on any clock.

        Raises:
            TooSlowError: If slow steps add up to more than `request_timeout`.
        """
        if self._step_started is None:
            self._step_started = now
        steps = int((now - self._step_started) // self.step)
        if steps:
            # what came before is the first step's; during the others nothing came
            self._slow_steps += steps - (self._received >= self.step_bytes)
            self._step_started += steps * self.step
            self._received = 0
            if self._slow_steps * self.step > self.request_timeout:
                raise TooSlowError(
                    f"the answer trickles: less than {self.step_bytes / 1000:g} kB in "
                    f"{self.step:g} seconds, for {self._slow_steps * self.step:g} "
                    "seconds in all, which is longer than request_timeout "
                    f"({self.request_timeout:g})",
                )
        self._received += count


class PacedAdapter(HTTPAdapter):
    """Connections whose requests keep to a rate, and whose answers may not trickle."""

    def __init__(
        self,
        new_pace: Callable[[], Pace],
        turn: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        """Open no connection yet.

        Args:
            new_pace: Makes the pace of an answer, headers and body.
            turn: Waits until a request to a URL may be sent.
        """
        super().__init__()
        self._new_pace = new_pace
        self._turn = turn
        self._latest: tuple[object, Any] = (None, None)
        """The connections of the latest request, and what they were asked for with."""

    def send(
        self,
        request: PreparedRequest,
        *args: Any,  # noqa: ANN401 - what `requests` sends with
        **kwargs: Any,  # noqa: ANN401
    ) -> Response:
        """Send a request once it is its turn.

        Here, because with a new token `requests` sends it again without its session.
        """
        with self._turn(str(request.url)):
            return super().send(request, *args, **kwargs)

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: Any,  # noqa: ANN401 - what `requests` asks with
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - its type is another in each version of `urllib3`
        """Return the connections to a server, each with paced answers.

        To find them, which looks for the certificates on the disk, takes a fifth of the
        time of a request. Most requests go to the server of the one before.
        """
        origin = "/".join(str(request.url).split("/", 3)[:3])
        asked = origin, verify, proxies, cert
        if self._latest[0] != asked:
            pool: Any = super().get_connection_with_tls_context(
                request, verify, proxies, cert
            )
            pool.ConnectionCls = partial(
                _connect,
                type(pool).ConnectionCls,
                self._new_pace,
            )
            self._latest = asked, pool
        return self._latest[1]


# Neither refers to the adapter: a thread's connections close as soon as it ends.
def _connect(
    connect: Callable[..., Any],
    new_pace: Callable[[], Pace],
    **options: Any,  # noqa: ANN401 - what `urllib3` connects with
) -> Any:  # noqa: ANN401
    connection = connect(**options)
    connection.response_class = partial(_response, new_pace)
    return connection


def _response(
    new_pace: Callable[[], Pace],
    *args: Any,  # noqa: ANN401 - what `http.client` reads with
    **kwargs: Any,  # noqa: ANN401
) -> HTTPResponse:
    response = HTTPResponse(*args, **kwargs)
    raw = response.fp.detach()
    response.fp = io.BufferedReader(_PacedReader(raw, new_pace()))
    return response


class _PacedReader(io.RawIOBase):
    """The bytes of one answer as they arrive, before anything decodes them."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw = raw
        self._pace = pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        count = self._raw.readinto(buffer)
        if count:  # else it is the end
            self._pace.receive(count, time.perf_counter())
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
