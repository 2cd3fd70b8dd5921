{{ config(enabled=var('adstage_enabled')) }}
select
  network,
  name as account_name,
  code,
  is_importing,
  importable as is_importable,
  cast(last_import_started as {{ dbt.type_timestamp() }}) as last_import_started,
  cast(last_import_finished as {{ dbt.type_timestamp() }}) as last_import_finished
from {{ source('adstage', 'import_status') }}
