{#- A grade from 0.0 to 1.0 (OKR, as Google's re:Work grades them): the share of the way; no less than nothing, no more than all of it. -#}
{% macro grade(progress) -%}
    case when {{ progress }} < 0 then 0 when {{ progress }} > 1 then 1 else {{ progress }} end
{%- endmacro %}
