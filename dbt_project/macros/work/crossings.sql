{#- Every entry of an item of work into done and every way back out. Yields item_id, function_id, by_id, "at", day, is_closing. -#}
{% macro crossings() %}
    select
        item_id,
        function_id,
        by_id,
        "at",
        {{ plumbline.local_date('"at"') }} as day,
        coalesce(to_category, '') = 'done' as is_closing
    from {{ ref('work_item_changes') }}
    where field = 'status'
        and (coalesce(to_category, '') = 'done') <> (coalesce(from_category, '') = 'done')
{%- endmacro %}
