"""Duplicate rows: a row that moves while pages are read can be on two of them."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tap_adstage.exceptions import InconsistentError, ResponseError

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.rows import Row, RowPage
    from tap_adstage.runtime.statistics import RunStats

_HALF = 2**32


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
        self._key_of = itemgetter(*self._positions)
        self._parents = columns.parents
        self._parent_at = [attributes.index(name) for name in self._parents]
        self._parent_field = columns.parent_field
        self._digests: dict[Any, int] = {}
        self._part: tuple[str | None, int] = (None, 0)

    def begin_window(self) -> None:
        """Forget the rows of the previous window."""
        self._digests.clear()

    def begin_page(self, page: RowPage) -> None:
        """Forget the rows of the previous part of the window, if the page begins one.

        A window of all entities of all accounts may have very many rows.
        """
        part = page.account, page.part
        if part != self._part:
            self._digests.clear()
            self._part = part

    def accept(self, row: Row, lines: bytes) -> bool:
        """Decide whether a row is to be written; warn about the first that is not.

        Rows and their parents are compared by one number, half of it for each, as a
        window may have very many rows.

        Args:
            row: The row.
            lines: The lines of its records.

        Returns:
            Whether its key is new in the window.

        Raises:
            InconsistentError: If an earlier row has the key with different values, as
                either may be right.
            ResponseError: If that row has other parents, so that the key is of several
                entities.
        """
        key = self._key_of(row.attributes)
        digest = hash(lines) % _HALF
        if self._parents:
            digest += hash(self._parents_of(row)) % _HALF * _HALF
        known = self._digests.get(key)
        if known is None:
            self._digests[key] = digest
            return True
        named = _named(self._names, [row.attributes[at] for at in self._positions])
        if known != digest:
            is_shared = known // _HALF != digest // _HALF
            raise self._contradiction(named, self._parents_of(row), is_shared=is_shared)
        if not self._stats.current.duplicates_skipped:
            self._logger.warning(
                "%s: duplicate row of %s with the same values; such rows are written "
                "once",
                self._report,
                named,
            )
        self._stats.current.duplicates_skipped += lines.count(b"\n")
        return False

    def _parents_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(row.attributes[position] for position in self._parent_at)

    def _contradiction(
        self,
        named: str,
        parents: tuple[Any, ...],
        *,
        is_shared: bool,
    ) -> ResponseError:
        """Make the error of two rows with one key and different values."""
        remedy = (
            f'add key_fields ["{self._parent_field}"] to the report, and give it a new '
            "name"
        )
        if is_shared:
            return ResponseError(
                f"{named} is shared: one row is of {_named(self._parents, parents)}, "
                f"another is not, and the key doesn't tell them apart; {remedy}",
            )
        may_be_shared = self._parent_field is not None and not self._parents
        return InconsistentError(
            f"duplicate row of {named} with different values"
            f"{f' (if it is shared by several parents, {remedy})' * may_be_shared}",
        )

    def log_summary(self) -> None:
        """Warn once, at the end, how many records were skipped."""
        skipped = self._stats.current.duplicates_skipped
        if skipped:
            self._logger.warning(
                "%s: skipped %d duplicate records", self._report, skipped
            )


def _named(names: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(map("{} {}".format, names, values))
