{#- Whether a value lies in a band, either side of which may be open. Null without a value. -#}
{% macro is_in_band(value, band_low, band_high) -%}
    {{ value }} >= coalesce({{ band_low }}, {{ value }}) and {{ value }} <= coalesce({{ band_high }}, {{ value }})
{%- endmacro %}
