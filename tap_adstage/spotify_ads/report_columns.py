"""From a report's settings to its columns: names, types, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.config.spotify_ads import LEVELS
from tap_adstage.exceptions import ConfigError
from tap_adstage.reports.columns import Column, Kind, ReportColumns, column_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_adstage.config.spotify_ads_settings import SpotifyAdsReportConfig

BELOW_THRESHOLD = "below_threshold"
"""The column that names the columns whose values Spotify hides."""


def report_columns(report: SpotifyAdsReportConfig) -> ReportColumns:
    """Decide a report's columns; nothing has to be asked for them.

    Args:
        report: The report.

    Returns:
        Its columns: times, the entity, the audience, then the fields in their order.

    Raises:
        ConfigError: If two of them share a name.
    """
    times = [*_times(report)]
    audience = report.audience.lower() if report.audience else None
    fixed = [
        *times,
        _fixed("ad_account_id"),
        _fixed("entity_id"),
        _fixed("entity_name"),
        _fixed("entity_status"),
        *(map(_fixed, ("parent_id", "parent_name")) if has_parents(report) else ()),
        _fixed("currency_code"),
        *([_fixed(audience)] if audience else []),
        _fixed(BELOW_THRESHOLD, Kind.ARRAY),
    ]
    columns = [
        *fixed,
        *(
            Column(field.column or column_name(field.name), field.name, Kind.METRIC)
            for field in report.fields
        ),
    ]
    if errors := [*_shared_names(report, columns)]:
        raise ConfigError(errors)
    return ReportColumns(
        dates=(),
        fields=tuple(columns),
        keys=(
            *(time.name for time in times),
            "ad_account_id",
            "entity_id",
            *([audience] if audience else []),
        ),
        group=None,
        dimensions=(audience,) if audience else (),
        replication_key=times[0].name if times else None,
    )


def has_parents(report: SpotifyAdsReportConfig) -> bool:
    """Whether the rows of a report name the parent of their entity."""
    return not report.is_audience and LEVELS[report.entity_level].parent is not None


def _times(report: SpotifyAdsReportConfig) -> Iterator[Column]:
    if report.aggregate_by == "hour":
        yield _fixed("start_time", Kind.DATE_TIME)
    elif report.aggregate_by == "day":
        yield _fixed("date", Kind.DATE)
    elif report.date_range is not None:
        yield _fixed("date", Kind.DATE)
        yield _fixed("date_end", Kind.DATE)


def _fixed(name: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, name, kind, requested=False)


def _shared_names(
    report: SpotifyAdsReportConfig, columns: Sequence[Column]
) -> Iterator[str]:
    owners: dict[str, str] = {}
    for column in columns:
        owner = owners.setdefault(column.name, column.field)
        if owner != column.field:
            yield (
                f"reports.{report.name}.fields: {owner} and {column.field} would share "
                f"the column {column.name}; name one with "
                f'{{"field": "{column.field}", "column": "…"}}'
            )
