{#-
    Work of this cycle that another function's work waits for, and that no hand-off speaks of.

    Yields giver_function, receiver_function, item_id, created_on, started_on, done_on, _record.
-#}
{% macro undeclared_items() %}
    select distinct
        links.blocker_function as giver_function,
        links.blocked_function as receiver_function,
        blockers.item_id,
        {{ plumbline.local_date('blockers.created_at') }} as created_on,
        {{ plumbline.local_date('blockers.started_at') }} as started_on,
        {{ plumbline.local_date('blockers.done_at') }} as done_on,
        blockers._record
    from {{ ref('work_item_links') }} as links
    inner join {{ ref('work_items') }} as blockers on blockers.item_id = links.blocker_id
    where links.blocker_function <> links.blocked_function
        and not blockers.deleted
        and blockers.item_id not in (select item_id from {{ ref('handoff_items') }})
        and {{ plumbline.or_never(plumbline.local_date('blockers.done_at')) }} >= {{ plumbline.first_day_of_cycle() }}
{%- endmacro %}
