"""What a run has done so far, for each stream: the one place where it is counted."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SET_UP = "set-up"
"""Where everything belongs that is done before the first stream."""

WHOLE, FAILED, STOPPED, NOT_STARTED = "whole", "failed", "stopped", "not begun"
"""How the reading of a stream, or a run, ended."""

_MOST_TEXTS = 3
_INTERVAL = 5.0


@dataclass(slots=True)
class StreamStats:
    """What was done while one stream was read.

    Attributes:
        name: The stream's name, or `SET_UP`.
        began: When it began, in seconds of the run's clock.
        status: How it ended; `None` as long as it goes on.
        windows: Windows of a report that are written.
        pages: Pages of reports and lists that were read.
        rows: Records that were written.
        duplicates_skipped: Records that were not, as they came before.
        requests: Requests that were sent, also in vain, and for access tokens.
        retries: Waits before a request was sent again.
        waited: Seconds of these waits, and of the pauses that AdStage asked for.
            Requests that wait beside each other count each for itself.
        bookmark_before: Where the run found the bookmark.
        bookmark: Where the bookmark is now.
        warnings: Lines of level WARNING.
        texts: The first of them.
    """

    name: str
    began: float = 0.0
    status: str | None = None
    windows: int = 0
    pages: int = 0
    rows: int = 0
    duplicates_skipped: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    bookmark_before: str | None = None
    bookmark: str | None = None
    warnings: int = 0
    texts: list[str] = field(default_factory=list)


class RunStats:
    """The counts of a run: of the set-up, and of a stream after the other.

    What threads fetch ahead is for the stream that is read now, so all that is counted
    belongs to that one. Requests, waits and warnings come from several threads, the
    rest from the main one.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with the set-up.

        Args:
            clock: Tells the time in seconds.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._told = clock()
        self.current = StreamStats(SET_UP, began=self._told)
        self.all = [self.current]

    def begin(self, stream: str) -> StreamStats:
        """Count for a stream from now on; the one before it was read whole.

        Args:
            stream: Its name.

        Returns:
            Its counts.
        """
        self.current.status = WHOLE
        self.current = StreamStats(stream, began=self._clock())
        self.all.append(self.current)
        return self.current

    def end(self, status: str, streams: Iterable[str]) -> None:
        """Note how the run ended.

        Args:
            status: `WHOLE`, `FAILED` or `STOPPED`; what was done last ended so, too.
            streams: Names of all streams that it was to read.
        """
        self.current.status = status
        begun = {counts.name for counts in self.all}
        self.all += [
            StreamStats(name, status=NOT_STARTED)
            for name in streams
            if name not in begun
        ]

    def count_request(self) -> None:
        """Count a request that is about to be sent."""
        with self._lock:
            self.current.requests += 1

    def count_retry(self, seconds: float) -> None:
        """Count a wait before a request is sent again."""
        with self._lock:
            self.current.retries += 1
            self.current.waited += seconds

    def count_pause(self, seconds: float) -> None:
        """Count a wait that AdStage asked another request for."""
        with self._lock:
            self.current.waited += seconds

    def count_warning(self, text: str) -> None:
        """Count a line of level WARNING."""
        with self._lock:
            self.current.warnings += 1
            if len(self.current.texts) < _MOST_TEXTS:
                self.current.texts.append(text)

    def is_progress_due(self) -> bool:
        """Whether a line of progress is due: five seconds after the last one."""
        now = self._clock()
        if now - self._told < _INTERVAL:
            return False
        self._told = now
        return True

    @property
    def seconds(self) -> float:
        """For how long the present stream has been read."""
        return self._clock() - self.current.began
