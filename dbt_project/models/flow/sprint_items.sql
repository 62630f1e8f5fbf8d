with sprints as (
    select * from {{ ref('stg_jira__sprints') }}
),

-- To start, rename or complete a sprint does not touch the issues in it: the list of sprints says how it stands, for all of them,
-- and of a sprint that no board lists what came last.
ranked as (
    select
        *,
        row_number() over (
            partition by _source, sprint_id
            order by
                case when issue_id is null and not _deleted then 0 else 1 end,
                landed_at desc,
                case when completed_at is null then 1 else 0 end,
                issue_id
        ) as place_from_newest
    from sprints
),

newest as (
    select * from ranked
    where place_from_newest = 1
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
    newest.sprint_name,
    newest.sprint_state,
    newest.started_at,
    newest.ends_at,
    newest.completed_at,
    items.done_at,
    -- An active sprint takes deliveries until somebody completes it, also after its planned end.
    coalesce(
        items.done_at >= newest.started_at
        and (newest.sprint_state = 'active' or items.done_at <= coalesce(newest.completed_at, newest.ends_at)),
        false
    ) as done_in_sprint,
    items.estimate,
    items._record
from sprints
inner join newest
    on newest._source = sprints._source
    and newest.sprint_id = sprints.sprint_id
inner join items on items.item_id = sprints._source || '/' || sprints.issue_id
