"""Why a request is not answered with data."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 (a refusal is what it is)
    """An answer in the API's error form.

    Attributes:
        status: Its HTTP status.
        code: Its error code, "" for none.
        definition: What the code stands for.
    """

    def __init__(
        self, message: str, *, status: int = 400, code: str = "", definition: str = ""
    ) -> None:
        """Make a refusal, by default one of a bad request."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.definition = definition
