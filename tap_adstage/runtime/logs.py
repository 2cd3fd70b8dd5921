"""Logs without secrets, whoever writes them, and the warnings among them.

The tap's own lines have no secrets. Those of the libraries below it may: URLs at level
DEBUG, or the traceback of an error that nobody foresaw.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import WeakSet

from tap_adstage.runtime.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_adstage.runtime.redaction import Secrets


def redact_logs(secrets: Secrets) -> None:
    """Redact all that the present handlers log, as long as `secrets` is referenced.

    The SDK, `SINGER_SDK_LOG_CONFIG` or the program that runs the tap set them up.

    Args:
        secrets: The run's secrets; more may be added to them later.
    """
    for handler in _handlers():
        formatter = handler.formatter
        if not isinstance(formatter, _RedactingFormatter):
            formatter = _RedactingFormatter(formatter or logging.Formatter())
            handler.setFormatter(formatter)
        formatter.secrets.add(secrets)


class WarningHandler(logging.Handler):
    """A handler that passes on the text of each warning, which may hold secrets."""

    def __init__(self, on_warning: Callable[[str], None]) -> None:
        """Listen from now on, until it is closed.

        Args:
            on_warning: Called with each text.
        """
        super().__init__(logging.WARNING)
        self._on_warning = on_warning
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on a warning's text; errors are reported by the end of the run."""
        if record.levelno == logging.WARNING:
            try:
                self._on_warning(record.getMessage())
            except Exception:  # noqa: BLE001 - a line that can't be formatted
                self.handleError(record)
        # Python does this itself if it finds no handler at all.
        if logging.lastResort and logging.getLogger().handlers == [self]:
            logging.lastResort.handle(record)

    def close(self) -> None:
        """Stop listening."""
        logging.getLogger().removeHandler(self)
        super().close()


class _RedactingFormatter(logging.Formatter):
    """A formatter that redacts the output of another one, text or JSON.

    That output has all that is written: arguments, extra fields, tracebacks.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        """Wrap a formatter."""
        super().__init__()
        self.secrets: WeakSet[Secrets] = WeakSet()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """Format a record with the other formatter, and redact the text."""
        text = self._formatter.format(record)
        of_all_runs = tuple(self.secrets)
        for secrets in of_all_runs:
            text = secrets.hide(text)
        return redact(text) if of_all_runs else text


def _handlers() -> Iterator[logging.Handler]:
    """Yield all handlers, and the one that Python uses if there is no other."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            yield from logger.handlers
    if logging.lastResort:
        yield logging.lastResort
