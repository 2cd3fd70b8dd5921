{{ config(enabled=var('adstage_enabled')) }}
with imports as (
  select
    network,
    account_name,
    code,
    -- An import has the data of the moment when it began. While one is running, only the
    -- end of the one before is known.
    cast(
      {{ dbt.dateadd(
        'day',
        -1,
        'case when last_import_started < last_import_finished '
        ~ 'then last_import_started else last_import_finished end'
      ) }} as date
    ) as imported_through
  from {{ ref('stg_adstage__import_status') }}
)

select
  account.network,
  account.account_id,
  max(account.account_name) as account_name,
  max(imports.code) as import_code,
  -- Accounts may share a name, which is all that AdStage's import status has of them:
  -- then the one that is furthest behind counts.
  case
    when count(imports.imported_through) = count(*) then min(imports.imported_through)
  end as imported_through
from {{ ref('stg_adstage__accounts') }} as account
inner join imports
  on imports.network = account.network
  and imports.account_name = account.account_name
group by account.network, account.account_id
