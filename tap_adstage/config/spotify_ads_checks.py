"""What is wrong with Spotify Ads' settings and reports, apart from a value's form.

Each line names the setting or the report's key, its value and what is allowed.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_adstage import date_ranges
from tap_adstage.config.spotify_ads import FIELDS, LONGEST_DATED_TOTAL
from tap_adstage.runtime.wording import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_adstage.config.spotify_ads_settings import (
        SpotifyAdsConfig,
        SpotifyAdsReportConfig,
    )


def account_errors(config: SpotifyAdsConfig) -> Iterator[str]:
    """Find what is wrong with the setting `accounts`, one line for each error."""
    if config.sync_mode == "SPECIFIC_ACCOUNTS" and not config.accounts:
        yield (
            "accounts: not given; sync_mode SPECIFIC_ACCOUNTS takes a list of ids of "
            "ad accounts"
        )


def report_errors(
    path: str,
    report: SpotifyAdsReportConfig,
    raw: Mapping[str, Any],
    config: SpotifyAdsConfig,  # noqa: ARG001 - other sources' checks need it
) -> Iterator[str]:
    """Find values that don't go together in a report of valid form.

    Args:
        path: Place of the report, for an error.
        report: The report, typed.
        raw: The report as given, without aliases.
        config: The run's settings.

    Yields:
        One line for each error.
    """
    counts = Counter(field.name for field in report.fields)
    if duplicates := [name for name, count in counts.items() if count > 1]:
        names = ", ".join(duplicates)
        yield f"{path}.fields: duplicate {names}; list each field once"
    if report.is_audience:
        yield from _audience_errors(path, report, raw)
        return
    if report.targets:
        yield (
            f"{path}.targets: {json_text(report.targets)} is not allowed; only an "
            f"audience report takes it, and entity_level {report.entity_level} is a "
            "level"
        )
    if report.aggregate_by == "total":
        yield from _total_errors(path, report)


def _audience_errors(
    path: str, report: SpotifyAdsReportConfig, raw: Mapping[str, Any]
) -> Iterator[str]:
    audience = f"entity_level {report.entity_level} is an audience"
    if report.aggregate_by != "total":
        yield (
            f"{path}.aggregate_by: {json_text(raw['aggregate_by'])} is not allowed; "
            f"{audience}, which Spotify reports as total alone"
        )
    if report.date_range:
        yield (
            f"{path}.date_range: {json_text(report.date_range)} is not allowed; "
            f"{audience}, which Spotify reports over an entity's whole life alone"
        )
    for number, field in enumerate(report.fields):
        if not FIELDS[field.name].in_audiences:
            yield (
                f"{path}.fields[{number}]: {json_text(field.name)} is not allowed; "
                f"{audience}, for which Spotify doesn't have it"
            )


def _total_errors(path: str, report: SpotifyAdsReportConfig) -> Iterator[str]:
    if report.date_range is None:
        return
    try:
        days = date_ranges.parse_date_range(report.date_range, today=report.today)
    except date_ranges.DateRangeError:
        return  # an error of its own
    length = (days.end - days.start).days + 1
    if length > LONGEST_DATED_TOTAL:
        yield (
            f"{path}.date_range: {json_text(report.date_range)} is not allowed with "
            f"aggregate_by total; its {length} days, {days}, are more than the "
            f"{LONGEST_DATED_TOTAL} that Spotify adds up; omit it for the whole "
            "lifetime"
        )
