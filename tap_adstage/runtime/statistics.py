"""The counts of a run, for each stream."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_adstage.exceptions import TapError

SET_UP = "set-up"
"""The name of all that is done before the first stream."""

COMPLETED, INCOMPLETE, FAILED = "completed", "incomplete", "failed"
STOPPED, NOT_STARTED = "stopped", "not started"
"""How a stream ended: `INCOMPLETE` is one of which something is missing at its end."""

_MOST_TEXTS = 3
_INTERVAL = 5.0


@dataclass(slots=True)
class StreamStats:
    """The counts of one stream.

    Attributes:
        name: The stream's name, or `SET_UP`.
        started: When it started, in seconds of the run's clock.
        status: How it ended; `None` as long as it goes on.
        windows: Windows of a report that are written.
        pages: Pages of reports and lists that were read.
        rows: Records that were written.
        duplicates_skipped: Duplicate records that were not written.
        requests: Requests that were sent, those for access tokens included.
        retries: Waits before a request was sent again.
        waited: Seconds of these waits, and of the pauses that the API asked for, summed
            over all threads.
        bookmark_before: The bookmark at the start of the run.
        bookmark: The current bookmark.
        warnings: Lines of level WARNING.
        texts: The first three of them.
        errors: What could not be read; each makes the run fail.
        missing: What is missing, those errors included.
    """

    name: str
    started: float = 0.0
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
    errors: list[TapError] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def fail(self, error: TapError) -> None:
        """Count an error that ended the stream."""
        self.status = FAILED
        self.add_error(error)

    def add_error(self, error: TapError) -> str:
        """Count an error of a part of the stream, which then goes on without it.

        Returns:
            Its text, on one line; it stands before what is missing without an error.
        """
        text = "; ".join(str(error).splitlines())
        self.missing.insert(len(self.errors), text)
        self.errors.append(error)
        return text

    def finish(self) -> None:
        """End the stream, unless an error already has."""
        if self.status is None:
            self.status = INCOMPLETE if self.missing else COMPLETED

    @property
    def reason(self) -> str | None:
        """The first of what is missing, and how much more; `None` if nothing is."""
        if not self.missing:
            return None
        more = len(self.missing) - 1
        return self.missing[0] + (f" and {more} more" if more else "")


class RunStats:
    """The counts of a run: of the set-up, then of one stream after the other.

    All that is counted belongs to the current stream, as threads fetch ahead for that
    one alone; only the requests that a failed stream has in flight count for the next.
    Several threads count requests, pages of lists, waits and warnings; the rest is
    counted in the main thread.

    Attributes:
        last_url: URL of the request that was sent last.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with the set-up.

        Args:
            clock: Returns the time in seconds.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._logged = clock()
        self._answered = self._logged
        self.last_url = ""
        self.current = StreamStats(SET_UP, started=self._logged)
        self.all = [self.current]

    def begin(self, stream: str) -> StreamStats:
        """Start a stream; the one before it has ended.

        Args:
            stream: Its name.

        Returns:
            Its counts.
        """
        self.current.finish()
        self.current = StreamStats(stream, started=self._clock())
        self.all.append(self.current)
        return self.current

    def skip(self, stream: str, reason: str) -> None:
        """Count a stream that the run should read, and doesn't.

        Args:
            stream: Its name.
            reason: Why it doesn't.
        """
        self.all.append(StreamStats(stream, status=INCOMPLETE, missing=[reason]))

    def end(self, streams: Iterable[str], status: str | None = None) -> None:
        """End the run.

        Args:
            streams: Names of all streams that were selected.
            status: `FAILED` or `STOPPED` if the run ended early, in the current stream.
        """
        self.current.status = status or self.current.status
        self.current.finish()
        already = {counts.name for counts in self.all}
        self.all += [
            StreamStats(name, status=NOT_STARTED)
            for name in streams
            if name not in already
        ]

    @property
    def errors(self) -> list[TapError]:
        """What could not be read, in the whole run."""
        return [error for stream in self.all for error in stream.errors]

    def count_request(self) -> None:
        """Count a request that is about to be sent."""
        with self._lock:
            self.current.requests += 1

    def count_page(self) -> None:
        """Count a page of a list that was read."""
        with self._lock:
            self.current.pages += 1

    def note_answer(self) -> None:
        """Note that the API has just answered a request, or refused it."""
        self._answered = self._clock()

    def count_retry(self, seconds: float) -> None:
        """Count a wait before a request is sent again."""
        with self._lock:
            self.current.retries += 1
            self.current.waited += seconds

    def count_pause(self, seconds: float) -> None:
        """Count a wait that another request was asked to make."""
        with self._lock:
            self.current.waited += seconds

    def count_warning(self, text: str) -> None:
        """Count a line of level WARNING."""
        with self._lock:
            self.current.warnings += 1
            if len(self.current.texts) < _MOST_TEXTS:
                self.current.texts.append(text)

    def is_progress_due(self) -> bool:
        """Tell whether five seconds have passed since this was last true."""
        now = self._clock()
        if now - self._logged < _INTERVAL:
            return False
        self._logged = now
        return True

    @property
    def seconds(self) -> float:
        """Seconds since the current stream started."""
        return self._clock() - self.current.started

    @property
    def seconds_unanswered(self) -> float:
        """Seconds since the API last answered or refused a request, or the start."""
        return self._clock() - self._answered
