"""What the routes share: data, clock, tokens, limits and switches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_adstage.sandbox.spotify_ads.continuation_tokens import ContinuationTokens

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tap_adstage.sandbox.service.clock import Clock
    from tap_adstage.sandbox.service.faults import FaultGenerator
    from tap_adstage.sandbox.service.request_log import RequestLog
    from tap_adstage.sandbox.service.throttling import Throttling
    from tap_adstage.sandbox.service.tokens import Tokens
    from tap_adstage.sandbox.spotify_ads.rate_limits import RateLimits
    from tap_adstage.sandbox.spotify_ads.world.world import World


@dataclass
class Switches:
    """Settings that may change while the API runs.

    Attributes:
        hidden_accounts: Ids of ad accounts that the user does not have.
        refused_accounts: Ids of ad accounts that are listed and refuse the rest.
        drop_rows: How many rows are missing from the end of a report's first page.
        refresh_faults: How many of the next token requests fail.
        hourly_revenue: Whether an hourly report may have `REVENUE`.
    """

    hidden_accounts: AbstractSet[str] = frozenset()
    refused_accounts: AbstractSet[str] = frozenset()
    drop_rows: int = 0
    refresh_faults: int = 0
    hourly_revenue: bool = True


@dataclass(frozen=True)
class Backend:
    """What the routes share.

    Attributes:
        limits: The limits of requests; None for no limit.
        retry_after: Seconds after which failing answers ask to try again.
    """

    world: World
    clock: Clock
    tokens: Tokens
    throttling: Throttling
    faults: FaultGenerator
    log: RequestLog
    limits: RateLimits | None
    retry_after: int
    switches: Switches
    pages: ContinuationTokens = field(default_factory=ContinuationTokens)

    @property
    def now(self) -> dt.datetime:
        """The moment in UTC: the real one on the real day, else noon of the fixed day.

        A client may know the day alone, and counts hours back from the real moment.
        """
        real = dt.datetime.now(dt.timezone.utc)
        return real if self.clock.today == real.date() else self.clock.now
