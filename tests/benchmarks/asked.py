"""The reports that every contestant reads."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Report:
    """A report of campaigns.

    Attributes:
        name: Its stream's name.
        version: The API's version.
        is_total: Whether there is one record an entity, not one for each of its days.
    """

    name: str
    version: int = 2
    is_total: bool = False

    @property
    def path(self) -> str:
        """The endpoint's path, with a place for the organization."""
        return (
            "/organizations/{organization_id}/build_report"
            if self.version == 1
            else "/v2/organizations/{organization_id}/report"
        )

    def body(self, config: dict[str, Any], date_range: str) -> dict[str, Any]:
        """The body that asks for a window's first page, as the API documents it."""
        body = {
            "date_range": date_range,
            "fields": [*METRICS],
            "sort_by": "entity_id",
            "order": "asc",
            "limit": config["page_size"],
            "statuses": "all_with_deleted",
            "relative_to_time_zone": "UTC",
        }
        if self.version == 1:
            body |= {
                "provider": "adstage",
                "networks": ",".join(config["networks"]),
                "entity_level": LEVEL,
            }
        else:
            source = {"networks": config["networks"], "entity_level": LEVEL}
            body |= {
                "version": "2",
                "output_format": "row" if self.is_total else "series",
                "sources": {"metrics": source},
            }
        return body if self.is_total else {**body, "aggregate_by": "day"}


DAYS = Report("campaign_days")
TOTALS = Report("campaign_totals", is_total=True)
DAYS_V1 = Report("campaign_days_v1", version=1)
TOTALS_V1 = Report("campaign_totals_v1", version=1, is_total=True)
REPORTS = (DAYS, TOTALS, DAYS_V1, TOTALS_V1)


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
