{#- Statuses in order of severity, so that the worst is the greatest. -#}
{% macro severity(status) -%}
    case {{ status }} when 'red' then 3 when 'amber' then 2 when 'green' then 1 end
{%- endmacro %}


{#- Two rules of equal severity: doubt about the numbers goes before what the numbers say. -#}
{% macro rule_precedence(rule) -%}
    case {{ rule }} when 'untrusted' then 1 when 'band' then 2 when 'pace' then 3 when 'stalled' then 4 else 5 end
{%- endmacro %}


{#- A threshold of cycle.yml: `colour` is 'red' or 'amber'. -#}
{% macro threshold(rule, colour) -%}
    (select max(cast({{ colour }} as decimal(18, 6))) from {{ ref('strategy_thresholds') }} where rule = '{{ rule }}')
{%- endmacro %}
