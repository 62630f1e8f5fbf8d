{#- Every time an item of work was opened again after it had been done. Yields item_id, on_date. -#}
{% macro reopenings() %}
    select item_id, {{ plumbline.local_date('"at"') }} as on_date
    from {{ ref('work_item_changes') }}
    where field = 'status'
        and from_category = 'done'
        and to_category <> 'done'
{%- endmacro %}
