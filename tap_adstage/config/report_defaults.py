"""The settings of reports of any source: their days, and what a report overrides."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from msgspec import Meta

from tap_adstage import date_ranges
from tap_adstage.config.declarations import Group, labels
from tap_adstage.config.texts import Day, Moment, TimeZone

ALL_TIME = "ALL_TIME"
TIMEFRAME_MONTHS: Mapping[str, int] = {
    "THREE": 3,
    "SIX": 6,
    "TWELVE": 12,
    "TWENTY_FOUR": 24,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Days(Group):
    """The days that reports cover, which a report can't override."""

    now: dt.datetime
    """The real time, with a time zone."""

    start_date: Annotated[
        Day | None,
        Meta(
            description="First day that any report asks for: a date, or a date-time "
            "whose date counts as it is written."
        ),
    ] = None
    end_date: Annotated[
        Day | None, Meta(description="Last day that any report asks for, inclusive.")
    ] = None
    timeframe_months: Annotated[
        Literal["THREE", "SIX", "TWELVE", "TWENTY_FOUR", "ALL_TIME"],
        Meta(
            description="How far back the first sync goes if neither `start_date` nor "
            "a report's `date_range` is set; `ALL_TIME` starts at 2012-01-01."
        ),
        labels(
            *(f"{months} months" for months in TIMEFRAME_MONTHS.values()), "Since 2012"
        ),
    ] = "SIX"
    as_of: Annotated[
        Moment | None,
        Meta(
            description="Date or date-time that the run takes as the current time, so "
            "that a repeated run gets the same ranges; by default the real time."
        ),
    ] = None


@dataclass(frozen=True, kw_only=True, repr=False)
class ReportDefaults(Days):
    """What each report may override."""

    time_zone: Annotated[
        TimeZone,
        Meta(
            description="IANA name of the zone in which days are counted; `UTC` alone "
            "for Spotify Ads, which counts them so."
        ),
    ] = "UTC"
    lookback_days: Annotated[
        int,
        Meta(
            ge=0,
            description="Days before the bookmark that every incremental run fetches "
            "again, for late conversions.",
        ),
    ] = 30
    window_days: Annotated[
        int,
        Meta(
            ge=1,
            description="Days in one request, never less than one slice; by default "
            "10, for Spotify Ads 30 of at most 89.",
        ),
    ]
    complete_slices: Annotated[
        bool,
        Meta(
            description="Leave out each week, month or day that isn't over, or that "
            "the range covers only in part."
        ),
    ] = False

    @cached_property
    def today(self) -> dt.date:
        """The day that it is in `time_zone`, now or as of `as_of`."""
        return date_ranges.today(self.as_of, self.time_zone, now=self.now)
