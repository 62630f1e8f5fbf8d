with by_function as (
    select
        function_id,
        first(status order by severity(status) desc, coalesce(progress, 0), kr_id) as status,
        sum(coalesce(progress, 0)) / count(*) as progress,
        count(*) as key_results,
        count(*) filter (status = 'green') as green,
        count(*) filter (status = 'amber') as amber,
        count(*) filter (status = 'red') as red,
        first(kr_id order by severity(status) desc, coalesce(progress, 0), kr_id) as weakest_kr_id,
        max(as_of) as as_of
    from seen_key_results
    where is_theirs
    group by function_id
)

-- Other functions are named where a hand-off or an objective speaks of them.
select
    function_current.* replace (
        case when is_theirs(function_id) then head_name end as head_name,
        case when is_theirs(function_id) then head_email end as head_email,
        by_function.status as status,
        cast(by_function.progress as decimal(18, 6)) as progress,
        cast(coalesce(by_function.key_results, 0) as integer) as key_results,
        cast(coalesce(by_function.green, 0) as integer) as green,
        cast(coalesce(by_function.amber, 0) as integer) as amber,
        cast(coalesce(by_function.red, 0) as integer) as red,
        by_function.weakest_kr_id as weakest_kr_id,
        by_function.as_of as as_of
    )
from function_current
left join by_function using (function_id)
where is_theirs(function_id)
    or function_id in (select function_id from named_functions)
