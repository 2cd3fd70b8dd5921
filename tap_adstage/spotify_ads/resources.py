"""The resource streams: what Spotify has besides reports, each a table."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_adstage.source import ResourceTable

_Text = th.StringType
_Moment = th.DateTimeType
_Texts = th.ArrayType(th.StringType)


def _object(**members: th.JSONTypeHelper[Any] | type[th.JSONTypeHelper[Any]]) -> Any:  # noqa: ANN401 - a type of the SDK's
    """Make the type of an object that may have more members than are documented."""
    properties = (th.Property(name, kind) for name, kind in members.items())
    return th.ObjectType(*properties, additional_properties=True)


_Objects = th.ArrayType(_object())


def _table(
    table: str, /, **columns: th.JSONTypeHelper[Any] | type[th.JSONTypeHelper[Any]]
) -> ResourceTable:
    """Make a table with the key `id`."""
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        *(th.Property(column, kind) for column, kind in columns.items()),
    )
    return ResourceTable(name=table, key=("id",), schema=schema.to_dict())


_TABLES = (
    _table(
        "businesses",
        name=_Text,
        created_at=_Moment,
        updated_at=_Moment,
        status=_Text,
        type=_Text,
    ),
    _table(
        "ad_accounts",
        business_id=_Text,
        name=_Text,
        created_at=_Moment,
        updated_at=_Moment,
        country_code=_Text,
        currency_code=_Text,
        industry=_Text,
        website=_Text,
        billing_address=_object(
            name=_Text,
            street=_Text,
            city=_Text,
            region=_Text,
            postal_code=_Text,
            region_geo_id=_Text,
            tax_region=_Text,
        ),
        legal_entity_name=_Text,
        status=_Text,
        status_reason=_Text,
        ad_account_role=_Text,
        tax_id=_Text,
    ),
    _table(
        "campaigns",
        ad_account_id=_Text,
        name=_Text,
        created_at=_Moment,
        updated_at=_Moment,
        purchase_order=_Text,
        status=_Text,
        objective=_Text,
        delivery_goal_group=_Text,
    ),
    _table(
        "ad_sets",
        ad_account_id=_Text,
        campaign_id=_Text,
        name=_Text,
        start_time=_Moment,
        end_time=_Moment,
        created_at=_Moment,
        updated_at=_Moment,
        frequency_caps=_Objects,
        bid_micro_amount=th.IntegerType,
        base_rate_micro_amount=th.IntegerType,
        cost_modifiers=_Objects,
        delivery=_Text,
        dataset_id=_Text,
        video_delivery_formats=_Texts,
        category=_Text,
        cost_model=_Text,
        asset_format=_Text,
        budget=_object(micro_amount=th.IntegerType, type=_Text, currency=_Text),
        promotion=_object(
            promotion_goal=_Text,
            promotion_target_id=_Text,
            conversion_events=_Objects,
        ),
        bid_strategy=_Text,
        bid_optimization_goal=_Text,
        reject_reason=_Text,
        reject_reasons=_Objects,
        status=_Text,
        targets=_object(),
        pacing=_Text,
        mobile_app_id=_Text,
        delivery_goal=_Text,
        is_paused=th.BooleanType,
        pause_reason=_Text,
        slot_positions=_Texts,
        skad_enabled=th.BooleanType,
    ),
    _table(
        "ads",
        ad_account_id=_Text,
        ad_set_id=_Text,
        name=_Text,
        tagline=_Text,
        advertiser_name=_Text,
        assets=_object(
            asset_id=_Text,
            companion_asset_id=_Text,
            logo_asset_id=_Text,
            canvas_asset_id=_Text,
        ),
        call_to_action=_object(
            key=_Text, text=_Text, language=_Text, clickthrough_url=_Text
        ),
        created_at=_Moment,
        updated_at=_Moment,
        start_time=_Moment,
        end_time=_Moment,
        delivery=_Text,
        status=_Text,
        reject_reason=_Text,
        reject_reasons=_Objects,
        ad_preview_url=_Text,
        third_party_tracking=_Objects,
        catalog=_object(id=_Text, name=_Text, catalog_items=_Objects),
    ),
    _table(
        "assets",
        ad_account_id=_Text,
        name=_Text,
        asset_type=_Text,
        status=_Text,
        url=_Text,
        created_at=_Moment,
        updated_at=_Moment,
        file_type=_Text,
        aspect_ratio=_Text,
        width=th.IntegerType,
        height=th.IntegerType,
        audio_type=_Text,
        duration_ms=th.IntegerType,
        has_audio=th.BooleanType,
        thumbnail_url=_Text,
    ),
)

TABLES = {table.name: table for table in _TABLES}
"""The resource streams by name, in the order in which they are read."""
