{#- The rows of all sources, from their intermediate models of that name. -#}
{% macro union_of_sources(name) %}
  {%- for source in enabled_sources() %}
select *
from {{ ref('int_' ~ source ~ '__' ~ name) }}
    {%- if not loop.last %}
union all
    {%- endif %}
  {%- endfor %}
{% endmacro %}
