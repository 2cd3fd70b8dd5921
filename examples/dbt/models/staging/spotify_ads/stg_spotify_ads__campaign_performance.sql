{{ config(enabled=var('spotify_ads_enabled')) }}
select
  cast(date as date) as date,
  currency_code,
  ad_account_id as account_id,
  entity_id as campaign_id,
  entity_name as campaign_name,
  cast(impressions as {{ dbt.type_bigint() }}) as impressions,
  cast(clicks as {{ dbt.type_bigint() }}) as clicks,
  cast(spend as {{ dbt.type_numeric() }}) as spend,
  cast(reach as {{ dbt.type_bigint() }}) as reach
  {{- typed_extra_metrics('spotify_ads', 'campaign_performance') }}
from {{ source('spotify_ads', 'campaign_performance') }}
