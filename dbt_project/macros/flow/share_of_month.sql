{#- What of a month's amount falls on its first `day` days, with amounts spread evenly. -#}
{% macro share_of_month(amount, day) -%}
    cast({{ amount }} * {{ day }} / days_in_month as decimal(28, 10))
{%- endmacro %}
