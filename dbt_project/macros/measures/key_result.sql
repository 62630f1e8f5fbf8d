{#-
    The daily series of one key result.

    table: the flow table; column: what is measured of each record (none: the records themselves are counted);
    at: the column that puts a record in time; until: the column that takes it out again (window 'as_of' only);
    filter, numerator: SQL conditions over the table's columns; against: {table, column, at, at_is_timestamp, filter}.
    window: 'cycle' (cycle_start <= day <= d), 'rolling' (the window_days days up to d), 'as_of' (everything up to d).
    Timestamps count on the day of the cycle's time zone. scale: 100 makes a ratio a percentage.

    Yields kr_id, date (each measured day of the calendar), value decimal(28, 6), records. An empty window is 0 for count, sum
    and level, null for the others.
-#}
{% macro key_result(
    kr_id, table, aggregate, at, column=none, until=none, filter=none, numerator=none, window='cycle', window_days=none,
    negate=false, against=none, scale=1, at_is_timestamp=true, until_is_timestamp=true
) %}
{%- do plumbline.assert_measure(kr_id, aggregate, window, window_days, until, numerator, against) -%}
with days as (
    {{ plumbline.measure_days(window, window_days) }}
),

records as (
    {{ plumbline.measure_records(table, column, at, at_is_timestamp, filter, window, window_days, until, until_is_timestamp, numerator) }}
),
{% if aggregate in ('median', 'p85') %}
reported as (
    {{ plumbline.percentile_per_day(0.5 if aggregate == 'median' else 0.85) }}
)
{%- else %}
per_day as (
    {{ plumbline.totals_of_days('records', ends=until is not none) }}
),

reported as (
    {{ plumbline.totals_of_windows('per_day') }}
)
{%- endif %}
{%- if against is not none %},

against_records as (
    {{ plumbline.measure_records(
        against.table, against.column, against.at, against.get('at_is_timestamp', true), against.get('filter'),
        window, window_days, none, false, none
    ) }}
),

against_per_day as (
    {{ plumbline.totals_of_days('against_records') }}
),

against_reported as (
    {{ plumbline.totals_of_windows('against_per_day') }}
)
{%- endif %}

select
    '{{ kr_id }}' as kr_id,
    reported.date,
    cast(
        {%- if negate %} -1 * {% endif -%}
        {%- if aggregate in ('median', 'p85') %} reported.value
        {%- elif aggregate == 'count' %} reported.records
        {%- elif aggregate in ('sum', 'level') %} reported.total
        {%- elif aggregate == 'avg' %} reported.total / nullif(reported.records, 0)
        {%- elif against is not none %} {{ scale }} * reported.total / nullif(against_reported.total, 0)
        {%- else %} {{ scale }} * reported.numerator / nullif(reported.total, 0)
        {%- endif %} as decimal(28, 6)
    ) as value,
    cast(reported.records as bigint) as records
from reported
{%- if against is not none %}
inner join against_reported on against_reported.date = reported.date
{%- endif %}
{% endmacro %}


{#-
    The records that make up the value of the last reported day. Takes the arguments of key_result.
    removed: the records that would be in it, had they not been removed from their source.

    Yields kr_id, record, "at" (ISO text), contribution, and part: which part of the value the record is in ('value';
    for a ratio 'numerator', which counts on both sides, or 'denominator'). The contribution is the column's
    value, 1 where records are counted; for a ratio of counts 1 in the numerator and 0 elsewhere.
-#}
{% macro key_result_evidence(
    kr_id, table, aggregate, at, column=none, until=none, filter=none, numerator=none, window='cycle', window_days=none,
    negate=false, against=none, scale=1, at_is_timestamp=true, until_is_timestamp=true, removed=false
) %}
{%- set sign = '-1 * ' if negate else '' -%}
with days as (
    {{ plumbline.measure_days(window, window_days) }}
),

last_day as (
    select * from days
    order by date desc
    limit 1
),

records as (
    {{ plumbline.measure_records(table, column, at, at_is_timestamp, filter, window, window_days, until, until_is_timestamp, numerator, removed) }}
)
{%- if against is not none %},

against_records as (
    {{ plumbline.measure_records(
        against.table, against.column, against.at, against.get('at_is_timestamp', true), against.get('filter'),
        window, window_days, none, false, none, removed
    ) }}
)
{%- endif %}

select
    '{{ kr_id }}' as kr_id,
    records.record,
    records.at_text as "at",
    {% if numerator is not none and column is none -%}
    cast({{ sign }}case when records.in_numerator then 1 else 0 end as decimal(28, 6)) as contribution,
    {%- else -%}
    cast({{ sign }}records.amount as decimal(28, 6)) as contribution,
    {%- endif %}
    {% if numerator is not none -%}
    case when records.in_numerator then 'numerator' else 'denominator' end as part
    {%- else -%}
    '{{ 'numerator' if against is not none else 'value' }}' as part
    {%- endif %}
from records
inner join last_day on {{ plumbline.record_is_in_window('records', 'last_day') }}
where records.amount is not null
{%- if against is not none %}

union all

select
    '{{ kr_id }}' as kr_id,
    against_records.record,
    against_records.at_text as "at",
    cast(against_records.amount as decimal(28, 6)) as contribution,
    'denominator' as part
from against_records
inner join last_day on {{ plumbline.record_is_in_window('against_records', 'last_day') }}
where against_records.amount is not null
{%- endif %}
{% endmacro %}


{#- The same for a model of metrics/ (columns date, value, records); a day that it leaves out has no value. -#}
{% macro key_result_from_metric(kr_id, relation) %}
select
    '{{ kr_id }}' as kr_id,
    calendar.date,
    cast(metric.value as decimal(28, 6)) as value,
    cast(coalesce(metric.records, 0) as bigint) as records
from {{ ref('calendar') }} as calendar
left join {{ relation }} as metric on metric.date = calendar.date
where calendar.is_measured
{% endmacro %}
