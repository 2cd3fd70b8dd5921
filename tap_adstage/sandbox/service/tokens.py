"""Access tokens, and the refresh tokens that are exchanged for them."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class OAuthError(Exception):
    """A token request that failed, with one of the error codes of RFC 6749."""

    def __init__(self, code: str, description: str, *, status: int = 400) -> None:
        """Make an error from a code, a description and an HTTP status."""
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status


class Credentials(NamedTuple):
    """The OAuth application that may refresh tokens."""

    client_id: str
    client_secret: str


class Tokens:
    """The tokens that are valid; safe to use from several threads."""

    def __init__(  # noqa: PLR0913
        self,
        *,
        static: str,
        credentials: Credentials | None,
        refresh_token: str,
        lifetime: float,
        uses: int | None,
        any_token: bool = False,
    ) -> None:
        """Start with one access token that never expires and a first refresh token.

        Args:
            static: Access token that never expires.
            credentials: The OAuth application; None to accept any, with any refresh
                token, and to replace none: who tries real settings keeps their token.
            refresh_token: The first valid refresh token.
            lifetime: Seconds that issued access tokens are valid.
            uses: Requests that they are good for; None for any number.
            any_token: Whether to accept any access token.
        """
        self._static = static
        self._credentials = credentials
        self._refresh_token = refresh_token
        self._lifetime = lifetime
        self._uses = uses
        self._any_token = any_token
        self._expiries: dict[str, float] = {}
        self._used: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def refresh_token(self) -> str:
        """The only refresh token that is valid."""
        with self._lock:
            return self._refresh_token

    def accept(self, access_token: str) -> bool:
        """Return whether the token is good for one more request, and count the use."""
        if access_token == self._static or (self._any_token and access_token):
            return True
        with self._lock:
            expiry = self._expiries.get(access_token)
            self._used[access_token] += 1
            return (
                expiry is not None
                and time.monotonic() < expiry
                and (self._uses is None or self._used[access_token] <= self._uses)
            )

    def refresh(
        self, form: Mapping[str, str], basic: Credentials | None = None
    ) -> dict[str, object]:
        """Exchange a refresh token for new tokens; it can't be used twice.

        Args:
            form: The fields of the request.
            basic: Credentials from the request's header, if it has any.

        Raises:
            OAuthError: The request is refused.
        """
        credentials = basic or Credentials(
            form.get("client_id", ""), form.get("client_secret", "")
        )
        if self._credentials not in {None, credentials}:
            raise OAuthError(
                "invalid_client", "unknown client or wrong secret", status=401
            )
        grant_type = form.get("grant_type")
        if grant_type is None:
            raise OAuthError("invalid_request", "grant_type is missing")
        if grant_type != "refresh_token":
            raise OAuthError("unsupported_grant_type", "use refresh_token")
        if "refresh_token" not in form:
            raise OAuthError("invalid_request", "refresh_token is missing")
        with self._lock:
            if self._credentials is None:
                return self._issue()
            if form["refresh_token"] != self._refresh_token:
                raise OAuthError("invalid_grant", "the refresh token is not valid")
            self._refresh_token = secrets.token_hex(32)
            return {**self._issue(), "refresh_token": self._refresh_token}

    def _issue(self) -> dict[str, object]:
        """Return a new access token."""
        access_token = secrets.token_hex(32)
        self._expiries[access_token] = time.monotonic() + self._lifetime
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self._lifetime,
        }
