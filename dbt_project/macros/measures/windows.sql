{#- The steps of which key_result and key_result_evidence are made. -#}

{#- The days to measure, each with the first day of its window: those of the cycle, and those of whole periods before it. -#}
{% macro measure_days(window, window_days) -%}
    select
        calendar.date,
        {% if window == 'rolling' -%}
        {{ plumbline.add_days('calendar.date', 1 - window_days) }} as window_start
        {%- elif window == 'cycle' -%}
        calendar.period_start as window_start
        {%- else -%}
        {{ plumbline.earliest_day(window, window_days) }} as window_start
        {%- endif %}
    from {{ ref('calendar') }} as calendar
    where calendar.is_measured
{%- endmacro %}


{#- The first day that any window holds. With 'as_of', older records are taken as of the first period's start. -#}
{% macro earliest_day(window, window_days) -%}
    {%- set history = (plumbline.day_of('cycle_start') - plumbline.day_of('history_start')).days -%}
    {%- set whole_periods = history // plumbline.days_in_cycle() -%}
    {%- set back = whole_periods * plumbline.days_in_cycle() + (window_days - 1 if window == 'rolling' else 0) -%}
    {{ plumbline.add_days("cast('" ~ var('cycle_start') ~ "' as date)", -1 * back) }}
{%- endmacro %}


{#- The records of a measure: record, at_text, day, until_day, amount, in_numerator. `removed`: those that are gone instead of those that are there. -#}
{% macro measure_records(
    table, column, at, at_is_timestamp, filter, window, window_days, until, until_is_timestamp, numerator, removed=false
) -%}
    {%- set day = plumbline.local_date(adapter.quote(at)) if at_is_timestamp else adapter.quote(at) -%}
    {%- set until_day = plumbline.local_date(adapter.quote(until)) if until and until_is_timestamp else adapter.quote(until) -%}
    {%- set earliest = plumbline.earliest_day(window, window_days) -%}
    select
        _record as record,
        {{ plumbline.iso_text(adapter.quote(at)) if at_is_timestamp else plumbline.as_text(adapter.quote(at)) }} as at_text,
        {% if window == 'as_of' -%}
        greatest({{ day }}, {{ earliest }}) as day,
        {%- else -%}
        {{ day }} as day,
        {%- endif %}
        {% if until -%}
        -- Not greatest() alone: what it makes of a null differs between engines.
        case when {{ adapter.quote(until) }} is not null then greatest({{ until_day }}, {{ earliest }}) end as until_day,
        {%- else -%}
        cast(null as date) as until_day,
        {%- endif %}
        {% if column -%}
        cast({{ adapter.quote(column) }} as decimal(28, 10)) as amount,
        {%- else -%}
        1 as amount,
        {%- endif %}
        {% if numerator -%}
        coalesce({{ numerator }}, false) as in_numerator
        {%- else -%}
        true as in_numerator
        {%- endif %}
    from {{ plumbline.removed_records(table) if removed else ref(table) }}
    where {{ adapter.quote(at) }} is not null
        {%- if window != 'as_of' %}
        and {{ day }} >= {{ earliest }}
        {%- endif %}
        {%- if until %}
        and ({{ adapter.quote(until) }} is null or {{ until_day }} > {{ day }})
        {%- endif %}
        {%- if table in ('work_items', 'deals') %}
        and {{ 'deleted' if removed else 'not deleted' }}
        {%- endif %}
        {%- if filter %}
        and ({{ filter }})
        {%- endif %}
{%- endmacro %}


{#- Totals of the records of each day; with `ends`, what leaves on a day is taken off again. -#}
{% macro totals_of_days(records, ends=false) -%}
    {%- if not ends -%}
    select
        day,
        count(amount) as records,
        sum(amount) as total,
        sum(case when in_numerator then amount end) as numerator
    from {{ records }}
    group by day
    {%- else -%}
    select
        day,
        sum(counted) as records,
        sum(amount) as total,
        sum(case when in_numerator then amount end) as numerator
    from (
        select day, 1 as counted, amount, in_numerator from {{ records }}
        where amount is not null
        union all
        select until_day as day, -1 as counted, -1 * amount as amount, in_numerator from {{ records }}
        where amount is not null and until_day is not null
    ) as comings_and_goings
    group by day
    {%- endif -%}
{%- endmacro %}


{#- Totals of the window of each day. -#}
{% macro totals_of_windows(per_day) -%}
    select
        days.date,
        coalesce(sum({{ per_day }}.records), 0) as records,
        coalesce(sum({{ per_day }}.total), 0) as total,
        coalesce(sum({{ per_day }}.numerator), 0) as numerator
    from days
    left join {{ per_day }}
        on {{ per_day }}.day <= days.date
        and {{ per_day }}.day >= days.window_start
    group by days.date
{%- endmacro %}


{#- A percentile does not add up over days, so here each record goes to every day whose window holds it. -#}
{% macro percentile_per_day(share) -%}
    select
        days.date,
        count(records.amount) as records,
        {{ plumbline.percentile('records.amount', share) }} as value
    from days
    left join records on {{ plumbline.record_is_in_window('records', 'days') }}
    group by days.date
{%- endmacro %}


{% macro record_is_in_window(records, days) -%}
    {{ records }}.day <= {{ days }}.date
        and {{ records }}.day >= {{ days }}.window_start
        and ({{ records }}.until_day is null or {{ records }}.until_day > {{ days }}.date)
{%- endmacro %}


{#- A measure that makes no sense is a mistake of whoever calls: it must not become a number. -#}
{% macro assert_measure(kr_id, aggregate, window, window_days, until, numerator, against) %}
    {%- set problem = namespace(text='') -%}
    {%- if aggregate not in ('count', 'sum', 'avg', 'median', 'p85', 'ratio', 'level') -%}
        {%- set problem.text = "unknown aggregate '" ~ aggregate ~ "'" -%}
    {%- elif window not in ('cycle', 'rolling', 'as_of') -%}
        {%- set problem.text = "unknown window '" ~ window ~ "'" -%}
    {%- elif window == 'rolling' and not window_days -%}
        {%- set problem.text = "window 'rolling' needs window_days" -%}
    {%- elif until and window != 'as_of' -%}
        {%- set problem.text = "until needs window 'as_of'" -%}
    {%- elif aggregate == 'level' and window != 'as_of' -%}
        {%- set problem.text = "aggregate 'level' needs window 'as_of'" -%}
    {%- elif aggregate == 'ratio' and (numerator is none) == (against is none) -%}
        {%- set problem.text = "aggregate 'ratio' needs either numerator or against" -%}
    {%- endif -%}
    {%- if problem.text -%}
        {{ exceptions.raise_compiler_error("Key result " ~ kr_id ~ ": " ~ problem.text) }}
    {%- endif -%}
{% endmacro %}


{#- A day that a variable names, as Python's date. -#}
{% macro day_of(variable) -%}
    {{ return(modules.datetime.date.fromisoformat(var(variable))) }}
{%- endmacro %}


{% macro days_in_cycle() -%}
    {{ return((plumbline.day_of('cycle_end') - plumbline.day_of('cycle_start')).days + 1) }}
{%- endmacro %}
