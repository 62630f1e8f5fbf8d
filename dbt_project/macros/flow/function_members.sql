{#- A select of `value` and `function_id`: which function a project, cost centre or pipeline belongs to. -#}
{% macro function_members(kind) %}
    select {{ plumbline.as_text('value') }} as value, min(function_id) as function_id
    from {{ ref('strategy_function_members') }}
    where kind = '{{ kind }}'
    group by {{ plumbline.as_text('value') }}
{%- endmacro %}
