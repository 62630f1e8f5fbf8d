{#-
    The columns currency and amount_company of a line of finance: what the export does not say is in the company's currency.
-#}
{% macro company_amount(lines) -%}
    {%- set own = "'" ~ var('company_currency') ~ "'" -%}
    {%- set currency = "coalesce(" ~ lines ~ ".currency, " ~ own ~ ")" -%}
    {{ currency }} as currency,
    coalesce(
        {{ lines }}.amount_company,
        case when {{ currency }} = {{ own }} then {{ lines }}.amount end
    ) as amount_company
{%- endmacro %}
