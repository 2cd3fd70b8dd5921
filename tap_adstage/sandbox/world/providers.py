"""Where the data of reports come from: AdStage's imports, or a network itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.world.entities import LEVELS
from tap_adstage.sandbox.world.meta_fields import META_FIELDS
from tap_adstage.sandbox.world.metrics import METRICS, Metric

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class Provider:
    """A source of reports and what it can tell.

    Attributes:
        name: `adstage`, or the network that is asked instead of AdStage's imports.
        metrics: Its metrics by their ids, which other providers may use otherwise.
        meta_fields: The meta fields that it has of entities.
        dimensions: The values of each dimension that it breaks reports by. None stands
            for what has no value.
        levels: The entity levels that it reports on.
        omits_nulls: Whether a dimension without a value is left out of a row; it is
            null otherwise.
        texts: What external providers call each of their meta fields and dimensions.
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
        """Whether the data are a network's own and not AdStage's."""
        return self.texts is not None

    @property
    def fields(self) -> tuple[str, ...]:
        """Everything that a report can be asked to show."""
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
    """Return a provider with metrics of id, name, format and what they are made of."""
    return Provider(
        name=name,
        metrics={each[0]: _metric(name, *each) for each in metrics},
        meta_fields=tuple(each for each in texts if each not in dimensions),
        dimensions=dimensions,
        levels=levels,
        omits_nulls=omits_nulls,
        texts=texts,
    )


ADSTAGE = Provider("adstage", METRICS, META_FIELDS, {})
"""What AdStage has imported, as API V2 reports it."""

ADSTAGE_V1 = Provider(
    "adstage",
    {name: each for name, each in METRICS.items() if not each.is_calculated},
    META_FIELDS,
    {},
)
"""The same as API V1 reports it, which has no calculated metrics."""

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
"""The external providers by their names."""
