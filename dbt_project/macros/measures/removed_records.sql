{#-
    The rows of a flow table with, or as, the records that have been removed from their source. Where sources say nothing of what
    is gone there are none.

    A posting that came under another key when it went, or later, as with an export of another layout, is not gone. Files of a
    stream are named by the time they landed.
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
            select distinct lost._record
            from {{ ref('stg_finance__ledger') }} as lost
            inner join {{ ref('stg_finance__ledger') }} as found
                on found._source = lost._source
                and found.date = lost.date
                and found.account = lost.account
                and coalesce(found.cost_centre, '') = coalesce(lost.cost_centre, '')
                and found.amount = lost.amount
                and coalesce(found.currency, '') = coalesce(lost.currency, '')
                and found._landed_file >= lost._landed_file
            where lost._deleted
                and not found._deleted
        ) as come_back on come_back._record = gone._record
        where come_back._record is null
    ) as removed_postings
    {%- else -%}
    (select * from {{ ref(table) }} where 1 = 0) as nothing
    {%- endif -%}
{%- endmacro %}
