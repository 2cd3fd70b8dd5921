{{ after_tests_of_levels() }}
{%- set month = 'cast(' ~ dbt.date_trunc('month', 'date') ~ ' as date)' %}
select
  {{ month }} as month,
  source,
  network,
  currency_code,
  min(min(date)) over (partition by source, {{ month }}) as first_day,
  max(max(date)) over (partition by source, {{ month }}) as last_day,
  sum(impressions) as impressions,
  sum(clicks) as clicks,
  sum(spend) as spend,
  sum(conversions) as conversions
  {%- for name in extra_metrics() %},
  sum({{ name }}) as {{ name }}
  {%- endfor %}
from {{ ref('int_account_performance') }}
group by {{ month }}, source, network, currency_code
