"""The file that keeps the newest refresh tokens; several taps may share it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from tap_adstage.exceptions import AuthenticationError
from tap_adstage.runtime import private_file

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TokenFile:
    """The file of the newest refresh token that descends from the settings' one.

    The file holds a token for each grant whose taps share it. A token that descends
    from another grant is not used, so that a user may grant access again.

    Attributes:
        path: The file; its folder exists.
        granted: The refresh token in the settings.
    """

    path: Path
    granted: str = field(repr=False)

    def locked(self, seconds: float) -> AbstractContextManager[object]:
        """Lock the file against all other taps, and other threads of this one.

        Args:
            seconds: Longest time in seconds to wait for the tap that holds it.

        Returns:
            A context at whose end the file is unlocked.

        Raises:
            AuthenticationError: If the file can't be locked in time, or at all.
        """
        # The lock's file stays when it is unlocked. Another tap may wait for it; if it
        # were removed, a third tap would lock a new one beside it.
        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"), mode=0o600)
        try:
            return lock.acquire(timeout=seconds)
        except Timeout:
            raise AuthenticationError(
                f"oauth_token_file: another tap has held {lock.lock_file} for "
                f"{seconds:g} seconds; end it if it hangs",
            ) from None
        except OSError as error:
            raise AuthenticationError(
                f"oauth_token_file: {lock.lock_file} can't be locked "
                f"({error.strerror}); give a path in a folder that can be written",
            ) from None

    def newest(self) -> str | None:
        """Read the newest refresh token.

        Returns:
            The token, or `None` if the file has none that descends from `granted`.

        Raises:
            AuthenticationError: If the file can't be read, or was not written by a
                tap.
        """
        return self._tokens().get(_fingerprint(self.granted))

    def keep(self, token: str) -> None:
        """Write the newest refresh token.

        Args:
            token: The newest refresh token.

        Raises:
            AuthenticationError: If it can't be written.
        """
        kept = {"refresh_tokens": self._tokens() | {_fingerprint(self.granted): token}}
        try:
            private_file.write(self.path, json.dumps(kept))
        except OSError as error:
            raise AuthenticationError(
                f"oauth_token_file: {self.path} can't be written ({error.strerror}), "
                "and the refresh token was rotated; grant access again and give a path "
                "that can be written",
            ) from None

    def _tokens(self) -> dict[str, str]:
        try:
            tokens = json.loads(self.path.read_text(encoding="utf-8"))["refresh_tokens"]
            return {str(origin): str(token) for origin, token in tokens.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AuthenticationError(
                f"oauth_token_file: {self.path} can't be read ({error.strerror})",
            ) from None
        except (ValueError, LookupError, TypeError, AttributeError):
            raise AuthenticationError(
                f"oauth_token_file: {self.path} holds no refresh token that the tap "
                "wrote; remove it to start from the setting refresh_token",
            ) from None


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
