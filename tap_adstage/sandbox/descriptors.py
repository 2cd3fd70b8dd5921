"""The lists of metric descriptors, all of them bare arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.metrics import METRICS
from tap_adstage.sandbox.names import NETWORKS

if TYPE_CHECKING:
    from tap_adstage.sandbox.metrics import Metric

Json: TypeAlias = "dict[str, Any]"

_FLAGGED_NETWORKS = (*NETWORKS, "gemini", "google_analytics")
_KINDS = ("account", "campaign", "ad_group", "ad", "keyword")
_REPEATED = ("clicks", "impressions", "ctr")
"""Cross-network metrics that an organization's list begins with."""

_REPORTS = [
    "ACCOUNT_PERFORMANCE_REPORT",
    "CAMPAIGN_PERFORMANCE_REPORT",
    "KEYWORDS_PERFORMANCE_REPORT",
]

_PROVIDER_FIELDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "facebook": (
        ("reach", "Reach", "DEFAULT"),
        ("results", "Results", "DEFAULT"),
        ("clicks", "Clicks (All)", "DEFAULT"),
        ("link_clicks", "Link Clicks", "DEFAULT"),
        ("impressions", "Impressions", "DEFAULT"),
        ("spend", "Amount Spent", "CURRENCY"),
        ("frequency", "Frequency", "DECIMAL"),
        ("ctr", "CTR (All)", "PERCENTAGE"),
        ("campaign_name", "Campaign Name", "TEXT"),
        ("age", "Age", "TEXT"),
        ("gender", "Gender", "TEXT"),
    ),
    "adwords": (
        ("clicks", "Clicks", "INTEGER"),
        ("impressions", "Impressions", "INTEGER"),
        ("cost", "Cost", "CURRENCY"),
        ("ctr", "CTR", "PERCENTAGE"),
        ("conversions", "Conversions", "DECIMAL"),
        ("average_position", "Avg. Position", "DECIMAL"),
        ("search_impression_share", "Search Impr. Share", "PERCENTAGE"),
        ("campaign_name", "Campaign", "TEXT"),
        ("device", "Device", "TEXT"),
    ),
    "gemini": (
        ("clicks", "Clicks", "INTEGER"),
        ("impressions", "Impressions", "INTEGER"),
        ("spend", "Spend", "CURRENCY"),
        ("average_cpc", "Average CPC", "CURRENCY"),
        ("campaign_name", "Campaign Name", "TEXT"),
    ),
    "google_analytics": (
        ("sessions", "Sessions", "INTEGER"),
        ("users", "Users", "INTEGER"),
        ("bounce_rate", "Bounce Rate", "PERCENTAGE"),
        ("transaction_revenue", "Revenue", "CURRENCY"),
        ("source_medium", "Source / Medium", "TEXT"),
    ),
}
"""Fields of the external providers: id, name and format."""


def cross_network_descriptors() -> list[Json]:
    """Return the descriptors of the metrics that AdStage has for all its users."""
    return [_descriptor(each) for each in METRICS.values() if not each.organization]


def organization_descriptors() -> list[Json]:
    """Return an organization's own metrics, after a few of everybody's."""
    own = [each for each in METRICS.values() if each.organization]
    return [_descriptor(each) for each in (*(METRICS[id_] for id_ in _REPEATED), *own)]


def provider_descriptors(provider: str) -> list[Json] | None:
    """Return the descriptors of an external provider, None if there is no such one."""
    fields = _PROVIDER_FIELDS.get(provider)
    if fields is None:
        return None
    return [
        _provider_descriptor(provider, field_id, name, field_format)
        for field_id, name, field_format in fields
    ]


def _descriptor(metric: Metric) -> Json:
    unknown = None if metric.category == "PERFORMANCE" else False
    return {
        "id": metric.id,
        "short_name": metric.short_name,
        "name": metric.name,
        "is_default": metric.category == "PERFORMANCE",
        "tooltip": metric.tooltip,
        "format": metric.format,
        "type": "METRIC",
        "category": metric.category,
        "default_sort_order": "DESC",
        **{f"is_{each}": each in metric.networks for each in _FLAGGED_NETWORKS},
        **{f"is_{kind}": metric.on_keywords or kind != "keyword" for kind in _KINDS},
        "is_post": unknown,
        "is_company_status_update": unknown,
    }


def _provider_descriptor(
    provider: str, field_id: str, name: str, field_format: str
) -> Json:
    descriptor: Json = {
        "id": field_id,
        "short_name": name,
        "name": name,
        "is_default": field_format != "TEXT",
        "tooltip": f"{name} as the provider defines it.",
        "format": field_format,
        "type": "TEXT" if field_format == "TEXT" else "METRIC",
        "category": "PERFORMANCE",
        "default_sort_order": "DESC",
        **{f"is_{each}": each == provider for each in _FLAGGED_NETWORKS},
        **{f"is_{kind}": kind != "keyword" for kind in _KINDS},
        "is_post": False,
        "is_company_status_update": False,
        "show_increase_as": "POSITIVE",
    }
    if provider == "adwords":
        descriptor["display_names"] = [name]
        descriptor["reports"] = _REPORTS
        descriptor["supports_filters"] = _REPORTS[:2]
        descriptor["supports_zero_impressions"] = _REPORTS[:1]
    if provider == "gemini":
        descriptor["can_filter"] = field_format != "TEXT"
    return descriptor
