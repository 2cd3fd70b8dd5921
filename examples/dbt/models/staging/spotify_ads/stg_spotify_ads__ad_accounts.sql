{{ config(enabled=var('spotify_ads_enabled')) }}
select
  id as account_id,
  name as account_name,
  currency_code,
  status
from {{ source('spotify_ads', 'ad_accounts') }}
