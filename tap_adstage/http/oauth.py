"""OAuth's refresh-token grant: access tokens that are renewed."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from tap_adstage.exceptions import ApiError, AuthenticationError, TransientError
from tap_adstage.http.credentials import Credentials
from tap_adstage.http.json_decoding import text_of
from tap_adstage.http.token_file import TokenFile
from tap_adstage.runtime.redaction import excerpt

if TYPE_CHECKING:
    import logging

    from tap_adstage.config.settings import OAuthConfig
    from tap_adstage.http.transport import Transport

_EXPIRY_MARGIN = 60.0
"""Seconds before its expiry at which a token counts as expired."""


class _AccessToken(NamedTuple):
    """An access token, and until when it is used, on the monotonic clock."""

    value: str
    valid_until: float


@dataclass
class OAuthCredentials(Credentials):
    """An access token that is renewed before it expires, or once it is refused.

    A thread whose token is expired or refused takes a lock and renews it, unless
    another thread has done so meanwhile, or has failed to. A rotated refresh token is
    written to `oauth_token_file`, if there is one, before the new access token is used.
    Taps that share the file take turns, and each spends the newest refresh token there.

    Attributes:
        config: The OAuth settings.
        transport: Sends the token requests.
        logger: Warns of a rotated refresh token that can't be kept.
    """

    config: OAuthConfig
    transport: Transport
    logger: logging.Logger
    _current: _AccessToken | None = field(default=None, init=False, repr=False)
    _refusal: str | None = field(default=None, init=False, repr=False)

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
        """Authorize a request, and once more if its token is refused."""
        request.register_hook("response", self._send_again)  # type: ignore[no-untyped-call]
        return super().__call__(request)

    def token(self) -> str:
        """Return the access token, renewed if it is about to expire.

        A failed renewal is not tried again here: the request that needs the token is.

        Raises:
            AuthenticationError: If the refresh token is refused, or can't be kept.
            TransientError: If the token endpoint fails.
        """
        current = self._current
        if current is not None and time.monotonic() < current.valid_until:
            return current.value
        with self._turn():
            token, _ = self._renewed(current and current.value)
        return token

    def _send_again(
        self,
        response: requests.Response,
        **options: Any,  # noqa: ANN401 - what `requests` sends with
    ) -> requests.Response:
        """Send a request again if its token was refused, with another token.

        A tap that renews the token sends it before another tap has its turn: an API
        may end the last access token when it grants the next, so that two taps would
        end each other's before they are used.
        """
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        _ = response.content  # or else its connection could not be used again
        again = response.request.copy()
        refused = again.headers["Authorization"].removeprefix("Bearer ")

        def send(token: str) -> requests.Response:
            again.headers["Authorization"] = f"Bearer {token}"
            self.transport.stats.count_request()
            answer: requests.Response = response.connection.send(again, **options)
            return answer

        with self._turn():
            token, is_new = self._renewed(refused)
            if is_new:
                return send(token)
        return self._send_again(send(token), **options)

    def _turn(self) -> contextlib.AbstractContextManager[object]:
        """Wait for the taps that share the file: a token and an answer each."""
        if self._file is None:
            return contextlib.nullcontext()
        return self._file.locked(
            self.transport.request_timeout + self.transport.max_retry_seconds,
        )

    def _renewed(self, unusable: str | None) -> tuple[str, bool]:
        """Renew the access token, unless another thread has.

        Args:
            unusable: The token that is expired or refused, if there was one.

        Returns:
            A token to use, and whether it was granted just now.

        Raises:
            AuthenticationError: If it can't be renewed, or couldn't be in another
                thread: to spend a refresh token twice may cost the whole grant.
        """
        shutdown = self.transport.shutdown
        with shutdown.critical:
            current = self._current
            is_new = current is None or current.value == unusable
            if current is None or is_new:
                self._current = None
                if self._refusal:
                    raise AuthenticationError(self._refusal)
                try:
                    self._current = current = self._refresh()
                except AuthenticationError as error:
                    self._refusal = str(error)
                    raise
        shutdown.check()  # it waited for the lock
        return current.value, is_new

    def _refresh(self) -> _AccessToken:
        """Spend the newest refresh token, and keep the one that is granted for it."""
        kept = self._file.newest() if self._file else None
        self._refresh_token = kept or self._refresh_token
        self.transport.secrets.add(self._refresh_token, self.config.client_secret)
        client = WebApplicationClient(self.config.client_id)
        in_form = {
            "client_id": self.config.client_id,
            "client_secret": self.config.client_secret,
        }
        form = client.prepare_refresh_body(
            refresh_token=self._refresh_token,
            **({} if self.config.basic else in_form),
        )
        answer = self._request_token(form)
        # before anything else is found wrong with the answer: the last one is spent
        rotated = json.loads(answer).get("refresh_token")
        if rotated and rotated != self._refresh_token:
            with self.transport.shutdown.deferred():
                self._keep(str(rotated))
        try:
            granted = client.parse_request_body_response(answer)
        except (OAuth2Error, ValueError) as error:
            reason = str(getattr(error, "error", error))
            raise self._refused(excerpt(reason, self.transport.secrets)) from None
        token = self._header_value(str(granted["access_token"]))
        self.transport.secrets.add(token)
        valid_until = time.monotonic() + _lifetime(granted.get("expires_in"))
        return _AccessToken(token, valid_until)

    def _request_token(self, form: str) -> str:
        """Send the form, and return the text of the answer, a JSON object."""
        try:
            answer: str = self.transport.send_once(
                requests.Request(
                    "POST",
                    self.config.token_url,
                    data=form,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    auth=self._add_credentials,
                ),
                _json_object,
            )
        except TransientError as error:
            # not of its kind: to ask for less of a report wouldn't help
            raise TransientError(str(error), retry_after=error.retry_after) from None
        except ApiError as error:
            raise self._refused(error) from None
        return answer

    def _add_credentials(
        self, request: requests.PreparedRequest
    ) -> requests.PreparedRequest:
        """Add the application's credentials, unless the form has them.

        Without an `auth` of its own, `requests` would look into `.netrc`.
        """
        config = self.config
        if config.basic:
            pair = f"{config.client_id}:{config.client_secret}".encode()
            encoded = base64.b64encode(pair).decode()
            self.transport.secrets.add(encoded)
            request.headers["Authorization"] = f"Basic {encoded}"
        return request

    def _refused(self, reason: object) -> AuthenticationError:
        is_kept = self._refresh_token != self.config.refresh_token
        source = f" (read from {self._file.path})" if self._file and is_kept else ""
        return AuthenticationError(
            f"{self.transport.api_name} gave no access token for the settings "
            f"{self.settings}{source}: {reason}; correct them or oauth_token_url, or "
            "grant access again and replace refresh_token",
        )

    def _keep(self, rotated: str) -> None:
        self.transport.secrets.add(rotated)
        if self._file:
            self._file.keep(rotated)
        elif self._refresh_token == self.config.refresh_token:
            self.logger.warning(
                "%s rotated the refresh token; set oauth_token_file, or the next run "
                "can't know the new one",
                self.transport.api_name,
            )
        self._refresh_token = rotated

    def _header_value(self, token: str) -> str:
        """Refuse a token that can't be sent: the error of `requests` would show it."""
        if not (token.isascii() and token.isprintable() and token.split() == [token]):
            raise AuthenticationError(
                f"{self.transport.api_name} gave an access token that no HTTP header "
                "can hold; check the setting oauth_token_url",
            )
        return token


def _json_object(content: bytes) -> str:
    """Check that a text is a JSON object; oauthlib takes form-encoded ones as well."""
    text = text_of(content)
    if not isinstance(json.loads(text), dict):
        raise ValueError("an object was expected")  # noqa: TRY004 - see Transport.send
    return text


def _lifetime(expires_in: Any) -> float:  # noqa: ANN401 - any JSON value
    """Return the seconds that a token is used; for ever if it has no expiry."""
    if expires_in is None:
        return float("inf")
    seconds = float(expires_in)
    return max(seconds - _EXPIRY_MARGIN, seconds / 2)
