-- Rows of campaigns and ads in another currency than their account's.
with rows_of_levels as (
  select date, source, network, account_id, currency_code, spend
  from {{ ref('int_campaign_performance') }}
  union all
  select date, source, network, account_id, currency_code, spend
  from {{ ref('int_ad_performance') }}
)

select level.*
from rows_of_levels as level
inner join {{ ref('int_account_performance') }} as account
  on account.date = level.date
  and account.source = level.source
  and account.network = level.network
  and account.account_id = level.account_id
where
  level.spend <> 0
  and coalesce(level.currency_code, '') <> coalesce(account.currency_code, '')
