-- Of an objective the average of the key results that are shown, its own or else those that lead up to it.
with members as (
    select
        seen_trees.tree_id,
        grades.* replace (coalesce(grades.grade, 0) as grade, coalesce(grades.original_grade, grades.grade, 0) as original_grade),
        seen_trees.member_id = seen_trees.tree_id as is_own,
        bool_or(seen_trees.member_id = seen_trees.tree_id) over (partition by seen_trees.tree_id) as has_own
    from seen_trees
    inner join seen_key_results on seen_key_results.objective_id = seen_trees.member_id
    inner join grades on grades.kind = 'key_result' and grades.subject = seen_key_results.kr_id
    where seen_key_results.is_theirs
)

select grades.*
from grades
inner join seen_key_results on seen_key_results.kr_id = grades.subject
where grades.kind = 'key_result' and seen_key_results.is_theirs
union all by name
select
    'objective' as kind,
    tree_id as subject,
    max(as_of) as as_of,
    bool_or(is_final) as is_final,
    cast(avg(grade) as decimal(9, 6)) as grade,
    cast(avg(original_grade) as decimal(9, 6)) as original_grade,
    cast(count(*) as integer) as key_results
from members
where is_own = has_own
group by tree_id
