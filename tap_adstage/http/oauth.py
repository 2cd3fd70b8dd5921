"""OAuth's refresh-token grant: access tokens that are renewed (API: Authentication)."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from tap_adstage.exceptions import ApiError, AuthenticationError, TransientError
from tap_adstage.http.credentials import BearerToken, Credentials
from tap_adstage.http.json_decoding import text_of
from tap_adstage.http.token_file import TokenFile
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    import logging

    from tap_adstage.config.settings import OAuthConfig
    from tap_adstage.http.transport import Transport

_EXPIRY_MARGIN = 60.0
"""Seconds before its expiry at which a token counts as expired."""


@dataclass
class OAuthCredentials(Credentials):
    """An access token that is renewed before it expires, or once it is refused.

    A refresh token that AdStage rotates is kept in `oauth_token_file`, if there is
    one, before the new access token is used. Taps that share the file take turns, and
    each spends the newest refresh token there.

    Attributes:
        config: The OAuth settings.
        transport: Sends the token requests.
        logger: Where a rotation that can't be kept is told.
    """

    config: OAuthConfig
    transport: Transport
    logger: logging.Logger
    _access_token: str | None = field(default=None, init=False, repr=False)
    _valid_until: float = field(default=0.0, init=False, repr=False)

    settings = "client_id, client_secret and refresh_token"

    def __post_init__(self) -> None:
        """Start from the refresh token in the settings."""
        config = self.config
        self._refresh_token = config.refresh_token
        self._file = (
            TokenFile(config.token_file, config.refresh_token)
            if config.token_file
            else None
        )

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize a request, and once more where its token is refused."""
        request.register_hook("response", self._send_again)  # type: ignore[no-untyped-call]
        return super().__call__(request)

    def token(self) -> str:
        """The access token, a new one where the last is about to expire.

        A failure that may pass is not tried again here: that is for the request which
        needs the token, in its own time.

        Raises:
            AuthenticationError: If AdStage refuses the refresh token, or it can't be
                kept.
            TransientError: If the token endpoint fails.
        """
        if self._access_token is None or time.monotonic() >= self._valid_until:
            with self._turn():
                self._access_token = self._refresh()
        return self._access_token

    def without_refresh(self) -> BearerToken | None:
        """The present token, as long as it is not about to expire."""
        token, is_valid = self._access_token, time.monotonic() < self._valid_until
        return BearerToken(token) if token and is_valid else None

    def _send_again(
        self,
        response: requests.Response,
        **options: Any,  # noqa: ANN401 - what `requests` sends with
    ) -> requests.Response:
        """Send a request again whose token was refused, with a new one.

        It is sent before another tap has its turn: where AdStage ends the last access
        token for the next, two taps would else end each other's before they are used.
        """
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        self._access_token = None
        with self._turn():
            _ = response.content  # or else its connection could not be used again
            again = response.request.copy()
            self._access_token = self._refresh()
            again.headers["Authorization"] = f"Bearer {self._access_token}"
            self.transport.stats.count_request()
            answer: requests.Response = response.connection.send(again, **options)
        return answer

    def _turn(self) -> contextlib.AbstractContextManager[object]:
        """Wait for the taps that share the file: a token and an answer each."""
        if self._file is None:
            return contextlib.nullcontext()
        return self._file.locked(
            self.transport.request_timeout + self.transport.max_retry_seconds,
        )

    def _refresh(self) -> str:
        """Spend the newest refresh token, and keep the one that comes for it."""
        kept = self._file.newest() if self._file else None
        self._refresh_token = kept or self._refresh_token
        self.transport.secrets.add(self._refresh_token, self.config.client_secret)
        client = WebApplicationClient(self.config.client_id)
        form = client.prepare_refresh_body(
            refresh_token=self._refresh_token,
            client_id=self.config.client_id,
            client_secret=self.config.client_secret,
        )
        answer = self._ask(form)
        # before anything else is found wrong with the answer: the last one is spent
        rotated = json.loads(answer).get("refresh_token")
        if rotated and rotated != self._refresh_token:
            with self.transport.termination.whole():
                self._keep(str(rotated))
        try:
            granted = client.parse_request_body_response(answer)
        except (OAuth2Error, ValueError) as error:
            reason = str(getattr(error, "error", error))
            raise self._refused(excerpt(reason, self.transport.secrets)) from None
        access_token = _header_value(str(granted["access_token"]))
        self.transport.secrets.add(access_token)
        self._valid_until = time.monotonic() + _lifetime(granted.get("expires_in"))
        return access_token

    def _ask(self, form: str) -> str:
        """The text of the answer, a JSON object."""
        try:
            answer: str = self.transport.exchange(
                requests.Request(
                    "POST",
                    self.config.token_url,
                    data=form,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    auth=_as_it_is,
                ),
                _json_object,
            )
        except TransientError:
            raise
        except ApiError as error:
            raise self._refused(error) from None
        return answer

    def _refused(self, reason: object) -> AuthenticationError:
        is_kept = self._refresh_token != self.config.refresh_token
        whence = f" (read from {self._file.path})" if self._file and is_kept else ""
        return AuthenticationError(
            f"AdStage gave no access token for the settings {self.settings}{whence}: "
            f"{reason}; correct them or oauth_token_url, or grant access again and "
            "replace refresh_token",
        )

    def _keep(self, rotated: str) -> None:
        self.transport.secrets.add(rotated)
        if self._file:
            self._file.keep(rotated)
        elif self._refresh_token == self.config.refresh_token:
            self.logger.warning(
                "AdStage rotated the refresh token; without the setting "
                "oauth_token_file the next run can't know the new one.",
            )
        self._refresh_token = rotated


def _json_object(content: bytes) -> str:
    """The text, if it is a JSON object; oauthlib takes form-encoded ones as well."""
    text = text_of(content)
    if not isinstance(json.loads(text), dict):
        raise ValueError("an object was expected")  # noqa: TRY004 - see fetch
    return text


def _header_value(token: str) -> str:
    """A token that can be sent; one that can't would be shown by the error."""
    if not (token.isascii() and token.isprintable() and token.split() == [token]):
        raise AuthenticationError(
            "AdStage gave an access token that no HTTP header can hold; check the "
            "setting oauth_token_url",
        )
    return token


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials but those in the form; `requests` would look into `.netrc`."""
    return request


def _lifetime(expires_in: Any) -> float:  # noqa: ANN401 - any JSON value
    """Seconds that a token is used; for ever where AdStage names no expiry."""
    if expires_in is None:
        return float("inf")
    seconds = float(expires_in)
    return max(seconds - _EXPIRY_MARGIN, seconds / 2)
