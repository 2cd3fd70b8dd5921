"""Credentials: what each request is authorized with."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    import requests


class Credentials(AuthBase, abc.ABC):
    """What adds the bearer token to a request. Several threads may use it at once."""

    settings: str
    """The settings to check if the API refuses the credentials."""

    @abc.abstractmethod
    def token(self) -> str:
        """Return the current access token."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize a request, as `requests` asks."""
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request


class BearerToken(Credentials):
    """An access token that can't be renewed."""

    settings = "access_token"

    def __init__(self, access_token: str) -> None:
        """Hold the token."""
        self._access_token = access_token

    def token(self) -> str:
        """Return the access token of the settings."""
        return self._access_token
