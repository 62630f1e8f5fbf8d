{#- Texts and numbers. -#}

{% macro as_text(expression) -%}
    cast({{ expression }} as {{ dbt.type_string() }})
{%- endmacro %}


{#- The decimal that a text names. Unreadable: null. -#}
{% macro parse_decimal(text, precision, scale) -%}
    {{ return(adapter.dispatch('parse_decimal', 'plumbline')(text, precision, scale)) }}
{%- endmacro %}

{% macro default__parse_decimal(text, precision, scale) -%}
    {{ dbt.safe_cast(text, 'decimal(' ~ precision ~ ', ' ~ scale ~ ')') }}
{%- endmacro %}

{% macro duckdb__parse_decimal(text, precision, scale) -%}
    try_cast({{ text }} as decimal({{ precision }}, {{ scale }}))
{%- endmacro %}


{#- What the first group of a regular expression matches in a text, null where nothing does. -#}
{% macro captured(text, pattern) -%}
    {{ return(adapter.dispatch('captured', 'plumbline')(text, pattern)) }}
{%- endmacro %}

{% macro default__captured(text, pattern) -%}
    {{ exceptions.raise_compiler_error("captured has no version for " ~ target.type ~ ": add " ~ target.type ~ "__captured") }}
{%- endmacro %}

{% macro duckdb__captured(text, pattern) -%}
    nullif(regexp_extract({{ plumbline.as_text(text) }}, '{{ pattern }}', 1), '')
{%- endmacro %}


{#- The text as a part of the path of an address: everything but letters, digits and - . _ ~ becomes %XX of its UTF-8 bytes. -#}
{% macro url_text(text) -%}
    {{ return(adapter.dispatch('url_text', 'plumbline')(text)) }}
{%- endmacro %}

{% macro default__url_text(text) -%}
    {{ exceptions.raise_compiler_error("url_text has no version for " ~ target.type ~ ": add " ~ target.type ~ "__url_text") }}
{%- endmacro %}

{% macro duckdb__url_text(text) -%}
    url_encode({{ text }})
{%- endmacro %}


{#- The value below which `share` of the values lie, with linear interpolation between neighbours. -#}
{% macro percentile(expression, share) -%}
    percentile_cont({{ share }}) within group (order by cast({{ expression }} as double precision))
{%- endmacro %}


{#- A number as a leader reads it: at most two decimals, thousands set apart. -#}
{% macro spoken_number(expression) -%}
    {{ return(adapter.dispatch('spoken_number', 'plumbline')(expression)) }}
{%- endmacro %}

{% macro default__spoken_number(expression) -%}
    rtrim(rtrim({{ plumbline.as_text('cast(' ~ expression ~ ' as decimal(28, 2))') }}, '0'), '.')
{%- endmacro %}

{% macro duckdb__spoken_number(expression) -%}
    rtrim(rtrim(format('{:,.2f}', cast(cast({{ expression }} as decimal(28, 2)) as double)), '0'), '.')
{%- endmacro %}


{#- A number with its unit: "6.5 days"; a count has none. -#}
{% macro spoken(expression, unit) -%}
    {{ plumbline.spoken_number(expression) }} || case when {{ unit }} = 'count' then '' else ' ' || {{ unit }} end
{%- endmacro %}


{#- A share as whole per cent: 0.375 is "38 %". -#}
{% macro spoken_share(expression) -%}
    {{ plumbline.spoken_number('round(100 * (' ~ expression ~ '))') }} || ' %'
{%- endmacro %}


{#-
    Names, joined by blanks, of the fields that are missing or could not be read; null when there are none.
    needed: {name: parsed}, which every record has; optional: {name: (text, parsed)}, which may be empty.
-#}
{% macro unreadable(needed, optional={}) -%}
    nullif(rtrim(
        {%- for name, parsed in needed.items() %}
        case when {{ parsed }} is null then '{{ name }} ' else '' end
        {{- ' ||' if optional or not loop.last }}
        {%- endfor %}
        {%- for name, reading in optional.items() %}
        case when nullif({{ reading[0] }}, '') is not null and {{ reading[1] }} is null then '{{ name }} ' else '' end
        {{- ' ||' if not loop.last }}
        {%- endfor %}
    ), '')
{%- endmacro %}
