"""Sources of report data: AdStage's imports, or a network itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.world.entities import LEVELS
from tap_adstage.sandbox.world.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class Provider:
    """A source of report data, and the fields and levels that it has.

    Attributes:
        name: `adstage`, or the network that reports instead of AdStage's imports.
        metrics: Metrics by id; the same id may mean something else elsewhere.
        meta_fields: The meta fields of its entities.
        dimensions: The values of each dimension; None if an entity has no value.
        levels: The entity levels that it reports on.
        omits_nulls: Whether rows omit a dimension without a value; else it is null.
        texts: The names of an external provider's meta fields and dimensions.
    """

    name: str
    metrics: Mapping[str, Metric]
    meta_fields: Collection[str]
    dimensions: Mapping[str, tuple[str | None, ...]]
    levels: tuple[str, ...] = LEVELS
    omits_nulls: bool = False
    texts: Mapping[str, str] | None = None

    @property
    def is_external(self) -> bool:
        """Whether the data are a network's own instead of AdStage's."""
        return self.texts is not None

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that a report may request."""
        return (*self.metrics, *self.meta_fields, *self.dimensions)


def _metric(  # noqa: PLR0913, PLR0917
    provider: str,
    metric_id: str,
    name: str,
    metric_format: str,
    above: tuple[str, ...],
    below: str | None,
) -> Metric:
    is_money = metric_format == "CURRENCY"
    return Metric(
        id=metric_id,
        name=name,
        short_name=name,
        tooltip=f"{name} as the provider defines it.",
        format=metric_format,
        category="PERFORMANCE",
        above=above,
        below=below,
        divisor=100 if is_money else 1,
        precision={"DEFAULT": None, "INTEGER": None, "PERCENTAGE": 4}.get(
            metric_format, 2
        ),
        networks=frozenset({provider}),
        on_keywords=provider == "adwords",
    )


def _external(  # noqa: PLR0913
    name: str,
    metrics: tuple[tuple[str, str, str, tuple[str, ...], str | None], ...],
    *,
    texts: Mapping[str, str],
    dimensions: Mapping[str, tuple[str | None, ...]],
    levels: tuple[str, ...],
    omits_nulls: bool = False,
) -> Provider:
    """Return a provider; a metric is its id, name, format, numerators, denominator."""
    return Provider(
        name=name,
        metrics={row[0]: _metric(name, *row) for row in metrics},
        meta_fields=tuple(field for field in texts if field not in dimensions),
        dimensions=dimensions,
        levels=levels,
        omits_nulls=omits_nulls,
        texts=texts,
    )


EXTERNAL = {
    provider.name: provider
    for provider in (
        _external(
            "facebook",
            (
                ("reach", "Reach", "DEFAULT", ("reach",), None),
                ("results", "Results", "DEFAULT", ("conversions",), None),
                ("clicks", "Clicks (All)", "DEFAULT", ("clicks", "engagements"), None),
                ("link_clicks", "Link Clicks", "DEFAULT", ("clicks",), None),
                ("impressions", "Impressions", "DEFAULT", ("impressions",), None),
                ("spend", "Amount Spent", "CURRENCY", ("spend",), None),
                ("frequency", "Frequency", "DECIMAL", ("impressions",), "reach"),
                (
                    "ctr",
                    "CTR (All)",
                    "PERCENTAGE",
                    ("clicks", "engagements"),
                    "impressions",
                ),
            ),
            texts={
                "campaign_name": "Campaign Name",
                "age": "Age",
                "gender": "Gender",
                "publisher_platform": "Platform",
            },
            dimensions={
                "age": ("18-24", "25-34", "35-44", "45-54", "55-64", "65+", None),
                "gender": ("female", "male", None),
                "publisher_platform": ("facebook", "instagram", "messenger", None),
            },
            levels=LEVELS[:4],
        ),
        _external(
            "adwords",
            (
                ("clicks", "Clicks", "INTEGER", ("clicks",), None),
                ("impressions", "Impressions", "INTEGER", ("impressions",), None),
                ("cost", "Cost", "CURRENCY", ("spend",), None),
                ("ctr", "CTR", "PERCENTAGE", ("clicks",), "impressions"),
                ("conversions", "Conversions", "DECIMAL", ("conversions",), None),
                (
                    "average_position",
                    "Avg. Position",
                    "DECIMAL",
                    ("impressions", "reach"),
                    "impressions",
                ),
                (
                    "search_impression_share",
                    "Search Impr. Share",
                    "PERCENTAGE",
                    ("reach",),
                    "impressions",
                ),
            ),
            texts={
                "campaign_name": "Campaign",
                "Device": "Device",
                "AdNetworkType1": "Network",
            },
            dimensions={
                "Device": (
                    "Computers",
                    "Mobile devices with full browsers",
                    "Tablets with full browsers",
                    None,
                ),
                "AdNetworkType1": ("Search Network", "Display Network", None),
            },
            levels=LEVELS,
            omits_nulls=True,
        ),
        _external(
            "gemini",
            (
                ("clicks", "Clicks", "INTEGER", ("clicks",), None),
                ("impressions", "Impressions", "INTEGER", ("impressions",), None),
                ("spend", "Spend", "CURRENCY", ("spend",), None),
                ("average_cpc", "Average CPC", "CURRENCY", ("spend",), "clicks"),
            ),
            texts={"campaign_name": "Campaign Name", "Device Type": "Device Type"},
            dimensions={"Device Type": ("Desktop", "SmartPhone", "Tablet", None)},
            levels=LEVELS[:4],
            omits_nulls=True,
        ),
        _external(
            "google_analytics",
            (
                ("ga:sessions", "Sessions", "INTEGER", ("clicks",), None),
                ("ga:users", "Users", "INTEGER", ("engagements",), None),
                ("ga:bounceRate", "Bounce Rate", "PERCENTAGE", ("likes",), "clicks"),
                (
                    "ga:transactionRevenue",
                    "Revenue",
                    "CURRENCY",
                    ("total_conversion_value",),
                    None,
                ),
            ),
            texts={
                "ga:sourceMedium": "Source / Medium",
                "ga:deviceCategory": "Device Category",
            },
            dimensions={
                "ga:sourceMedium": (
                    "google / cpc",
                    "(direct) / (none)",
                    "newsletter / email",
                    None,
                ),
                "ga:deviceCategory": ("desktop", "mobile", "tablet", None),
            },
            levels=LEVELS[:1],
        ),
    )
}
"""The external providers by name."""
