"""Runs of the tap in this process, and the messages that they write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass
class Messages:
    """The messages that a run wrote to stdout, in order."""

    lines: list[dict[str, Any]]

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, Any]]:
        return [
            line
            for line in self.lines
            if line["type"] == kind and stream in {None, line.get("stream")}
        ]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [line["record"] for line in self.of("RECORD", stream)]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [line["value"] for line in self.of("STATE")]

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    def bookmark(self, stream: str) -> str | None:
        """The bookmark from which the next run of a stream resumes."""
        value = self.state["bookmarks"].get(stream, {}).get("replication_key_value")
        return None if value is None else str(value)


class Sync(Protocol):
    """Runs the tap in this process."""

    def __call__(
        self,
        config: dict[str, Any],
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        streams: list[str] | None = None,
    ) -> Messages: ...
