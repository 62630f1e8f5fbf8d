{%- set rules = ['rule_pace', 'rule_band', 'rule_forecast', 'rule_stalled', 'rule_handoff', 'rule_starved', 'rule_resources', 'rule_integrity', 'rule_untrusted'] -%}
{% for rule in rules %}
select kr_id, date, rule, status, reason, inputs from {{ ref(rule) }}
{{ 'union all' if not loop.last }}
{% endfor %}
