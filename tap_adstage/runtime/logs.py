"""Keep secrets out of logs, whoever writes them.

The tap's own lines have no secrets. Those of the libraries below it may: at level
DEBUG each URL is one, and the traceback of an error that nobody foresaw quotes it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import WeakSet

from tap_adstage.runtime.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_adstage.runtime.redaction import Secrets


def keep_out(secrets: Secrets) -> None:
    """Redact what is logged through any handler that there is by now.

    It lasts as long as the secrets do. Handlers are what the SDK and
    `SINGER_SDK_LOG_CONFIG` have set up, or the program that runs the tap.

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
    """Hands on the text of each warning, whoever logs it; it may hold secrets."""

    def __init__(self, take: Callable[[str], None]) -> None:
        """Listen from now on, until it is closed.

        Args:
            take: Takes the texts.
        """
        super().__init__(logging.WARNING)
        self._take = take
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on a warning's text; an error is told by how the run ends."""
        if record.levelno == logging.WARNING:
            try:
                self._take(record.getMessage())
            except Exception:  # noqa: BLE001 - a line that can't be formatted
                self.handleError(record)
        # Python does this itself where it finds no handler at all.
        if logging.lastResort and logging.getLogger().handlers == [self]:
            logging.lastResort.handle(record)

    def close(self) -> None:
        """Listen no more."""
        logging.getLogger().removeHandler(self)
        super().close()


class _RedactingFormatter(logging.Formatter):
    """Redacts what another formatter makes of a record.

    That has all that is written in it: arguments, what is added to a record, and the
    tracebacks of errors, in lines of text as well as in JSON.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        """Stand before a formatter.

        Args:
            formatter: It decides the form.
        """
        super().__init__()
        self.secrets: WeakSet[Secrets] = WeakSet()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """Format a record in the other formatter's way, and redact it.

        Args:
            record: The record; it is left as it is.

        Returns:
            The text to write.
        """
        text = self._formatter.format(record)
        for secrets in tuple(self.secrets):
            text = redact(text, secrets)
        return text


def _handlers() -> Iterator[logging.Handler]:
    """All handlers; the last is the one that works where there is no other."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            yield from logger.handlers
    if logging.lastResort:
        yield logging.lastResort
