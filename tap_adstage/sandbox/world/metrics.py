"""The metrics: what each is computed from, and which networks and levels have it.

A metric is a fraction of daily amounts. Reports divide sums, so a month's click-through
rate is its clicks divided by its impressions.
"""

from __future__ import annotations

from dataclasses import dataclass

from tap_adstage.sandbox.world.names import NETWORKS

_ALL = frozenset(NETWORKS)
_VIDEO = _ALL - {"amazon", "bing_ads"}
_SOCIAL = frozenset({"facebook", "linkedin", "pinterest", "twitter"})
_REACH = frozenset({"facebook", "linkedin", "spotify", "twitter"})
_CONVERSIONS = _ALL - {"spotify"}
_VALUES = frozenset({"adwords", "amazon", "bing_ads", "facebook", "pinterest"})

OMITTING_NETWORKS = frozenset({"quora", "spotify", "twitter"})
"""Networks that omit a metric that they lack; the others return null for it."""


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        id: The field's name in report requests.
        format: The descriptor's format: `DEFAULT`, `PERCENTAGE`, `CURRENCY`, `DECIMAL`.
        above: Names of the amounts whose sum is the numerator.
        below: Name of the amount that is the denominator, if any.
        multiplier: A factor of the numerator.
        divisor: A factor of the denominator; 100 turns cents into units.
        precision: Decimals that AdStage rounds to; None for integers.
        networks: The networks that have the metric.
        on_keywords: Whether keywords have it; all other levels do.
        organization: Whether it is the organization's own definition.
    """

    id: str
    name: str
    short_name: str
    tooltip: str
    format: str
    category: str
    above: tuple[str, ...]
    below: str | None = None
    multiplier: int = 1
    divisor: int = 1
    precision: int | None = None
    networks: frozenset[str] = _ALL
    on_keywords: bool = True
    organization: bool = False

    @property
    def is_calculated(self) -> bool:
        """Whether reports list it under `calculated` instead of `metrics`."""
        return self.id.startswith("calculated_metric:")

    def is_on(self, network: str, kind: str) -> bool:
        """Return whether entities of that kind on that network have the metric."""
        return network in self.networks and (self.on_keywords or kind != "keyword")


def _count(  # noqa: PLR0913
    metric_id: str,
    name: str,
    tooltip: str,
    *,
    short_name: str | None = None,
    category: str = "PERFORMANCE",
    networks: frozenset[str] = _ALL,
    on_keywords: bool = True,
) -> Metric:
    return Metric(
        id=metric_id,
        name=name,
        short_name=short_name or name,
        tooltip=tooltip,
        format="DEFAULT",
        category=category,
        above=(metric_id,),
        networks=networks,
        on_keywords=on_keywords,
    )


def _custom(
    suffix: str, name: str, metric_format: str, above: str, below: str | None = None
) -> Metric:
    """Return one of the metrics of the custom conversion 14."""
    is_money_above = above in {"spend", "custom_conversion_value"}
    is_money_below = below == "spend"
    return Metric(
        id=f"custom_conversions:14:{suffix}",
        name=f"Sales Leads: A+{name}",
        short_name=f"A+ Leads{name}",
        tooltip="Leads scored A+ by the sales team",
        format=metric_format,
        category="CUSTOM_CONVERSION",
        above=(above,),
        below=below,
        divisor=100 if is_money_above and not is_money_below else 1,
        precision={"DEFAULT": None, "PERCENTAGE": 4}.get(metric_format, 2),
        organization=True,
    )


_CATALOGUE = (
    _count(
        "clicks",
        "Clicks",
        "<b>Clicks</b> show how many times your ads have been clicked.",
    ),
    _count(
        "impressions",
        "Impressions",
        "<b>Impressions</b> show how many times your ads have been shown.",
        short_name="Impr.",
    ),
    Metric(
        id="ctr",
        name="CTR",
        short_name="CTR",
        tooltip="<b>Clickthrough rate</b> is clicks divided by impressions.",
        format="PERCENTAGE",
        category="PERFORMANCE",
        above=("clicks",),
        below="impressions",
        precision=4,
    ),
    Metric(
        id="spend",
        name="Spend",
        short_name="Spend",
        tooltip="<b>Spend</b> is what your ads have cost.",
        format="CURRENCY",
        category="PERFORMANCE",
        above=("spend",),
        divisor=100,
        precision=2,
    ),
    Metric(
        id="cpc",
        name="CPC",
        short_name="CPC",
        tooltip="<b>Cost per click</b> is spend divided by clicks.",
        format="CURRENCY",
        category="PERFORMANCE",
        above=("spend",),
        below="clicks",
        divisor=100,
        precision=2,
    ),
    Metric(
        id="cpm",
        name="CPM",
        short_name="CPM",
        tooltip="<b>Cost per mille</b> is spend for a thousand impressions.",
        format="CURRENCY",
        category="PERFORMANCE",
        above=("spend",),
        below="impressions",
        multiplier=1000,
        divisor=100,
        precision=2,
    ),
    _count(
        "conversions",
        "Conversions",
        "<b>Conversions</b> count the actions that people took after a click.",
        short_name="Conv.",
        category="CONVERSION",
        networks=_CONVERSIONS,
    ),
    Metric(
        id="conversion_rate",
        name="Conversion Rate",
        short_name="Conv. Rate",
        tooltip="Conversions divided by clicks.",
        format="PERCENTAGE",
        category="CONVERSION",
        above=("conversions",),
        below="clicks",
        precision=4,
        networks=_CONVERSIONS,
    ),
    Metric(
        id="cost_per_conversion",
        name="Cost per Conversion",
        short_name="CPA",
        tooltip="Spend divided by conversions.",
        format="CURRENCY",
        category="CONVERSION",
        above=("spend",),
        below="conversions",
        divisor=100,
        precision=2,
        networks=_CONVERSIONS,
    ),
    Metric(
        id="total_conversion_value",
        name="Total Conversion Value",
        short_name="Conv. Value",
        tooltip="What all conversions were worth.",
        format="CURRENCY",
        category="CONVERSION",
        above=("total_conversion_value",),
        divisor=100,
        precision=2,
        networks=_VALUES,
    ),
    Metric(
        id="roas",
        name="Return on Ad Spend",
        short_name="ROAS",
        tooltip="Conversion value divided by spend.",
        format="DECIMAL",
        category="CONVERSION",
        above=("total_conversion_value",),
        below="spend",
        precision=2,
        networks=_VALUES,
    ),
    _count(
        "video_views",
        "Video Views",
        "How many times your videos have been watched.",
        short_name="Views",
        category="VIDEO",
        networks=_VIDEO,
        on_keywords=False,
    ),
    Metric(
        id="cost_per_video_view",
        name="Cost per Video View",
        short_name="CPV",
        tooltip="Spend divided by video views.",
        format="CURRENCY",
        category="VIDEO",
        above=("spend",),
        below="video_views",
        divisor=100,
        precision=2,
        networks=_VIDEO,
        on_keywords=False,
    ),
    _count(
        "reach",
        "Reach",
        "How many people saw your ads at least once.",
        networks=_REACH,
        on_keywords=False,
    ),
    Metric(
        id="frequency",
        name="Frequency",
        short_name="Freq.",
        tooltip="Impressions divided by reach.",
        format="DECIMAL",
        category="PERFORMANCE",
        above=("impressions",),
        below="reach",
        precision=2,
        networks=_REACH,
        on_keywords=False,
    ),
    *(
        _count(
            metric_id,
            metric_id.capitalize(),
            f"How many {metric_id} your ads have led to.",
            category="ENGAGEMENT",
            networks=_SOCIAL,
            on_keywords=False,
        )
        for metric_id in ("likes", "comments", "shares", "follows", "engagements")
    ),
    _custom("conversions", "", "DEFAULT", "custom_conversions"),
    _custom("conversion_value", " (Value)", "CURRENCY", "custom_conversion_value"),
    _custom(
        "cost_per_conversion", " (Cost per)", "CURRENCY", "spend", "custom_conversions"
    ),
    _custom("conversion_rate", " (Rate)", "PERCENTAGE", "custom_conversions", "clicks"),
    _custom("roas", " (ROAS)", "DECIMAL", "custom_conversion_value", "spend"),
    Metric(
        id="calculated_metric:123",
        name="Interactions",
        short_name="Interactions",
        tooltip="Clicks and custom conversions",
        format="DEFAULT",
        category="CALCULATED_METRIC",
        above=("clicks", "custom_conversions"),
        organization=True,
    ),
    Metric(
        id="calculated_metric:124",
        name="CPM with Fee",
        short_name="CPM+",
        tooltip="Cost per mille, with a tenth on top for the agency",
        format="CURRENCY",
        category="CALCULATED_METRIC",
        above=("spend",),
        below="impressions",
        multiplier=1100,
        divisor=100,
        precision=2,
        organization=True,
    ),
)

METRICS = {metric.id: metric for metric in _CATALOGUE}
"""Every metric of V2 reports by its id, in the order of the descriptor lists."""
