{#- Statuses in order of severity, so that the worst is the greatest. -#}
{% macro severity(status) -%}
    case {{ status }} when 'red' then 3 when 'amber' then 2 when 'green' then 1 end
{%- endmacro %}


{#- Two rules of equal severity: doubt about the numbers goes before what the numbers say. -#}
{% macro rule_precedence(rule) -%}
    case {{ rule }} when 'untrusted' then 1 when 'integrity' then 2 when 'handoff' then 3 when 'band' then 4 when 'pace' then 5 when 'forecast' then 6 when 'stalled' then 7 when 'starved' then 8 else 9 end
{%- endmacro %}


{#- A threshold of cycle.yml: `colour` is 'red' or 'amber'. -#}
{% macro threshold(rule, colour) -%}
    (select max(cast({{ colour }} as decimal(18, 6))) from {{ ref('strategy_thresholds') }} where rule = '{{ rule }}')
{%- endmacro %}
