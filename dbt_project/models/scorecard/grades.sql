{%- set cycle_end = "cast('" ~ var('cycle_end') ~ "' as date)" -%}
with key_results as (
    select * from {{ ref('kr_current') }}
),

originals as (
    select * from {{ ref('kr_against_original') }}
),

trees as (
    select * from {{ ref('strategy_objective_trees') }}
),

graded as (
    select
        key_results.kr_id,
        key_results.objective_id,
        key_results.as_of,
        {{ plumbline.grade('key_results.progress') }} as grade,
        {{ plumbline.grade('originals.progress') }} as original_grade
    from key_results
    inner join originals on originals.kr_id = key_results.kr_id
),

members as (
    select
        trees.objective_id,
        graded.as_of,
        graded.grade,
        graded.original_grade,
        case when trees.member_id = trees.objective_id then 1 else 0 end as is_own
    from trees
    inner join graded on graded.objective_id = trees.member_id
),

-- An objective has the grades of its own key results, and where it has none those of the objectives that lead up to it.
counted as (
    select
        *,
        max(is_own) over (partition by objective_id) as has_own
    from members
)

select
    'key_result' as kind,
    kr_id as subject,
    as_of,
    as_of >= {{ cycle_end }} as is_final,
    cast(grade as decimal(9, 6)) as grade,
    cast(original_grade as decimal(9, 6)) as original_grade,
    1 as key_results
from graded

union all

select
    'objective' as kind,
    objective_id as subject,
    max(as_of) as as_of,
    max(as_of) >= {{ cycle_end }} as is_final,
    cast(avg(coalesce(grade, 0)) as decimal(9, 6)) as grade,
    cast(avg(coalesce(original_grade, grade, 0)) as decimal(9, 6)) as original_grade,
    cast(count(*) as integer) as key_results
from counted
where is_own = has_own
group by objective_id
