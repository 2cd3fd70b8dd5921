{#- The sources that the variables switch on. -#}
{% macro enabled_sources() %}
  {%- set enabled = [] %}
  {%- for source in ['adstage', 'spotify_ads'] if var(source ~ '_enabled') %}
    {%- do enabled.append(source) %}
  {%- endfor %}
  {%- if not enabled %}
    {%- do exceptions.raise_compiler_error(
      "adstage_enabled and spotify_ads_enabled are both false; set one of these variables to true"
    ) %}
  {%- endif %}
  {{- return(enabled) }}
{% endmacro %}
