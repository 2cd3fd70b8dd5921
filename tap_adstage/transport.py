"""One HTTP exchange with AdStage: sent, judged, decoded, and tried again."""

from __future__ import annotations

import datetime as dt
import re
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from tap_adstage.decoding import decode_json
from tap_adstage.exceptions import (
    ApiError,
    LinkError,
    TooLargeError,
    TooSlowError,
    TransientError,
    UnauthorizedError,
)
from tap_adstage.redaction import Secrets, excerpt, redact
from tap_adstage.retries import retry_after, retrying
from tap_adstage.termination import Termination

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_PASSING = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_UNSAFE = re.compile("CERTIFICATE|PROTOCOL|VERSION")
"""Reasons for which a TLS connection is refused that don't pass by themselves."""

_TRANSIENT_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class _Session(requests.Session):
    """Connections that are kept open, and on which no redirect is followed."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Don't even look where it leads: what is no URL would be another error."""
        del resp


@dataclass(slots=True)
class Transport:
    """Sends requests and tries them again where that may help.

    Attributes:
        user_agent: User-Agent header.
        request_timeout: Seconds without a byte after which a request counts as failed.
        max_retry_seconds: Longest time in seconds that one request is retried.
        logger: Where retries are told.
        secrets: What no error and no log line may show.
        termination: Whether the run is to end.
        session: Connections that are kept open between requests.
    """

    user_agent: str
    request_timeout: float
    max_retry_seconds: float
    logger: logging.Logger
    secrets: Secrets = field(default_factory=Secrets)
    termination: Termination = field(default_factory=Termination)
    session: requests.Session = field(default_factory=_Session)

    def fetch(
        self,
        request: requests.Request,
        decode: Callable[[str], Any] = decode_json,
        *,
        divisible: bool = False,
    ) -> Any:  # noqa: ANN401 - any JSON value
        """Send a request until it is answered.

        Args:
            request: The request; its `auth` adds the credentials, anew for each try.
            decode: Turns the answer's text into a document; a `ValueError` counts as
                a failure that may pass.
            divisible: Whether the caller can ask for less; see `retrying`.

        Returns:
            The decoded answer.

        Raises:
            ApiError: If AdStage refuses the request, with its own message.
            LinkError: If it answers with a redirect.
            TooLargeError: If AdStage refuses the request for its size.
            TransientError: If it still failed after `max_retry_seconds`.
            UnauthorizedError: If it answers 401.
        """
        return retrying(
            lambda: self.exchange(request, decode),
            max_seconds=self.max_retry_seconds,
            logger=self.logger,
            divisible=divisible,
        )

    def exchange(
        self,
        request: requests.Request,
        decode: Callable[[str], Any] = decode_json,
    ) -> Any:  # noqa: ANN401 - any JSON value
        """Send a request once.

        Args:
            request: The request; its `auth` adds the credentials.
            decode: As for `fetch`.

        Returns:
            The decoded answer.

        Raises:
            ApiError: If AdStage refuses the request, with its own message.
            LinkError: If it answers with a redirect.
            Stopped: If the run is to end; nothing is sent then.
            TransientError: If it failed in a way that may pass.
            UnauthorizedError: If it answers 401.
        """
        self.termination.check()
        name = f"{request.method} {redact(request.url, self.secrets)}"
        try:
            response = self._send(request)
        except _PASSING as error:
            cause = _innermost(error)
            if isinstance(cause, ssl.SSLError) and _UNSAFE.search(str(cause.reason)):
                raise ApiError(
                    f"{name} is not safe: {self._reason(cause)}; a certificate "
                    "authority of your own goes into REQUESTS_CA_BUNDLE",
                ) from None
            kind = TooSlowError if _is_slow(cause) else TransientError
            raise kind(f"{name} failed: {self._reason(cause)}.") from None
        except (OSError, urllib3.exceptions.HTTPError, UnicodeError) as error:
            cause = _innermost(error)
            raise ApiError(f"{name} can't be asked: {self._reason(cause)}") from None
        self._judge(name, response)
        try:
            return decode(_text(response))
        except ValueError as error:
            raise TransientError(
                f"{name} answered {response.status_code}, but not with the JSON that "
                f"it should ({self._excerpt(str(error))}): "
                f"{self._excerpt(response.text)!r}.",
            ) from None

    def _send(self, request: requests.Request) -> requests.Response:
        prepared = self.session.prepare_request(request)
        prepared.headers.update(
            {"Accept": "application/json", "User-Agent": self.user_agent},
        )
        environment = self.session.merge_environment_settings(
            prepared.url,
            {},
            None,
            None,
            None,
        )
        return self.session.send(
            prepared,
            timeout=self.request_timeout,
            allow_redirects=False,
            **environment,
        )

    def _judge(self, name: str, response: requests.Response) -> None:
        """Raise what an answer's status means; return if it is a success."""
        status = response.status_code
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if status < HTTPStatus.BAD_REQUEST:
            target = self._excerpt(response.headers.get("Location", "nowhere"))
            raise LinkError(
                f"{name} answered {status} with a redirect to {target}; it was not "
                "followed",
            )
        answer = f"{name} answered {status}: {self._message(response)}"
        if status in _TRANSIENT_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            is_slow = status == HTTPStatus.GATEWAY_TIMEOUT
            kind = TooSlowError if is_slow else TransientError
            raise kind(
                f"{answer}.",
                retry_after=retry_after(
                    response.headers.get("Retry-After"),
                    now=dt.datetime.now(dt.timezone.utc),
                ),
            )
        if status == HTTPStatus.UNAUTHORIZED:
            raise UnauthorizedError(answer)
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise TooLargeError(answer, status=status)
        raise ApiError(answer, status=status)

    def _message(self, response: requests.Response) -> str:
        """AdStage's own words in an error body; it documents no form for them."""
        try:
            document = decode_json(_text(response))
        except ValueError:
            document = None
        if isinstance(document, dict):
            for key in ("message", "error_description", "error", "errors"):
                if document.get(key):
                    return self._excerpt(str(document[key]))
        return self._excerpt(response.text) or self._excerpt(str(response.reason))

    def _reason(self, error: Exception) -> str:
        """An error's own words, without the name that Python has for a connection."""
        return self._excerpt(str(error).rpartition(">: ")[2])

    def _excerpt(self, text: str) -> str:
        return excerpt(text, self.secrets)


def _innermost(error: Exception) -> Exception:
    """The error that libraries wrapped into their own."""
    found = (getattr(error, "reason", None), *error.args)
    inner = next((each for each in found if isinstance(each, Exception)), None)
    return error if inner is None else _innermost(inner)


def _is_slow(cause: Exception) -> bool:
    """Whether an answer took too long, before it began or in the middle."""
    return isinstance(cause, (TimeoutError, urllib3.exceptions.ReadTimeoutError))


def _text(response: requests.Response) -> str:
    """The body as text: JSON is UTF-8, and what isn't is no JSON (a `ValueError`)."""
    return response.content.decode("utf-8-sig")
