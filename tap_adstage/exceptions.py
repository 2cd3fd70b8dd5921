"""The tap's errors, as the person who runs it should read them.

In a stream, an error ends that stream alone unless it has `ends_run`. Before the first
stream, any of them ends the run. The command line logs the text of the one that ended
the run, without a traceback, and exits with code 1.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class TapError(Exception):
    """The base of all errors that the tap raises on purpose; its text is for people.

    Attributes:
        ends_run: Whether nothing else can be read after it.
    """

    ends_run: ClassVar[bool] = False


class IncompleteRunError(TapError):
    """The run went on to its end, but could not read everything."""


class ConfigError(TapError):
    """The settings can't be used.

    Attributes:
        errors: One line for each error: the setting, its value, what is allowed.
    """

    def __init__(self, errors: Sequence[str]) -> None:
        """Collect all errors of the settings, a line for each."""
        super().__init__("\n".join(errors))
        self.errors = list(errors)


class InputError(TapError):
    """The file of `--state` or `--catalog` can't be used."""


class StateError(InputError):
    """The state holds what this tap does not write."""


class ReconcileError(TapError):
    """The rows that were written differ from the API's own count and totals."""


class VanishedFieldError(TapError):
    """A report can't be read without a field that the source no longer has."""


class ApiError(TapError):
    """The API refused a request, and to send it again won't help.

    Attributes:
        status: HTTP status of the answer, if there was one.
        may_be_too_large: Whether asking for less may help.
    """

    may_be_too_large = False

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """Take the message, without secrets, and the HTTP status."""
        super().__init__(message)
        self.status = status


class TooLargeError(ApiError):
    """The API refused a request for its size (413)."""

    may_be_too_large = True


class AuthenticationError(ApiError):
    """The API did not accept the credentials."""

    ends_run = True


class UnauthorizedError(AuthenticationError):
    """The API answered 401: the access token is not, or no longer, accepted."""


class TransientError(ApiError):
    """A request failed in a way that may pass.

    Attributes:
        retry_after: Seconds that the API asked to wait, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Take the message, without secrets, the status and the seconds to wait."""
        super().__init__(message, status=status)
        self.retry_after = retry_after


class TooSlowError(TransientError):
    """An answer took too long, for the tap (a time-out) or for a gateway (504)."""

    may_be_too_large = True


class ServerError(TransientError):
    """The API failed (a 5xx but 504), perhaps because too much was requested."""

    may_be_too_large = True


class LongWaitError(TransientError):
    """The API asks to wait longer than a request is retried."""


class ResponseError(TapError):
    """An answer is not as documented, and to guess could lose data."""


class ShortListError(ResponseError):
    """A list ended before it had as many resources as the API counts."""


class InconsistentError(ResponseError):
    """Two pages of one window contradict each other; another reading may not."""


class LinkError(ResponseError):
    """A link leads to where the tap must not follow."""


@contextmanager
def error_context(where: str) -> Iterator[None]:
    """Put the place before the text of an error that is raised inside.

    Args:
        where: The request, the page and the place in it, as far as they are known.
    """
    try:
        yield
    except TapError as error:
        error.args = (f"{where}: {error}",)
        raise
