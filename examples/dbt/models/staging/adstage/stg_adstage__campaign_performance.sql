{{ config(enabled=var('adstage_enabled')) }}
select
  cast(date as date) as date,
  network,
  currency_code,
  remote_account_id as account_id,
  account_name,
  remote_campaign_id as campaign_id,
  campaign_name,
  cast(impressions as {{ dbt.type_bigint() }}) as impressions,
  cast(clicks as {{ dbt.type_bigint() }}) as clicks,
  cast(spend as {{ dbt.type_numeric() }}) as spend,
  cast(conversions as {{ dbt.type_numeric() }}) as conversions
  {{- typed_extra_metrics('adstage', 'campaign_performance') }}
from {{ source('adstage', 'campaign_performance') }}
