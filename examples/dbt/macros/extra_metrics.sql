{#- The names of the extra metrics of all sources, each once. -#}
{% macro extra_metrics() %}
  {%- set names = [] %}
  {%- for source in enabled_sources() %}
    {%- do names.extend(var(source ~ '_extra_metrics')) %}
  {%- endfor %}
  {{- return(names | unique | list) }}
{% endmacro %}

{#- Refuse a metric that can't be in a sum. -#}
{% macro refuse_what_does_not_add_up(source, name) %}
  {%- for word in name.lower().split('_') if word in var('words_of_what_does_not_add_up') %}
    {%- do exceptions.raise_compiler_error(
      source ~ "_extra_metrics: '" ~ name ~ "' does not add up over days, campaigns or "
      ~ "ads; remove it here, and read it from the tables of the schema " ~ var(source ~ '_schema')
    ) %}
  {%- endfor %}
{% endmacro %}

{#-
  A source's extra metrics, as further columns of a staging model. They are named with
  their table, so that the error names it if it lacks one.
-#}
{% macro typed_extra_metrics(source, table) %}
  {%- for name in var(source ~ '_extra_metrics') -%}
  {%- do refuse_what_does_not_add_up(source, name) -%}
  ,
  cast({{ table }}.{{ name }} as {{ dbt.type_numeric() }}) as {{ name }}
  {%- endfor %}
{% endmacro %}

{#- All extra metrics as further columns: null if the source lacks one. -#}
{% macro extra_metrics_of(source) %}
  {%- for name in extra_metrics() -%}
  ,
  {% if name in var(source ~ '_extra_metrics') -%}
  {{ name }}
  {%- else -%}
  cast(null as {{ dbt.type_numeric() }}) as {{ name }}
  {%- endif %}
  {%- endfor %}
{% endmacro %}
