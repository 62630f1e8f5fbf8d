with issues as (
    select * from {{ ref('stg_jira__issues') }}
),

statuses as (
    select * from {{ ref('stg_jira__statuses') }}
),

status_changes as (
    select * from {{ ref('work_item_changes') }}
    where field = 'status'
),

-- A source that brings no changelogs says nothing about an item by its silence.
sources_with_history as (
    select distinct _source from {{ ref('stg_jira__changelogs') }}
),

projects_of_functions as (
    {{ plumbline.function_members('project') }}
),

histories as (
    select
        item_id,
        min("at") as first_change_at,
        min(case when from_category = 'in_progress' then "at" end) as first_left_progress_at,
        min(case when to_category = 'in_progress' then "at" end) as first_entered_progress_at,
        -- Moves between two done statuses finish nothing anew.
        max(case when to_category = 'done' and coalesce(from_category, '') <> 'done' then "at" end) as last_entered_done_at
    from status_changes
    group by item_id
),

-- An epic link names its epic by a key, which may be one that the epic had before it was moved.
keys as (
    select _source, issue_key, coalesce(max(current_id), max(issue_id)) as issue_id
    from (
        select _source, issue_key, issue_id, issue_id as current_id
        from issues
        union all
        select _source, from_text as issue_key, issue_id, null as current_id
        from {{ ref('stg_jira__changelogs') }}
        where field_name = 'Key' and not _deleted
    ) as ever
    where issue_key in (select epic_link from issues where epic_link is not null)
    group by _source, issue_key
),

standing as (
    select
        issues.*,
        coalesce(issues.parent_id, keys.issue_id) as above_id,
        issues._source || '/' || issues.issue_id as item_id,
        statuses.status_category as category,
        sources_with_history._source is not null as has_history
    from issues
    left join statuses
        on statuses._source = issues._source
        and statuses.status_id = issues.status_id
    left join keys
        on keys._source = issues._source
        and keys.issue_key = issues.epic_link
    left join sources_with_history on sources_with_history._source = issues._source
),

finished as (
    select
        standing.*,
        histories.first_change_at,
        case
            when histories.first_left_progress_at = histories.first_change_at then standing.created_at
            when histories.first_entered_progress_at is not null then histories.first_entered_progress_at
            when histories.first_change_at is null and has_history and category = 'in_progress' then standing.created_at
        end as first_in_progress_at,
        case
            when category is distinct from 'done' then null
            when histories.last_entered_done_at is not null then histories.last_entered_done_at
            -- It moved, yet never into done: it was done from the start.
            when histories.first_change_at is not null then standing.created_at
            when has_history then coalesce(standing.resolved_at, standing.created_at)
            else standing.resolved_at
        end as done_at
    from standing
    left join histories on histories.item_id = standing.item_id
),

started as (
    select
        *,
        coalesce(first_in_progress_at, case when has_history then done_at end) as started_at
    from finished
),

parents as (
    select
        item_id,
        issue_key,
        above_id,
        coalesce(type_level = 1, false) or lower(type) = 'epic' as is_epic
    from standing
),

-- A sub-task has its epic through the item that it is part of.
with_epics as (
    select
        started.*,
        case when parents.is_epic then parents.item_id when grandparents.is_epic then grandparents.item_id end as epic_id,
        case when parents.is_epic then parents.issue_key when grandparents.is_epic then grandparents.issue_key end as epic_key
    from started
    left join parents on parents.item_id = started._source || '/' || started.above_id
    left join parents as grandparents on grandparents.item_id = started._source || '/' || parents.above_id
)

select
    item_id,
    _source as source,
    issue_key as key,
    type,
    project_id,
    project_key,
    projects_of_functions.function_id,
    summary,
    status_id,
    status,
    category as status_category,
    created_at,
    started_at,
    resolved_at,
    done_at,
    {{ plumbline.days_between('created_at', 'done_at') }} as lead_time_days,
    {{ plumbline.days_between('started_at', 'done_at') }} as cycle_time_days,
    epic_id,
    epic_key,
    _source || '/' || above_id as parent_id,
    labels,
    fix_versions,
    estimate,
    priority,
    assignee_id,
    reporter_id,
    _deleted as deleted,
    _record
from with_epics
left join projects_of_functions on projects_of_functions.value = with_epics.project_key
