"""What a sandbox serves with: its data, its clock and its conditions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_adstage.sandbox.adstage.reports.v1_links import V1Style
    from tap_adstage.sandbox.service.request_log import RequestsLog
    from tap_adstage.sandbox.service.throttling import Conditions
    from tap_adstage.sandbox.service.tokens import Tokens
    from tap_adstage.sandbox.world.import_status import Imports
    from tap_adstage.sandbox.world.world import World


class Clock:
    """The sandbox's idea of the day.

    Attributes:
        fixed: A day at which time stands still, or None to go with the world.
    """

    def __init__(self, fixed: dt.date | None) -> None:
        """Start on that day, or today where it is None."""
        self.fixed = fixed

    @property
    def now(self) -> dt.datetime:
        """The moment in UTC, noon where the day is fixed."""
        if self.fixed is None:
            return dt.datetime.now(dt.timezone.utc)
        return dt.datetime.combine(self.fixed, dt.time(12), dt.timezone.utc)

    @property
    def today(self) -> dt.date:
        """The day in UTC."""
        return self.now.date()


@dataclass
class Switches:
    """What may change while the sandbox runs.

    Attributes:
        imports: How the imports of the accounts are getting on.
        drop_rows: How many of the last rows of a report's first page are not shown.
        max_report_days: The days that a report may have; None for any number.
        refresh_faults: How many of the next token requests fail.
    """

    imports: Imports
    drop_rows: int
    max_report_days: int | None
    refresh_faults: int


@dataclass(frozen=True)
class Service:
    """What the routes of one sandbox share."""

    world: World
    clock: Clock
    tokens: Tokens
    conditions: Conditions
    log: RequestsLog
    v1: V1Style
    size_fault: str
    retry_after: int
    switches: Switches
