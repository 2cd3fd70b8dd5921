"""The lists of metric descriptors, all of them bare arrays."""

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
_REPEATED = ("clicks", "impressions", "ctr")
"""Cross-network metrics that an organization's list begins with."""

_REPORTS = [
    "ACCOUNT_PERFORMANCE_REPORT",
    "CAMPAIGN_PERFORMANCE_REPORT",
    "KEYWORDS_PERFORMANCE_REPORT",
]


def cross_network_descriptors() -> list[Json]:
    """Return the descriptors of the metrics that AdStage has for all its users."""
    return [_descriptor(each) for each in METRICS.values() if not each.organization]


def organization_descriptors() -> list[Json]:
    """Return an organization's own metrics, after a few of everybody's."""
    own = [each for each in METRICS.values() if each.organization]
    return [_descriptor(each) for each in (*(METRICS[id_] for id_ in _REPEATED), *own)]


def provider_descriptors(name: str) -> list[Json] | None:
    """Return the descriptors of an external provider, None if there is no such one.

    Dimensions and other text stand among the metrics.
    """
    provider = EXTERNAL.get(name)
    if provider is None:
        return None
    return [
        *(
            _provider_descriptor(provider, each.id, each.name, each.format)
            for each in provider.metrics.values()
        ),
        *(
            _provider_descriptor(provider, field, shown, "TEXT")
            for field, shown in (provider.texts or {}).items()
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
        **{f"is_{each}": each in metric.networks for each in _FLAGGED_NETWORKS},
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
        **{f"is_{each}": each == provider.name for each in _FLAGGED_NETWORKS},
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
