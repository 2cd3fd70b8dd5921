"""The report of Spotify's that the benchmark reads."""

from __future__ import annotations

import datetime as dt

TODAY = dt.date(2024, 3, 20)
LAST_DAY = TODAY - dt.timedelta(days=1)
ADS = 1000
SHAPE = ((ADS // 20, 4, 5),)
"""One account: its campaigns, ad sets in each of them, ads in each of those."""

NAME = "ad_days"
FIELDS = (
    "IMPRESSIONS",
    "CLICKS",
    "SPEND",
    "CTR",
    "STREAMED_IMPRESSIONS",
    "OFF_SPOTIFY_IMPRESSIONS",
    "REACH",
    "FREQUENCY",
    "STARTS",
    "FIRST_QUARTILES",
    "MIDPOINTS",
    "THIRD_QUARTILES",
    "COMPLETES",
    "SKIPS",
    "PAID_LISTENS",
    "PAID_LISTENS_FREQUENCY",
    "PAID_LISTENS_REACH",
    "E_CPCL",
    "VIDEO_VIEWS",
    "VIDEO_EXPANDS",
    "VIDEO_EXPAND_RATE",
    "LISTENERS",
    "NEW_LISTENERS",
    "STREAMS",
    "STREAMS_PER_USER",
    "NEW_LISTENER_STREAMS",
    "STREAMS_PER_NEW_LISTENER",
    "INTENT_RATE",
    "CONVERSION_RATE",
    "NEW_LISTENER_CONVERSION_RATE",
)
"""What users of Fivetran's connector ask for, as far as Spotify still has it."""

WINDOW_DAYS = 30
BATCH = 50
