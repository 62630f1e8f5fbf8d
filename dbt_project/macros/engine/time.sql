{#- Instants, days and the way between them. Days are days of the cycle's time zone. -#}

{#- The day on which an instant falls in the cycle's time zone. -#}
{% macro local_date(instant) -%}
    cast({{ instant }} at time zone '{{ var("timezone") }}' as date)
{%- endmacro %}


{#- The instant that a text names: ISO 8601 with offset, epoch milliseconds, or a bare date (midnight of the cycle's time zone). Unreadable: null. -#}
{% macro parse_timestamp(text) -%}
    {{ return(adapter.dispatch('parse_timestamp', 'plumbline')(text)) }}
{%- endmacro %}

{% macro default__parse_timestamp(text) -%}
    {{ exceptions.raise_compiler_error("parse_timestamp has no version for " ~ target.type ~ ": add " ~ target.type ~ "__parse_timestamp") }}
{%- endmacro %}

{% macro duckdb__parse_timestamp(text) -%}
    case
        when length({{ text }}) = 10 and {{ text }} like '____-__-__'
            then cast(try_cast({{ text }} as date) as timestamp) at time zone '{{ var("timezone") }}'
        when regexp_full_match({{ text }}, '[0-9]{9,14}') then make_timestamptz(try_cast({{ text }} as bigint) * 1000)
        else try_cast({{ text }} as timestamptz)
    end
{%- endmacro %}


{#- The day that a text names, in the cycle's time zone. Unreadable: null. -#}
{% macro parse_date(text) -%}
    {{ plumbline.local_date('(' ~ plumbline.parse_timestamp(text) ~ ')') }}
{%- endmacro %}


{#- An instant as ISO 8601 text in UTC. -#}
{% macro iso_text(instant) -%}
    {{ return(adapter.dispatch('iso_text', 'plumbline')(instant)) }}
{%- endmacro %}

{% macro default__iso_text(instant) -%}
    to_char({{ instant }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
{%- endmacro %}

{% macro duckdb__iso_text(instant) -%}
    strftime({{ instant }} at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ')
{%- endmacro %}


{#- Days from one instant to another, as decimal(18,6). -#}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch('days_between', 'plumbline')(earlier, later)) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    cast(extract(epoch from ({{ later }} - {{ earlier }})) / 86400 as decimal(18, 6))
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    cast((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 86400000000 as decimal(18, 6))
{%- endmacro %}


{#- A day moved by a number of days (an expression; may be negative), as a date. -#}
{% macro add_days(day, days) -%}
    cast({{ dbt.dateadd('day', days, day) }} as date)
{%- endmacro %}


{#- The first day of the month of a day, as a date. -#}
{% macro month_of(day) -%}
    cast({{ dbt.date_trunc('month', day) }} as date)
{%- endmacro %}


{#- A day after all others, for what has not ended. -#}
{% macro never() -%}
    cast('9999-12-31' as date)
{%- endmacro %}


{#- The day, or never where there is none. -#}
{% macro or_never(day) -%}
    coalesce({{ day }}, {{ plumbline.never() }})
{%- endmacro %}
