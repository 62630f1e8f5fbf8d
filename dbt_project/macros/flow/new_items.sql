{#- Ids of the items of work whose changes an incremental build computes again: all of them when there is news of a status, or of a field that flow reads. -#}
{% macro new_items() -%}
    select _source || '/' || issue_id as item_id from {{ ref('stg_jira__issues') }}
    where _record in ({{ plumbline.new_record_names(source('raw', 'jira_issues')) }})
    union
    select _source || '/' || issue_id as item_id from {{ ref('stg_jira__changelogs') }}
    where _record in ({{ plumbline.new_record_names(source('raw', 'jira_changelogs')) }})
        or exists (
            select 1 from {{ ref('stg_jira__statuses') }}
            where _record in ({{ plumbline.new_record_names(source('raw', 'jira_statuses')) }})
                or _record in ({{ plumbline.new_record_names(source('raw', 'jira_issues')) }})
        )
        or exists (
            select 1 from {{ ref('stg_jira__fields') }}
            where field_id in ('{{ var("jira_estimate_field") }}', '{{ var("jira_sprint_field") }}')
                and _record in ({{ plumbline.new_record_names(source('raw', 'jira_fields')) }})
        )
{%- endmacro %}
