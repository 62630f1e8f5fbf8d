{#-
    The columns currency and amount_company of a line of finance: what the export says; else the amount itself in the company's
    currency, or by the rate that `rates`, joined by company_rate, gives.
-#}
{% macro company_amount(lines) -%}
    {%- set own = "'" ~ var('company_currency') ~ "'" -%}
    {%- set currency = "coalesce(" ~ lines ~ ".currency, " ~ own ~ ")" -%}
    {{ currency }} as currency,
    coalesce(
        {{ lines }}.amount_company,
        case when {{ currency }} = {{ own }} then {{ lines }}.amount end,
        cast(round({{ lines }}.amount * rates.rate, 2) as decimal(18, 2))
    ) as amount_company
{%- endmacro %}


{#- The join to the rate of a line's currency on its day: the last one given up to then. -#}
{% macro company_rate(lines, day) -%}
    left join {{ ref('stg_finance__rates') }} as rates
        on rates.currency = {{ lines }}.currency
        and {{ lines }}.{{ day }} >= rates.valid_from
        and {{ lines }}.{{ day }} < rates.valid_until
{%- endmacro %}
