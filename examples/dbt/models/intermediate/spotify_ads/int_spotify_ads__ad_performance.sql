{{ config(enabled=var('spotify_ads_enabled')) }}
select
  report.date,
  'spotify_ads' as source,
  'spotify' as network,
  report.currency_code,
  report.account_id,
  account.account_name,
  ad_set.campaign_id,
  campaign.campaign_name,
  report.ad_set_id as ad_group_id,
  report.ad_set_name as ad_group_name,
  report.ad_id,
  report.ad_name,
  report.impressions,
  report.clicks,
  report.spend,
  cast(null as {{ dbt.type_numeric() }}) as conversions
  {{- extra_metrics_of('spotify_ads') }}
from {{ ref('stg_spotify_ads__ad_performance') }} as report
left join {{ ref('stg_spotify_ads__ad_accounts') }} as account
  on account.account_id = report.account_id
left join {{ ref('stg_spotify_ads__ad_sets') }} as ad_set
  on ad_set.ad_set_id = report.ad_set_id
left join {{ ref('stg_spotify_ads__campaigns') }} as campaign
  on campaign.campaign_id = ad_set.campaign_id
