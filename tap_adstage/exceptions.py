"""What can go wrong, as the person who runs the tap should read it.

Every error here ends the run with exit code 1 and its own text: no traceback. That is
click's doing, which runs the command line: it shows its own exceptions and exits.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class AdStageError(click.ClickException):
    """Base of every error that the tap raises on purpose."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Log the error, so that it has the form that the user chose for logs.

        Args:
            file: Not used; click's own errors go there.
        """
        del file
        for line in self.message.splitlines():
            logging.getLogger("tap-adstage").error("%s", line)


class ConfigError(AdStageError):
    """The settings can't be used as they stand.

    Attributes:
        errors: One line for each thing wrong: the setting, its value, what is allowed.
    """

    def __init__(self, errors: Sequence[str]) -> None:
        """Collect everything that is wrong with the settings.

        Args:
            errors: One line for each thing wrong.
        """
        super().__init__("\n".join(errors))
        self.errors = list(errors)


class InputError(AdStageError):
    """The file of `--state` or `--catalog` can't be used as it stands."""


class StateError(InputError):
    """What the state holds is not what this tap wrote."""


class ReconcileError(AdStageError):
    """What was written is not what AdStage counts and sums up itself."""


class ApiError(AdStageError):
    """AdStage refused a request, and asking again won't help.

    Attributes:
        status: HTTP status of its answer, if it gave one.
        may_be_too_large: Whether asking for less may help.
    """

    may_be_too_large = False

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """Describe the refusal.

        Args:
            message: What was refused, without secrets.
            status: HTTP status of AdStage's answer, if it gave one.
        """
        super().__init__(message)
        self.status = status


class TooLargeError(ApiError):
    """AdStage refused a request for its size (413)."""

    may_be_too_large = True


class AuthenticationError(ApiError):
    """AdStage did not accept the credentials."""


class UnauthorizedError(AuthenticationError):
    """AdStage answered 401: the access token is not, or no longer, accepted."""


class TransientError(ApiError):
    """A request failed in a way that may pass.

    Attributes:
        retry_after: Seconds that AdStage asked to wait, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Describe the failure.

        Args:
            message: What failed, without secrets.
            retry_after: Seconds that AdStage asked to wait, if it did.
        """
        super().__init__(message)
        self.retry_after = retry_after


class TooSlowError(TransientError):
    """An answer took too long, for the tap (a time-out) or for a gateway (504)."""

    may_be_too_large = True


class ResponseError(AdStageError):
    """An answer is not what AdStage documents, and guessing could lose data."""


class LinkError(ResponseError):
    """A link leads somewhere that the tap must not follow."""


@contextmanager
def error_context(place: str) -> Iterator[None]:
    """Name the place in what is wrong with an answer.

    Args:
        place: The request, the page and where in it, as far as they are known.

    Raises:
        AdStageError: If one is raised inside, with the place before its text.
    """
    try:
        yield
    except AdStageError as error:
        error.message = f"{place}: {error.message}"  # type: ignore[misc] # click's
        raise
