with issues as (
    select * from {{ source('raw', 'jira_issues') }}
),

sprints as (
    {{ plumbline.json_rows('issues', 'record', ['fields', var('jira_sprint_field')], keep=['_source', '_key', '_deleted', '_landed_at']) }}
),

texts as (
    {{ plumbline.json_fields('sprints', 'item', {
        'sprint_id': ['id'],
        'sprint_name': ['name'],
        'sprint_state': ['state'],
        'started_text': ['startDate'],
        'ends_text': ['endDate'],
        'completed_text': ['completeDate'],
    }, keep=['_source', '_key', '_deleted', '_landed_at']) }}
),

-- To start, rename or complete a sprint does not touch the issues in it: what came last says how it stands, for all of them.
ranked as (
    select
        *,
        row_number() over (
            partition by _source, sprint_id
            order by _landed_at desc, case when completed_text is null then 1 else 0 end, _key
        ) as place_from_newest
    from texts
    where sprint_id is not null
),

newest as (
    select * from ranked
    where place_from_newest = 1
)

select
    ranked._key as issue_id,
    ranked.sprint_id,
    newest.sprint_name,
    lower(newest.sprint_state) as sprint_state,
    {{ plumbline.parse_timestamp('newest.started_text') }} as started_at,
    {{ plumbline.parse_timestamp('newest.ends_text') }} as ends_at,
    {{ plumbline.parse_timestamp('newest.completed_text') }} as completed_at,
    ranked._source,
    ranked._source || '/issues/' || ranked._key as _record,
    ranked._deleted
from ranked
inner join newest
    on newest._source = ranked._source
    and newest.sprint_id = ranked.sprint_id
