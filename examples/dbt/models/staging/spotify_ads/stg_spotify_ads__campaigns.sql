{{ config(enabled=var('spotify_ads_enabled')) }}
select
  id as campaign_id,
  ad_account_id as account_id,
  name as campaign_name,
  status
from {{ source('spotify_ads', 'campaigns') }}
