"""The report that every contestant reads."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

STREAM = "campaign_days"
LEVEL = "campaigns"
NETWORKS = ("adwords", "facebook")
METRICS = (
    "clicks",
    "impressions",
    "ctr",
    "spend",
    "cpc",
    "cpm",
    "conversions",
    "conversion_rate",
    "cost_per_conversion",
    "total_conversion_value",
)
META = ("entity_id", "network", "currency_code")
ORGANIZATION = 40
TODAY = dt.date(2024, 3, 20)
LAST_DAY = dt.date(2023, 12, 31)
"""Long enough before today that every conversion has arrived."""


def body(config: dict[str, Any], date_range: str) -> dict[str, Any]:
    """Ask for a window's first page, as the API documents it."""
    return {
        "version": "2",
        "date_range": date_range,
        "output_format": "series",
        "aggregate_by": "day",
        "sources": {
            "metrics": {"networks": config["networks"], "entity_level": LEVEL},
        },
        "fields": [*METRICS],
        "sort_by": "entity_id",
        "order": "asc",
        "limit": config["page_size"],
        "statuses": "all_with_deleted",
    }


def date_ranges(start: dt.date, end: dt.date, days: int) -> list[str]:
    """Cut the days from start to end, both inclusive, into windows."""
    starts = [
        start + dt.timedelta(days=passed)
        for passed in range(0, (end - start).days + 1, days)
    ]
    length = dt.timedelta(days=days - 1)
    return [f"{first}..{min(first + length, end)}" for first in starts]


def read_config(path: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(Path(path).read_text())
    return config
