{{ config(enabled=var('adstage_enabled')) }}
select
  cast(date as date) as date,
  network,
  currency_code,
  remote_account_id as account_id,
  account_name,
  remote_campaign_id as campaign_id,
  campaign_name,
  remote_ad_group_id as ad_group_id,
  ad_group_name,
  remote_ad_id as ad_id,
  ad_name,
  cast(impressions as {{ dbt.type_bigint() }}) as impressions,
  cast(clicks as {{ dbt.type_bigint() }}) as clicks,
  cast(spend as {{ dbt.type_numeric() }}) as spend,
  cast(conversions as {{ dbt.type_numeric() }}) as conversions
  {{- typed_extra_metrics('adstage', 'ad_performance') }}
from {{ source('adstage', 'ad_performance') }}
