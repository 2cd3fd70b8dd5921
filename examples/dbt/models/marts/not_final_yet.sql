{{ after_tests_of_levels() }}
with report as (
  select source, network, account_id, account_name, date
  from {{ ref('int_account_performance') }}
),

-- An account that AdStage has not imported at all has no row to report yet.
known_accounts as (
  select source, network, account_id, account_name
  from report
  {%- if var('adstage_enabled') %}
  union all
  select 'adstage' as source, network, account_id, account_name
  from {{ ref('int_adstage__imports') }}
  {{- without_networks_left_out() }}
  {%- endif %}
),

accounts as (
  select source, network, account_id, max(account_name) as account_name
  from known_accounts
  group by source, network, account_id
),

-- All days that are loaded, as an account that is behind may have no row on them. The
-- next run fetches the last ones again.
days as (
  select distinct
    report.source,
    report.date,
    report.date >= loaded.lookback_from as is_in_lookback
  from report
  inner join (
    select
      source,
      cast(
        {{ dbt.dateadd('day', -var('lookback_days'), 'max(date)') }} as date
      ) as lookback_from
    from report
    group by source
  ) as loaded
    on loaded.source = report.source
),

account_days as (
  select
    days.date,
    accounts.source,
    accounts.network,
    accounts.account_id,
    accounts.account_name,
    days.is_in_lookback,
  {%- if var('adstage_enabled') %}
    imports.account_id is not null
    and (imports.imported_through is null or days.date > imports.imported_through)
      as is_import_unfinished,
    imports.import_code,
    imports.imported_through
  {%- else %}
    false as is_import_unfinished,
    cast(null as {{ dbt.type_string() }}) as import_code,
    cast(null as date) as imported_through
  {%- endif %}
  from accounts
  inner join days
    on days.source = accounts.source
  {%- if var('adstage_enabled') %}
  left join {{ ref('int_adstage__imports') }} as imports
    on accounts.source = 'adstage'
    and imports.network = accounts.network
    and imports.account_id = accounts.account_id
  {%- endif %}
)

select *
from account_days
where is_in_lookback or is_import_unfinished
