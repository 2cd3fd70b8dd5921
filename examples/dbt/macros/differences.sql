{#-
  Where the rows of a finer level don't add up to the one of a coarser level, beyond what
  the rounding of each row explains. The rows of the right side are the finer ones.
  Finer rows without a parent, as a network may have them, don't count.
-#}
{% macro differences(coarse, fine, key, join_type) %}
{%- set metrics = ['impressions', 'clicks', 'spend'] %}
with coarse as (
  select {{ key | join(', ') }}, 1 as number_of_rows
    {%- for metric in metrics %}, coalesce({{ metric }}, 0) as {{ metric }}{% endfor %}
  from {{ ref(coarse) }}
),

fine as (
  select {{ key | join(', ') }}, count(*) as number_of_rows
    {%- for metric in metrics %}, coalesce(sum({{ metric }}), 0) as {{ metric }}{% endfor %}
  from {{ ref(fine) }}
  where {{ key | last }} is not null
  group by {{ key | join(', ') }}
)

select
  {{ key | join(', ') }}
  {%- for metric in metrics %},
  coarse.{{ metric }} as coarse_{{ metric }},
  fine.{{ metric }} as fine_{{ metric }}
  {%- endfor %}
from coarse
{{ join_type }} join fine
  using ({{ key | join(', ') }})
where
  abs(coalesce(coarse.impressions, 0) - coalesce(fine.impressions, 0)) > 0
  or abs(coalesce(coarse.clicks, 0) - coalesce(fine.clicks, 0)) > 0
  or abs(coalesce(coarse.spend, 0) - coalesce(fine.spend, 0))
  > {{ var('rounding') }} * (1 + coalesce(fine.number_of_rows, 0))
{% endmacro %}
