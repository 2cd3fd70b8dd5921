{#-
  Have `dbt build` make a model only if all levels add up: a test is run before the
  models that depend on everything that it tests.
-#}
{% macro after_tests_of_levels() %}
  {%- for level in ['account', 'campaign', 'ad'] %}
    {%- do ref('int_' ~ level ~ '_performance') %}
  {%- endfor %}
{% endmacro %}
