{%- set metrics = ['impressions', 'clicks', 'spend', 'conversions'] %}
{%- set before = 'over (partition by date, source, network, account_id, campaign_id order by dbt_valid_from)' %}
with versions as (
  select
    date,
    source,
    network,
    currency_code,
    account_id,
    account_name,
    campaign_id,
    campaign_name,
    dbt_valid_from as noticed_at,
    row_number() {{ before }} as version,
    min(dbt_valid_from) over (partition by date, source) as loaded_at
    {%- for metric in metrics %},
    coalesce({{ metric }}, 0) - lag(coalesce({{ metric }}, 0), 1, 0) {{ before }} as {{ metric }}
    {%- endfor %}
  from {{ ref('campaign_history') }}
)

select
  date,
  source,
  network,
  currency_code,
  account_id,
  account_name,
  campaign_id,
  campaign_name,
  noticed_at
  {%- for metric in metrics %},
  {{ metric }} as {{ metric }}_change
  {%- endfor %}
from versions
-- The first version is a change, too, if other campaigns had a row of that day before.
where version > 1 or noticed_at > loaded_at
