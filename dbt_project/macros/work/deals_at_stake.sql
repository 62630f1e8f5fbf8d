{#-
    The deals that wait for a hand-off and are to close within the cycle, with the days between which they are open.
    Deals name what they wait for by the key of an item or of its epic.

    Yields handoff_id, deal_id, name, stage, amount_company, close_date, created_on, closed_on, _record.
-#}
{% macro deals_waiting_for_handoffs() %}
    select distinct
        names_of_work.handoff_id,
        deals.deal_id,
        deals.name,
        deals.stage,
        deals.amount_company,
        deals.close_date,
        {{ plumbline.local_date('deals.created_at') }} as created_on,
        {{ plumbline.local_date('deals.closed_at') }} as closed_on,
        deals._record
    from {{ ref('deals') }} as deals
    inner join (
        select handoff_id, key as name from {{ ref('handoff_items') }}
        union
        select handoff_id, epic_key as name from {{ ref('handoff_items') }}
        where epic_key is not null
    ) as names_of_work on names_of_work.name = deals.waits_for
    where not deals.deleted
        and deals.close_date <= cast('{{ var("cycle_end") }}' as date)
{%- endmacro %}


{#- Whether a deal of deals_waiting_for_handoffs is open at the end of a day. -#}
{% macro is_at_stake(deals, day) -%}
    {{ deals }}.created_on <= {{ day }}
        and {{ plumbline.or_never(deals ~ '.closed_on') }} > {{ day }}
{%- endmacro %}
