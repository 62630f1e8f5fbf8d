{#-
    What a count or a sum with the window 'cycle' came to on each day of the whole periods of the cycle's length that lie
    between the start of the history and the cycle. Takes what key_result takes of such a measure.

    Yields kr_id, date, amount.
-#}
{% macro days_before_cycle(kr_id, table, at, column=none, filter=none, at_is_timestamp=true) %}
{%- set history = (plumbline.day_of('cycle_start') - plumbline.day_of('history_start')).days -%}
{%- set days = history // plumbline.days_in_cycle() * plumbline.days_in_cycle() -%}
select
    '{{ kr_id }}' as kr_id,
    day as date,
    cast(sum(amount) as decimal(28, 6)) as amount
from (
    {{ plumbline.measure_records(table, column, at, at_is_timestamp, filter, 'rolling', days + 1, none, false, none) }}
) as records
where day < cast('{{ var("cycle_start") }}' as date)
group by day
{% endmacro %}


{#- The same for a strategy in which nothing is seasonal. -#}
{% macro no_days_before_cycle() %}
select {{ plumbline.as_text('null') }} as kr_id, cast(null as date) as date, cast(null as decimal(28, 6)) as amount
where 1 = 0
{% endmacro %}


{#- A day that a variable names, as Python's date. -#}
{% macro day_of(variable) -%}
    {{ return(modules.datetime.date.fromisoformat(var(variable))) }}
{%- endmacro %}


{% macro days_in_cycle() -%}
    {{ return((plumbline.day_of('cycle_end') - plumbline.day_of('cycle_start')).days + 1) }}
{%- endmacro %}
