{{ config(enabled=var('spotify_ads_enabled')) }}
select
  date,
  'spotify_ads' as source,
  'spotify' as network,
  currency_code,
  account_id,
  account_name,
  impressions,
  clicks,
  spend,
  cast(null as {{ dbt.type_numeric() }}) as conversions
  {{- extra_metrics_of('spotify_ads') }}
from {{ ref('stg_spotify_ads__ad_account_performance') }}
