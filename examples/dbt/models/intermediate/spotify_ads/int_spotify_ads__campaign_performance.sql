{{ config(enabled=var('spotify_ads_enabled')) }}
select
  report.date,
  'spotify_ads' as source,
  'spotify' as network,
  report.currency_code,
  report.account_id,
  account.account_name,
  report.campaign_id,
  report.campaign_name,
  report.impressions,
  report.clicks,
  report.spend,
  cast(null as {{ dbt.type_numeric() }}) as conversions
  {{- extra_metrics_of('spotify_ads') }}
from {{ ref('stg_spotify_ads__campaign_performance') }} as report
left join {{ ref('stg_spotify_ads__ad_accounts') }} as account
  on account.account_id = report.account_id
