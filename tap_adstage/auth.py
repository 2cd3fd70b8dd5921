"""Who asks: a bearer token, or OAuth's refresh-token grant (API: Authentication)."""

from __future__ import annotations

import abc
import hashlib
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
from requests.auth import AuthBase

from tap_adstage.exceptions import ApiError, AuthenticationError, TransientError
from tap_adstage.redaction import excerpt

if TYPE_CHECKING:
    import logging

    from tap_adstage.config import OAuthConfig
    from tap_adstage.transport import Transport

_EXPIRY_MARGIN = 60.0
"""Seconds before its expiry at which a token counts as expired."""


class Credentials(AuthBase, abc.ABC):
    """Adds the bearer token to a request."""

    settings: str
    """The settings to look at where AdStage refuses the credentials."""

    @abc.abstractmethod
    def token(self) -> str:
        """The access token to send now."""

    @abc.abstractmethod
    def renew(self) -> bool:
        """Get a new token after AdStage refused the last one.

        Returns:
            Whether there is a new token to try.
        """

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize a request, as `requests` asks."""
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request


class BearerToken(Credentials):
    """An access token that AdStage handed out; there is no way to renew it."""

    settings = "access_token"

    def __init__(self, access_token: str) -> None:
        """Hold the token.

        Args:
            access_token: The token.
        """
        self._access_token = access_token

    def token(self) -> str:
        """The access token as it was given."""
        return self._access_token

    def renew(self) -> bool:
        """Say that there is no other token."""
        return False


@dataclass(slots=True)
class RefreshToken(Credentials):
    """An access token that is renewed before it expires, or once it is refused.

    A refresh token that AdStage rotates is kept in `oauth_token_file`, if there is
    one, before the new access token is used.

    Attributes:
        config: The OAuth settings.
        transport: Sends the token requests.
        logger: Where a rotation that can't be kept is told.
    """

    config: OAuthConfig
    transport: Transport
    logger: logging.Logger
    _access_token: str | None = field(default=None, repr=False)
    _valid_until: float = 0.0
    _refresh_token: str | None = field(default=None, repr=False)

    settings = "client_id, client_secret and refresh_token"

    def token(self) -> str:
        """The access token, a new one where the last is about to expire.

        Raises:
            AuthenticationError: If AdStage refuses the refresh token.
            TransientError: If the token endpoint still fails after all retries.
        """
        if self._access_token is None or time.monotonic() >= self._valid_until:
            return self._refresh()
        return self._access_token

    def renew(self) -> bool:
        """Get a new token after AdStage refused the last one.

        Returns:
            True: there is a new token.

        Raises:
            AuthenticationError: If AdStage refuses the refresh token.
            TransientError: If the token endpoint still fails after all retries.
        """
        self._refresh()
        return True

    def _refresh(self) -> str:
        granted = self._request(self._current_refresh_token())
        rotated = granted.get("refresh_token")
        if rotated and rotated != self._refresh_token:
            self._keep(str(rotated))
        self._access_token = _header_value(str(granted["access_token"]))
        self.transport.secrets.add(self._access_token)
        self._valid_until = time.monotonic() + _lifetime(granted.get("expires_in"))
        return self._access_token

    def _current_refresh_token(self) -> str:
        if self._refresh_token is None:
            kept = read_token_file(self.config.token_file, self.config.refresh_token)
            self._refresh_token = kept or self.config.refresh_token
            self.transport.secrets.add(self._refresh_token, self.config.client_secret)
        return self._refresh_token

    def _request(self, refresh_token: str) -> dict[str, Any]:
        client = WebApplicationClient(self.config.client_id)
        form = client.prepare_refresh_body(
            refresh_token=refresh_token,
            client_id=self.config.client_id,
            client_secret=self.config.client_secret,
        )

        def decode(text: str) -> dict[str, Any]:
            # oauthlib takes form-encoded answers as well
            if not isinstance(json.loads(text), dict):
                raise ValueError("an object was expected")  # noqa: TRY004 - see fetch
            return dict(client.parse_request_body_response(text))

        try:
            granted: dict[str, Any] = self.transport.fetch(
                requests.Request(
                    "POST",
                    self.config.token_url,
                    data=form,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    auth=_as_it_is,
                ),
                decode,
            )
        except TransientError:
            raise
        except (ApiError, OAuth2Error) as error:
            reason = str(error)
            if isinstance(error, OAuth2Error):
                reason = excerpt(str(error.error), self.transport.secrets)
            raise AuthenticationError(
                f"AdStage gave no access token for the settings {self.settings}: "
                f"{reason}; correct them or oauth_token_url, or grant access again and "
                "replace refresh_token",
            ) from None
        return granted

    def _keep(self, rotated: str) -> None:
        self._refresh_token = rotated
        self.transport.secrets.add(rotated)
        if self.config.token_file:
            try:
                write_token_file(
                    self.config.token_file,
                    rotated,
                    self.config.refresh_token,
                )
            except OSError as error:
                raise AuthenticationError(
                    f"oauth_token_file: {self.config.token_file} can't be written "
                    f"({error.strerror}), and AdStage has rotated the refresh token; "
                    "grant access anew and give a path that can be written",
                ) from None
        else:
            self.logger.warning(
                "AdStage rotated the refresh token; without the setting "
                "oauth_token_file the next run can't know the new one.",
            )


def read_token_file(path: Path | None, configured: str) -> str | None:
    """Read the newest refresh token.

    Args:
        path: The file, if there is to be one.
        configured: The refresh token in the settings. A file that descends from
            another one is out of date, as the user has granted access anew.

    Returns:
        The token, or `None` where no file holds one that descends from `configured`.

    Raises:
        AuthenticationError: If there is a file that can't be read as one of the tap's.
    """
    if path is None or not path.exists():
        return None
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        token, origin = kept["refresh_token"], kept["granted_for"]
    except (OSError, ValueError, KeyError, TypeError):
        raise AuthenticationError(
            f"oauth_token_file: {path} holds no refresh token that the tap wrote; "
            "remove it to start from the setting refresh_token",
        ) from None
    return str(token) if origin == _fingerprint(configured) else None


def write_token_file(path: Path, token: str, configured: str) -> None:
    """Keep the newest refresh token: whole or not at all, readable by the user alone.

    Args:
        path: The file; its folder exists.
        token: The newest refresh token.
        configured: The refresh token in the settings, from which it descends.
    """
    kept = {"refresh_token": token, "granted_for": _fingerprint(configured)}
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".adstage-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
