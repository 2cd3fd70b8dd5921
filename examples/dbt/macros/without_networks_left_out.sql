{#- A condition for AdStage's rows, if those of another source would count twice. -#}
{% macro without_networks_left_out() %}
  {%- if var('spotify_ads_enabled') and var('adstage_networks_left_out') %}
where network not in ('{{ var('adstage_networks_left_out') | join("', '") }}')
  {%- endif %}
{% endmacro %}
