"""Requests: sent, tried again if that may help, and their answers decoded."""

from __future__ import annotations

import datetime as dt
import re
import ssl
import threading
import time
from concurrent.futures import CancelledError
from contextlib import nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import requests
import urllib3

from tap_adstage.exceptions import (
    ApiError,
    LinkError,
    LongWaitError,
    ServerError,
    TooLargeError,
    TooSlowError,
    TransientError,
    UnauthorizedError,
)
from tap_adstage.http.error_bodies import error_texts
from tap_adstage.http.json_decoding import decode_json, text_of
from tap_adstage.http.retries import in_words, retry_after, retrying, server_time
from tap_adstage.http.slow_answers import Pace, PacedAdapter
from tap_adstage.runtime.redaction import Secrets, excerpt, redact
from tap_adstage.runtime.shutdown import Shutdown
from tap_adstage.runtime.statistics import RunStats

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tap_adstage.http.rate_limit import RateLimit

    T = TypeVar("T")

_PASSING = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_UNSAFE = re.compile("CERTIFICATE|PROTOCOL|VERSION")
"""Reasons for a refused TLS connection that don't pass by themselves."""

_TRANSIENT_STATUSES: Mapping[int, type[TransientError]] = {
    HTTPStatus.REQUEST_TIMEOUT: TransientError,
    HTTPStatus.TOO_MANY_REQUESTS: TransientError,
    HTTPStatus.GATEWAY_TIMEOUT: TooSlowError,
}
"""Statuses that may pass, and their errors; any other 5xx is a `ServerError`."""

_LONGEST_URL = 500
"""Characters of a URL in a message."""

_WHOLE_BODY = None
"""The size of the pieces that a body is read in. `requests` reads 10 KiB, and waits for
its turn after each of them while another thread computes."""


class _Session(requests.Session):
    """Connections that are kept open and follow no redirect."""

    def __init__(self) -> None:
        """Open none yet."""
        super().__init__()
        self._environments: dict[str, Any] = {}

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return nothing; to read the target would raise if it is not a URL."""
        del resp

    def environment(self, url: str) -> Any:  # noqa: ANN401 - the library's own
        """Find the proxies and certificates of a URL in the environment.

        They are the same for all of an origin, and to find them takes as long as to
        send a request.
        """
        origin = "/".join(url.split("/", 3)[:3])
        if origin not in self._environments:
            self._environments[origin] = self.merge_environment_settings(
                url, proxies={}, stream=True, verify=None, cert=None
            )
        return self._environments[origin]


class _Answer(NamedTuple):
    """The answer to a request, read to its end."""

    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as far as it is text, to quote from."""
        return self.content.decode(errors="replace")


@dataclass(slots=True)
class Transport:
    """The way to an API: sends requests, and tries them again if that may help.

    Several threads may send at once, each over connections of its own. If the API asks
    one of them to wait, all wait.

    Attributes:
        user_agent: User-Agent header.
        request_timeout: Seconds without a byte after which a request counts as failed,
            and seconds for which its answer may trickle.
        max_retry_seconds: Longest time in seconds that one request is retried. Each
            request that is given up, or several at once, halves it for the next ones
            until one is answered, so that an API that is down holds the run up for
            twice this time at most.
        logger: Logs retries.
        api_name: What messages call the API.
        secrets: What no error and no log line may show.
        shutdown: Ends the run.
        stats: Counts requests and waits.
        trust_env: Whether proxies are taken from the environment.
        limit_of: Finds the rate limit that requests to a URL keep to, if there is one.
        reset_header: Header of a 429 with the seconds to wait, which takes precedence
            over `Retry-After`.
        error_texts: Finds the API's own words in an error body, each part a text.
        slow_step: Seconds of the steps that tell whether an answer trickles.
        slow_step_bytes: Bytes that a step must bring, or the answer trickles.
    """

    user_agent: str
    request_timeout: float
    max_retry_seconds: float
    logger: logging.Logger
    api_name: str = "the API"
    secrets: Secrets = field(default_factory=Secrets)
    shutdown: Shutdown = field(default_factory=Shutdown)
    stats: RunStats = field(default_factory=lambda: RunStats(time.monotonic))
    trust_env: bool = True
    limit_of: Callable[[str], RateLimit | None] = lambda _: None
    reset_header: str | None = None
    error_texts: Callable[[Any], Sequence[str]] = error_texts
    slow_step: float = 10.0
    slow_step_bytes: int = 10_000
    _threads: threading.local = field(default_factory=threading.local, init=False)
    _paused_until: float = field(default=0.0, init=False)
    _given_up: int = field(default=0, init=False)

    @property
    def session(self) -> _Session:
        """The thread's connections, which are kept open between requests."""
        session: _Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = _Session()
            session.trust_env = self.trust_env
            adapter = PacedAdapter(self._new_pace, self._turn)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
        return session

    def _new_pace(self) -> Pace:
        return Pace(self.request_timeout, self.slow_step, self.slow_step_bytes)

    def _turn(self, url: str) -> AbstractContextManager[None]:
        limit = self.limit_of(url)
        return nullcontext() if limit is None else limit.turn()

    def send(
        self,
        request: requests.Request,
        decode: Callable[[bytes], T],
        *,
        can_split: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> T:
        """Send a request until it is answered.

        Args:
            request: The request; its `auth` adds the credentials, anew for each try.
            decode: Turns the answer's body into a document; a `ValueError` counts as
                a failure that may pass.
            can_split: Whether the caller can ask for less; see `retrying`.
            cancelled: Tells whether nobody waits for the answer any more; called
                before each try.

        Returns:
            The decoded answer.

        Raises:
            ApiError: If the API refuses the request, with its own message.
            CancelledError: If the request is cancelled.
            LinkError: If the answer is a redirect.
            TooLargeError: If the API refuses the request for its size.
            LongWaitError: If the API asks for a longer wait than `max_retry_seconds`.
            TransientError: If it still failed after `max_retry_seconds`.
            UnauthorizedError: If the answer is 401.
        """

        def attempt() -> T:
            if cancelled():
                raise CancelledError
            return self.send_once(request, decode)

        given_up = self._given_up
        try:
            answer = retrying(
                attempt,
                max_seconds=self.max_retry_seconds / 2**given_up,
                logger=self.logger,
                can_split=can_split,
                on_wait=self.stats.count_retry,
            )
        except LongWaitError as error:
            raise LongWaitError(
                f"{error} It asks to wait {in_words(error.retry_after or 0)}, which is "
                f"longer than max_retry_seconds ({self.max_retry_seconds:g}) allows; "
                "run again after that, or raise max_retry_seconds",
                retry_after=error.retry_after,
            ) from None
        except TransientError as error:
            is_first = self._given_up == given_up  # of those that were sent together
            self._given_up += is_first and not (can_split and error.may_be_too_large)
            raise
        except ApiError:
            self._given_up = 0
            raise
        self._given_up = 0
        return answer

    def send_once(
        self,
        request: requests.Request,
        decode: Callable[[bytes], T],
    ) -> T:
        """Send a request once.

        Args:
            request: The request; its `auth` adds the credentials.
            decode: As for `send`.

        Returns:
            The decoded answer.

        Raises:
            ApiError: If the API refuses the request, with its own message.
            LinkError: If the answer is a redirect.
            Stopped: If the run is to end; nothing is sent then.
            TransientError: If it failed in a way that may pass.
            UnauthorizedError: If the answer is 401.
        """
        self.shutdown.check()
        self._sit_out_pause()
        self.stats.last_url = request.url
        try:
            answer = self._answer(request)
        except TooSlowError as error:
            raise TooSlowError(f"{self._name(request)} failed: {error}.") from None
        except _PASSING as error:
            name, cause = self._name(request), _innermost(error)
            if isinstance(cause, ssl.SSLError) and _UNSAFE.search(str(cause.reason)):
                raise ApiError(
                    f"{name} is not safe: {self._reason(cause)}; name the file "
                    "of your own certificate authority in REQUESTS_CA_BUNDLE",
                ) from None
            kind = TooSlowError if _is_slow(cause) else TransientError
            raise kind(f"{name} failed: {self._reason(cause)}.") from None
        except (OSError, urllib3.exceptions.HTTPError, UnicodeError) as error:
            name, cause = self._name(request), _innermost(error)
            raise ApiError(f"{name} could not be sent: {self._reason(cause)}") from None
        self._raise_for_status(request, answer)
        try:
            document = decode(answer.content)
        except ValueError as error:
            raise TransientError(
                f"{self._name(request)} answered {answer.status}, but not with the "
                f"JSON that it should ({self._excerpt(str(error))}): "
                f"{self._excerpt(answer.text)!r}.",
            ) from None
        self.stats.note_answer()
        return document

    def _sit_out_pause(self) -> None:
        """Wait as long as another request was asked to, but no longer than retries."""
        wait = min(self._paused_until - time.monotonic(), self.max_retry_seconds)
        if wait > 0:
            self.stats.count_pause(wait)
            time.sleep(wait)

    def _answer(self, request: requests.Request) -> _Answer:
        # Not by the session, which looks for cookies as well and takes thrice the time.
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers=request.headers,
            data=request.data,
            auth=request.auth,
            json=request.json,
        )
        prepared.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": requests.utils.DEFAULT_ACCEPT_ENCODING,
                "User-Agent": self.user_agent,
            },
        )
        self.stats.count_request()
        response = self.session.send(
            prepared,
            timeout=self.request_timeout,
            allow_redirects=False,
            **self.session.environment(str(prepared.url)),
        )
        content = b"".join(response.iter_content(_WHOLE_BODY))
        status, reason = response.status_code, str(response.reason)
        return _Answer(status, reason, response.headers, content)

    def _name(self, request: requests.Request) -> str:
        """Name a request for a message."""
        return f"{request.method} {_shortened(redact(request.url, self.secrets))}"

    def _raise_for_status(self, request: requests.Request, answer: _Answer) -> None:
        """Raise the error that an answer's status means, if it means one."""
        status = answer.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        name = self._name(request)
        if status < HTTPStatus.BAD_REQUEST:
            target = self._excerpt(answer.headers.get("Location", "nowhere"))
            raise LinkError(
                f"{name} answered {status} with a redirect to {target}; it was not "
                "followed",
            )
        text = f"{name} answered {status}: {self._message(answer)}"
        if status in _TRANSIENT_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = _TRANSIENT_STATUSES.get(status, ServerError)
            wait = self._retry_after(status, answer.headers)
            raise kind(f"{text}.", status=status, retry_after=wait)
        self.stats.note_answer()
        if status == HTTPStatus.UNAUTHORIZED:
            raise UnauthorizedError(text)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise TooLargeError(text, status=status)
        raise ApiError(text, status=status)

    def _retry_after(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Return the seconds that an answer asks to wait, and make all requests wait.

        The others don't for a wait that no request makes: each learns for itself
        whether it is refused.
        """
        now = dt.datetime.now(dt.timezone.utc)
        now = server_time(headers.get("Date"), now=now)
        wait = retry_after(headers.get("Retry-After"), now=now)
        if self.reset_header and status == HTTPStatus.TOO_MANY_REQUESTS:
            reset = retry_after(headers.get(self.reset_header), now=now)
            wait = wait if reset is None else reset
        if wait is not None and wait <= self.max_retry_seconds:
            self._paused_until = max(self._paused_until, time.monotonic() + wait)
        return wait

    def _message(self, answer: _Answer) -> str:
        """Return the API's own words in an error body, or else its start."""
        try:
            words = self.error_texts(decode_json(text_of(answer.content)))
        except ValueError:
            words = ()
        return (
            "; ".join(map(self._excerpt, words))
            or self._excerpt(answer.text)
            or self._excerpt(answer.reason)
        )

    def _reason(self, error: Exception) -> str:
        """Return an error's own words, without Python's name of the connection."""
        return self._excerpt(str(error).rpartition(">: ")[2])

    def _excerpt(self, text: str) -> str:
        return excerpt(text, self.secrets)


def _shortened(url: str) -> str:
    """Cut a URL that is too long for a line: its parameters may be a hundred ids."""
    return url if len(url) <= _LONGEST_URL else f"{url[:_LONGEST_URL]}…"


def _innermost(error: Exception) -> Exception:
    """Return the error that libraries wrapped into their own."""
    causes = (getattr(error, "reason", None), *error.args)
    inner = next((cause for cause in causes if isinstance(cause, Exception)), None)
    return error if inner is None else _innermost(inner)


def _is_slow(cause: Exception) -> bool:
    """Tell whether an answer took too long, before its start or in the middle."""
    return isinstance(cause, (TimeoutError, urllib3.exceptions.ReadTimeoutError))
