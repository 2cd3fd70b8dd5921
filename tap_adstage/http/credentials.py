"""Who asks: what every request is authorized by (API: Authentication)."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    import requests


class Credentials(AuthBase, abc.ABC):
    """Adds the bearer token to a request."""

    settings: str
    """The settings to look at where AdStage refuses the credentials."""

    @abc.abstractmethod
    def token(self) -> str:
        """The access token to send now."""

    @abc.abstractmethod
    def without_refresh(self) -> Credentials | None:
        """The present token without its renewal, `None` where it is not valid."""

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

    def without_refresh(self) -> BearerToken:
        """These credentials: there is no renewal."""
        return self
