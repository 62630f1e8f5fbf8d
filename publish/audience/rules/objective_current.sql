-- Rolled up from the key results that are shown, as the scorecard rolls up all of them.
with by_tree as (
    select
        seen_trees.tree_id,
        first(status order by severity(status) desc, coalesce(progress, 0), kr_id) as status,
        sum(coalesce(progress, 0)) filter (is_theirs) / nullif(count(*) filter (is_theirs), 0) as progress,
        count(*) as key_results,
        first(kr_id order by severity(status) desc, coalesce(progress, 0), kr_id) as weakest_kr_id
    from seen_trees
    inner join seen_key_results on seen_key_results.objective_id = seen_trees.member_id
    group by seen_trees.tree_id
),

by_objective as (
    select
        objective_id,
        first(status order by severity(status) desc, coalesce(progress, 0), kr_id) as status,
        sum(coalesce(progress, 0)) filter (is_theirs) / nullif(count(*) filter (is_theirs), 0) as progress,
        count(*) as key_results,
        count(*) filter (status = 'green') as green,
        count(*) filter (status = 'amber') as amber,
        count(*) filter (status = 'red') as red,
        first(kr_id order by severity(status) desc, coalesce(progress, 0), kr_id) as weakest_kr_id,
        max(as_of) as as_of,
        bool_or(is_theirs) as is_theirs
    from seen_key_results
    group by objective_id
)

select
    objective_current.* replace (
        case when by_objective.is_theirs or is_theirs(objective_current.function_id) then objective_current.sponsor_name end as sponsor_name,
        -- One that shows nothing of its own stands as what leads up to it.
        coalesce(by_objective.status, by_tree.status) as status,
        cast(by_objective.progress as decimal(18, 6)) as progress,
        cast(coalesce(by_objective.key_results, 0) as integer) as key_results,
        cast(coalesce(by_objective.green, 0) as integer) as green,
        cast(coalesce(by_objective.amber, 0) as integer) as amber,
        cast(coalesce(by_objective.red, 0) as integer) as red,
        by_objective.weakest_kr_id as weakest_kr_id,
        by_objective.as_of as as_of,
        by_tree.status as tree_status,
        cast(by_tree.progress as decimal(18, 6)) as tree_progress,
        cast(coalesce(by_tree.key_results, 0) as integer) as tree_key_results,
        by_tree.weakest_kr_id as tree_weakest_kr_id,
        only_ids(supports, getvariable('seen_objectives')) as supports,
        only_ids(drives, getvariable('seen_objectives')) as drives
    )
from objective_current
inner join by_tree on by_tree.tree_id = objective_current.objective_id
left join by_objective on by_objective.objective_id = objective_current.objective_id
