{{ config(enabled=var('spotify_ads_enabled')) }}
select
  id as ad_set_id,
  ad_account_id as account_id,
  campaign_id,
  name as ad_set_name,
  status
from {{ source('spotify_ads', 'ad_sets') }}
