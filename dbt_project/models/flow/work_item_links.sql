with links as (
    select * from {{ ref('stg_jira__links') }}
),

items as (
    select item_id, function_id from {{ ref('work_items') }}
    where not deleted
),

-- Both ends show a link; the lower record stands for it. Only links that say one issue blocks another count.
blocking as (
    select
        _source || '/' || link_id as link_id,
        min(link_type) as link_type,
        min(_source || '/' || from_issue_id) as blocker_id,
        min(_source || '/' || to_issue_id) as blocked_id,
        min(_record) as _record
    from links
    where not _deleted
        and (lower(link_type) like '%block%' or lower(outward) like '%block%')
    group by _source, link_id
)

select
    blocking.link_id,
    blocking.link_type,
    blocking.blocker_id,
    blocking.blocked_id,
    blockers.function_id as blocker_function,
    blocked.function_id as blocked_function,
    blocking._record
from blocking
left join items as blockers on blockers.item_id = blocking.blocker_id
left join items as blocked on blocked.item_id = blocking.blocked_id
