"""Rows that come again: a row that moves while pages are read can be on two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.adstage.fields import Kind
from tap_adstage.exceptions import ResponseError

if TYPE_CHECKING:
    import logging

    from tap_adstage.adstage.report_columns import ReportColumns
    from tap_adstage.reports.rows import JsonRow, Row
    from tap_adstage.runtime.statistics import RunStats


class DuplicateFilter:
    """Knows the rows of a window, so that each is written once."""

    def __init__(
        self,
        report: str,
        columns: ReportColumns,
        logger: logging.Logger,
        stats: RunStats,
    ) -> None:
        """Know no row yet.

        Args:
            report: Name of the report.
            columns: The report's columns.
            logger: Where rows that come again are told.
            stats: Counts the records of the report that are left out.
        """
        self._stats = stats
        self._report = report
        self._logger = logger
        self.keys = [name for name in columns.keys if name not in columns.dates]
        metrics = [c.name for c in columns.fields if c.kind is Kind.METRIC]
        self._varying = ["date", *metrics]
        self._known: dict[tuple[str, ...], int] = {}

    def begin_window(self) -> None:
        """Forget the rows of the window before."""
        self._known.clear()

    def accept(self, row: Row) -> bool:
        """Find out whether a row has to be written; say so where it is the first not.

        Args:
            row: The row.

        Returns:
            Whether its window has had no row of its key.

        Raises:
            ResponseError: If it has had one with other values, as either may be right.
        """
        key = tuple(row[0][name] for name in self.keys)
        varying = [record[name] for record in row for name in self._varying]
        return self._is_new(key, hash((repr(row[0]), repr(varying))), len(row))

    def accept_json(self, row: JsonRow) -> bool:
        """As `accept`, of a row whose records are texts.

        A window has either these or the others.
        """
        return self._is_new(row.key, hash(b"".join(row.records)), len(row.records))

    def _is_new(self, key: tuple[str, ...], values: int, records: int) -> bool:
        """Compare by a digest, as a window has very many values."""
        known = self._known.get(key)
        if known is None:
            self._known[key] = values
            return True
        named = ", ".join(map("{} {}".format, self.keys, key))
        if values != known:
            raise ResponseError(
                f"the row of {named} comes again with other values; run again, as the "
                "window is fetched anew",
            )
        if not self._stats.current.duplicates_skipped:
            self._logger.warning(
                "%s: the row of %s comes again with the same values; such rows are "
                "written once",
                self._report,
                named,
            )
        self._stats.current.duplicates_skipped += records
        return False

    def sum_up(self) -> None:
        """Say once, at the end, how many records were not written again."""
        duplicates_skipped = self._stats.current.duplicates_skipped
        if duplicates_skipped:
            self._logger.warning(
                "%s: left out %d records whose rows came before in their window",
                self._report,
                duplicates_skipped,
            )
