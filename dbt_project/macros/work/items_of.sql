{#- The items of work that belong to one hand-off or key result (`owner`, in the column `column`), found by a condition over work_items. -#}
{% macro items_of(column, owner, scope) -%}
select '{{ owner }}' as {{ column }}, item_id, key, epic_key, function_id, created_at, started_at, done_at, _record
from {{ ref('work_items') }}
where ({{ scope }}) and not deleted
{% endmacro %}


{#- The same where there is none. -#}
{% macro items_of_none(column) -%}
select {{ plumbline.as_text('null') }} as {{ column }}, item_id, key, epic_key, function_id, created_at, started_at, done_at, _record
from {{ ref('work_items') }}
where 1 = 0
{% endmacro %}
