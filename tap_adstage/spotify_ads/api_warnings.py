"""What Spotify warns of in answers that are not errors."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import counted

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

_VARIES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", re.IGNORECASE)
"""Ids and numbers, by which warnings of one kind differ."""


def warning_texts(warnings: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """List the member `warnings` of an answer: texts by the specification, or null.

    Its example has objects, which become JSON.
    """
    members = warnings if isinstance(warnings, list) else [warnings]
    return [
        each if isinstance(each, str) else msgspec.json.encode(each).decode()
        for each in members
        if each
    ]


class ApiWarnings:
    """The warnings that a report's answers had."""

    def __init__(self, report: str, logger: logging.Logger) -> None:
        """Start without any.

        Args:
            report: Name of the report.
            logger: For the first warning of each kind.
        """
        self._report = report
        self._logger = logger
        self._kinds: Counter[str] = Counter()

    def add(self, texts: Iterable[str]) -> None:
        """Count warnings, and log the first of each kind."""
        for text in texts:
            kind = _VARIES.sub("", text)
            if kind not in self._kinds:
                self._logger.warning(
                    "%s: Spotify warns: %s", self._report, excerpt(text)
                )
            self._kinds[kind] += 1

    @property
    def summary(self) -> str | None:
        """How many there were; `None` if there were none."""
        if not self._kinds:
            return None
        warnings = counted(sum(self._kinds.values()), "warning")
        return (
            f"Spotify's answers had {warnings} of {counted(len(self._kinds), 'kind')}"
        )
