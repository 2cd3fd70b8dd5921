{{ config(enabled=var('adstage_enabled')) }}
select
  entity_id as account_entity_id,
  network,
  remote_id as account_id,
  name as account_name,
  currency_code,
  status
from {{ source('adstage', 'accounts') }}
