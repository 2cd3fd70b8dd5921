"""What to do if a window differs from the source's own count and totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.exceptions import ReconcileError

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_adstage.reports.control_totals import ControlTotals, Tally
    from tap_adstage.reports.windows import Window
    from tap_adstage.runtime.statistics import RunStats


@dataclass(slots=True)
class Reconciler:
    """Compares the windows of one report with the source's totals.

    Attributes:
        report: Name of the report.
        source: Name of the source.
        policy: `off`, `warn` or `fail`.
        is_rounded: Whether the source was asked to round the report's numbers.
        logger: For warnings about differences.
        stats: Counts what is missing.
    """

    report: str
    source: str
    policy: str
    is_rounded: bool
    logger: logging.Logger
    stats: RunStats
    _windows: int = 0
    _different: int = 0
    _without_totals: int = 0

    def compare(
        self,
        window: Window,
        sums: Mapping[str | None, tuple[Tally, ControlTotals]],
    ) -> None:
        """Compare a window that is written.

        Args:
            window: The window.
            sums: Count and sums of the rows that were written, and the source's own, if
                it gave any: by account, or of all accounts at once.

        Raises:
            ReconcileError: If they differ and the policy is `fail`.
        """
        if self.policy == "off":
            return
        self._windows += 1
        if not any(control for _, control in sums.values()):
            self._without_totals += 1
            return
        differences = [
            f"account {account}: {text}" if account else text
            for account, (tally, control) in sums.items()
            for text in tally.differences(control, is_rounded=self.is_rounded)
        ]
        if not differences:
            return
        self._different += 1
        text = (
            f"{self.report}: window {window.range} differs from {self.source}'s own "
            f"totals: {'; '.join(differences)}"
        )
        if self.policy == "fail":
            raise ReconcileError(
                f"{text}. The bookmark stays before the window, so that the next run "
                "fetches it again; set reconcile to warn to continue anyway",
            )
        self.logger.warning("%s", text)

    def log_summary(self) -> None:
        """Warn once, at the end, how many windows differ or had no totals."""
        differ = f"differ from {self.source}'s own totals"
        if self._different:
            self.stats.current.missing.append(
                f"{self._different} of {self._windows} windows {differ}"
            )
        for number, what in (
            (self._different, differ),
            (
                self._without_totals,
                f"were not compared, as {self.source} gave no totals",
            ),
        ):
            if number:
                counts = (self.report, number, self._windows)
                self.logger.warning("%s: %d of %d windows %s", *counts, what)
