"""Businesses, ad accounts, campaigns, ad sets, ads and assets as JSON objects."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tap_adstage.sandbox.spotify_ads.parameters import format_moment
from tap_adstage.sandbox.spotify_ads.world.entities import make_uuid
from tap_adstage.sandbox.world.prng import between, mix, pick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_adstage.sandbox.spotify_ads.world.entities import Asset, Business, Entity

_BUDGET, _BID, _GOAL, _GENDERS, _TARGET, _SIZE, _CAMPAIGN_GOAL = range(41, 48)

_GENDER_CHOICES = (("MALE", "FEMALE", "NON_BINARY"), ("FEMALE",), ("MALE",))
_GOALS = ("REACH", "CLICKS", "STREAMS", "IMPRESSIONS", "SOUND_ON_COMPLETES")
"""Delivery goals of ad sets, of which the OpenAPI file doesn't know the last one."""

_GOAL_GROUPS = ("AWARENESS", "WEBSITE_TRAFFIC", "ENGAGEMENT_ON_SPOTIFY")
_OBJECTIVES = ("REACH", "CLICKS", "EVEN_IMPRESSION_DELIVERY")
_FILE_TYPES = {"AUDIO": "MP3", "IMAGE": "JPEG", "VIDEO": "MP4"}
_UNKNOWN_FIELD_SHARE = 7
"""One of so many campaigns has a field that the OpenAPI file doesn't know."""


def business_body(business: Business) -> dict[str, Any]:
    """Return a business."""
    created_at = format_moment(business.created_at)
    return {
        "id": business.id,
        "name": business.name,
        "created_at": created_at,
        "updated_at": created_at,
        "status": "ACTIVE",
        "type": business.type,
    }


def account_body(account: Entity) -> dict[str, Any]:
    """Return an ad account."""
    return {
        "id": account.id,
        "business_id": account.business.id,
        "created_at": format_moment(account.created_at),
        "updated_at": format_moment(account.updated_at),
        "country_code": "US",
        "industry": "Media & Entertainment",
        "website": "https://advertiser.example",
        "billing_address": {
            "name": account.business.name,
            "street": "1 Main Street",
            "city": "Springfield",
            "region": "Illinois",
            "postal_code": "62701",
            "tax_region": "US",
        },
        "legal_entity_name": f"{account.business.name} Ltd",
        "status": account.status,
        "name": account.name,
        "ad_account_role": "AD_ACCOUNT_VIEWER",
        "tax_id": f"TAX{account.position:08d}",
        "currency_code": account.currency,
    }


def _campaign_body(campaign: Entity) -> dict[str, Any]:
    body = {
        **_common(campaign),
        "purchase_order": f"ORDER_{campaign.position}",
        "objective": pick(campaign.key, _CAMPAIGN_GOAL, _OBJECTIVES),
        "delivery_goal_group": pick(campaign.key, _CAMPAIGN_GOAL, _GOAL_GROUPS),
    }
    if campaign.position % _UNKNOWN_FIELD_SHARE == 3:  # noqa: PLR2004
        body["planning_notes"] = {"owner": "sandbox"}
    return body


def _ad_set_body(ad_set: Entity) -> dict[str, Any]:
    return {
        **_common(ad_set),
        **_flight(ad_set),
        "campaign_id": _parent_id(ad_set),
        "category": "ADV_21_182",
        "cost_model": "CPM",
        "asset_format": "AUDIO",
        "budget": {
            "micro_amount": between(ad_set.key, _BUDGET, 5, 5000) * 1_000_000,
            "type": "DAILY" if ad_set.position % 2 else "LIFETIME",
            "currency": ad_set.currency,
        },
        "bid_micro_amount": between(ad_set.key, _BID, 2, 30) * 1_000_000,
        "bid_strategy": "MAX_BID",
        "frequency_caps": [
            {"frequency_unit": "DAY", "frequency_period": 1, "max_impressions": 5}
        ],
        "delivery": "OFF" if ad_set.status == "ARCHIVED" else "ON",
        "delivery_goal": pick(ad_set.key, _GOAL, _GOALS),
        "pacing": "PACING_EVEN",
        "is_paused": ad_set.status == "ARCHIVED",
        "slot_positions": ["PRE_ROLL", "MID_ROLL"],
        "targets": {
            "age_ranges": [{"min": 18, "max": 24}, {"min": 35, "max": 44}],
            "genders": _GENDER_CHOICES[mix(ad_set.key, _GENDERS) % 3],
            "geo_targets": {"country_code": "US", "region_ids": ["5101760"]},
            "genre_ids": ["rock", "jazz"],
            "interest_ids": [make_uuid(mix(ad_set.key, _TARGET))],
            "platforms": ["IOS", "ANDROID", "DESKTOP"],
            "placements": ["MUSIC"],
        },
    }


def _ad_body(ad: Entity) -> dict[str, Any]:
    assets = [asset.id for asset in ad.account.assets]
    body = {
        **_common(ad),
        **_flight(ad),
        "ad_set_id": _parent_id(ad),
        "ad_preview_url": f"https://ads.example/preview/{ad.id}",
        "advertiser_name": ad.account.name[:25],
        "assets": {
            "asset_id": assets[ad.position % len(assets)],
            "companion_asset_id": assets[(ad.position + 1) % len(assets)],
            "logo_asset_id": assets[(ad.position + 2) % len(assets)],
        },
        "call_to_action": {
            "key": "LEARN_MORE",
            "text": "Learn more",
            "language": "ENGLISH",
            "clickthrough_url": "https://advertiser.example/landing",
        },
        "delivery": "OFF" if ad.status == "ARCHIVED" else "ON",
        "tagline": "Good sound for good ears",
        "third_party_tracking": [
            {"measurement_partner": "IAS", "url": "https://track.example/?c=1"}
        ],
    }
    if ad.status == "REJECTED":
        body["reject_reason"] = "The link does not work."
        body["reject_reasons"] = [
            {
                "rejection": "The link does not work.",
                "rejection_key": "BROKEN_LINK",
                "remediation": "Submit a new ad with another link.",
                "remediation_key": "NEW_LINK",
            }
        ]
    return body


def asset_body(asset: Asset) -> dict[str, Any]:
    """Return an asset; what it has depends on its type."""
    created_at = format_moment(asset.created_at)
    body: dict[str, Any] = {
        "id": asset.id,
        "name": asset.name,
        "asset_type": asset.type,
        "status": asset.status,
        "url": f"https://assets.example/{asset.id}",
        "created_at": created_at,
        "updated_at": created_at,
        "file_type": _FILE_TYPES[asset.type],
    }
    if asset.type != "IMAGE":
        length = 1000 * between(asset.key, _SIZE, 10, 60)
        body["duration_ms"] = length if asset.status == "READY" else None
    if asset.type == "AUDIO":
        return {**body, "audio_type": "USER_UPLOADED_AUDIO"}
    body |= {"aspect_ratio": "SQUARE", "width": 640, "height": 640}
    if asset.type == "VIDEO":
        body["has_audio"] = True
        body["thumbnail_url"] = f"https://assets.example/{asset.id}/thumbnail"
    return body


ENTITY_BODIES: Mapping[str, Callable[[Entity], dict[str, Any]]] = {
    "CAMPAIGN": _campaign_body,
    "AD_SET": _ad_set_body,
    "AD": _ad_body,
}
"""What turns an entity of a kind into its JSON object."""


def _common(entity: Entity) -> dict[str, Any]:
    return {
        "id": entity.id,
        "name": entity.name,
        "status": entity.status,
        "created_at": format_moment(entity.created_at),
        "updated_at": format_moment(entity.updated_at),
    }


def _flight(entity: Entity) -> dict[str, Any]:
    start = entity.created_at + dt.timedelta(days=1)
    flight = {"start_time": format_moment(start)}
    if entity.position % 3 == 0:
        flight["end_time"] = format_moment(start + dt.timedelta(days=2000))
    return flight


def _parent_id(entity: Entity) -> str:
    return entity.parent.id if entity.parent is not None else ""
