"""What the routes of one API share: its data, clock, tokens, limits and switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_adstage.sandbox.adstage.reports.v1_links import V1Style
    from tap_adstage.sandbox.service.clock import Clock
    from tap_adstage.sandbox.service.faults import FaultGenerator
    from tap_adstage.sandbox.service.request_log import RequestLog
    from tap_adstage.sandbox.service.throttling import Throttling
    from tap_adstage.sandbox.service.tokens import Tokens
    from tap_adstage.sandbox.world.import_status import ImportStatuses
    from tap_adstage.sandbox.world.world import World


@dataclass
class Switches:
    """Settings that may change while the API runs.

    Attributes:
        imports: The import status of each account.
        drop_rows: How many rows are missing from the end of a report's first page.
        max_report_days: The days that a report may have; None for any number.
        refresh_faults: How many of the next token requests fail.
    """

    imports: ImportStatuses
    drop_rows: int
    max_report_days: int | None
    refresh_faults: int


@dataclass(frozen=True)
class Backend:
    """What the routes of one API share.

    Attributes:
        v1: The style of V1 reports.
        size_fault: How a report of too many days is refused, of `faults.SIZE_FAULTS`.
        retry_after: Seconds in the `Retry-After` of failing answers.
    """

    world: World
    clock: Clock
    tokens: Tokens
    throttling: Throttling
    faults: FaultGenerator
    log: RequestLog
    v1: V1Style
    size_fault: str
    retry_after: int
    switches: Switches
