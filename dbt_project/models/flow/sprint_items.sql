with sprints as (
    select * from {{ ref('stg_jira__sprints') }}
),

items as (
    select * from {{ ref('work_items') }}
    where not deleted
)

select
    items.item_id,
    items.function_id,
    items.project_key,
    sprints._source || '/' || sprints.sprint_id as sprint_id,
    sprints.sprint_name,
    sprints.sprint_state,
    sprints.started_at,
    sprints.ends_at,
    sprints.completed_at,
    items.done_at,
    -- An active sprint takes deliveries until somebody completes it, also after its planned end.
    coalesce(
        items.done_at >= sprints.started_at
        and (sprints.sprint_state = 'active' or items.done_at <= coalesce(sprints.completed_at, sprints.ends_at)),
        false
    ) as done_in_sprint,
    items.estimate,
    items._record
from sprints
inner join items on items.item_id = sprints._source || '/' || sprints.issue_id
