{#-
    The rows of a flow table with, or as, the records that have been removed from their source. Where sources say nothing of what
    is gone there are none.

    A posting that came back under another key, as after an export of another layout, is not gone.
-#}
{% macro removed_records(table) -%}
    {%- if table in ('work_items', 'deals') -%}
    {{ ref(table) }}
    {%- elif table == 'ledger_entries' -%}
    (
        select gone.* from (
            {{- plumbline.postings(removed=true) }}
        ) as gone
        left join (
            select distinct date, account, coalesce(cost_centre, '') as cost_centre, amount, currency from {{ ref('ledger_entries') }}
        ) as there
            on there.date = gone.date
            and there.account = gone.account
            and there.cost_centre = coalesce(gone.cost_centre, '')
            and there.amount = gone.amount
            and there.currency = gone.currency
        where there.date is null
    ) as removed_postings
    {%- else -%}
    (select * from {{ ref(table) }} where 1 = 0) as nothing
    {%- endif -%}
{%- endmacro %}
