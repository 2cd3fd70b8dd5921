{{ config(enabled=var('adstage_enabled')) }}
select
  cast(date as date) as date,
  network,
  currency_code,
  entity_id as account_entity_id,
  remote_account_id as account_id,
  account_name,
  cast(impressions as {{ dbt.type_bigint() }}) as impressions,
  cast(clicks as {{ dbt.type_bigint() }}) as clicks,
  cast(spend as {{ dbt.type_numeric() }}) as spend,
  cast(conversions as {{ dbt.type_numeric() }}) as conversions
  {{- typed_extra_metrics('adstage', 'account_performance') }}
from {{ source('adstage', 'account_performance') }}
