"""What the demo loads from each source, and how it recognises it again."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.cli.environment import ADSTAGE, SPOTIFY_ADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_adstage.sandbox.service.request_log import ReceivedRequest

LOOKBACK = dt.timedelta(days=14)


@dataclass(frozen=True)
class DemoReports:
    """The demo's reports of a source.

    Attributes:
        levels: The entity level of each report, as the source's requests name it.
        history: How far back the first run goes.
        schema: The schema in Postgres that they are loaded into.
        settings: The tap's setting `reports`; None for the tap's own default.
        find: Returns the level and the first day of a report request, None for any
            other request.
        spend: A query for currency, name and spend, the most of a currency first.
        spenders: What these names are of.
        conversions: A query for the conversions from one day to another, inclusive;
            "" if they don't change.
        api: Whose API it is.
        duration: About how long the demo takes.
        next_page: What to read before loading one's own account.
    """

    levels: Mapping[str, str]
    history: dt.timedelta
    schema: str
    settings: str | None
    find: Callable[[ReceivedRequest], tuple[str, str] | None]
    spend: str
    spenders: str
    conversions: str
    api: str
    duration: str
    next_page: str

    def tap_settings(self, first_day: dt.date) -> dict[str, str]:
        """Return settings that load in seconds and show a lookback."""
        settings = {
            "TAP_ADSTAGE_START_DATE": (first_day - self.history).isoformat(),
            "TAP_ADSTAGE_LOOKBACK_DAYS": str(LOOKBACK.days),
        }
        if self.settings is not None:
            settings["TAP_ADSTAGE_REPORTS"] = self.settings
        return settings

    def first_days(self, requests: Iterable[ReceivedRequest]) -> dict[str, dt.date]:
        """Find the first day that was requested for each report."""
        names = {level: name for name, level in self.levels.items()}
        found = [each for each in map(self.find, requests) if each]
        return {
            names[level]: dt.date.fromisoformat(day)
            for level, day in sorted(found, reverse=True)  # so the first day is last
        }


def _find_adstage(request: ReceivedRequest) -> tuple[str, str] | None:
    if not request.path.endswith("/report"):
        return None
    level = request.body["sources"]["metrics"]["entity_level"]
    return level, request.body["date_range"].partition("..")[0]


def _find_spotify_ads(request: ReceivedRequest) -> tuple[str, str] | None:
    """Return what a report's first page is of.

    A later page carries a token alone. The sums of an account that other reports are
    reconciled with are requested without `REACH`, which can't be summed up.
    """
    if ("fields", "REACH") not in request.parameters:
        return None
    return request.query["entity_type"], request.query["report_start"][:10]


_ADSTAGE_LEVELS = {
    "account_performance": "accounts",
    "campaign_performance": "campaigns",
    "ad_group_performance": "ad_groups",
}

REPORTS = {
    ADSTAGE: DemoReports(
        levels=_ADSTAGE_LEVELS,
        history=dt.timedelta(days=60),
        schema="adstage",
        settings=json.dumps(
            [
                {
                    "name": name,
                    "entity_level": level,
                    "fields": ["clicks", "impressions", "spend", "conversions"],
                }
                for name, level in _ADSTAGE_LEVELS.items()
            ]
        ),
        find=_find_adstage,
        spend="SELECT currency_code, network, sum(spend)::float"
        " FROM adstage.campaign_performance GROUP BY 1, 2 ORDER BY 1, 3 DESC",
        spenders="network",
        conversions="SELECT coalesce(sum(conversions), 0)"
        " FROM adstage.campaign_performance WHERE date BETWEEN %s AND %s",
        api="AdStage",
        duration="less than a minute",
        next_page="README.md, 'Reading your own account'",
    ),
    SPOTIFY_ADS: DemoReports(
        levels={
            "ad_account_performance": "AD_ACCOUNT",
            "campaign_performance": "CAMPAIGN",
            "ad_set_performance": "AD_SET",
            "ad_performance": "AD",
        },
        history=dt.timedelta(days=30),  # within Spotify's limit of requests
        schema="spotify_ads",
        settings=None,
        find=_find_spotify_ads,
        spend="SELECT currency_code, entity_name, sum(spend)::float"
        " FROM spotify_ads.ad_account_performance GROUP BY 1, 2 ORDER BY 1, 3 DESC",
        spenders="ad account",
        conversions="",
        api="Spotify Ads",
        duration="one or two minutes",
        next_page="docs/spotify-ads.md",
    ),
}
"""The demo's reports by source."""
