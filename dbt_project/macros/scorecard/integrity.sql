{#- The first day of the cycle, and the last one that is reported. -#}
{% macro first_day_of_cycle() -%}
    cast('{{ var("cycle_start") }}' as date)
{%- endmacro %}

{% macro last_reported_day() -%}
    (select max(date) from {{ ref('calendar') }} where is_reported)
{%- endmacro %}


{#- "3 days", "1 day". -#}
{% macro spoken_count(number, noun) -%}
    {{ plumbline.as_text(number) }} || ' {{ noun }}' || case when {{ number }} = 1 then '' else 's' end
{%- endmacro %}
