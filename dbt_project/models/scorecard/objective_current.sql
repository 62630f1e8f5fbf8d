with objectives as (
    select * from {{ ref('strategy_objectives') }}
),

key_results as (
    select * from {{ ref('kr_current') }}
),

-- What an objective stands on: its own key results and those of every objective that leads up to it, each once.
key_results_of_trees as (
    select
        trees.objective_id as tree_id,
        key_results.kr_id,
        key_results.status,
        key_results.progress,
        key_results.as_of
    from {{ ref('strategy_objective_trees') }} as trees
    inner join key_results on key_results.objective_id = trees.member_id
),

by_objective as (
    {{ plumbline.roll_up('key_results', 'objective_id') }}
),

by_tree as (
    {{ plumbline.roll_up('key_results_of_trees', 'tree_id') }}
)

select
    objectives.objective_id,
    objectives.name,
    objectives.level,
    objectives.function_id,
    objectives.perspective,
    objectives.sponsor_name,
    by_objective.status,
    by_objective.progress,
    coalesce(by_objective.key_results, 0) as key_results,
    coalesce(by_objective.green, 0) as green,
    coalesce(by_objective.amber, 0) as amber,
    coalesce(by_objective.red, 0) as red,
    by_objective.weakest_kr_id,
    by_objective.as_of,
    by_tree.status as tree_status,
    by_tree.progress as tree_progress,
    coalesce(by_tree.key_results, 0) as tree_key_results,
    by_tree.weakest_kr_id as tree_weakest_kr_id,
    objectives.supports,
    objectives.drives
from objectives
left join by_objective on by_objective.objective_id = objectives.objective_id
left join by_tree on by_tree.tree_id = objectives.objective_id
