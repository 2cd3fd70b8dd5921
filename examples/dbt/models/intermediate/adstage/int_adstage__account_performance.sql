{{ config(enabled=var('adstage_enabled')) }}
select
  date,
  'adstage' as source,
  network,
  currency_code,
  account_id,
  account_name,
  impressions,
  clicks,
  spend,
  conversions
  {{- extra_metrics_of('adstage') }}
from {{ ref('stg_adstage__account_performance') }}
{{- without_networks_left_out() }}
