"""Duplicate rows: a row that moves while pages are read can be on two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.exceptions import ResponseError

if TYPE_CHECKING:
    import logging

    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.rows import Row
    from tap_adstage.runtime.statistics import RunStats


class DuplicateFilter:
    """The rows of a window, so that each is written once."""

    def __init__(
        self,
        report: str,
        columns: ReportColumns,
        logger: logging.Logger,
        stats: RunStats,
    ) -> None:
        """Start without rows.

        Args:
            report: Name of the report.
            columns: The report's columns.
            logger: For a warning about duplicates.
            stats: Counts the records that are skipped.
        """
        self._stats = stats
        self._report = report
        self._logger = logger
        self._names = columns.key_attributes
        attributes = [column.name for column in columns.attributes]
        self._positions = [attributes.index(name) for name in self._names]
        self._digests: dict[tuple[Any, ...], int] = {}

    def begin_window(self) -> None:
        """Forget the rows of the previous window."""
        self._digests.clear()

    def accept(self, row: Row, lines: bytes) -> bool:
        """Decide whether a row is to be written; warn about the first that is not.

        Rows are compared by a digest, as a window has very many values.

        Args:
            row: The row.
            lines: The lines of its records.

        Returns:
            Whether its key is new in the window.

        Raises:
            ResponseError: If an earlier row has the key with different values, as
                either may be right.
        """
        key = tuple(row.attributes[position] for position in self._positions)
        digest = hash(lines)
        known = self._digests.get(key)
        if known is None:
            self._digests[key] = digest
            return True
        named = ", ".join(map("{} {}".format, self._names, key))
        if known != digest:
            raise ResponseError(
                f"duplicate row of {named} with different values; run again, as the "
                "window is fetched anew",
            )
        if not self._stats.current.duplicates_skipped:
            self._logger.warning(
                "%s: duplicate row of %s with the same values; such rows are written "
                "once",
                self._report,
                named,
            )
        self._stats.current.duplicates_skipped += lines.count(b"\n")
        return False

    def log_summary(self) -> None:
        """Warn once, at the end, how many records were skipped."""
        skipped = self._stats.current.duplicates_skipped
        if skipped:
            self._logger.warning(
                "%s: skipped %d duplicate records", self._report, skipped
            )
