"""The lists of metric descriptors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.world.entities import LEVEL_KINDS
from tap_adstage.sandbox.world.metrics import METRICS
from tap_adstage.sandbox.world.names import NETWORKS
from tap_adstage.sandbox.world.providers import EXTERNAL

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.metrics import Metric
    from tap_adstage.sandbox.world.providers import Provider

Json: TypeAlias = "dict[str, Any]"

_FLAGGED_NETWORKS = (*NETWORKS, "gemini", "google_analytics")
_KINDS = ("account", "campaign", "ad_group", "ad", "keyword")
_SHARED = ("clicks", "impressions", "ctr")
"""The cross-network metrics at the beginning of an organization's list."""

_REPORTS = [
    "ACCOUNT_PERFORMANCE_REPORT",
    "CAMPAIGN_PERFORMANCE_REPORT",
    "KEYWORDS_PERFORMANCE_REPORT",
]


def cross_network_descriptors() -> list[Json]:
    """Return the descriptors of the metrics that all users have."""
    return [
        _descriptor(metric) for metric in METRICS.values() if not metric.organization
    ]


def organization_descriptors() -> list[Json]:
    """Return the descriptors of a few shared metrics and the organization's own."""
    own = [metric for metric in METRICS.values() if metric.organization]
    shared = [METRICS[metric_id] for metric_id in _SHARED]
    return [_descriptor(metric) for metric in (*shared, *own)]


def provider_descriptors(provider_name: str) -> list[Json] | None:
    """Return the descriptors of an external provider, None if it is unknown.

    The list has metrics, dimensions and other text.
    """
    provider = EXTERNAL.get(provider_name)
    if provider is None:
        return None
    return [
        *(
            _provider_descriptor(provider, metric.id, metric.name, metric.format)
            for metric in provider.metrics.values()
        ),
        *(
            _provider_descriptor(provider, field, name, "TEXT")
            for field, name in (provider.texts or {}).items()
        ),
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
        **{f"is_{name}": name in metric.networks for name in _FLAGGED_NETWORKS},
        **{f"is_{kind}": metric.on_keywords or kind != "keyword" for kind in _KINDS},
        "is_post": unknown,
        "is_company_status_update": unknown,
    }


def _provider_descriptor(
    provider: Provider, field_id: str, name: str, field_format: str
) -> Json:
    kinds = {LEVEL_KINDS[level] for level in provider.levels}
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
        **{f"is_{network}": network == provider.name for network in _FLAGGED_NETWORKS},
        **{f"is_{kind}": kind in kinds for kind in _KINDS},
        "is_post": False,
        "is_company_status_update": False,
        "show_increase_as": "POSITIVE",
    }
    if provider.name == "adwords":
        descriptor["display_names"] = [name]
        descriptor["reports"] = _REPORTS
        descriptor["supports_filters"] = _REPORTS[:2]
        descriptor["supports_zero_impressions"] = _REPORTS[:1]
    if provider.name == "gemini":
        descriptor["can_filter"] = field_format != "TEXT"
    return descriptor
