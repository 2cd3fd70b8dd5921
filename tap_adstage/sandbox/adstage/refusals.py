"""Why a request is not answered with data."""

from __future__ import annotations


class RefusedRequest(ValueError):  # noqa: N818 (a refusal is what it is)
    """A request that AdStage's documentation does not allow; answered with 400."""


class NotFound(LookupError):  # noqa: N818 (as above)
    """Something that this user does not have; answered with 404."""
